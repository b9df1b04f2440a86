package predicate

import (
	"errors"
	"slices"
	"strings"
	"time"

	"canopy/models"
)

// Bind checks n against the object: fields, operators and values, and those of the objects that it refers to. A nil n gives nil.
// Errors are models.Error invalid with the field ("amount", "account.country") and a remedy.
func (n *Node) Bind(registry *models.Registry, object *models.Object, c models.Calendar) (*Bound, error) {
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	b := &binder{registry: registry, calendar: c}
	bound, err := b.bind(n, object, "")
	if err != nil {
		return nil, err
	}
	return bound, nil
}

type binder struct {
	registry *models.Registry
	calendar models.Calendar
	values   int
}

// bind binds one node; over is the path of references that led to object, each with a dot.
func (b *binder) bind(n *Node, object *models.Object, over string) (*Bound, error) {
	switch {
	case n == nil:
		return nil, nil
	case n.And != nil:
		children, err := b.list(n.And, object, over)
		return All(children...), err
	case n.Or != nil:
		children, err := b.list(n.Or, object, over)
		return Any(children...), err
	case n.Not != nil:
		child, err := b.bind(n.Not, object, over)
		return Not(child), err
	}
	return b.leaf(n, object, over)
}

func (b *binder) list(nodes []*Node, object *models.Object, over string) ([]*Bound, error) {
	bound := make([]*Bound, len(nodes))
	for i, n := range nodes {
		var err error
		if bound[i], err = b.bind(n, object, over); err != nil {
			return nil, err
		}
	}
	return bound, nil
}

func (b *binder) leaf(n *Node, object *models.Object, over string) (*Bound, error) {
	place := over + n.Field
	field, meta := object.Field(n.Field), false
	if field == nil {
		field, meta = metaField(object, n.Field), true
	}
	switch {
	case field == nil:
		return nil, models.FieldError(place, "%s has no field %q", object.Name, n.Field).WithRemedy(nearestRemedy(n.Field, fieldNames(object)))
	case meta && over != "" && field.Name != "number":
		return nil, models.FieldError(place, "%s cannot be asked of a referred %s", n.Field, object.Name).
			WithRemedy("Ask for one of the fields of " + object.Name + ", or its id.")
	case n.Op == Related && strings.Count(over, ".") >= maxHops:
		return nil, models.FieldError(place, "more than %d references one behind the other", maxHops).WithRemedy("Ask for something nearer.")
	case !slices.Contains(OpsOf(field.Kind), n.Op) || meta && n.Op == Related:
		return nil, models.FieldError(place, "%s cannot be asked of a field of the kind %s", n.Op, field.Kind).
			WithRemedy("Use one of " + listed(OpsOf(field.Kind)) + ".")
	}
	l := leaf{object: object, column: field, meta: meta}
	switch n.Op {
	case IsEmpty, NotEmpty:
		if meta { // every record has it
			return negateIf(n.Op == NotEmpty, Nothing()), nil
		}
		return negateIf(n.Op == NotEmpty, l.bound(empty)), nil
	case Related:
		l.target = b.registry.Object(field.To)
		var err error
		if l.where, err = b.bind(n.Where, l.target, place+"."); err != nil {
			return nil, err
		}
		if l.where.IsNothing() {
			return Nothing(), nil
		}
		return l.bound(related), nil
	}
	bound, err := b.compare(l, n)
	if err != nil {
		e := models.FieldError(place, "%v", err)
		if known := (*models.Error)(nil); errors.As(err, &known) && known.Remedy != "" {
			return nil, e.WithRemedy(known.Remedy)
		}
		return nil, e.WithRemedy(valueRemedy(field, n.Op))
	}
	return bound, nil
}

// bound makes a leaf of l with its test.
func (l leaf) bound(t test, values ...models.Value) *Bound {
	l.test, l.values = t, values
	return &Bound{leaf: l}
}

// compare binds the operators that take a value.
func (b *binder) compare(l leaf, n *Node) (*Bound, error) {
	switch n.Op {
	case In, NotIn, HasAny:
		values, err := b.readList(l.column, n)
		if err != nil {
			return nil, err
		}
		if n.Op == HasAny {
			return l.bound(hasAny, values...), nil
		}
		return negateIf(n.Op == NotIn, b.among(l, values)), nil
	case Has:
		value, err := readPick(l.column, n.Value)
		return l.bound(hasAny, value), err
	case Contains, StartsWith:
		text, err := readPattern(n.Value)
		if n.Op == Contains {
			return l.bound(contains, fold(text)), err
		}
		return l.bound(prefix, fold(text)), err
	case On, InWeek:
		day, err := readDate(n.Value)
		if err != nil {
			return nil, err
		}
		if n.Op == On {
			return b.order(l, Eq, day), nil
		}
		return b.week(l, day)
	}
	value, err := b.read(l.column, n.Op, n.Value)
	if err != nil {
		return nil, err
	}
	return b.order(l, n.Op, value), nil
}

func negateIf(negate bool, p *Bound) *Bound {
	if negate {
		return Not(p)
	}
	return p
}

// order writes one comparison with the few tests there are. A day compared with an instant becomes half-open bounds.
func (b *binder) order(l leaf, op Op, value models.Value) *Bound {
	if day, ok := value.(models.Date); ok && l.column.Kind == models.Instant {
		starts, ends := day.Time(b.calendar.Zone).UTC(), day.AddDays(1).Time(b.calendar.Zone).UTC()
		switch op {
		case Eq, Ne:
			return negateIf(op == Ne, All(l.bound(atLeast, starts), l.bound(less, ends)))
		case Lt:
			return l.bound(less, starts)
		case Lte:
			return l.bound(less, ends)
		case Gt:
			return l.bound(atLeast, ends)
		default:
			return l.bound(atLeast, starts)
		}
	}
	switch op {
	case Eq, Ne:
		return negateIf(op == Ne, l.bound(equal, value))
	case Lt:
		return l.bound(less, value)
	case Lte:
		return l.bound(atMost, value)
	case Gt:
		return l.bound(greater, value)
	default:
		return l.bound(atLeast, value)
	}
}

// among splits a list into what one test can hold: days of instants, and money by currency.
func (b *binder) among(l leaf, values []models.Value) *Bound {
	var parts []*Bound
	groups, keys := map[string][]models.Value{}, []string(nil)
	for _, value := range values {
		if _, day := value.(models.Date); day && l.column.Kind == models.Instant {
			parts = append(parts, b.order(l, Eq, value))
			continue
		}
		key := ""
		if m, ok := value.(models.Money); ok {
			key = m.Currency
		}
		if groups[key] == nil {
			keys = append(keys, key)
		}
		groups[key] = append(groups[key], value)
	}
	for _, key := range keys {
		parts = append(parts, l.among(groups[key]...))
	}
	return Any(parts...)
}

// among holds for any of the values; for none it never does.
func (l leaf) among(values ...models.Value) *Bound {
	switch len(values) {
	case 0:
		return Nothing()
	case 1:
		return l.bound(equal, values[0])
	}
	return l.bound(among, values...)
}

func (b *binder) week(l leaf, first models.Date) (*Bound, error) {
	window, err := b.calendar.Week(first)
	if err != nil {
		return nil, err
	}
	if l.column.Kind == models.Instant {
		return All(l.bound(atLeast, window.From), l.bound(less, window.To)), nil
	}
	return All(l.bound(atLeast, first), l.bound(less, first.AddDays(7))), nil
}
