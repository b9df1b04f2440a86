package predicate

import (
	"slices"
	"time"

	"canopy/models"
)

// Bound is a predicate that was checked against its object: typed, its values in normal form, ready to be compiled or evaluated.
// It is immutable. A nil *Bound is always true.
type Bound struct {
	form     form
	children []*Bound // of and, or: two or more; of not: one
	leaf
}

type form uint8

const (
	isLeaf form = iota
	isAnd
	isOr
	isNot
	isNothing
)

// leaf is one question to one column. ne, not_in, not_empty and days of instants are written with not, and, or at Bind, so few tests remain.
type leaf struct { //nolint:recvcheck // built by value, read by pointer
	object *models.Object // whose record is asked
	column *models.Field  // a field of object, or one of the columns that every record has
	meta   bool           // column is one of the latter
	test   test
	values []models.Value // one for the comparisons, contains, prefix; one or more for among, hasAny; else none. Money: all of one currency
	target *models.Object // of related
	where  *Bound         // of related; nil: any record that is not deleted
}

type test uint8

const (
	empty test = iota
	equal
	less
	atMost
	greater
	atLeast
	among
	contains // the value is folded
	prefix   // the value is folded
	hasAny
	related
)

// All holds where all of predicates do; nil ones always do.
func All(predicates ...*Bound) *Bound {
	var kept []*Bound
	for _, b := range predicates {
		switch {
		case b == nil:
		case b.form == isNothing:
			return b
		case b.form == isAnd:
			kept = append(kept, b.children...)
		default:
			kept = append(kept, b)
		}
	}
	return combine(isAnd, kept, nil)
}

// Any holds where at least one of predicates does; with none it never does.
func Any(predicates ...*Bound) *Bound {
	var kept []*Bound
	for _, b := range predicates {
		switch {
		case b == nil:
			return nil
		case b.form == isNothing:
		case b.form == isOr:
			kept = append(kept, b.children...)
		default:
			kept = append(kept, b)
		}
	}
	return combine(isOr, kept, Nothing())
}

func combine(f form, kept []*Bound, none *Bound) *Bound {
	switch len(kept) {
	case 0:
		return none
	case 1:
		return kept[0]
	}
	return &Bound{form: f, children: kept}
}

// Not holds where b does not.
func Not(b *Bound) *Bound {
	switch {
	case b == nil:
		return Nothing()
	case b.form == isNothing:
		return nil
	case b.form == isNot:
		return b.children[0]
	}
	return &Bound{form: isNot, children: []*Bound{b}}
}

// Nothing never holds.
func Nothing() *Bound { return &Bound{form: isNothing} }

// IsNothing tells whether b is known to hold for no record.
func (b *Bound) IsNothing() bool { return b != nil && b.form == isNothing }

// Objects lists the names of all objects that b looks at over references, sorted: what else must be at hand to answer it.
func (b *Bound) Objects() []string {
	var names []string
	b.collect(&names)
	slices.Sort(names)
	return slices.Compact(names)
}

func (b *Bound) collect(names *[]string) {
	if b == nil {
		return
	}
	for _, child := range b.children {
		child.collect(names)
	}
	if b.form == isLeaf && b.test == related {
		*names = append(*names, b.target.Name)
		b.where.collect(names)
	}
}

// Meta is what a record has beside its fields' values.
type Meta struct {
	Number                           uint64
	Version                          int64
	CreatedAt, UpdatedAt, HappenedAt time.Time
}

// MetaOf takes the Meta of a record.
func MetaOf(r *models.Record) Meta {
	return Meta{Number: r.Number, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, HappenedAt: r.HappenedAt}
}

// metaField gives the column that every record of the object has under the name; nil where there is none. "id" is "number".
func metaField(object *models.Object, name string) *models.Field {
	switch name {
	case "id", "number":
		return &models.Field{Name: "number", Kind: models.Reference, To: object.Name}
	case "version":
		return &models.Field{Name: "version", Kind: models.Number}
	case "created_at", "updated_at", "happened_at":
		return &models.Field{Name: name, Kind: models.Instant}
	}
	return nil
}

var metaNames = []string{"id", "number", "version", "created_at", "updated_at", "happened_at"}
