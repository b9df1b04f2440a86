package predicate

import (
	"fmt"
	"strconv"
	"strings"

	"canopy/models"
)

// Dialect is a database's way of writing SQL.
type Dialect int

// The databases.
const (
	SQLite Dialect = iota
	Postgres
	ClickHouse
)

// SQL is a piece of query text with its values. SQLite and PostgreSQL: every ? of Text stands for the next of Args (text, int64, bool, float64,
// time.Time; no lists). ClickHouse: Text has typed parameters {p0:String}, Named holds their values by name: text (also of decimals), uint64, float64,
// bool, models.Date, time.Time.
type SQL struct {
	Text  string
	Args  []any
	Named map[string]any
}

// Options say where the text is set into. The zero value is good for a query over one object's own table.
type Options struct {
	// Alias is what the query calls the table of the records. Empty: the object's name, its table's own; in ClickHouse columns then
	// stand without a table.
	Alias string
	// ParamPrefix and FirstParam give the names of ClickHouse's parameters: p0, p1, … where they are zero.
	ParamPrefix string
	FirstParam  int
	// RelatedTable gives the table that holds the present, not deleted records of a referred object in ClickHouse, as text to stand behind
	// from. nil: staging_<object>_now. SQLite and PostgreSQL take the object's own table without its deleted records.
	RelatedTable func(object string) string
	// RowByRow has SQLite look at each row's referred record as PostgreSQL may do by itself, for queries that meet few rows; else it makes a
	// list of all referred records that will do.
	RowByRow bool
}

// maxAnalytic is how many questions to columns one predicate may hold for ClickHouse, whose planner's time grows with their square.
const maxAnalytic = 250

// Compile writes b as one condition that is true or false and never null, so that it may stand behind not. A nil b is 1 = 1.
// For ClickHouse more than 250 questions to columns are a models.Error invalid; a list is one question.
func (b *Bound) Compile(d Dialect, o Options) (SQL, error) {
	if d < SQLite || d > ClickHouse {
		return SQL{}, fmt.Errorf("predicate: no dialect %d", d)
	}
	if o.ParamPrefix == "" {
		o.ParamPrefix = "p"
	}
	if o.RelatedTable == nil {
		o.RelatedTable = func(object string) string { return quote("staging_" + object + "_now") }
	}
	w := &writer{dialect: d, options: o}
	if d == ClickHouse {
		if n := b.leaves(); n > maxAnalytic {
			return SQL{}, models.Errorf(models.Invalid, "a predicate has at most %d conditions in an analysis, this one has %d", maxAnalytic, n).
				WithRemedy("Ask for several values of a field with one in.")
		}
		w.named = map[string]any{}
	}
	if err := w.write(b, o.Alias); err != nil {
		return SQL{}, err
	}
	return SQL{Text: w.text.String(), Args: w.args, Named: w.named}, nil
}

func (b *Bound) leaves() int {
	if b == nil {
		return 0
	}
	n := b.where.leaves()
	if b.form == isLeaf {
		n++
	}
	for _, child := range b.children {
		n += child.leaves()
	}
	return n
}

// writer gathers one piece of text and its values.
type writer struct {
	dialect Dialect
	options Options
	text    strings.Builder
	args    []any
	named   map[string]any
	aliases int
}

func (w *writer) put(parts ...string) {
	for _, part := range parts {
		w.text.WriteString(part)
	}
}

// write writes b over records whose table is called alias.
func (w *writer) write(b *Bound, alias string) error {
	switch {
	case b == nil:
		w.put("1 = 1")
	case b.form == isNothing:
		w.put("1 = 0")
	case b.form == isAnd:
		return w.writeAll(b.children, " and ", alias)
	case b.form == isOr:
		return w.writeAll(b.children, " or ", alias)
	case b.form == isNot:
		child := b.children[0]
		if child.form == isLeaf && child.test == empty {
			w.writeEmpty(&child.leaf, alias, true)
			return nil
		}
		w.put("not ")
		return w.writeInBrackets(child, alias)
	default:
		return w.writeLeaf(&b.leaf, alias)
	}
	return nil
}

func (w *writer) writeInBrackets(b *Bound, alias string) error {
	w.put("(")
	err := w.write(b, alias)
	w.put(")")
	return err
}

// chain is how many conditions stand in one row of ands or ors. Longer rows become a tree of brackets, because databases
// read a row as a chain of pairs and limit its depth (SQLite: 1,000).
const chain = 16

func (w *writer) writeAll(children []*Bound, word, alias string) error {
	w.put("(")
	size := 1
	for size*chain < len(children) {
		size *= chain
	}
	for i := 0; i < len(children); i += size {
		if i > 0 {
			w.put(word)
		}
		part := children[i:min(i+size, len(children))]
		var err error
		if len(part) == 1 {
			err = w.write(part[0], alias)
		} else {
			err = w.writeAll(part, word, alias)
		}
		if err != nil {
			return err
		}
	}
	w.put(")")
	return nil
}

// quote quotes a name that came from the registry; all three databases take the standard's double quotes.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// column writes where a leaf's value stands.
func (w *writer) column(l *leaf, alias string) string {
	return w.place(l.object, alias, w.columnName(l.column, l.meta))
}

func (w *writer) place(object *models.Object, alias, name string) string {
	if alias == "" && w.dialect != ClickHouse {
		alias = object.Name
	}
	if alias == "" {
		return quote(name)
	}
	return quote(alias) + "." + quote(name)
}

// columnName gives a column's name: the warehouse keeps the last write's instant of recording under the log's name.
func (w *writer) columnName(f *models.Field, meta bool) string {
	if meta && w.dialect == ClickHouse && f.Name == "updated_at" {
		return "recorded_at"
	}
	return f.Name
}

func (w *writer) alias(word string) string {
	w.aliases++
	return word + "_" + strconv.Itoa(w.aliases)
}

// name takes the next free name of a ClickHouse parameter and keeps its value.
func (w *writer) name(kind string, value any) string {
	name := w.options.ParamPrefix + strconv.Itoa(w.options.FirstParam+len(w.named))
	w.named[name] = value
	return "{" + name + ":" + kind + "}"
}
