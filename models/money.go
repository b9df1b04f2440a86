package models

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Money is an amount in minor units (cents) of one currency (ISO 4217, upper case).
type Money struct {
	Minor    int64
	Currency string
}

// currencyDigits are the minor digits of the currencies that do not have two (ISO 4217, table A.1).
var currencyDigits = map[string]int{
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4,
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
	"RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}

// currencies lists the active ISO 4217 codes.
const currencies = " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG "

// IsCurrency tells whether code is an active ISO 4217 code in upper case.
func IsCurrency(code string) bool {
	return len(code) == 3 && strings.Contains(currencies, " "+code+" ")
}

// MinorDigits is the number of decimals of a currency: 2 for USD, 0 for JPY, 3 for BHD.
func MinorDigits(currency string) int {
	if d, ok := currencyDigits[currency]; ok {
		return d
	}
	return 2
}

// ParseMoney reads a plain decimal ("1054", "1054.50", "-3.5") in major units. More decimals than the
// currency has, a thousands separator or an overflow of 64-bit minor units is an error.
func ParseMoney(amount, currency string) (Money, error) {
	if !IsCurrency(currency) {
		return Money{}, fmt.Errorf("%q is not an ISO 4217 currency", currency)
	}
	minor, err := ParseScaled(amount, MinorDigits(currency))
	if err != nil {
		return Money{}, err
	}
	return Money{Minor: minor, Currency: currency}, nil
}

// Amount is the exact decimal text in major units: "1054.00".
func (m Money) Amount() string { return FormatScaled(m.Minor, MinorDigits(m.Currency)) }

func (m Money) String() string { return m.Amount() + " " + m.Currency }

// Decimal4 is the amount in ten-thousandths of the major unit, the form of ClickHouse's Decimal(18,4).
// ok is false when that overflows 18 digits.
func (m Money) Decimal4() (v int64, ok bool) {
	v = m.Minor
	for d := MinorDigits(m.Currency); d < 4; d++ {
		if v > math.MaxInt64/10 || v < math.MinInt64/10 {
			return 0, false
		}
		v *= 10
	}
	return v, v <= maxDecimal18 && v >= -maxDecimal18
}

const maxDecimal18 = 999_999_999_999_999_999

// ParseScaled reads a decimal text as an integer scaled by 10^scale, exactly: ParseScaled("12.5", 2) = 1250.
func ParseScaled(s string, scale int) (int64, error) {
	text := strings.TrimSpace(s)
	digits := text
	if strings.HasPrefix(digits, "-") || strings.HasPrefix(digits, "+") {
		digits = digits[1:]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	fraction = strings.TrimRight(fraction, "0")
	if whole == "" && fraction == "" && !strings.Contains(digits, "0") {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	for _, r := range whole + fraction {
		if r < '0' || r > '9' {
			return 0, fmt.Errorf("%q is not a number", s)
		}
	}
	if len(fraction) > scale {
		return 0, fmt.Errorf("%q has more than %d decimals", s, scale)
	}
	joined := whole + fraction + strings.Repeat("0", scale-len(fraction))
	if joined == "" {
		return 0, nil
	}
	if strings.HasPrefix(text, "-") {
		joined = "-" + joined
	}
	v, err := strconv.ParseInt(joined, 10, 64)
	if err != nil || v > maxDecimal18 || v < -maxDecimal18 {
		return 0, fmt.Errorf("%q is out of range", s)
	}
	return v, nil
}

// FormatScaled writes v / 10^scale with exactly scale decimals: FormatScaled(1250, 2) = "12.50".
func FormatScaled(v int64, scale int) string { return string(AppendScaled(nil, v, scale)) }

// AppendScaled appends FormatScaled's text to dst.
func AppendScaled(dst []byte, v int64, scale int) []byte {
	if scale == 0 {
		return strconv.AppendInt(dst, v, 10)
	}
	if v < 0 {
		dst = append(dst, '-')
	}
	u := uint64(v) //nolint:gosec // made positive below
	if v < 0 {
		u = -u
	}
	var buf [24]byte
	text := strconv.AppendUint(buf[:0], u, 10)
	for len(text) <= scale {
		text = append([]byte{'0'}, text...)
	}
	dst = append(dst, text[:len(text)-scale]...)
	dst = append(dst, '.')
	return append(dst, text[len(text)-scale:]...)
}
