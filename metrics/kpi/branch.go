package kpi

import (
	"cmp"
	"fmt"
	"slices"

	"canopy/models"
	"canopy/models/predicate"
)

// maxBranches is how many branches a split is drawn with; of more, the largest stay and the rest is one branch.
const maxBranches = 12

// branch is one part of a split.
type branch struct {
	suffix string // of the node's id: ".region=West", ".region:none", ".region:other"
	label  string
	values []string // of the rows that belong to it
	other  bool
}

// weekTotals are one week's rows in the reporting currency, as a whole and by value of the split.
type weekTotals struct {
	whole    totals
	byValue  map[string]*totals
	leftOut  map[string]int64 // decided deals of other currencies
	noAmount int64            // won deals without an amount
}

// gather adds up the rows by week and value, chooses the branches, and says what is left out.
func (c *computation) gather(rows []Row) {
	c.weeks = map[models.Date]*weekTotals{}
	for i := range rows {
		r := &rows[i]
		w := c.weeks[r.Week]
		if w == nil {
			w = &weekTotals{byValue: map[string]*totals{}, leftOut: map[string]int64{}}
			c.weeks[r.Week] = w
		}
		if r.Currency != "" && r.Currency != c.Currency {
			w.leftOut[r.Currency] += r.DecidedCount
			continue
		}
		w.whole.add(r)
		w.noAmount += r.WonWithoutAmountCount
		t := w.byValue[r.Branch]
		if t == nil {
			t = &totals{}
			w.byValue[r.Branch] = t
		}
		t.add(r)
	}
	c.choose()
	c.warn()
}

// drawn lists the weeks whose branches are shown: those of the series, and the compared one.
func (c *computation) drawn() []models.Date {
	weeks := make([]models.Date, 0, seriesWeeks+1)
	for back := seriesWeeks - 1; back >= 0; back-- {
		weeks = append(weeks, c.Week.AddDays(-7*back))
	}
	if c.Compare == LastYear {
		weeks = append(weeks, c.Week.AddDays(-7*lastYearBack))
	}
	return weeks
}

// choose makes the branches: by decided deals in the drawn weeks, largest first, ties by value; "(none)" and "other" come last.
func (c *computation) choose() {
	size := map[string]int64{}
	for _, week := range c.drawn() {
		if w := c.weeks[week]; w != nil {
			for v, t := range w.byValue {
				size[v] += t.decided
			}
		}
	}
	values := make([]string, 0, len(size))
	for v := range size {
		values = append(values, v)
	}
	slices.SortFunc(values, func(a, b string) int {
		return cmp.Or(cmp.Compare(size[b], size[a]), cmp.Compare(a, b))
	})
	var rest []string
	if len(values) > maxBranches {
		values, rest = values[:maxBranches-1], values[maxBranches-1:]
	}
	named := map[string]bool{}
	for _, v := range values {
		named[v] = true
		if v != "" {
			c.branches = append(c.branches, &branch{suffix: "." + c.Split.Name + "=" + v, label: c.Split.labelOf(v), values: []string{v}})
		}
	}
	if named[""] {
		c.branches = append(c.branches, &branch{suffix: "." + c.Split.Name + ":none", label: "(none)", values: []string{""}})
	}
	if rest != nil {
		slices.Sort(rest)
		c.branches = append(c.branches, &branch{suffix: "." + c.Split.Name + ":other", label: "other", values: rest, other: true})
	}
}

// labelOf is how a value is called on screen: a picklist's label, or the value itself.
func (s *Split) labelOf(v string) string {
	for _, option := range s.Field.Options {
		if option.Value == v {
			return option.Label
		}
	}
	return v
}

// totalsOf adds up the rows of a place in a week.
func (c *computation) totalsOf(pl *place, week models.Date) totals {
	w := c.weeks[week]
	if w == nil {
		return totals{}
	}
	if pl.branch == nil {
		return w.whole
	}
	var sum totals
	for _, v := range pl.branch.values {
		if t := w.byValue[v]; t != nil {
			sum.decided += t.decided
			sum.won += t.won
			sum.wonValue += t.wonValue
			sum.wonListValue += t.wonListValue
		}
	}
	return sum
}

