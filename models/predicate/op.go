package predicate

import (
	"slices"
	"strings"

	"canopy/models"
)

// Op is what a leaf asks of its field.
type Op string

// The operators. Eq to Gte and In, NotIn take one value or a list of them, Has and HasAny look into a multi_pick, Related looks at the record
// that a reference points to, On and InWeek take a date: a calendar day, or the first day of a week.
const (
	Eq         Op = "eq"
	Ne         Op = "ne"
	Lt         Op = "lt"
	Lte        Op = "lte"
	Gt         Op = "gt"
	Gte        Op = "gte"
	In         Op = "in"
	NotIn      Op = "not_in"
	IsEmpty    Op = "is_empty"
	NotEmpty   Op = "not_empty"
	Contains   Op = "contains"
	StartsWith Op = "starts_with"
	Has        Op = "has"
	HasAny     Op = "has_any"
	Related    Op = "related"
	On         Op = "on"
	InWeek     Op = "in_week"
)

var (
	emptyOps = []Op{IsEmpty, NotEmpty}
	equalOps = append([]Op{Eq, Ne, In, NotIn}, emptyOps...)
	orderOps = append([]Op{Eq, Ne, Lt, Lte, Gt, Gte, In, NotIn}, emptyOps...)
	textOps  = append([]Op{Contains, StartsWith}, orderOps...)
	dayOps   = append([]Op{On, InWeek}, orderOps...)
)

// opsOf lists the operators of each kind.
var opsOf = map[models.Kind][]Op{
	models.Text:      textOps,
	models.LongText:  textOps,
	models.Email:     textOps,
	models.Phone:     textOps,
	models.URL:       textOps,
	models.Country:   equalOps,
	models.Picklist:  equalOps,
	models.MultiPick: append([]Op{Has, HasAny}, emptyOps...),
	models.Number:    orderOps,
	models.Formula:   orderOps,
	models.MoneyKind: orderOps,
	models.DateKind:  dayOps,
	models.Instant:   dayOps,
	models.Boolean:   append([]Op{Eq, Ne}, emptyOps...),
	models.Reference: append([]Op{Related}, equalOps...),
	models.AddressOf: emptyOps,
	models.FileOf:    emptyOps,
	models.Score:     orderOps,
}

// OpsOf lists the operators that a field of the kind takes; the slice must not be changed.
func OpsOf(kind models.Kind) []Op { return opsOf[kind] }

// takesNothing tells whether the operator stands without a value.
func (op Op) takesNothing() bool { return op == IsEmpty || op == NotEmpty || op == Related }

// takesList tells whether the operator's value is a list.
func (op Op) takesList() bool { return op == In || op == NotIn || op == HasAny }

func known(op Op) bool {
	return slices.Contains(textOps, op) || slices.Contains(dayOps, op) || op == Has || op == HasAny || op == Related
}

func listed[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}
