package demo

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"time"

	"canopy/models"
)

// event is something that will happen in the simulated company.
type event struct {
	at    time.Time
	order uint64 // events of the same instant happen in the order in which they were thought of
	run   func()
}

// agenda holds what is to happen, the next first.
type agenda []event

func (a *agenda) Len() int { return len(*a) }

func (a *agenda) Less(i, j int) bool {
	x, y := &(*a)[i], &(*a)[j]
	if x.at.Equal(y.at) {
		return x.order < y.order
	}
	return x.at.Before(y.at)
}

func (a *agenda) Swap(i, j int) { (*a)[i], (*a)[j] = (*a)[j], (*a)[i] }

// Push is heap's.
func (a *agenda) Push(x any) { *a = append(*a, x.(event)) }

// Pop is heap's.
func (a *agenda) Pop() any {
	last := len(*a) - 1
	e := (*a)[last]
	(*a)[last] = event{}
	*a = (*a)[:last]
	return e
}

// clock runs events in their order up to an end.
type clock struct {
	from, until time.Time
	now         time.Time
	calendar    models.Calendar
	agenda      agenda
	order       uint64
}

// at puts something on the agenda; what lies after the end never happens, and nothing happens in the past.
func (c *clock) at(t time.Time, run func()) {
	t = t.UTC().Truncate(time.Second)
	if t.Before(c.now) {
		t = c.now
	}
	if t.After(c.until) {
		return
	}
	c.order++
	heap.Push(&c.agenda, event{at: t, order: c.order, run: run})
}

// after puts something on the agenda some time from now.
func (c *clock) after(d time.Duration, run func()) { c.at(c.now.Add(d), run) }

// play runs the agenda to its end, or until stopped says so.
func (c *clock) play(stopped func() bool) {
	for len(c.agenda) > 0 && !stopped() {
		e := heap.Pop(&c.agenda).(event)
		c.now = e.at
		e.run()
	}
}

// today is the calendar day of now.
func (c *clock) today() models.Date { return models.DateOf(c.now, c.calendar.Zone) }

// week is the number of the simulated week that holds an instant, from 1.
func (c *clock) week(t time.Time) int {
	return 1 + int(models.DateOf(t, c.calendar.Zone)-models.DateOf(c.from, c.calendar.Zone))/7
}

// day is how long a calendar day is for the simulation, which plans in days and then moves into working hours.
const day = 24 * time.Hour

// Office hours on the workspace's clock.
const opens, closes = 8, 18

// atWork moves an instant into office hours: into the next ones where it lies outside.
func (c *clock) atWork(t time.Time) time.Time {
	local := t.In(c.calendar.Zone)
	date := models.DateOf(local, c.calendar.Zone)
	minute := local.Hour()*60 + local.Minute()
	if minute < opens*60 {
		minute = opens*60 + minute%90 // not everybody begins at eight sharp
	} else if minute >= closes*60 {
		date, minute = date.AddDays(1), opens*60+minute%90
	}
	for date.Weekday() == time.Saturday || date.Weekday() == time.Sunday {
		date = date.AddDays(1)
	}
	y, m, d := date.Civil()
	return time.Date(y, m, d, minute/60, minute%60, local.Second(), 0, c.calendar.Zone)
}

// days is a length in days as a duration.
func days(n float64) time.Duration { return time.Duration(n * float64(day)) }

// hours is a length in hours as a duration.
func hours(n float64) time.Duration { return time.Duration(n * float64(time.Hour)) }

// chance is one stream of random choices.
type chance struct{ *rand.Rand }

// of tells whether something of this probability comes true.
func (c chance) of(p float64) bool { return c.Float64() < p }

// around draws a log-normal value with the given median and spread (standard deviation of its logarithm).
func (c chance) around(median, spread float64) float64 {
	return median * math.Exp(spread*c.NormFloat64())
}

// count draws a Poisson number.
func (c chance) count(mean float64) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*c.NormFloat64())))
	}
	n, product, limit := 0, c.Float64(), math.Exp(-mean)
	for product > limit {
		n++
		product *= c.Float64()
	}
	return n
}

// pick gives one of a list with equal chances.
func pick[T any](c chance, list []T) T { return list[c.IntN(len(list))] }

// weighted gives the index of one of a list with the given weights, which need not sum to one.
func (c chance) weighted(weights []float64) int {
	var sum float64
	for _, w := range weights {
		sum += w
	}
	u := c.Float64() * sum
	for i, w := range weights {
		if u -= w; u < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// logistic turns log-odds into a probability.
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
