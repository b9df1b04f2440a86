package importer

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"canopy/models"
)

// numberForm is how a file writes numbers.
type numberForm struct {
	comma bool     // the decimal mark is a comma
	times *big.Rat // nil: as it stands
}

func parseNumberForm(decimal, times string) (numberForm, error) {
	var f numberForm
	switch decimal {
	case "", ".":
	case ",":
		f.comma = true
	default:
		return f, models.FieldError("decimal", "%q is no decimal mark; there are \".\" and \",\"", decimal)
	}
	if times != "" {
		var ok bool
		if f.times, ok = new(big.Rat).SetString(times); !ok || f.times.Sign() == 0 || len(times) > 20 {
			return f, models.FieldError("times", "%q is not a factor such as 1000000", times)
		}
	}
	return f, nil
}

var currencySigns = strings.NewReplacer("$", "", "€", "", "£", "", "¥", "", "₹", "")

// plain rewrites a number of the file as a plain decimal ("1234.50"): grouping (blank, apostrophe, and the mark that is not the
// decimal one where it stands in groups of three) and a leading or trailing currency sign go; the factor is applied exactly.
// scale is how many decimals the result may have.
func (f numberForm) plain(text string, scale int) (string, error) {
	s := strings.TrimSpace(currencySigns.Replace(text))
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\u00a0' || r == '\u202f' || r == '\'' || r == '’' {
			return -1
		}
		return r
	}, s)
	group, mark := ",", "."
	if f.comma {
		group, mark = ".", ","
	}
	if strings.Contains(s, group) {
		if !grouped(s, group, mark) {
			return "", fmt.Errorf("%q is not a number written with the decimal mark %q", text, mark)
		}
		s = strings.ReplaceAll(s, group, "")
	}
	s = strings.Replace(s, mark, ".", 1)
	if strings.Trim(s, "+-.0123456789") != "" || !strings.ContainsAny(s, "0123456789") {
		return "", fmt.Errorf("%q is not a number", text)
	}
	if f.times == nil {
		return s, nil
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok {
		return "", fmt.Errorf("%q is not a number", text)
	}
	n.Mul(n, f.times)
	exact, precise := n.FloatPrec()
	if !precise || exact > scale {
		return "", fmt.Errorf("%q times %s has more than %d decimals", text, f.times.RatString(), scale)
	}
	return n.FloatString(exact), nil
}

// grouped tells whether the whole part of s is written in groups of three.
func grouped(s, group, mark string) bool {
	whole, fraction, _ := strings.Cut(strings.TrimLeft(s, "+-"), mark)
	if strings.Contains(fraction, group) {
		return false
	}
	parts := strings.Split(whole, group)
	for i, p := range parts {
		if i > 0 && len(p) != 3 || i == 0 && (p == "" || len(p) > 3) {
			return false
		}
	}
	return true
}

// plainFloat writes a float in the shortest decimal that reads back the same, without an exponent.
func plainFloat(v float64, bits int) string { return strconv.FormatFloat(v, 'f', -1, bits) }
