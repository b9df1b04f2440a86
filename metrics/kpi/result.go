package kpi

import (
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// Result is a week of a tree as the screen draws it. Numbers are in the unit of their node, money in major units rounded to the
// minor unit; nil is undefined and has its reason beside it.
type Result struct {
	Tree              string        `json:"tree"`
	Label             string        `json:"label"`
	Week              Week          `json:"week"`
	Compare           Comparison    `json:"compare"`
	Zone              string        `json:"zone"`
	Currency          string        `json:"currency"`
	Split             string        `json:"split"`
	Splits            []NamedLabel  `json:"splits"`
	AsOf              Telling       `json:"as_of"`
	RunID             int64         `json:"run_id,omitempty"` // run whose stored numbers are told
	Provisional       bool          `json:"provisional"`
	ProvisionalReason string        `json:"provisional_reason,omitempty"`
	Warnings          []string      `json:"warnings"`
	Lede              Lede          `json:"lede"`
	Nodes             []NodeResult  `json:"nodes"`
	Edges             []Edge        `json:"edges"`
	Bridge            []Contributor `json:"bridge"`
}

// Week is the week told. To is the first day after it.
type Week struct {
	Of          models.Date `json:"of"`
	To          models.Date `json:"to"`
	Number      int         `json:"number"` // ISO 8601 number of the week that holds the fourth day
	Label       string      `json:"label"`
	Complete    bool        `json:"complete"`
	DaysElapsed int         `json:"days_elapsed"` // days that have begun when the result is told, 0 to 7
}

// Comparison is what the week is compared with; WeekOf is nil for targets.
type Comparison struct {
	Kind   Compare      `json:"kind"`
	WeekOf *models.Date `json:"week_of"`
	Label  string       `json:"label"`
}

// NamedLabel is a choice that a reader has.
type NamedLabel struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// Telling is as of which state of knowledge a number is told.
type Telling struct {
	Position uint64    `json:"position"`
	ToldAt   time.Time `json:"told_at"`
}

// Lede is the first sentence in parts.
type Lede struct {
	Value       *float64     `json:"value"`
	Before      *float64     `json:"before"`
	Change      *float64     `json:"change"`
	ChangeShare *float64     `json:"change_share"` // change over the absolute value before; nil where that is zero or undefined
	TargetShare *float64     `json:"target_share"` // value over target
	Push        *Contributor `json:"push"`         // the leaf that added most
	Drag        *Contributor `json:"drag"`         // the leaf that took away most
}

// Contributor is a leaf with its part of the root's change, in the root's unit.
type Contributor struct {
	Node         string  `json:"node"`
	Label        string  `json:"label"`
	Contribution float64 `json:"contribution"`
}

// NodeResult is one node, or one branch of a split.
type NodeResult struct {
	ID           string   `json:"id"`
	Parent       *string  `json:"parent"`
	Label        string   `json:"label"`
	ShortLabel   string   `json:"short_label"`
	Unit         Unit     `json:"unit"`
	Better       string   `json:"better"`
	Op           Op       `json:"op"`
	Now          *float64 `json:"now"`
	Before       *float64 `json:"before"`
	Target       *float64 `json:"target"`
	Contribution *float64 `json:"contribution"`
	Mix          *float64 `json:"mix,omitempty"`  // of a segment of a mean: what its share's change did, before rounding to steps
	Rate         *float64 `json:"rate,omitempty"` // and what its own change did
	Reason       string   `json:"reason,omitempty"`
	BeforeReason string   `json:"before_reason,omitempty"`
	Series       []Point  `json:"series"` // 13 weeks, oldest first, the last one is this week
	Mean4        *float64 `json:"mean4"`  // mean of the defined ones of the four weeks before
	LastYear     *float64 `json:"last_year"`
	SmallBase    bool     `json:"small_base"`
	UsualRange   *Range   `json:"usual_range"` // nil under 8 weeks of history
	Owner        *Person  `json:"owner"`
	Complete     bool     `json:"complete"`
	AsOf         Telling  `json:"as_of"`
	Formula      string   `json:"formula"`
	Definition   string   `json:"definition"`
	Drill        Drill    `json:"drill"`
}

// Point is one week of a series.
type Point struct {
	WeekOf models.Date `json:"week_of"`
	Value  *float64    `json:"value"`
}

// Range is what the 13 weeks before make usual: median ± 2.5 × scaled median absolute deviation.
type Range struct {
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Inside bool    `json:"inside"`
}

// Person is a user.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Drill opens the deals behind a number.
type Drill struct {
	Object string          `json:"object"`
	Filter *predicate.Node `json:"filter"`
}

// Edge joins a parent with a child.
type Edge struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Op       Op     `json:"op"`
	Negative bool   `json:"negative,omitempty"` // the parent subtracts the child
}
