package models

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// TextContext says how text without its own context is read: Zone for dates that become instants, Currency for
// bare amounts, Country (ISO alpha-2) for national phone numbers. Zero values mean UTC, no currency, no country.
type TextContext struct {
	Zone     *time.Location
	Currency string
	Country  string
}

const (
	maxText     = 1_000
	maxLongText = 100_000
)

// kinds holds per kind: how plain text (a CSV cell, a default) becomes a value, and how a value is checked and brought to normal form.
var kinds = map[Kind]*struct {
	parse  func(f *Field, s string, c TextContext) (Value, error)
	normal func(f *Field, v Value) (Value, error)
}{
	Text:      {parseString, normalText},
	LongText:  {parseString, normalText},
	Email:     {parseString, normalEmail},
	Phone:     {parsePhone, normalPhone},
	URL:       {parseString, normalURL},
	Country:   {parseString, normalCountry},
	Picklist:  {parseString, normalPick},
	MultiPick: {parseMulti, normalMulti},
	Number:    {parseNumber, is[int64]},
	Formula:   {parseNumber, is[int64]},
	MoneyKind: {parseMoney, normalMoney},
	DateKind:  {parseDate, normalDate},
	Instant:   {parseInstant, normalInstant},
	Boolean:   {parseBool, is[bool]},
	Reference: {parseReference, normalReference},
	AddressOf: {parseAddress, normalAddress},
	FileOf:    {nil, normalFile},
	Score:     {nil, normalScore},
}

// ParseText reads plain text (a CSV cell, a default) as a value in normal form. Blank text is nil.
// An address is read from its JSON form; kinds without a one-line text form (file, score) refuse any other text.
func (f *Field) ParseText(s string, c TextContext) (Value, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, nil
	}
	kind := kinds[f.Kind]
	if kind.parse == nil {
		return nil, fmt.Errorf("a %s cannot be read from plain text", f.Kind)
	}
	v, err := kind.parse(f, s, c)
	if err != nil {
		return nil, err
	}
	return f.Normal(v)
}

// Normal checks a value of the field's Go type and brings it to normal form: text trimmed, e-mail lower-cased,
// phone in E.164, picks sorted, instants in UTC cut to milliseconds. nil and blank text stay nil.
func (f *Field) Normal(v Value) (Value, error) {
	if v == nil {
		return nil, nil
	}
	return kinds[f.Kind].normal(f, v)
}

func is[T any](f *Field, v Value) (Value, error) {
	if _, ok := v.(T); !ok {
		return nil, fmt.Errorf("not a %s", f.Kind)
	}
	return v, nil
}

func parseString(_ *Field, s string, _ TextContext) (Value, error) { return s, nil }

func normalText(f *Field, v Value) (Value, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("not text")
	}
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	limit := maxText
	if f.Kind == LongText {
		limit = maxLongText
	}
	switch {
	case len(s) > limit && utf8.RuneCountInString(s) > limit:
		return nil, fmt.Errorf("longer than %d characters", limit)
	case !utf8.ValidString(s):
		return nil, fmt.Errorf("not UTF-8 text")
	case strings.ContainsRune(s, 0):
		return nil, fmt.Errorf("contains a NUL character")
	}
	return s, nil
}

func normalEmail(f *Field, v Value) (Value, error) {
	v, err := normalText(f, v)
	if err != nil || v == nil {
		return nil, err
	}
	s := v.(string)
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || !strings.Contains(s[strings.LastIndexByte(s, '@'):], ".") {
		return nil, fmt.Errorf("%q is not an e-mail address", s)
	}
	return strings.ToLower(s), nil
}

func parsePhone(_ *Field, s string, c TextContext) (Value, error) {
	number, err := phonenumbers.Parse(s, c.Country)
	if err != nil || !phonenumbers.IsPossibleNumber(number) {
		return nil, fmt.Errorf("%q is not a phone number; write it as +CC…", s)
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}

func normalPhone(f *Field, v Value) (Value, error) {
	v, err := normalText(f, v)
	if err != nil || v == nil {
		return nil, err
	}
	return parsePhone(f, v.(string), TextContext{})
}

func normalURL(f *Field, v Value) (Value, error) {
	v, err := normalText(f, v)
	if err != nil || v == nil {
		return nil, err
	}
	u, err := url.Parse(v.(string))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%q is not an http(s) address", v)
	}
	return v, nil
}

func normalPick(f *Field, v Value) (Value, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("not text")
	}
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	if f.options[s] {
		return s, nil
	}
	if value, ok := f.spellings[Fold(s)]; ok { // a label or an alias is as good as its value
		return value, nil
	}
	return nil, fmt.Errorf("%q is none of %s", s, optionList(f))
}

func optionList(f *Field) string {
	var names []string
	for _, option := range f.Options {
		if !option.Retired {
			names = append(names, option.Value)
		}
	}
	if len(names) > 12 {
		names = append(names[:12], "…")
	}
	return strings.Join(names, ", ")
}

func parseMulti(_ *Field, s string, _ TextContext) (Value, error) {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == '|' }), nil
}

func normalMulti(f *Field, v Value) (Value, error) {
	given, ok := v.([]string)
	if !ok {
		return nil, fmt.Errorf("not a list of text")
	}
	picks := make([]string, 0, len(given))
	for _, s := range given {
		pick, err := normalPick(f, s)
		if err != nil {
			return nil, err
		}
		if pick != nil {
			picks = append(picks, pick.(string))
		}
	}
	if len(picks) == 0 {
		return nil, nil
	}
	slices.Sort(picks)
	return slices.Compact(picks), nil
}

