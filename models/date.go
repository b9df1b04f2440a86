package models

import (
	"encoding/json"
	"fmt"
	"time"
)

// Date is a calendar date without a zone: days since 1970-01-01, proleptic Gregorian.
type Date int32

// DateLayout is the only written form of a Date.
const DateLayout = "2006-01-02"

// NewDate gives the date of year, month and day; out-of-range days roll over as in time.Date.
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400) //nolint:gosec // a date of a year that time.Date can hold in days
}

// DateOf gives the calendar date that t shows on a clock in zone.
func DateOf(t time.Time, zone *time.Location) Date {
	y, m, d := t.In(zone).Date()
	return NewDate(y, m, d)
}

// ParseDate reads YYYY-MM-DD; a day that does not exist (31 February) is an error.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(DateLayout, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date (YYYY-MM-DD)", s)
	}
	return Date(t.Unix() / 86400), nil //nolint:gosec // four-digit years
}

// Time is the first instant at which a clock in zone shows the date or a later one: midnight, the earlier of two midnights where the clock is put
// back over it, the instant of the change where a change skips midnight or the whole day. (time.Date promises neither.)
func (d Date) Time(zone *time.Location) time.Time {
	y, m, day := d.Civil()
	t := time.Date(y, m, day, 0, 0, 0, 0, zone)
	start, end := t.ZoneBounds()
	if DateOf(t, zone) < d {
		return end
	}
	if start.IsZero() {
		return t
	}
	_, offset := start.Add(-time.Second).Zone()
	if earlier := time.Unix(int64(d)*86400-int64(offset), 0).In(zone); earlier.Before(start) && DateOf(earlier, zone) == d {
		return earlier
	}
	if DateOf(start, zone) >= d {
		return start
	}
	return t
}

// Civil splits the date into year, month and day.
func (d Date) Civil() (int, time.Month, int) {
	return time.Unix(int64(d)*86400, 0).UTC().Date()
}

// AddDays moves by whole calendar days.
func (d Date) AddDays(n int) Date { return d + Date(n) } //nolint:gosec // days, not seconds

// Weekday of the date.
func (d Date) Weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) }

func (d Date) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format(DateLayout) }

// MarshalJSON writes "YYYY-MM-DD".
func (d Date) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalJSON reads "YYYY-MM-DD".
func (d *Date) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := ParseDate(s)
	*d = v
	return err
}
