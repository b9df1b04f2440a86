package predicate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"canopy/models"
)

// Match tells whether b holds for a record: its values in the order of its object's fields (missing ones at the end are empty) and
// its meta. related gives the values of a record that is referred to, and false where it is deleted or unknown; it may be
// nil where b looks over no reference (see Objects).
func (b *Bound) Match(values []models.Value, meta Meta, related func(object string, number uint64) ([]models.Value, bool)) bool {
	if b == nil {
		return true
	}
	switch b.form {
	case isNothing:
		return false
	case isNot:
		return !b.children[0].Match(values, meta, related)
	case isAnd:
		for _, child := range b.children {
			if !child.Match(values, meta, related) {
				return false
			}
		}
		return true
	case isOr:
		for _, child := range b.children {
			if child.Match(values, meta, related) {
				return true
			}
		}
		return false
	}
	return b.leaf.match(b.leaf.get(values, meta), related)
}

func (l *leaf) get(values []models.Value, meta Meta) models.Value {
	if !l.meta {
		if i := l.column.Index(); i < len(values) {
			return values[i]
		}
		return nil
	}
	return metaValue(meta, l.column.Name)
}

func metaValue(meta Meta, name string) models.Value {
	switch name {
	case "number":
		return meta.Number
	case "version":
		return meta.Version
	case "created_at":
		return meta.CreatedAt
	case "updated_at":
		return meta.UpdatedAt
	default:
		return meta.HappenedAt
	}
}

func (l *leaf) match(value models.Value, find func(string, uint64) ([]models.Value, bool)) bool {
	if l.test == empty {
		return value == nil
	}
	if value == nil {
		return false
	}
	switch l.test {
	case equal, among:
		return slices.ContainsFunc(l.values, func(wanted models.Value) bool { return models.ValuesEqual(value, wanted) })
	case contains:
		return strings.Contains(fold(value.(string)), l.values[0].(string))
	case prefix:
		return strings.HasPrefix(fold(value.(string)), l.values[0].(string))
	case hasAny:
		picks := value.([]string)
		return slices.ContainsFunc(l.values, func(wanted models.Value) bool { return slices.Contains(picks, wanted.(string)) })
	case related:
		if find == nil {
			return false
		}
		number := value.(uint64)
		values, ok := find(l.target.Name, number)
		return ok && l.where.Match(values, Meta{Number: number}, find)
	}
	order, comparable := compare(value, l.values[0])
	if !comparable {
		return false
	}
	switch l.test {
	case less:
		return order < 0
	case atMost:
		return order <= 0
	case greater:
		return order > 0
	default:
		return order >= 0
	}
}

// compare orders two values of one field; amounts of different currencies are not comparable.
func compare(a, b models.Value) (order int, comparable bool) {
	switch x := a.(type) {
	case string:
		return strings.Compare(x, b.(string)), true
	case int64:
		return cmp.Compare(x, b.(int64)), true
	case float64:
		return cmp.Compare(x, b.(float64)), true
	case models.Date:
		return cmp.Compare(x, b.(models.Date)), true
	case time.Time:
		return x.Compare(b.(time.Time)), true
	case models.Money:
		y := b.(models.Money)
		return cmp.Compare(x.Minor, y.Minor), x.Currency == y.Currency
	}
	return 0, false
}
