package kpi

import (
	"fmt"
	"math"

	"canopy/metrics/num"
	"canopy/models"
)

// value is a number of a node, NaN with the reason where undefined.
type value struct {
	x      float64
	reason string
}

func undefined(reason string) value { return value{math.NaN(), reason} }

func (v value) isUndefined() bool { return math.IsNaN(v.x) }

// place is one node of the result: a node of the tree, or a branch of one.
type place struct {
	*Node
	branch      *branch // nil for a node of the tree itself
	parent      int     // index of its parent's place; -1 for the root
	negative    bool
	children    []int
	now, before value
	declared    *Target // target of the week
	owner       *Target // the target that names the owner
	part        num.Part
	steps       int64 // contribution in steps of the root's unit
	contributes bool
}

func (pl *place) id() string {
	if pl.branch == nil {
		return pl.Name
	}
	return pl.Name + pl.branch.suffix
}

func (pl *place) op() Op {
	if pl.branch != nil {
		return Input
	}
	return pl.Op
}

// computation is one run of Compute.
type computation struct {
	Params
	window   models.Window
	complete bool
	weeks    map[models.Date]*weekTotals
	branches []*branch
	places   []*place
	warnings []string
	beforeOf models.Date // first day of the compared week; not for targets
}

// lay puts the tree's nodes and their branches in order: parents first, children in the order of the file.
func (c *computation) lay() {
	index := map[*Node]int{}
	var put func(n *Node, parent int, negative bool)
	put = func(n *Node, parent int, negative bool) {
		at := len(c.places)
		index[n] = at
		c.places = append(c.places, &place{Node: n, parent: parent, negative: negative})
		if parent >= 0 {
			c.places[parent].children = append(c.places[parent].children, at)
		}
		if n.Over {
			for _, b := range c.branches {
				c.places[at].children = append(c.places[at].children, len(c.places))
				c.places = append(c.places, &place{Node: n, branch: b, parent: at})
			}
		}
		for _, term := range n.Terms {
			put(term.Node, at, term.Negative)
		}
	}
	put(c.Tree.Root, -1, false)
}

// values gives every place its two sides.
func (c *computation) values() {
	switch c.Compare {
	case Previous:
		c.beforeOf = c.Week.AddDays(-7)
	case LastYear:
		c.beforeOf = c.Week.AddDays(-7 * lastYearBack)
	case ToTarget:
	}
	for i := len(c.places) - 1; i >= 0; i-- {
		pl := c.places[i]
		pl.now = c.at(pl, c.Week)
		pl.declared, pl.owner = c.targetOf(pl)
		if c.Compare != ToTarget {
			pl.before = c.at(pl, c.beforeOf)
		}
	}
	if c.Compare == ToTarget {
		c.completeTargets()
	}
}

// at gives a place's value in a week.
func (c *computation) at(pl *place, week models.Date) value {
	switch {
	case c.DataFrom == nil:
		return undefined("no deal has been decided yet")
	case week < *c.DataFrom:
		return undefined("no deal was decided before the week of " + dayLabel(*c.DataFrom))
	}
	if pl.Value != nil {
		x, reason := pl.Value.of(c.totalsOf(pl, week))
		return value{x, reason}
	}
	made := value{x: 0}
	if pl.Op == Product {
		made.x = 1
	}
	for i, child := range pl.children {
		v := c.at(c.places[child], week)
		if v.isUndefined() {
			return v
		}
		switch {
		case pl.Op == Product:
			made.x *= v.x
		case pl.Op == Ratio && i == 0:
			made.x = v.x
		case pl.Op == Ratio && v.x == 0:
			return undefined(c.places[child].Label + " is zero in this week")
		case pl.Op == Ratio:
			made.x /= v.x
		case c.places[child].negative:
			made.x -= v.x
		default:
			made.x += v.x
		}
	}
	return made
}

// decompose splits the root's change over the places, checks that the identities hold on the rows, and rounds.
func (c *computation) decompose() error {
	root := c.places[0]
	if root.now.isUndefined() || root.before.isUndefined() {
		return nil
	}
	nodes, kept := c.nodes()
	parts := num.Contributions(nodes)
	for i, at := range kept {
		pl := c.places[at]
		pl.part, pl.contributes = parts[i], true
		if err := c.checkIdentity(pl); err != nil {
			return err
		}
	}
	step := stepOf(root.Unit, c.Currency)
	total := int64(math.Round(root.now.x/step)) - int64(math.Round(root.before.x/step))
	for i, steps := range num.RoundParts(nodes, parts, step, total) {
		c.places[kept[i]].steps = steps
	}
	return nil
}

// nodes gives the tree to the kernel, and for each of its nodes the place. What hangs below a node whose targets cannot be
// brought together is left out: the node then stands as a leaf.
func (c *computation) nodes() (nodes []num.Node, kept []int) {
	at := make([]int, len(c.places))
	for i, pl := range c.places {
		at[i] = -1
		if i > 0 && (at[pl.parent] < 0 || nodes[at[pl.parent]].Op == num.Input) {
			continue
		}
		n := num.Node{Op: kernelOp[pl.op()], Negative: pl.negative, Before: pl.before.x, Now: pl.now.x}
		if i > 0 {
			n.Parent = at[pl.parent]
		}
		if len(pl.children) == 0 || c.Compare == ToTarget && c.places[pl.children[0]].before.isUndefined() {
			n.Op = num.Input
		}
		if pl.branch != nil && pl.Op == Mean {
			n.VolumeNow = pl.Value.below.of(c.totalsOf(pl, c.Week))
			n.VolumeBefore = n.VolumeNow // a target says nothing of the shares
			if c.Compare != ToTarget {
				n.VolumeBefore = pl.Value.below.of(c.totalsOf(pl, c.beforeOf))
			}
		}
		at[i] = len(nodes)
		nodes = append(nodes, n)
		kept = append(kept, i)
	}
	return nodes, kept
}

var kernelOp = map[Op]num.Op{Input: num.Input, Sum: num.Sum, Product: num.Product, Ratio: num.Ratio, Mean: num.Mean}

// identityTolerance is what float64 may lose in a few operations, relative to the larger side.
const identityTolerance = 1e-9

// checkIdentity tells whether the children rebuild a place that has a value of its own.
func (c *computation) checkIdentity(pl *place) error {
	if len(pl.children) == 0 {
		return nil
	}
	for _, side := range []struct {
		own  value
		made float64
		of   models.Date
	}{{pl.now, pl.part.Now, c.Week}, {pl.before, pl.part.Before, c.beforeOf}} {
		if side.own.isUndefined() || math.Abs(side.own.x-side.made) <= identityTolerance*math.Max(math.Abs(side.own.x), math.Abs(side.made)) {
			continue
		}
		where := "in the week of " + side.of.String()
		if side.of == 0 {
			where = "by the week's targets"
		}
		return treeError(c.Tree.Name, pl.Name, "its value is %v %s, but its children make %v", side.own.x, where, side.made).
			WithRemedy("Correct the node's value, or its children, in the tree's file: the identity must hold on every week's deals.")
	}
	return nil
}

// stepOf is what contributions are rounded to: the minor unit of money, a hundredth of a count, a millionth of a share.
func stepOf(u Unit, currency string) float64 {
	switch u {
	case Money:
		return math.Pow10(-models.MinorDigits(currency))
	case Count:
		return 0.01
	case Share:
		return 1e-6
	}
	panic(fmt.Sprintf("kpi: no step for the unit %q", u)) // ParseTree refuses unknown units
}
