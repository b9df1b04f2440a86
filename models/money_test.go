package models

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseMoneyByCurrency(t *testing.T) {
	t.Parallel()
	for text, minor := range map[string]int64{
		"1054 USD": 105400, "1054.5 USD": 105450, "-3.50 EUR": -350, "+.5 USD": 50, "12. USD": 1200, "0 USD": 0, "-0.00 USD": 0, "007 USD": 700,
		"1054 JPY": 1054, "1054.00 JPY": 1054, "1.234 BHD": 1234, "1.2340 BHD": 1234, "0.0001 CLF": 1,
		"9999999999999999.99 USD": 999_999_999_999_999_999,
	} {
		amount, currency, _ := strings.Cut(text, " ")
		m, err := ParseMoney(amount, currency)
		if err != nil || m != (Money{minor, currency}) {
			t.Errorf("%s is %v, %v; want %d", text, m, err, minor)
		}
	}
	for _, text := range []string{
		"1.5 JPY", "1.2345 BHD", "1.005 USD", "1,054 USD", "1 054 USD", "1e3 USD", " USD", ". USD", "- USD", "--1 USD", "0x10 USD", "1_000 USD", "١٢ USD", "NaN USD",
		"99999999999999999 USD", "9223372036854775808 JPY", "12 usd", "12 ", "12 US", "12 XXX", "12 USD EUR",
	} {
		amount, currency, _ := strings.Cut(text, " ")
		if m, err := ParseMoney(amount, currency); err == nil {
			t.Errorf("%q is read as %s", text, m)
		}
	}
}

func TestMoneyText(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]Money{
		"1054.00 USD": {105400, "USD"}, "-0.05 EUR": {-5, "EUR"}, "1054 JPY": {1054, "JPY"}, "-1.005 BHD": {-1005, "BHD"}, "0.0001 CLF": {1, "CLF"},
	} {
		if m.String() != want {
			t.Errorf("%v is written %s, want %s", m, m, want)
		}
	}
}

func TestDecimal4HoldsEighteenDigits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m    Money
		want int64
		ok   bool
	}{
		{Money{12345, "USD"}, 1_234_500, true},
		{Money{-12345, "JPY"}, -123_450_000, true},
		{Money{1234, "BHD"}, 12_340, true},
		{Money{1, "CLF"}, 1, true},
		{Money{9_999_999_999_999_999, "USD"}, 999_999_999_999_999_900, true},
		{Money{10_000_000_000_000_000, "USD"}, 0, false},
		{Money{-10_000_000_000_000_000, "USD"}, 0, false},
		{Money{9_000_000_000_000_000_000, "USD"}, 0, false},
	} {
		if got, ok := c.m.Decimal4(); ok != c.ok || ok && got != c.want {
			t.Errorf("%v is %d, %t", c.m, got, ok)
		}
	}
}

// TestScaledRoundTrip: what is written is read as the same integer, with exactly the scale's decimals.
func TestScaledRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.IntRange(0, 9).Draw(t, "scale")
		v := rapid.Int64Range(-maxDecimal18, maxDecimal18).Draw(t, "value")
		text := FormatScaled(v, scale)
		if back, err := ParseScaled(text, scale); err != nil || back != v {
			t.Fatalf("%d with %d decimals is written %s and read %d, %v", v, scale, text, back, err)
		}
		if _, fraction, _ := strings.Cut(text, "."); len(fraction) != scale {
			t.Fatalf("%s has %d decimals, not %d", text, len(fraction), scale)
		}
	})
}

func TestEachCurrencyIsListedOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, code := range strings.Fields(currencies) {
		if len(code) != 3 || code != strings.ToUpper(code) || seen[code] || !IsCurrency(code) {
			t.Errorf("currency %q", code)
		}
		seen[code] = true
	}
	for code := range currencyDigits {
		if !seen[code] {
			t.Errorf("digits of %s, which is no currency", code)
		}
	}
}

func FuzzParseScaled(f *testing.F) {
	for _, text := range []string{"12.50", "-0", "+.5", "1e9", "999999999999999999", "..", "1.", " 7 "} {
		f.Add(text, 2)
	}
	f.Fuzz(func(t *testing.T, text string, scale int) {
		if scale < 0 || scale > 9 {
			return
		}
		v, err := ParseScaled(text, scale)
		if err != nil {
			return
		}
		if back, err := ParseScaled(FormatScaled(v, scale), scale); err != nil || back != v {
			t.Fatalf("%q is %d, written %s, read %d, %v", text, v, FormatScaled(v, scale), back, err)
		}
	})
}