func parseNumber(f *Field, s string, _ TextContext) (Value, error) { return scaled(s, f.Scale) }

func scaled(s string, scale int) (Value, error) {
	v, err := ParseScaled(s, scale)
	if err != nil {
		return nil, err
	}
	return v, nil
}

func parseMoney(_ *Field, s string, c TextContext) (Value, error) {
	amount, currency, found := strings.Cut(s, " ")
	if !found {
		currency = c.Currency
	}
	m, err := ParseMoney(amount, strings.TrimSpace(currency))
	if err != nil {
		return nil, err
	}
	return m, nil
}

func normalMoney(_ *Field, v Value) (Value, error) {
	m, ok := v.(Money)
	switch {
	case !ok:
		return nil, fmt.Errorf("not money")
	case !IsCurrency(m.Currency):
		return nil, fmt.Errorf("%q is not an ISO 4217 currency", m.Currency)
	}
	if _, ok := m.Decimal4(); !ok {
		return nil, fmt.Errorf("%s is out of range", m)
	}
	return m, nil
}

func parseDate(_ *Field, s string, _ TextContext) (Value, error) {
	d, err := ParseDate(s)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// ParseInstant reads RFC 3339, or a date, which is its first instant in zone (nil: UTC).
func ParseInstant(s string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC().Truncate(time.Millisecond), nil
	}
	if zone == nil {
		zone = time.UTC
	}
	if d, err := ParseDate(s); err == nil {
		return d.Time(zone).UTC(), nil
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04:05", s, zone); err == nil {
		return t.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%q is not an instant (2017-06-30T14:00:00Z) or a date (2017-06-30)", s)
}

func parseInstant(_ *Field, s string, c TextContext) (Value, error) {
	t, err := ParseInstant(s, c.Zone)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// The years that all three databases hold, instants with milliseconds: ClickHouse's Date32 and DateTime64 are the narrowest.
const minYear, maxYear = 1900, 2261

func normalDate(_ *Field, v Value) (Value, error) {
	d, ok := v.(Date)
	if !ok {
		return nil, fmt.Errorf("not a date")
	}
	if year, _, _ := d.Civil(); year < minYear || year > maxYear {
		return nil, fmt.Errorf("the year %d is out of range (%d to %d)", year, minYear, maxYear)
	}
	return d, nil
}

func normalInstant(_ *Field, v Value) (Value, error) {
	t, ok := v.(time.Time)
	if !ok {
		return nil, fmt.Errorf("not an instant")
	}
	t = t.UTC().Truncate(time.Millisecond)
	if t.Year() < minYear || t.Year() > maxYear {
		return nil, fmt.Errorf("the year %d is out of range (%d to %d)", t.Year(), minYear, maxYear)
	}
	return t, nil
}

func parseBool(_ *Field, s string, _ TextContext) (Value, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "y", "1", "on":
		return true, nil
	case "false", "no", "n", "0", "off":
		return false, nil
	}
	return nil, fmt.Errorf("%q is neither true nor false", s)
}

func parseReference(f *Field, s string, _ TextContext) (Value, error) {
	n, err := ParseID(f.To, s)
	if err != nil {
		return nil, err
	}
	return n, nil
}

func normalReference(f *Field, v Value) (Value, error) {
	if n, ok := v.(uint64); !ok || n == 0 {
		return nil, fmt.Errorf("not the id of a %s", f.To)
	}
	return v, nil
}

func parseAddress(_ *Field, s string, _ TextContext) (Value, error) {
	var a Address
	if err := json.Unmarshal([]byte(s), &a); err != nil {
		return nil, fmt.Errorf(`an address is written {"line1":"…","city":"…"}`)
	}
	return a, nil
}

func normalAddress(_ *Field, v Value) (Value, error) {
	a, ok := v.(Address)
	if !ok {
		return nil, fmt.Errorf("not an address")
	}
	if a == (Address{}) {
		return nil, nil
	}
	if a.Country != "" {
		country, err := normalCountry(nil, a.Country)
		if err != nil {
			return nil, err
		}
		a.Country = country.(string)
	}
	return a, nil
}

func normalFile(_ *Field, v Value) (Value, error) {
	file, ok := v.(File)
	if !ok || file.Name == "" || !isHexHash(file.SHA256) || file.Size < 0 {
		return nil, fmt.Errorf("a file has a name, a size and a SHA-256")
	}
	file.Name = FileName(file.Name)
	return file, nil
}

func isHexHash(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

const maxFileName = 200

// FileName is a file's name as it is kept: without folders and control characters, at most 200 characters; "file" where nothing is left.
func FileName(name string) string {
	name = strings.ToValidUTF8(name, "")
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, name))
	if runes := []rune(name); len(runes) > maxFileName {
		extension := runes[len(runes)-min(20, len(runes)):]
		name = string(runes[:maxFileName-20]) + string(extension)
	}
	if strings.Trim(name, ".") == "" {
		return "file"
	}
	return name
}

func normalScore(_ *Field, v Value) (Value, error) {
	s, ok := v.(float64)
	if !ok || !(s >= 0 && s <= 1) {
		return nil, fmt.Errorf("a score is a number from 0 to 1")
	}
	return s, nil
}

// ValuesEqual compares two values of one field.
func ValuesEqual(a, b Value) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	case []string:
		y, ok := b.([]string)
		return ok && slices.Equal(x, y)
	}
	if _, ok := b.([]string); ok {
		return false
	}
	return a == b
}
