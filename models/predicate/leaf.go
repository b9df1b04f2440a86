package predicate

import (
	"strconv"
	"unicode/utf8"

	"canopy/models"
)

var comparison = map[test]string{equal: " = ", less: " < ", atMost: " <= ", greater: " > ", atLeast: " >= "}

// writeLeaf writes one question. Where the column may be null the text begins with "is not null and", which makes it false for null and
// leaves an index over the column usable.
func (w *writer) writeLeaf(l *leaf, alias string) error {
	column := w.column(l, alias)
	switch l.test {
	case empty:
		w.writeEmpty(l, alias, false)
		return nil
	case hasAny:
		return w.writeHasAny(l, column)
	case related:
		return w.writeRelated(l, alias)
	}
	if l.meta && l.column.Name == "created_at" && w.dialect == ClickHouse {
		return w.writeCreated(l, alias)
	}
	return w.writeComparison(l, column, alias)
}

func (w *writer) writeComparison(l *leaf, column, alias string) error {
	w.put("(")
	if !l.meta {
		w.put(column, " is not null and ")
	}
	if m, ok := l.values[0].(models.Money); ok {
		currency, err := w.value(&models.Field{Kind: models.Text}, m.Currency)
		if err != nil {
			return err
		}
		w.put(w.place(l.object, alias, l.column.Name+"_currency"), " = ", currency, " and ")
	}
	var err error
	switch l.test {
	case contains, prefix:
		err = w.writePattern(l, column)
	case among:
		w.put(column, " in (")
		err = w.writeValues(l)
		w.put(")")
	default:
		var value string
		if value, err = w.value(l.column, l.values[0]); err != nil {
			return err
		}
		w.put(column, comparison[l.test], value)
		if w.dialect == Postgres && l.test != equal && isText(l.column.Kind) {
			w.put(`::text collate "C"`)
		}
	}
	w.put(")")
	return err
}

// writeCreated asks the warehouse's log when the record was made: its states say only when they were written.
func (w *writer) writeCreated(l *leaf, alias string) error {
	log := w.alias("created")
	w.put("(", w.place(l.object, alias, "number"), " in (select ", w.place(l.object, log, "number"),
		" from ", quote(l.object.Name+"_log"), " as ", quote(log), " where ", w.place(l.object, log, "kind"), " = 'created' and ")
	err := w.writeComparison(l, w.place(l.object, log, "recorded_at"), log)
	w.put("))")
	return err
}

func isText(kind models.Kind) bool {
	switch kind {
	case models.Text, models.LongText, models.Email, models.Phone, models.URL, models.Country, models.Picklist:
		return true
	default:
		return false
	}
}

func (w *writer) writeEmpty(l *leaf, alias string, not bool) {
	column := w.column(l, alias)
	switch {
	case w.dialect == ClickHouse && l.column.Kind == models.MultiPick && not: // arrays are not nullable there
		w.put("notEmpty(", column, ")")
	case w.dialect == ClickHouse && l.column.Kind == models.MultiPick:
		w.put("empty(", column, ")")
	case not:
		w.put(column, " is not null")
	default:
		w.put(column, " is null")
	}
}

func (w *writer) writeValues(l *leaf) error {
	for i, v := range l.values {
		if i > 0 {
			w.put(", ")
		}
		value, err := w.value(l.column, v)
		if err != nil {
			return err
		}
		w.put(value)
	}
	return nil
}

// writePattern writes contains and starts_with by functions instead of like, whose wildcards, escapes and folding differ.
func (w *writer) writePattern(l *leaf, column string) error {
	text := l.values[0].(string)
	value, err := w.value(l.column, text)
	if err != nil {
		return err
	}
	switch {
	case w.dialect == SQLite && l.test == contains:
		w.put("instr(lower(", column, "), ", value, ") > 0")
	case w.dialect == SQLite:
		w.put("substr(lower(", column, "), 1, ", strconv.Itoa(utf8.RuneCountInString(text)), ") = ", value)
	case w.dialect == Postgres && l.test == contains:
		w.put("strpos(lower(", column, ` collate "C"), `, value, "::text) > 0")
	case w.dialect == Postgres:
		w.put("starts_with(lower(", column, ` collate "C"), `, value, "::text)")
	case l.test == contains:
		w.put("position(lower(", column, "), ", value, ") > 0")
	default:
		w.put("startsWith(lower(", column, "), ", value, ")")
	}
	return nil
}

func (w *writer) writeHasAny(l *leaf, column string) error {
	var before, after string
	switch w.dialect {
	case SQLite:
		pick := w.alias("pick")
		before, after = "exists (select 1 from json_each("+column+") as "+pick+" where "+pick+".value in (", "))"
	case Postgres:
		before, after = "("+column+" is not null and "+column+" && array[", "]::text[])"
	case ClickHouse:
		before, after = "hasAny("+column+", [", "])"
	}
	w.put(before)
	err := w.writeValues(l)
	w.put(after)
	return err
}

// writeRelated looks at the referred record: in SQLite and ClickHouse as membership in a list made once; in PostgreSQL with exists, for
// which the planner may choose between such a list and the primary key (a list too large for its memory would be
// searched from end to end for each row).
func (w *writer) writeRelated(l *leaf, alias string) error {
	column, inner := w.column(l, alias), w.alias("related")
	number := quote(inner) + `."number"`
	w.put("(", column, " is not null and ")
	switch {
	case w.dialect == Postgres, w.dialect == SQLite && w.options.RowByRow:
		w.put("exists (select 1 from ", quote(l.target.Name), " as ", quote(inner), " where ", number, " = ", column,
			" and ", quote(inner), `."deleted_at" is null`)
	case w.dialect == SQLite:
		w.put(column, " in (select ", number, " from ", quote(l.target.Name), " as ", quote(inner),
			" where ", quote(inner), `."deleted_at" is null`)
	default:
		w.put(column, " in (select ", number, " from ", w.options.RelatedTable(l.target.Name), " as ", quote(inner))
	}
	if l.where != nil {
		if w.dialect == ClickHouse {
			w.put(" where ")
		} else {
			w.put(" and ")
		}
		if err := w.write(l.where, inner); err != nil {
			return err
		}
	}
	w.put("))")
	return nil
}
