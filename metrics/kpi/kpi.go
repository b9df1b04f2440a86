// Package kpi is the room of the KPI trees: which parts of a company's weekly number moved, and by how much did each of them
// move it. definition.md says exactly what is computed; it is served to the screen.
package kpi

import (
	_ "embed"
	"time"

	"canopy/models"
)

//go:embed definition.md
var definition string

// Definition is the text of definition.md.
func Definition() string { return definition }

// Row is what SQL brings: the decided deals of one week, one branch of the split and one currency.
type Row struct {
	Week         models.Date // first day
	Branch       string      // value of the split; "" where the deal has none
	Currency     string      // of the amount, else of the list value; "" where the deal has neither
	DecidedCount int64
	WonCount     int64
	// Money in ten-thousandths of the major unit. WonListValue takes the amount of a deal without a list value in its currency.
	WonValue, WonListValue int64
	WonWithoutAmountCount  int64 // won deals without an amount; they count with 0
}

// Compare says with what a week is compared.
type Compare string

// The comparisons.
const (
	Previous Compare = "previous"  // the week before
	LastYear Compare = "last_year" // the week 52 weeks before
	ToTarget Compare = "target"    // the targets of the week
)

// Target is the value that a node should reach in the weeks whose first day lies in [FromOn, ToOn).
type Target struct {
	Number    uint64 // of the record; the greater one wins between targets that start on the same day
	Node      string // a node's name, or a branch's id
	Value     int64  // ten-thousandths: money in major units, shares as 0 to 1
	FromOn    models.Date
	ToOn      *models.Date // nil: open
	Owner     uint64       // user who answers for the node; 0 for nobody
	OwnerName string
}

// AsOf says as of which telling the rows were read.
type AsOf struct {
	Position uint64    // of the change log
	ToldAt   time.Time // when the result is told
	// Watermark is the instant up to which all recorded changes are in the rows.
	Watermark time.Time
}

// Params are all that a result depends on beside its rows.
type Params struct {
	Tree     *Tree
	Split    *Split
	Week     models.Date // first day of the week
	Compare  Compare
	Calendar models.Calendar
	Currency string       // reporting currency; deals of others are left out and counted
	DataFrom *models.Date // first day of the first week with a decided deal; weeks before are undefined; nil: there is no such deal
	Targets  []Target
	AsOf     AsOf
	// SmallBase is the count under which a change is uncertain; 0 takes 20.
	SmallBase int64
	RunID     int64 // run whose stored rows are told; 0 where they were read for this question
}

// The weeks that a result looks at: 13 drawn and one more for the usual range, and the same week of last year.
const (
	seriesWeeks  = 13
	historyWeeks = 13
	lastYearBack = 52
	leastHistory = 8 // weeks that a usual range needs
	madWidth     = 2.5
	smallBase    = 20
	meanWeeks    = 4
)

// NeededWeeks lists the first days of the weeks whose rows Compute looks at, oldest first: the one 52 weeks before, and the
// 13 before with the week itself.
func NeededWeeks(week models.Date) []models.Date {
	weeks := []models.Date{week.AddDays(-7 * lastYearBack)}
	for back := historyWeeks; back >= 0; back-- {
		weeks = append(weeks, week.AddDays(-7*back))
	}
	return weeks
}

// Validate checks what a caller chose: the week's first day, that it has begun, and the comparison.
func (p *Params) Validate() error {
	var errs []models.Error
	window, err := p.Calendar.Week(p.Week)
	if err != nil {
		return err
	}
	if window.From.After(p.AsOf.ToldAt) {
		errs = append(errs, *models.FieldError("week_of", "the week of %s has not begun", p.Week).WithRemedy("Ask for this week or an earlier one."))
	}
	if p.Compare != Previous && p.Compare != LastYear && p.Compare != ToTarget {
		errs = append(errs, *models.FieldError("compare", "%q is no comparison", p.Compare).WithRemedy("Ask for previous, last_year or target."))
	}
	return models.Gather(errs)
}

// Compute tells a week of a tree from its rows, which may hold more weeks than NeededWeeks and come in any order; a week without
// rows had no decided deal. It keeps rows unchanged. Every contribution is in the root's unit, rounded to the minor unit, and the
// children of a node add up to it exactly. Undefined numbers are nil with a reason.
// Errors: invalid for a week or comparison that cannot be told, and for a tree whose identity does not hold on the rows.
func Compute(rows []Row, p Params) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.SmallBase == 0 {
		p.SmallBase = smallBase
	}
	c := &computation{Params: p}
	c.window, _ = p.Calendar.Week(p.Week) // checked by Validate
	c.complete = !c.window.To.After(p.AsOf.ToldAt) && !c.window.To.After(p.AsOf.Watermark)
	c.gather(rows)
	c.lay()
	c.values()
	if err := c.decompose(); err != nil {
		return nil, err
	}
	return c.result(), nil
}
