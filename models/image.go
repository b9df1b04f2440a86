package models

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// InstantLayout is how instants are written in JSON: UTC with milliseconds.
const InstantLayout = "2006-01-02T15:04:05.000Z"

// AppendImage appends the JSON object of a record's values to dst: {"name":"…","amount":{…}}, in field order, empty fields left out.
func (o *Object) AppendImage(dst []byte, values []Value) []byte {
	dst = append(dst, '{')
	first := true
	for i, v := range values {
		if v == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '"')
		dst = append(dst, o.Fields[i].Name...)
		dst = append(dst, '"', ':')
		dst = o.Fields[i].AppendJSON(dst, v)
	}
	return append(dst, '}')
}

// AppendJSON appends one value in its JSON form (see Kind).
func (f *Field) AppendJSON(dst []byte, v Value) []byte {
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		return appendQuoted(dst, x)
	case int64:
		return AppendScaled(dst, x, f.Scale)
	case uint64:
		dst = append(dst, '"')
		dst = append(dst, f.To...)
		dst = append(dst, '_')
		dst = strconv.AppendUint(dst, x, 10)
		return append(dst, '"')
	case Money:
		dst = append(dst, `{"amount":"`...)
		dst = AppendScaled(dst, x.Minor, MinorDigits(x.Currency))
		dst = append(dst, `","currency":"`...)
		dst = append(dst, x.Currency...)
		return append(dst, `"}`...)
	case Date:
		dst = append(dst, '"')
		dst = append(dst, x.String()...)
		return append(dst, '"')
	case time.Time:
		dst = append(dst, '"')
		dst = x.UTC().AppendFormat(dst, InstantLayout)
		return append(dst, '"')
	case bool:
		return strconv.AppendBool(dst, x)
	case float64:
		return strconv.AppendFloat(dst, x, 'g', -1, 64)
	case []string:
		dst = append(dst, '[')
		for i, s := range x {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendQuoted(dst, s)
		}
		return append(dst, ']')
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("models: %s has no JSON form for %T", f.Name, v))
	}
	return append(dst, text...)
}

const hexDigits = "0123456789abcdef"

// appendQuoted writes a JSON string; invalid UTF-8 becomes the replacement character.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\ufffd"...)
			i++
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// ParseJSON reads one value from its JSON form and brings it to normal form. null is nil.
// Numbers may also be JSON strings ("12.50"), so that clients without decimals lose nothing.
func (f *Field) ParseJSON(raw []byte) (Value, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	var v Value
	var err error
	switch f.Kind {
	case Number, Formula:
		text := string(raw)
		if len(text) > 1 && text[0] == '"' {
			err = json.Unmarshal(raw, &text)
		}
		if err == nil {
			v, err = scaled(text, f.Scale)
		}
	case MoneyKind:
		var m struct {
			Amount   json.RawMessage `json:"amount"`
			Currency string          `json:"currency"`
		}
		if err = json.Unmarshal(raw, &m); err != nil {
			return nil, fmt.Errorf(`money is written {"amount":"12.50","currency":"USD"}`)
		}
		text := string(m.Amount)
		if len(text) > 1 && text[0] == '"' {
			text = text[1 : len(text)-1]
		}
		var money Money
		money, err = ParseMoney(text, m.Currency)
		v = money
	case Boolean:
		v, err = decode[bool](raw, "true or false")
	case MultiPick:
		v, err = decode[[]string](raw, "a list of text")
	case AddressOf:
		v, err = decode[Address](raw, "an address object")
	case FileOf:
		v, err = decode[File](raw, "a file object")
	case Score:
		v, err = decode[float64](raw, "a number from 0 to 1")
	default:
		var s string
		if s, err = decode[string](raw, "text in quotes"); err != nil {
			return nil, err
		}
		return f.ParseText(s, TextContext{})
	}
	if err != nil {
		return nil, err
	}
	return f.Normal(v)
}

func decode[T any](raw []byte, wanted string) (T, error) {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("wanted %s", wanted)
	}
	return v, nil
}

// ParseImage reads what AppendImage wrote. Values has one entry a field of the object as it is now; fields that the
// image does not name are nil, names that the object does not know are passed over (a field that was dropped).
func (o *Object) ParseImage(image []byte) ([]Value, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(image, &raw); err != nil {
		return nil, fmt.Errorf("read image of %s: %w", o.Name, err)
	}
	values := make([]Value, len(o.Fields))
	for name, text := range raw {
		f := o.byName[name]
		if f == nil {
			continue
		}
		v, err := f.ParseStored(text)
		if err != nil {
			return nil, fmt.Errorf("read %s.%s: %w", o.Name, name, err)
		}
		values[f.index] = v
	}
	return values, nil
}

// ParseStored reads a value that AppendJSON wrote, without today's acceptance rules: an option retired since stays readable.
func (f *Field) ParseStored(raw []byte) (Value, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	switch f.Kind {
	case Text, LongText, Email, Phone, URL, Country, Picklist:
		return decode[string](raw, "text")
	case MultiPick:
		return decode[[]string](raw, "a list")
	}
	return f.ParseJSON(raw)
}

// Finite tells whether x may leave a room: neither NaN nor infinite.
func Finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
