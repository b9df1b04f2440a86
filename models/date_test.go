package models

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Date{"1970-01-01": 0, "1969-12-31": -1, "2017-06-30": 17347, "2000-02-29": 11016, "1900-03-01": -25508} {
		got, err := ParseDate(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s is %d (%s), %v; want %d", text, got, got, err, want)
		}
	}
	for _, text := range []string{"2017-02-31", "2017-02-29", "31/02/2017", "2017-6-1", "2017-06-30T00:00:00Z", "", "2017-13-01", "2017-00-10"} {
		if d, err := ParseDate(text); err == nil {
			t.Errorf("%q is read as %s", text, d)
		}
	}
}

// TestDateLaws holds on every day of 400 years: civil parts, weekday and text belong together.
func TestDateLaws(t *testing.T) {
	t.Parallel()
	for d := NewDate(1899, 12, 25); d < NewDate(2300, 1, 7); d++ {
		year, month, day := d.Civil()
		if NewDate(year, month, day) != d || d.AddDays(7).Weekday() != d.Weekday() || d.Weekday() != d.Time(time.UTC).Weekday() {
			t.Fatalf("%d: %d-%d-%d, %s", d, year, month, day, d.Weekday())
		}
		if back, err := ParseDate(d.String()); err != nil || back != d {
			t.Fatalf("%s is read as %s, %v", d, back, err)
		}
	}
}

func TestDateJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(map[string]Date{"on": NewDate(2017, 6, 31)}) // rolls over
	if err != nil || string(text) != `{"on":"2017-07-01"}` {
		t.Errorf("%s, %v", text, err)
	}
	var back struct{ On Date }
	if err := json.Unmarshal(text, &back); err != nil || back.On != NewDate(2017, 7, 1) {
		t.Errorf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"on":"2017-02-31"}`), &back); err == nil {
		t.Error("31 February is read")
	}
}

// TestStartOfDay knows the days that do not start at one plain midnight. Instants from the IANA time zone database.
func TestStartOfDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, day, starts string }{
		{"UTC", "2017-06-30", "2017-06-30T00:00:00Z"},
		{"Europe/Berlin", "2017-03-26", "2017-03-25T23:00:00Z"},
		{"Europe/Berlin", "2017-03-27", "2017-03-26T22:00:00Z"},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"}, // no midnight: 23:59:59 is followed by 01:00
		{"America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"}, // 23:00 to 24:00 of the day before came twice
		{"Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z"},       // no midnight, east of Greenwich
		{"America/Havana", "2022-11-06", "2022-11-06T04:00:00Z"},    // midnight comes twice
		{"Asia/Amman", "2021-10-29", "2021-10-28T21:00:00Z"},        // midnight comes twice, east of Greenwich
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},      // the day after the one that never was
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},      // which starts and ends when the next one starts
		{"Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z"},
		{"Asia/Kathmandu", "1986-01-01", "1985-12-31T18:30:00Z"}, // the zone moved by 15 minutes at midnight
	} {
		d, err := ParseDate(c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Time(zone(t, c.zone)).UTC().Format(time.RFC3339); got != c.starts {
			t.Errorf("%s starts in %s at %s, want %s", c.day, c.zone, got, c.starts)
		}
	}
}

// TestDayStartsWhenItIsFirstShown compares with a clock that is watched for two days, minute by minute.
func TestDayStartsWhenItIsFirstShown(t *testing.T) {
	t.Parallel()
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "America/Santiago", "America/St_Johns", "Asia/Beirut", "Asia/Amman", "Asia/Gaza", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Kiritimati", "Australia/Lord_Howe", "Africa/Cairo", "America/Asuncion", "Atlantic/Azores"}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		// From 1970 on: before, offsets with seconds were in use.
		d := Date(rapid.Int32Range(0, 40_000).Draw(t, "day"))
		if _, end := d.Time(z).ZoneBounds(); rapid.Bool().Draw(t, "near a change") && !end.IsZero() {
			d = DateOf(end, z) + Date(rapid.IntRange(-1, 1).Draw(t, "beside"))
		}
		watched := time.Unix(int64(d-1)*86400, 0).UTC()
		for DateOf(watched, z) < d {
			watched = watched.Add(time.Minute)
		}
		if got := d.Time(z); !got.Equal(watched) {
			t.Fatalf("%s starts in %s at %s, the clock first shows it at %s", d, name, got.UTC(), watched)
		}
	})
}
