package crm_test

import (
	"testing"
	"time"

	"canopy/crm"
	"canopy/models"
)

const officeWeek = `{"mon":["09:00-12:30","13:30-17:30"],"tue":["09:00-17:00"],"wed":["09:00-17:00"],"thu":["09:00-17:00"],"fri":["09:00-15:00"]}`

func berlin(t *testing.T, week, holidays string) (*crm.Hours, func(string) time.Time) {
	t.Helper()
	h, err := crm.NewHours("Europe/Berlin", week, holidays)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return h, func(text string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
}

// Worked by hand on the wall calendar of 2026: 2 March is a Monday, 3 April is Good Friday, 29 March has 23 hours and 25 October 25.
func TestWorkingTime(t *testing.T) {
	t.Parallel()
	h, at := berlin(t, officeWeek, `["2026-04-03"]`)
	for _, c := range []struct {
		why, from string
		working   time.Duration
		want      string
	}{
		{"within a span", "2026-03-02 10:00", 2 * time.Hour, "2026-03-02 12:00"},
		{"over the lunch break", "2026-03-02 12:00", time.Hour, "2026-03-02 14:00"},
		{"to the end of a span, not the start of the next", "2026-03-02 11:30", time.Hour, "2026-03-02 12:30"},
		{"before opening", "2026-03-02 06:00", 30 * time.Minute, "2026-03-02 09:30"},
		{"over the weekend", "2026-03-06 14:00", 2 * time.Hour, "2026-03-09 10:00"},
		{"over a holiday and the weekend", "2026-04-02 16:30", time.Hour, "2026-04-06 09:30"},
		{"none: the next working instant", "2026-03-07 12:00", 0, "2026-03-09 09:00"},
	} {
		got, ok := h.After(at(c.from), c.working)
		if !ok || !got.Equal(at(c.want)) {
			t.Errorf("%s: %s + %s = %s, want %s", c.why, c.from, c.working, got, c.want)
		}
		if back := h.Between(at(c.from), at(c.want)); back != c.working {
			t.Errorf("%s: between %s and %s lie %s, want %s", c.why, c.from, c.want, back, c.working)
		}
	}
}

func TestWorkingTimeOverAClockChange(t *testing.T) {
	t.Parallel()
	h, at := berlin(t, `{"sun":["00:00-24:00"]}`, "")
	if got := h.Between(at("2026-03-29 00:00"), at("2026-03-30 00:00")); got != 23*time.Hour {
		t.Errorf("the day on which clocks go forward has %s", got)
	}
	if got := h.Between(at("2026-10-25 00:00"), at("2026-10-26 00:00")); got != 25*time.Hour {
		t.Errorf("the day on which clocks go back has %s", got)
	}
	got, ok := h.After(at("2026-03-29 01:00"), 2*time.Hour)
	if want := at("2026-03-29 04:00"); !ok || !got.Equal(want) {
		t.Errorf("two hours from one o'clock end at %s, want %s", got, want)
	}
}

func TestHoursNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, week, holidays, field string }{
		{"Mars/Base", officeWeek, "", "zone"}, {"", officeWeek, "", "zone"},
		{"UTC", "always", "", "hours"}, {"UTC", `{"moon":["09:00-10:00"]}`, "", "hours"}, {"UTC", `{"mon":["17:00-09:00"]}`, "", "hours"},
		{"UTC", `{"mon":["09:00-12:00","11:00-13:00"]}`, "", "hours"}, {"UTC", `{}`, "", "hours"},
		{"UTC", officeWeek, "Christmas", "holidays"}, {"UTC", officeWeek, `["2026-02-30"]`, "holidays"},
	} {
		_, err := crm.NewHours(c.zone, c.week, c.holidays)
		said, ok := err.(*models.Error) //nolint:errorlint // NewHours gives Gather's error itself
		if !ok || said.Field != c.field || said.Remedy == "" {
			t.Errorf("%q %q %q: got %v, want an error of %s", c.zone, c.week, c.holidays, err, c.field)
		}
	}
	var always *crm.Hours
	from := time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC)
	if at, ok := always.After(from, time.Hour); !ok || !at.Equal(from.Add(time.Hour)) || always.Between(from, at) != time.Hour {
		t.Error("without a calendar time passes as it passes")
	}
	closed, err := crm.NewHours("UTC", `{"thu":["09:00-10:00"]}`, `["2026-01-01"]`)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := closed.After(from, 10_000*time.Hour); ok {
		t.Error("ten thousand hours do not fit into ten years of one hour a week")
	}
}
