package kpi

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"canopy/metrics/num"
	"canopy/models"
)

// result puts what was computed into the form of the screen.
func (c *computation) result() *Result {
	elapsed := int(models.DateOf(c.AsOf.ToldAt, c.Calendar.Zone)-c.Week) + 1
	r := &Result{
		Tree: c.Tree.Name, Label: c.Tree.Label,
		Week: Week{Of: c.Week, To: c.Week.AddDays(7), Number: weekNumber(c.Week), Label: weekLabel(c.Week),
			Complete: c.complete, DaysElapsed: min(max(elapsed, 0), 7)},
		Compare: c.comparison(), Zone: c.Calendar.Zone.String(), Currency: c.Currency, Split: c.Split.Name,
		AsOf: c.telling(), RunID: c.RunID, Warnings: append([]string{}, c.warnings...), Bridge: []Contributor{}, Edges: []Edge{},
	}
	for _, s := range c.Tree.Splits {
		r.Splits = append(r.Splits, NamedLabel{s.Name, s.Label})
	}
	switch {
	case c.window.To.After(c.AsOf.ToldAt):
		r.Provisional = true
		r.ProvisionalReason = fmt.Sprintf("the week is not over: %d of 7 days so far, compared with a whole week", r.Week.DaysElapsed)
		if c.Compare == ToTarget {
			r.ProvisionalReason = fmt.Sprintf("the week is not over: %d of 7 days so far, compared with the whole week's target", r.Week.DaysElapsed)
		}
	case !c.complete:
		r.Provisional = true
		r.ProvisionalReason = "changes recorded after " + c.AsOf.Watermark.In(c.Calendar.Zone).Format("2 Jan 2006 15:04") + " are not in these numbers"
	}
	for _, pl := range c.places {
		r.Nodes = append(r.Nodes, c.node(pl))
		if pl.parent >= 0 {
			r.Edges = append(r.Edges, Edge{From: c.places[pl.parent].id(), To: pl.id(), Op: c.places[pl.parent].Op, Negative: pl.negative})
		}
	}
	c.tellLede(r)
	return r
}

func (c *computation) telling() Telling {
	return Telling{Position: c.AsOf.Position, ToldAt: c.AsOf.ToldAt.UTC().Truncate(time.Millisecond)}
}

func (c *computation) comparison() Comparison {
	if c.Compare == ToTarget {
		return Comparison{Kind: ToTarget, Label: "target"}
	}
	of := c.beforeOf
	return Comparison{Kind: c.Compare, WeekOf: &of, Label: weekLabel(of)}
}

// node tells one place.
func (c *computation) node(pl *place) NodeResult {
	n := NodeResult{
		ID: pl.id(), Label: pl.Label, ShortLabel: pl.ShortLabel, Unit: pl.Unit, Better: pl.Better, Op: pl.op(),
		Now: c.told(pl, pl.now.x), Before: c.told(pl, pl.before.x), Reason: pl.now.reason, BeforeReason: pl.before.reason,
		Complete: c.complete, AsOf: c.telling(), Formula: pl.Formula, Definition: pl.Definition,
		LastYear: c.told(pl, c.at(pl, c.Week.AddDays(-7*lastYearBack)).x),
		Drill:    Drill{Object: c.Tree.Object.Name, Filter: c.drill(pl)},
	}
	if pl.parent >= 0 {
		parent := c.places[pl.parent].id()
		n.Parent = &parent
	}
	if pl.branch != nil {
		n.Label, n.ShortLabel = named(pl.Branch.Label, pl.branch.label), named(pl.Branch.ShortLabel, pl.branch.label)
		n.Formula = ""
		if pl.Value.below != nil {
			n.Formula = pl.Node.Formula
		}
	}
	if pl.declared != nil {
		n.Target = c.told(pl, pl.declared.value())
	}
	if pl.owner != nil && pl.owner.Owner != 0 {
		n.Owner = &Person{ID: "user_" + strconv.FormatUint(pl.owner.Owner, 10), Name: pl.owner.OwnerName}
	}
	root := c.places[0]
	if pl.contributes {
		n.Contribution = c.contribution(pl)
		if pl.parent >= 0 && c.places[pl.parent].Op == Mean {
			n.Mix, n.Rate = c.told(root, pl.part.Mix), c.told(root, pl.part.Rate)
		}
	}
	c.history(pl, &n)
	n.SmallBase = c.isSmall(pl)
	return n
}

