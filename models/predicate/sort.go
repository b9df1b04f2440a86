package predicate

import (
	"slices"
	"strings"

	"canopy/models"
)

// maxKeys is how many fields one sort may name.
const maxKeys = 8

// Sort is a total order of an object's records: by fields, then by number. Empty values come last in both directions, text is ordered by
// bytes, money by currency and then by amount. The zero Sort is of no object; ParseSort makes one.
type Sort struct {
	object *models.Object
	keys   []sortKey // the last is number, which no two records share
	alias  string
}

type sortKey struct {
	field *models.Field
	meta  bool
	down  bool
}

// sortable are the kinds with an order.
func sortable(kind models.Kind) bool {
	switch kind {
	case models.MultiPick, models.AddressOf, models.FileOf:
		return false
	default:
		return true
	}
}

// ParseSort reads "-amount,name": fields with a comma between, "-" for descending. Blank text sorts by number. Number is appended in the
// direction of the last field, so that an index over that field gives the whole order. Errors are models.Error invalid of the field "sort".
func ParseSort(object *models.Object, text string) (Sort, error) {
	s := Sort{object: object}
	down := false
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" && strings.TrimSpace(text) == "" {
			break
		}
		if name, down = strings.CutPrefix(name, "-"); name == "" {
			return Sort{}, models.FieldError("sort", "a field is missing in %q", text).WithRemedy("Name a field before and after each comma.")
		}
		field, meta := object.Field(name), false
		if field == nil {
			field, meta = metaField(object, name), true
		}
		switch {
		case field == nil:
			return Sort{}, models.FieldError("sort", "%s has no field %q", object.Name, name).WithRemedy(nearestRemedy(name, sortNames(object)))
		case !sortable(field.Kind):
			return Sort{}, models.FieldError("sort", "%s is a %s, which has no order", name, field.Kind).WithRemedy("Sort by another field.")
		case slices.ContainsFunc(s.keys, func(k sortKey) bool { return k.field.Name == field.Name }):
			return Sort{}, models.FieldError("sort", "%s is named twice", name).WithRemedy("Name each field once.")
		case len(s.keys) == maxKeys:
			return Sort{}, models.FieldError("sort", "more than %d fields", maxKeys).WithRemedy("Name fewer fields.")
		}
		s.keys = append(s.keys, sortKey{field, meta, down})
		if meta && field.Name == "number" {
			return s, nil // what follows would never decide
		}
	}
	s.keys = append(s.keys, sortKey{metaField(object, "number"), true, down})
	return s, nil
}

func sortNames(object *models.Object) []string {
	names := slices.Clone(metaNames)
	for _, f := range object.Fields {
		if sortable(f.Kind) {
			names = append(names, f.Name)
		}
	}
	return names
}

// As is the same order over a table that the query calls alias; without it the table has the object's name.
func (s Sort) As(alias string) Sort {
	s.alias = alias
	return s
}

// String is the order's canonical text, with the number that decides last: "-amount,name,number".
func (s Sort) String() string {
	names := make([]string, len(s.keys))
	for i, key := range s.keys {
		if key.down {
			names[i] = "-"
		}
		names[i] += key.field.Name
	}
	return strings.Join(names, ",")
}

// OrderBy is the text to stand behind order by.
func (s Sort) OrderBy(d Dialect) string { return orderBy(d, s.parts(d)) }

func orderBy(d Dialect, parts []part) string {
	var terms []string
	for _, part := range parts {
		term := part.column
		if part.collate && d == Postgres {
			term += ` collate "C"`
		}
		switch {
		case part.down:
			term += " desc"
		default:
			term += " asc"
		}
		if part.nullable {
			term += " nulls last"
		}
		terms = append(terms, term)
	}
	return strings.Join(terms, ", ")
}

// part is one column of the order; money has two.
type part struct {
	column   string
	field    *models.Field // whose form the column's values have
	key      int
	currency bool // the key's currency, not its amount
	collate  bool
	nullable bool
	down     bool
}

var currencyField = &models.Field{Name: "currency", Kind: models.Text}

func (s Sort) parts(d Dialect) []part {
	w := &writer{dialect: d}
	var parts []part
	for i, key := range s.keys {
		p := part{
			column: w.place(s.object, s.alias, w.columnName(key.field, key.meta)), field: key.field, key: i,
			collate: isText(key.field.Kind), nullable: !key.meta, down: key.down,
		}
		if key.field.Kind == models.MoneyKind {
			c := p
			c.column, c.field, c.currency, c.collate = w.place(s.object, s.alias, key.field.Name+"_currency"), currencyField, true, true
			parts = append(parts, c)
			p.nullable = false // where there is a currency there is an amount; saying nulls last twice would cost SQLite its index
		}
		parts = append(parts, p)
	}
	return parts
}
