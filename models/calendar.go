package models

import (
	"fmt"
	"time"
)

// Calendar is the workspace's clock: the zone in which days and weeks are cut, the day on which a week starts, and the month
// in which the fiscal year starts (1…12).
type Calendar struct {
	Zone        *time.Location
	WeekStart   time.Weekday
	FiscalMonth time.Month
}

// Window is half-open: From ≤ t < To.
type Window struct{ From, To time.Time }

// Contains tells whether t lies in the window.
func (w Window) Contains(t time.Time) bool { return !t.Before(w.From) && t.Before(w.To) }

// WeekOf gives the first day of the week that holds t on the workspace's clock.
func (c Calendar) WeekOf(t time.Time) Date {
	d := DateOf(t, c.Zone)
	return d.AddDays(-((int(d.Weekday()) - int(c.WeekStart) + 7) % 7))
}

// Week gives the window of the week that starts on first. A date that is no first day of a week is invalid and names the right one.
// A week has seven calendar days; with a clock change it has 167 or 169 hours.
func (c Calendar) Week(first Date) (Window, error) {
	if first.Weekday() != c.WeekStart {
		right := first.AddDays(-((int(first.Weekday()) - int(c.WeekStart) + 7) % 7))
		return Window{}, FieldError("week_of", "%s is a %s; weeks start on %s", first, first.Weekday(), c.WeekStart).
			WithRemedy(fmt.Sprintf("Ask for week_of=%s.", right))
	}
	return Window{From: first.Time(c.Zone).UTC(), To: first.AddDays(7).Time(c.Zone).UTC()}, nil
}
