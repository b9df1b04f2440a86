package kpi

import (
	"fmt"
	"math"

	"canopy/models"
)

// targetOf finds the target of a place in the week, and the one that names who answers for it (the node's own for a branch
// without one). Of several that hold, the one that started last stands; ties go to the greater number.
func (c *computation) targetOf(pl *place) (declared, owner *Target) {
	find := func(id string) *Target {
		var found *Target
		for i := range c.Targets {
			t := &c.Targets[i]
			if t.Node != id || t.FromOn > c.Week || t.ToOn != nil && *t.ToOn <= c.Week {
				continue
			}
			if found == nil || t.FromOn > found.FromOn || t.FromOn == found.FromOn && t.Number > found.Number {
				found = t
			}
		}
		return found
	}
	declared = find(pl.id())
	owner = declared
	if owner == nil && pl.branch != nil {
		owner = find(pl.Name)
	}
	return declared, owner
}

func (t *Target) value() float64 { return float64(t.Value) / tenThousandths }

// completeTargets gives every place a before that the targets ask for, so that the identities hold among them:
// a node without a target is made of its children where all of them have one; what is still without one moves from its present
// value by one common factor until the parent's target is met. Targets that contradict each other are brought together by
// one common factor too, and a warning says so. Where that cannot be done, the places below stay undefined with the reason.
func (c *computation) completeTargets() {
	for i := len(c.places) - 1; i >= 0; i-- {
		pl := c.places[i]
		switch {
		case pl.declared != nil:
			pl.before = value{x: pl.declared.value()}
		default:
			pl.before = c.madeOfTargets(pl)
		}
	}
	if c.places[0].before.isUndefined() {
		for _, pl := range c.places {
			if pl.before.isUndefined() {
				pl.before.reason = "there is no target of the week"
			}
		}
		return
	}
	for _, pl := range c.places {
		if len(pl.children) > 0 && !pl.before.isUndefined() {
			c.fit(pl)
		}
	}
}

// madeOfTargets makes a target of the children's where all of them have one.
func (c *computation) madeOfTargets(pl *place) value {
	none := undefined("there is no target of the week")
	if len(pl.children) == 0 {
		return none
	}
	for _, child := range pl.children {
		if c.places[child].before.isUndefined() {
			return none
		}
	}
	if x := c.rebuilt(pl, func(child *place) float64 { return child.before.x }); models.Finite(x) {
		return value{x: x, reason: "no target of its own: made of those of its branches"}
	}
	return none
}

// rebuilt makes a place of its children's numbers; shares of a mean are those of the present week.
func (c *computation) rebuilt(pl *place, of func(child *place) float64) float64 {
	made, volume := 0.0, 0.0
	if pl.Op == Product {
		made = 1
	}
	for i, at := range pl.children {
		child := c.places[at]
		x := of(child)
		switch {
		case pl.Op == Product:
			made *= x
		case pl.Op == Ratio && i == 0:
			made = x
		case pl.Op == Ratio:
			made /= x
		case pl.Op == Mean:
			weight := child.Value.below.of(c.totalsOf(child, c.Week))
			volume += weight
			if weight != 0 {
				made += float64(weight * x)
			}
		case child.negative:
			made -= x
		default:
			made += x
		}
	}
	if pl.Op == Mean {
		return made / volume
	}
	return made
}

// fit brings the children of a place to its before: those without a target move from their present values, by one factor;
// where all have one and contradict the place's, all move. Of a ratio only the upper child moves where both might.
func (c *computation) fit(pl *place) {
	free := map[*place]bool{}
	for _, at := range pl.children {
		if c.places[at].before.isUndefined() {
			free[c.places[at]] = true
		}
	}
	contradict := len(free) == 0
	start := func(child *place) float64 {
		if free[child] && !contradict {
			return child.now.x
		}
		return child.before.x
	}
	if contradict {
		if isNear(c.rebuilt(pl, start), pl.before.x) {
			return
		}
		for _, at := range pl.children {
			free[c.places[at]] = true
		}
	}
	if pl.Op == Ratio && len(free) == 2 {
		below := c.places[pl.children[1]]
		below.before = value{x: start(below), reason: "no target of its own: kept at its present value"}
		delete(free, below)
	}
	scaled := func(factor float64) func(child *place) float64 {
		return func(child *place) float64 {
			if free[child] {
				return start(child) * factor
			}
			return start(child)
		}
	}
	factor := c.factor(pl, free, scaled)
	if !models.Finite(factor) || !isNear(c.rebuilt(pl, scaled(factor)), pl.before.x) {
		for _, at := range pl.children {
			c.places[at].before = undefined("the target of " + pl.Label + " cannot be brought down to its branches")
		}
		return
	}
	reason := "no target of its own: derived from that of " + pl.Label
	if contradict {
		reason = "moved to agree with the target of " + pl.Label
		c.warnings = append(c.warnings, fmt.Sprintf("the targets below %s make another value than its own: they are moved by one common factor, %.4g", pl.Label, factor))
	}
	moved := scaled(factor)
	for _, at := range pl.children {
		if child := c.places[at]; free[child] {
			child.before = value{x: moved(child), reason: reason}
		}
	}
}

func isNear(a, b float64) bool {
	return math.Abs(a-b) <= identityTolerance*math.Max(math.Abs(a), math.Abs(b))
}

// factor is by how much the free children of a place are to be multiplied so that they make its before; not finite where nothing does.
func (c *computation) factor(pl *place, free map[*place]bool, scaled func(float64) func(*place) float64) float64 {
	goal, made := pl.before.x, c.rebuilt(pl, scaled(1))
	switch {
	case made == goal:
		return 1
	case pl.Op == Product:
		return math.Pow(goal/made, 1/float64(len(free))) // NaN where the sign would have to change
	case pl.Op == Ratio && free[c.places[pl.children[0]]]:
		return goal / made
	case pl.Op == Ratio:
		return made / goal
	}
	fixed := c.rebuilt(pl, scaled(0))
	return (goal - fixed) / (made - fixed)
}
