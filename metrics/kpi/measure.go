package kpi

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// totals are the measures of some rows, added up. Money is in ten-thousandths of the major unit.
type totals struct {
	decided, won           int64
	wonValue, wonListValue int64
}

func (t *totals) add(r *Row) {
	t.decided += r.DecidedCount
	t.won += r.WonCount
	t.wonValue += r.WonValue
	t.wonListValue += r.WonListValue
}

// measure is one of the numbers that SQL brings.
type measure struct {
	name  string
	unit  Unit
	of    func(t totals) float64 // major units of money
	empty string                 // why it may be zero, said of a week
}

// tenThousandths is the unit of money in rows.
const tenThousandths = 10_000

var measures = map[string]*measure{
	"decided":   {"decided", Count, func(t totals) float64 { return float64(t.decided) }, "no deal was decided in this week"},
	"won":       {"won", Count, func(t totals) float64 { return float64(t.won) }, "no deal was won in this week"},
	"won_value": {"won_value", Money, func(t totals) float64 { return float64(t.wonValue) / tenThousandths }, "the deals won in this week have no value"},
	// Where the list values cancel out to zero, all of them fall back to the amounts: else no price could be told of the value.
	"won_list_value": {"won_list_value", Money, func(t totals) float64 {
		if t.wonListValue == 0 {
			return float64(t.wonValue) / tenThousandths
		}
		return float64(t.wonListValue) / tenThousandths
	}, "the deals won in this week have no list value"},
}

func measureNames() []string {
	names := make([]string, 0, len(measures))
	for name := range measures {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Expression is a measure, or one measure over another.
type Expression struct {
	above, below *measure
}

func parseExpression(text string) (*Expression, error) {
	above, below, divides := strings.Cut(text, "/")
	e := &Expression{above: measures[strings.TrimSpace(above)]}
	if e.above == nil {
		return nil, fmt.Errorf("%q is no measure", strings.TrimSpace(above))
	}
	if divides {
		if e.below = measures[strings.TrimSpace(below)]; e.below == nil {
			return nil, fmt.Errorf("%q is no measure", strings.TrimSpace(below))
		}
	}
	return e, nil
}

func (e *Expression) String() string {
	if e.below == nil {
		return e.above.name
	}
	return e.above.name + " / " + e.below.name
}

func (e *Expression) unit() Unit {
	if e.below == nil {
		return e.above.unit
	}
	return ratioUnit(e.above.unit, e.below.unit)
}

// base is the count whose smallness makes a change uncertain: the denominator, or the count itself; "" for money.
func (e *Expression) base() string {
	switch {
	case e.below != nil && e.below.unit == Count:
		return e.below.name
	case e.below == nil && e.above.unit == Count:
		return e.above.name
	}
	return ""
}

// of gives the value over t; NaN with the reason where the denominator is empty.
func (e *Expression) of(t totals) (float64, string) {
	above := e.above.of(t)
	if e.below == nil {
		return above, ""
	}
	below := e.below.of(t)
	if below == 0 {
		return math.NaN(), e.below.empty
	}
	return above / below, ""
}