// history fills what the weeks before say.
func (c *computation) history(pl *place, n *NodeResult) {
	var past []float64
	sum, count := 0.0, 0
	for back := historyWeeks; back >= 0; back-- {
		week := c.Week.AddDays(-7 * back)
		v := c.at(pl, week)
		if back < seriesWeeks {
			n.Series = append(n.Series, Point{WeekOf: week, Value: c.told(pl, v.x)})
		}
		if back == 0 || v.isUndefined() {
			continue
		}
		past = append(past, v.x)
		if back <= meanWeeks {
			sum += v.x
			count++
		}
	}
	if count > 0 {
		n.Mean4 = c.told(pl, sum/float64(count))
	}
	if len(past) >= leastHistory && !pl.now.isUndefined() {
		center, width := num.Median(past), madWidth*num.ScaledMAD(past)
		n.UsualRange = &Range{Low: *c.told(pl, center-width), High: *c.told(pl, center+width),
			Inside: pl.now.x >= center-width && pl.now.x <= center+width}
	}
}

// isSmall tells whether a percent of this place's change would say more than its few deals can bear.
func (c *computation) isSmall(pl *place) bool {
	if pl.now.isUndefined() || pl.before.isUndefined() || pl.before.x == 0 || pl.part.Borrowed {
		return true
	}
	if pl.Base == "" {
		return false
	}
	base := measures[pl.Base].of
	small := func(week models.Date) bool { return base(c.totalsOf(pl, week)) < float64(c.SmallBase) }
	if pl.Value != nil && pl.Value.below == nil && pl.Unit == Count { // a count's percent is over the count before
		return pl.before.x < float64(c.SmallBase)
	}
	return small(c.Week) || c.Compare != ToTarget && small(c.beforeOf)
}

func (c *computation) contribution(pl *place) *float64 {
	x := stepped(pl.steps, c.places[0].Unit, c.Currency)
	return &x
}

// stepped turns whole steps into the unit: exactly what the decimal text of the steps reads as.
func stepped(steps int64, u Unit, currency string) float64 {
	return float64(steps) / math.Round(1/stepOf(u, currency))
}

// told rounds a number of a place for the reader; nil for NaN.
func (c *computation) told(pl *place, x float64) *float64 {
	if !models.Finite(x) {
		return nil
	}
	per := math.Round(1 / stepOf(pl.Unit, c.Currency))
	rounded := math.Round(x*per) / per
	if rounded == 0 {
		rounded = 0 // no minus zero
	}
	return &rounded
}

// tellLede fills the lede and the bridge: the leaves that moved the root, from the one that added most to the one that took most.
func (c *computation) tellLede(r *Result) {
	root := c.places[0]
	r.Lede.Value, r.Lede.Before = c.told(root, root.now.x), c.told(root, root.before.x)
	if root.declared != nil && root.declared.Value != 0 && !root.now.isUndefined() {
		r.Lede.TargetShare = rounded(root.now.x / root.declared.value())
	}
	if !root.contributes {
		return
	}
	r.Lede.Change = c.contribution(root)
	if *r.Lede.Before != 0 {
		r.Lede.ChangeShare = rounded(*r.Lede.Change / math.Abs(*r.Lede.Before))
	}
	for i, pl := range c.places {
		if pl.contributes && pl.steps != 0 && (len(pl.children) == 0 || !c.places[pl.children[0]].contributes) {
			r.Bridge = append(r.Bridge, Contributor{Node: pl.id(), Label: r.Nodes[i].ShortLabel, Contribution: *c.contribution(pl)})
		}
	}
	slices.SortStableFunc(r.Bridge, func(a, b Contributor) int {
		switch {
		case a.Contribution > b.Contribution:
			return -1
		case a.Contribution < b.Contribution:
			return 1
		}
		return 0
	})
	if len(r.Bridge) == 0 {
		return
	}
	label := map[string]string{}
	for i := range r.Nodes {
		label[r.Nodes[i].ID] = r.Nodes[i].Label
	}
	if push := r.Bridge[0]; push.Contribution > 0 {
		push.Label = label[push.Node]
		r.Lede.Push = &push
	}
	if drag := r.Bridge[len(r.Bridge)-1]; drag.Contribution < 0 {
		drag.Label = label[drag.Node]
		r.Lede.Drag = &drag
	}
}

// rounded gives a share with six decimals; nil where it is not finite.
func rounded(x float64) *float64 {
	if !models.Finite(x) {
		return nil
	}
	x = math.Round(x*1e6) / 1e6
	return &x
}

// Weeks tells the root's value in each of the weeks, from their rows. Of p it takes tree, split, currency and the first week with data.
func Weeks(rows []Row, weeks []models.Date, p Params) []Point {
	c := &computation{Params: p}
	c.gather(rows)
	c.lay()
	points := make([]Point, len(weeks))
	for i, week := range weeks {
		points[i] = Point{WeekOf: week, Value: c.told(c.places[0], c.at(c.places[0], week).x)}
	}
	return points
}
