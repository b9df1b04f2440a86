package crm

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"canopy/models"
)

// span is a part of a day on the wall clock, half-open, in minutes from midnight (0…1440).
type span struct{ from, to int }

// Hours is a business calendar ready for reckoning: a zone, the spans of each weekday and the days without work.
// A nil *Hours is always open: working time is then the time that passes.
type Hours struct {
	zone     *time.Location
	week     [7][]span // by time.Weekday; each in order, not overlapping
	holidays map[models.Date]bool
}

var dayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// NewHours reads a calendar. week is JSON: {"mon":["09:00-12:30","13:30-17:30"],…}, days left out are free; holidays is JSON:
// ["2026-12-25",…], blank for none. Errors name the fields zone, hours and holidays. A calendar without a working minute is refused.
func NewHours(zone, week, holidays string) (*Hours, error) {
	h := &Hours{holidays: map[models.Date]bool{}}
	var wrong []models.Error
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		wrong = append(wrong, *models.FieldError("zone", "%q is no time zone", zone).WithRemedy("Name one as in Europe/Berlin."))
	}
	h.zone = location
	if problem := h.readWeek(week); problem != nil {
		wrong = append(wrong, *problem)
	}
	var days []string
	if holidays != "" {
		if err := json.Unmarshal([]byte(holidays), &days); err != nil {
			wrong = append(wrong, *models.FieldError("holidays", "these are no dates in JSON").WithRemedy(`Write ["2026-12-25","2026-12-26"].`))
		}
	}
	for _, day := range days {
		d, err := models.ParseDate(day)
		if err != nil {
			wrong = append(wrong, *models.FieldError("holidays", "%q is no date", day).WithRemedy("Write dates as 2026-12-25."))
			break
		}
		h.holidays[d] = true
	}
	return h, models.Gather(wrong)
}

func (h *Hours) readWeek(text string) *models.Error {
	form := `Write {"mon":["09:00-12:30","13:30-17:30"]} with the days sun, mon, tue, wed, thu, fri, sat.`
	var week map[string][]string
	if err := json.Unmarshal([]byte(text), &week); err != nil {
		return models.FieldError("hours", "these are no weekly hours in JSON").WithRemedy(form)
	}
	total := 0
	for name, spans := range week {
		day := -1
		for i, known := range dayNames {
			if known == name {
				day = i
			}
		}
		if day < 0 {
			return models.FieldError("hours", "%q is no day", name).WithRemedy(form)
		}
		for _, text := range spans {
			s, err := readSpan(text)
			if err != nil {
				return models.FieldError("hours", "%s: %v", name, err).WithRemedy(form)
			}
			h.week[day] = append(h.week[day], s)
			total += s.to - s.from
		}
		list := h.week[day]
		sort.Slice(list, func(i, j int) bool { return list[i].from < list[j].from })
		for i := 1; i < len(list); i++ {
			if list[i].from < list[i-1].to {
				return models.FieldError("hours", "%s: two spans overlap", name).WithRemedy("Let one end before the next begins.")
			}
		}
	}
	if total == 0 {
		return models.FieldError("hours", "nobody ever works in this calendar").WithRemedy(form)
	}
	return nil
}

func readSpan(text string) (span, error) {
	from, to, ok := strings.Cut(text, "-")
	a, errFrom := readMinute(from)
	b, errTo := readMinute(to)
	if !ok || errFrom != nil || errTo != nil || a >= b {
		return span{}, fmt.Errorf("%q is no span of a day", text)
	}
	return span{a, b}, nil
}

func readMinute(text string) (int, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", strings.TrimSpace(text))
	return t.Hour()*60 + t.Minute(), err
}

// spansOn gives the working spans of a day as instants, in order. Wall-clock times become instants one by one, so that a day
// with a clock change is as long as it is; a time that the clock skips moves forward with it.
func (h *Hours) spansOn(day models.Date) []models.Window {
	if h.holidays[day] {
		return nil
	}
	spans := h.week[day.Weekday()]
	windows := make([]models.Window, 0, len(spans))
	for _, s := range spans {
		w := models.Window{From: h.wall(day, s.from), To: h.wall(day, s.to)}
		if w.From.Before(w.To) {
			windows = append(windows, w)
		}
	}
	return windows
}

func (h *Hours) wall(day models.Date, minute int) time.Time {
	y, m, d := day.Civil()
	return time.Date(y, m, d, 0, minute, 0, 0, h.zone)
}

// horizonDays bounds how far a clock is reckoned: ten years of days, beyond which a calendar of holidays only would never end.
const horizonDays = 3660

// After gives the instant at which the given working time has passed since from: the earliest one where several have. Zero or
// less gives the next working instant from from on. ok is false where ten years do not hold that much work.
func (h *Hours) After(from time.Time, working time.Duration) (at time.Time, ok bool) {
	if h == nil {
		return from.Add(max(working, 0)), true
	}
	day := models.DateOf(from, h.zone)
	for range horizonDays {
		for _, w := range h.spansOn(day) {
			start := later(w.From, from)
			if !start.Before(w.To) {
				continue
			}
			open := w.To.Sub(start)
			if working <= open {
				return start.Add(max(working, 0)).UTC(), true
			}
			working -= open
		}
		day = day.AddDays(1)
	}
	return time.Time{}, false
}

// Between gives the working time in [from, to); 0 where to is not after from.
func (h *Hours) Between(from, to time.Time) time.Duration {
	if !from.Before(to) {
		return 0
	}
	if h == nil {
		return to.Sub(from)
	}
	var total time.Duration
	last := models.DateOf(to, h.zone)
	for day := models.DateOf(from, h.zone); day <= last; day = day.AddDays(1) {
		for _, w := range h.spansOn(day) {
			start, end := later(w.From, from), w.To
			if to.Before(end) {
				end = to
			}
			if start.Before(end) {
				total += end.Sub(start)
			}
		}
	}
	return total
}
