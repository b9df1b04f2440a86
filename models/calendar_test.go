package models

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWeeksAroundClockChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone     string
		start    time.Weekday
		first    string
		from, to string
		hours    float64
	}{
		{"UTC", time.Monday, "2017-06-26", "2017-06-26T00:00:00Z", "2017-07-03T00:00:00Z", 168},
		{"Europe/Berlin", time.Monday, "2017-03-20", "2017-03-19T23:00:00Z", "2017-03-26T22:00:00Z", 167},
		{"Europe/Berlin", time.Monday, "2017-10-23", "2017-10-22T22:00:00Z", "2017-10-29T23:00:00Z", 169},
		{"America/New_York", time.Sunday, "2017-03-12", "2017-03-12T05:00:00Z", "2017-03-19T04:00:00Z", 167},
		{"America/New_York", time.Sunday, "2017-11-05", "2017-11-05T04:00:00Z", "2017-11-12T05:00:00Z", 169},
		{"America/Sao_Paulo", time.Sunday, "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-11T02:00:00Z", 167}, // starts at 01:00
		{"Australia/Lord_Howe", time.Monday, "2017-09-25", "2017-09-24T13:30:00Z", "2017-10-01T13:00:00Z", 167.5},
		{"Pacific/Apia", time.Monday, "2011-12-26", "2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z", 144}, // without Friday
	} {
		first, err := ParseDate(c.first)
		if err != nil {
			t.Fatal(err)
		}
		calendar := Calendar{Zone: zone(t, c.zone), WeekStart: c.start}
		w, err := calendar.Week(first)
		if err != nil {
			t.Fatal(err)
		}
		if w.From.Format(time.RFC3339) != c.from || w.To.Format(time.RFC3339) != c.to || w.To.Sub(w.From).Hours() != c.hours {
			t.Errorf("week %s in %s is %s to %s, %g hours", c.first, c.zone, w.From, w.To, w.To.Sub(w.From).Hours())
		}
		for at, want := range map[time.Time]bool{w.From: true, w.From.Add(-time.Millisecond): false, w.To: false, w.To.Add(-time.Millisecond): true} {
			if w.Contains(at) != want || (calendar.WeekOf(at) == first) != want {
				t.Errorf("%s in %s: contained %t, week of %s", at, c.zone, w.Contains(at), calendar.WeekOf(at))
			}
		}
	}
}

func TestWeekNamesTheRightFirstDay(t *testing.T) {
	t.Parallel()
	_, err := Calendar{Zone: time.UTC, WeekStart: time.Monday}.Week(NewDate(2017, 6, 25)) // a Sunday
	var e *Error
	if !errors.As(err, &e) || e.Code != Invalid || e.Field != "week_of" || e.Remedy != "Ask for week_of=2017-06-19." {
		t.Errorf("%#v", err)
	}
}

// TestWeeksTile: each instant lies in exactly the week that WeekOf names, and weeks follow each other without a gap.
func TestWeeksTile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		z, err := time.LoadLocation(rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Amman", "Asia/Kathmandu", "Pacific/Apia"}).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		c := Calendar{Zone: z, WeekStart: time.Weekday(rapid.IntRange(0, 6).Draw(t, "start"))}
		at := time.UnixMilli(rapid.Int64Range(-1_000_000_000_000, 4_000_000_000_000).Draw(t, "at"))
		first := c.WeekOf(at)
		w, err := c.Week(first)
		if err != nil {
			t.Fatal(err)
		}
		next, err := c.Week(first.AddDays(7))
		if err != nil {
			t.Fatal(err)
		}
		if !w.Contains(at) || next.From != w.To || !w.From.Before(w.To) {
			t.Fatalf("%s lies in the week of %s, %s to %s; the next one starts %s", at, first, w.From, w.To, next.From)
		}
	})
}