// warn says what of the two weeks is not in the numbers.
func (c *computation) warn() {
	weeks := []models.Date{c.Week}
	switch c.Compare {
	case Previous:
		weeks = append(weeks, c.Week.AddDays(-7))
	case LastYear:
		weeks = append(weeks, c.Week.AddDays(-7*lastYearBack))
	case ToTarget:
	}
	for _, week := range weeks {
		w := c.weeks[week]
		if w == nil {
			continue
		}
		currencies := make([]string, 0, len(w.leftOut))
		for currency := range w.leftOut {
			currencies = append(currencies, currency)
		}
		slices.Sort(currencies)
		for _, currency := range currencies {
			c.warnings = append(c.warnings, fmt.Sprintf("%s of the week of %s %s in %s: left out, the tree is told in %s",
				counted(w.leftOut[currency], "decided deal"), dayLabel(week), isAre(w.leftOut[currency]), currency, c.Currency))
		}
		if w.noAmount > 0 {
			c.warnings = append(c.warnings, fmt.Sprintf("%s of the week of %s %s no amount: counted with 0",
				counted(w.noAmount, "won deal"), dayLabel(week), hasHave(w.noAmount)))
		}
	}
}

func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func isAre(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func hasHave(n int64) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

// drill is the predicate that chooses exactly the deals of a place in the week.
func (c *computation) drill(pl *place) *predicate.Node {
	object := c.Tree.Object
	status, closedAt := object.Field("status"), object.Field("closed_at")
	var asked []*predicate.Node
	if pl.Deals == "won" {
		asked = append(asked, predicate.Compare(status, predicate.Eq, "won"))
	} else {
		asked = append(asked, predicate.Compare(status, predicate.In, "lost", "won"))
	}
	asked = append(asked,
		predicate.Compare(closedAt, predicate.Gte, c.window.From),
		predicate.Compare(closedAt, predicate.Lt, c.window.To))
	if pl.branch != nil {
		asked = append(asked, c.drillBranch(pl.branch))
	}
	if w := c.weeks[c.Week]; w != nil && len(w.leftOut) > 0 {
		asked = append(asked, c.drillCurrency())
	}
	return predicate.And(asked...)
}

// drillBranch asks for the deals of one branch. The rest is asked for by what it is not, so that the question stays short.
func (c *computation) drillBranch(b *branch) *predicate.Node {
	field, over := c.Split.Field, c.Split.Over
	across := func(node *predicate.Node) *predicate.Node {
		if over == nil {
			return node
		}
		return predicate.RelatedTo(over, node)
	}
	empty := predicate.Negate(across(predicate.Compare(field, predicate.NotEmpty)))
	if !b.other {
		if b.values[0] == "" {
			return empty
		}
		return across(predicate.Compare(field, predicate.Eq, b.values[0]))
	}
	var shown []models.Value
	for _, sibling := range c.branches {
		if !sibling.other && sibling.values[0] != "" {
			shown = append(shown, sibling.values[0])
		}
	}
	rest := predicate.And(across(predicate.Compare(field, predicate.NotEmpty)), predicate.Negate(across(predicate.Compare(field, predicate.In, shown...))))
	if slices.Contains(b.values, "") {
		return predicate.Or(empty, rest)
	}
	return rest
}

// drillCurrency leaves out the deals of other currencies: those with an amount in one, or with only a list value in one.
func (c *computation) drillCurrency() *predicate.Node {
	amount, list := c.Tree.Object.Field("amount"), c.Tree.Object.Field("list_value")
	least := models.Money{Minor: -leastMinor, Currency: c.Currency}
	if _, ok := least.Decimal4(); !ok {
		panic("kpi: the least amount is out of range")
	}
	return predicate.Or(
		predicate.Compare(amount, predicate.Gte, least),
		predicate.And(
			predicate.Compare(amount, predicate.IsEmpty),
			predicate.Or(predicate.Compare(list, predicate.IsEmpty), predicate.Compare(list, predicate.Gte, least))))
}

// leastMinor is below every amount: 99,999,999,999,999 minor units of any currency fit Decimal(18,4).
const leastMinor = 99_999_999_999_999
