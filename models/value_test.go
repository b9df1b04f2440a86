package models

import (
	"math"
	"strings"
	"testing"
	"time"
)

func field(kind Kind, more func(*Field)) *Field {
	f := &Field{Name: "f", Kind: kind}
	if more != nil {
		more(f)
	}
	if err := f.indexOptions(f.Name); err != nil {
		panic(err)
	}
	return f
}

func withOptions(f *Field) {
	f.Options = []Option{{Value: "won", Label: "Won deal"}, {Value: "lost", Label: "Lost"}, {Value: "old", Label: "Old", Retired: true}}
}

func to(object string) func(*Field) { return func(f *Field) { f.To = object } }

func scale(n int) func(*Field) { return func(f *Field) { f.Scale = n } }

// TestParseText reads cells of tables in Berlin, with bare amounts in EUR and national phone numbers of Germany.
func TestParseText(t *testing.T) {
	t.Parallel()
	c := TextContext{Zone: zone(t, "Europe/Berlin"), Currency: "EUR", Country: "DE"}
	for _, v := range []struct {
		field *Field
		text  string
		want  Value
	}{
		{field(Text, nil), "  GTX Pro\t", "GTX Pro"},
		{field(Text, nil), " \u00a0 ", nil},
		{field(Email, nil), " Ann.Lee@Example.COM ", "ann.lee@example.com"},
		{field(Phone, nil), "030 / 12 34 56", "+4930123456"},
		{field(Phone, nil), "+1 (212) 555-0123", "+12125550123"},
		{field(URL, nil), "https://example.com/A?b=1", "https://example.com/A?b=1"},
		{field(Country, nil), "Philippines", "PH"},
		{field(Country, nil), "united states", "US"},
		{field(Country, nil), "KOREA", "KR"},
		{field(Country, nil), "Germany", "DE"},
		{field(Country, nil), "jo", "JO"},
		{field(Country, nil), "Norway", "NO"},
		{field(Picklist, withOptions), " won deal ", "won"},
		{field(Picklist, withOptions), "lost", "lost"},
		{field(MultiPick, withOptions), "won; lost|won;;", []string{"lost", "won"}},
		{field(MultiPick, withOptions), ";", nil},
		{field(Number, scale(2)), "-12.5", int64(-1250)},
		{field(MoneyKind, nil), "1054.50", Money{105450, "EUR"}},
		{field(MoneyKind, nil), "1054  JPY", Money{1054, "JPY"}},
		{field(DateKind, nil), "2017-06-30", NewDate(2017, 6, 30)},
		{field(Instant, nil), "2017-06-30", time.Date(2017, 6, 29, 22, 0, 0, 0, time.UTC)},
		{field(Instant, nil), "2017-12-30 14:00:00", time.Date(2017, 12, 30, 13, 0, 0, 0, time.UTC)},
		{field(Instant, nil), "2017-06-30T14:00:00.1239+02:00", time.Date(2017, 6, 30, 12, 0, 0, 123e6, time.UTC)},
		{field(Boolean, nil), "Yes", true},
		{field(Boolean, nil), "0", false},
		{field(Reference, to("account")), "account_12", uint64(12)},
		{field(AddressOf, nil), "", nil},
	} {
		got, err := v.field.ParseText(v.text, c)
		if err != nil || !ValuesEqual(got, v.want) {
			t.Errorf("%s %q is %v, %v; want %v", v.field.Kind, v.text, got, err, v.want)
		}
	}
}

func TestParseTextRefuses(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		field *Field
		text  string
	}{
		{field(Text, nil), "a\x00b"},
		{field(Text, nil), "a\xffb"},
		{field(Text, nil), strings.Repeat("ä", 1001)},
		{field(LongText, nil), strings.Repeat("x", 100_001)},
		{field(Email, nil), "ann"},
		{field(Email, nil), "Ann <ann@example.com>"},
		{field(Email, nil), "ann@localhost"},
		{field(Phone, nil), "030 123456"}, // no country to read it by
		{field(Phone, nil), "+49"},
		{field(URL, nil), "javascript:alert(1)"},
		{field(URL, nil), "example.com"},
		{field(Country, nil), "Philipines"},
		{field(Country, nil), "EU"},
		{field(Country, nil), "ZZ"},
		{field(Picklist, withOptions), "old"},
		{field(Picklist, withOptions), "Engaging"},
		{field(MultiPick, withOptions), "won;nothing"},
		{field(Number, scale(2)), "1,000"},
		{field(Number, scale(2)), "1.005"},
		{field(MoneyKind, nil), "12"}, // no currency to read it by
		{field(DateKind, nil), "31/02/2017"},
		{field(DateKind, nil), "2017-02-31"},
		{field(DateKind, nil), "1899-12-31"}, // before what ClickHouse's Date32 holds
		{field(DateKind, nil), "2262-01-01"},
		{field(Instant, nil), "2017-02-31T00:00:00Z"},
		{field(Instant, nil), "1899-12-31T23:59:59Z"},
		{field(Instant, nil), "2262-01-01T00:00:00Z"},
		{field(Boolean, nil), "maybe"},
		{field(Reference, to("account")), "deal_12"},
		{field(Reference, to("account")), "account_012"},
		{field(Reference, to("account")), "account_0"},
		{field(Reference, to("account")), "account_9223372036854775808"},
		{field(AddressOf, nil), "1 Main Street"},
		{field(Score, nil), "0.5"},
	} {
		if got, err := v.field.ParseText(v.text, TextContext{}); err == nil {
			t.Errorf("%s %q is read as %v", v.field.Kind, v.text, got)
		}
	}
}

func TestNormalChecksGoTypes(t *testing.T) {
	t.Parallel()
	for kind := range kinds {
		f := field(kind, to("account"))
		type other struct{}
		if v, err := f.Normal(other{}); err == nil {
			t.Errorf("%s takes a foreign type as %v", kind, v)
		}
		if v, err := f.Normal(nil); v != nil || err != nil {
			t.Errorf("%s: nil becomes %v, %v", kind, v, err)
		}
	}
	for _, s := range []float64{-0.01, 1.01, math.NaN(), math.Inf(1)} {
		if _, err := field(Score, nil).Normal(s); err == nil {
			t.Errorf("%g is a score", s)
		}
	}
	if _, err := field(MoneyKind, nil).Normal(Money{10_000_000_000_000_000, "USD"}); err == nil {
		t.Error("money that ClickHouse cannot hold is taken")
	}
	address, err := field(AddressOf, nil).Normal(Address{City: "Manila", Country: "Philippines"})
	if err != nil || address != (Address{City: "Manila", Country: "PH"}) {
		t.Errorf("address %v, %v", address, err)
	}
}

func TestValuesEqual(t *testing.T) {
	t.Parallel()
	at := time.Date(2017, 6, 30, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		a, b Value
		want bool
	}{
		{nil, nil, true}, {nil, "", false}, {"", nil, false}, {nil, []string(nil), false}, {int64(1), uint64(1), false},
		{at, at.In(zone(t, "Asia/Kathmandu")), true}, {at, at.Add(time.Millisecond), false},
		{[]string{"a"}, []string{"a"}, true}, {[]string{"a"}, []string{"a", "b"}, false}, {"a", []string{"a"}, false},
		{Money{1, "USD"}, Money{1, "EUR"}, false}, {Address{City: "x"}, Address{City: "x"}, true},
	} {
		if ValuesEqual(c.a, c.b) != c.want {
			t.Errorf("%v and %v: %t", c.a, c.b, !c.want)
		}
	}
}
