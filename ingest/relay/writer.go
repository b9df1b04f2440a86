package relay

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"canopy/models"
)

// writer puts the values of one field into its column, straight from their JSON text.
type writer struct {
	field     *models.Field
	column    column
	currency  *coded // of money; nil otherwise
	unescapes bool   // text, whose escapes are resolved before put
	plain     *plain // column as what it is, so that no call goes through the interface
	coded     *coded
	prefix    string // of a reference: "account_"
}

func (w *writer) prepare() {
	w.plain, _ = w.column.(*plain)
	w.coded, _ = w.column.(*coded)
	switch w.field.Kind {
	case models.Text, models.LongText, models.Email, models.Phone, models.URL, models.Country, models.Picklist:
		w.unescapes = true
	case models.Reference:
		w.prefix = w.field.To + "_"
	}
}

// empty appends an empty value: null, or the empty list.
func (w *writer) empty() {
	switch {
	case w.plain != nil:
		w.plain.null()
	case w.coded != nil:
		w.coded.null()
	default:
		w.column.(*list).end()
	}
	if w.currency != nil {
		w.currency.null()
	}
}

var (
	errNumber  = errors.New("not a decimal of the field's scale")
	errMoney   = errors.New("not an amount with its currency")
	errDate    = errors.New("not a date")
	errInstant = errors.New("not an instant")
	errOther   = errors.New("not a value of the field's kind")
)

// put appends a value. raw is its JSON text; of text, dates, instants and references what stands within the quotes.
func (w *writer) put(raw []byte) error {
	switch w.field.Kind {
	case models.Picklist:
		w.coded.text(raw)
		return nil
	case models.Number, models.Formula:
		v, ok := decimal(raw, w.field.Scale)
		if !ok {
			return errNumber
		}
		w.plain.int64(v)
		return nil
	case models.MoneyKind:
		return w.money(raw)
	case models.DateKind:
		days, ok := date(raw)
		if !ok || len(raw) != len(models.DateLayout) {
			return errDate
		}
		w.plain.int32(days)
		return nil
	case models.Instant:
		v, ok := instant(raw)
		if !ok {
			return errInstant
		}
		w.plain.int64(v)
		return nil
	case models.Boolean:
		switch string(raw) {
		case "true":
			w.plain.byte(1)
		case "false":
			w.plain.byte(0)
		default:
			return errOther
		}
		return nil
	case models.Reference:
		n := len(w.prefix)
		if len(raw) <= n || string(raw[:n]) != w.prefix {
			return fmt.Errorf("not the id of a %s", w.field.To)
		}
		v, ok := digits(raw[n:])
		if !ok {
			return errOther
		}
		w.plain.uint64(v)
		return nil
	case models.MultiPick:
		return w.picks(raw)
	case models.Score:
		return w.score(raw)
	}
	w.plain.text(raw) // text; addresses and files as their JSON
	return nil
}

// money reads {"amount":"12.50","currency":"USD"}.
func (w *writer) money(raw []byte) error {
	const head, middle, tail = `{"amount":"`, `","currency":"`, `"}`
	if len(raw) < len(head)+len(middle)+3+len(tail) || string(raw[:len(head)]) != head || string(raw[len(raw)-2:]) != tail {
		return errMoney
	}
	currency := raw[len(raw)-5 : len(raw)-2]
	rest := raw[len(head) : len(raw)-5]
	if len(rest) <= len(middle) || string(rest[len(rest)-len(middle):]) != middle {
		return errMoney
	}
	v, ok := decimal(rest[:len(rest)-len(middle)], 4)
	if !ok {
		return errMoney
	}
	w.plain.int64(v)
	w.currency.text(currency)
	return nil
}

// picks reads ["a","b"].
func (w *writer) picks(raw []byte) error {
	c := w.column.(*list)
	if len(raw) < 2 || raw[0] != '[' {
		return errOther
	}
	for i := 1; raw[i] != ']'; {
		if raw[i] != '"' {
			return errOther
		}
		end, escaped := textEnd(raw, i)
		if end < 0 || end >= len(raw) {
			return errOther
		}
		text := raw[i+1 : end-1]
		if escaped {
			var err error
			if text, err = unescape(nil, text); err != nil {
				return err
			}
		}
		c.elements.text(text)
		if i = end; raw[i] == ',' {
			i++
		}
		if i >= len(raw) {
			return errOther
		}
	}
	c.end()
	return nil
}

func (w *writer) score(raw []byte) error {
	v, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || !models.Finite(v) {
		return errOther
	}
	w.plain.uint64(math.Float64bits(v))
	return nil
}

// decimal reads -12.50 as an integer scaled by 10^scale. More decimals than scale are refused unless they are zeros.
func decimal(b []byte, scale int) (int64, bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 30 {
		return 0, false
	}
	var v uint64
	decimals := -1 // -1 before the point
	seen := false
	for _, c := range b {
		if c == '.' && decimals < 0 {
			decimals = 0
			continue
		}
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		seen = true
		if decimals >= scale {
			if d != 0 {
				return 0, false
			}
			continue
		}
		if decimals >= 0 {
			decimals++
		}
		if v = v*10 + uint64(d); v > maxDecimal18 {
			return 0, false
		}
	}
	for i := max(decimals, 0); i < scale; i++ {
		if v *= 10; v > maxDecimal18 {
			return 0, false
		}
	}
	if negative {
		return -int64(v), seen
	}
	return int64(v), seen
}

const maxDecimal18 = 999_999_999_999_999_999

func digits(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var v uint64
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + uint64(d)
	}
	return v, true
}

// two reads two digits; -1 where they are none.
func two(b []byte) int {
	d, u := b[0]-'0', b[1]-'0'
	if d > 9 || u > 9 {
		return -1
	}
	return int(d)*10 + int(u)
}

// date reads the leading YYYY-MM-DD as days since 1970-01-01.
func date(b []byte) (int32, bool) {
	if len(b) < len(models.DateLayout) || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	high, low, month, day := two(b), two(b[2:]), two(b[5:]), two(b[8:])
	year := high*100 + low
	if high < 0 || low < 0 || month < 1 || month > 12 || day < 1 || day > monthDays(year, month) {
		return 0, false
	}
	// Days from civil, Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years start in March.
	if month <= 2 {
		year--
	}
	era := year / 400
	if year < 0 {
		era = -1
	}
	ofEra := year - era*400
	ofYear := (153*((month+9)%12)+2)/5 + day - 1
	return int32(era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468), true //nolint:gosec // four-digit years
}

func monthDays(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// instant reads 2017-06-30T14:00:00.000Z as milliseconds since 1970.
func instant(b []byte) (int64, bool) {
	days, ok := date(b)
	if !ok || len(b) != len(models.InstantLayout) || b[10] != 'T' || b[13] != ':' || b[16] != ':' || b[19] != '.' || b[23] != 'Z' {
		return 0, false
	}
	hour, minute, second, centi, milli := two(b[11:]), two(b[14:]), two(b[17:]), two(b[20:]), b[22]-'0'
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || centi < 0 || milli > 9 {
		return 0, false
	}
	of := int64(hour*3600+minute*60+second)*1000 + int64(centi*10) + int64(milli)
	return int64(days)*86_400_000 + of, true
}
