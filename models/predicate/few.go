package predicate

import "canopy/models"

// Plan is how a condition's rows can be found by indexes: what to ask of one index each, and how the answers go together. A nil *Plan tells
// that no index narrows the rows.
type Plan struct {
	Index *Bound  // rows that one index finds; nil where All or Any is given
	All   []*Plan // rows are among those of each, and are still to be asked the rest of the condition
	Any   []*Plan // rows are those of one of these, no others
}

// Plan gives how indexes narrow b's rows. Questions over references come last in Any: they cost more than others.
func (b *Bound) Plan() *Plan {
	if b == nil || b.form == isNot {
		return nil
	}
	switch b.form {
	case isNothing:
		return &Plan{Index: b}
	case isAnd:
		var parts []*Plan
		for _, child := range b.children {
			if p := child.Plan(); p != nil {
				parts = append(parts, p)
			}
		}
		if len(parts) == 0 {
			return nil
		}
		return &Plan{All: parts}
	case isOr:
		var parts, last []*Plan
		for _, child := range b.children {
			p := child.Plan()
			switch {
			case p == nil:
				return nil
			case len(child.Objects()) > 0:
				last = append(last, p)
			default:
				parts = append(parts, p)
			}
		}
		return &Plan{Any: append(parts, last...)}
	}
	indexed := b.column.Indexed || b.column.Unique || b.meta && (b.column.Name == "number" || b.column.Name == "updated_at")
	if !indexed || b.column.Kind == models.MultiPick {
		return nil
	}
	switch b.test {
	case equal, among, related, less, atMost, greater, atLeast:
		return &Plan{Index: b}
	}
	return nil
}
