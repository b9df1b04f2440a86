package warehouse

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"canopy/models"
)

// bind writes the parameters of a text in the form that ClickHouse reads: escaped as in TSV, elements of lists quoted.
func bind(sql string, params map[string]any) (clickhouse.Parameters, error) {
	declared := declarations(sql)
	bound := make(clickhouse.Parameters, len(declared))
	for name, kind := range declared {
		value, ok := params[name]
		if !ok {
			return nil, fmt.Errorf("parameter %s (%s) has no value", name, kind)
		}
		text, err := paramText(kind, value, false)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
		bound[name] = text
	}
	if len(params) > len(declared) {
		var unknown []string
		for name := range params {
			if _, ok := declared[name]; !ok {
				unknown = append(unknown, name)
			}
		}
		slices.Sort(unknown)
		return nil, fmt.Errorf("the text has no parameter %s", strings.Join(unknown, ", "))
	}
	return bound, nil
}

// declarations finds {name:Type} outside of comments and string literals.
func declarations(sql string) map[string]string {
	found := map[string]string{}
	for i := 0; i < len(sql); i++ {
		switch rest := sql[i:]; {
		case rest[0] == '\'' || rest[0] == '`' || rest[0] == '"':
			i += quotedLength(rest) - 1
		case strings.HasPrefix(rest, "--"):
			i += lengthUntil(rest, "\n") - 1
		case strings.HasPrefix(rest, "/*"):
			i += lengthUntil(rest, "*/") - 1
		case rest[0] == '{':
			end := declarationEnd(rest)
			if name, kind, ok := strings.Cut(rest[1:end], ":"); ok && end < len(rest) {
				found[strings.TrimSpace(name)] = strings.TrimSpace(kind)
			}
			i += end
		}
	}
	return found
}

// declarationEnd finds the brace that closes the one at the start: a time zone within it stands in quotes.
func declarationEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\'':
			i += quotedLength(s[i:]) - 1
		case '}':
			return i
		}
	}
	return len(s)
}

func lengthUntil(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}

// quotedLength is the length of the literal or name in quotes that s starts with.
func quotedLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return len(s)
}

// escape writes text as one TSV field: ClickHouse reads parameters so.
var escape = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// paramText writes a value for a parameter of the ClickHouse type kind. Elements of a list are written as literals.
func paramText(kind string, value any, inList bool) (string, error) {
	kind, nullable := unwrap(kind)
	if value == nil {
		switch {
		case !nullable:
			return "", fmt.Errorf("%s takes no empty value", kind)
		case inList:
			return "NULL", nil
		}
		return `\N`, nil
	}
	if element, ok := strings.CutPrefix(kind, "Array("); ok {
		return listText(strings.TrimSuffix(element, ")"), value)
	}
	text, isText, err := scalarText(kind, value)
	switch {
	case err != nil:
		return "", err
	case inList && isText:
		return quoted(text), nil
	case isText:
		return escape.Replace(text), nil
	}
	return text, nil
}

func listText(element string, value any) (string, error) {
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		return "", fmt.Errorf("Array(%s) takes a slice, not %T", element, value)
	}
	var b strings.Builder
	b.WriteByte('[')
	for i := range list.Len() {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := paramText(element, list.Index(i).Interface(), true)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	b.WriteByte(']')
	return b.String(), nil
}

// unwrap takes Nullable and LowCardinality off a type.
func unwrap(kind string) (inner string, nullable bool) {
	for {
		if s, ok := strings.CutPrefix(kind, "Nullable("); ok {
			kind, nullable = strings.TrimSuffix(s, ")"), true
		} else if s, ok := strings.CutPrefix(kind, "LowCardinality("); ok {
			kind = strings.TrimSuffix(s, ")")
		} else {
			return kind, nullable
		}
	}
}

// scalarText writes one value; isText tells that it needs quotes as a literal.
func scalarText(kind string, value any) (text string, isText bool, err error) {
	base, arguments, _ := strings.Cut(kind, "(")
	switch v := value.(type) {
	case time.Time:
		text, err = instantText(base, arguments, v)
		return text, true, err
	case models.Date:
		if base != "Date" && base != "Date32" {
			return "", false, fmt.Errorf("%s takes no date", kind)
		}
		return v.String(), true, nil
	case models.Money:
		return "", false, fmt.Errorf("money is two parameters: its Amount() and its Currency")
	}
	r := reflect.ValueOf(value)
	switch {
	case strings.HasPrefix(base, "Int") || strings.HasPrefix(base, "UInt"):
		if r.CanInt() {
			return strconv.FormatInt(r.Int(), 10), false, nil
		}
		if r.CanUint() {
			return strconv.FormatUint(r.Uint(), 10), false, nil
		}
	case strings.HasPrefix(base, "Float"):
		if r.CanFloat() && models.Finite(r.Float()) {
			return strconv.FormatFloat(r.Float(), 'g', -1, 64), false, nil
		}
	case strings.HasPrefix(base, "Decimal"):
		return decimalText(value, r)
	case base == "Bool":
		if r.Kind() == reflect.Bool {
			return strconv.FormatBool(r.Bool()), false, nil
		}
	case base == "String", base == "FixedString", base == "Identifier", base == "UUID", strings.HasPrefix(base, "Enum"):
		if r.Kind() == reflect.String {
			return r.String(), true, nil
		}
	}
	return "", false, fmt.Errorf("%s takes no %T", kind, value)
}

// decimalText takes exact forms only: integers, decimal text, and decimals that print themselves. Never a float.
func decimalText(value any, r reflect.Value) (string, bool, error) {
	var text string
	switch s, isStringer := value.(fmt.Stringer); {
	case isStringer:
		text = s.String()
	case r.Kind() == reflect.String:
		text = r.String()
	case r.CanInt():
		text = strconv.FormatInt(r.Int(), 10)
	case r.CanUint():
		text = strconv.FormatUint(r.Uint(), 10)
	default:
		return "", false, fmt.Errorf("a decimal is written as text, not as %T", value)
	}
	if text == "" || strings.Trim(text, "+-0123456789.") != "" {
		return "", false, fmt.Errorf("%q is not a decimal", text)
	}
	return text, false, nil
}

// instantText writes an instant on the clock of the type's zone (UTC where it names none, as in the session), cut to the
// type's precision.
func instantText(base, arguments string, t time.Time) (string, error) {
	layout := "2006-01-02 15:04:05"
	switch base {
	case "DateTime":
	case "DateTime64":
		if digits := strings.TrimLeft(arguments, " "); digits != "" && digits[0] >= '1' && digits[0] <= '9' {
			layout += "." + strings.Repeat("0", int(digits[0]-'0'))
		}
	default:
		return "", fmt.Errorf("%s takes no instant: give a date", base)
	}
	zone := time.UTC
	if _, name, ok := strings.Cut(arguments, "'"); ok {
		name, _, _ = strings.Cut(name, "'")
		var err error
		if zone, err = time.LoadLocation(name); err != nil {
			return "", err
		}
	}
	return t.In(zone).Format(layout), nil
}
