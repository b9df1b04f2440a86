package predicate

import (
	"fmt"

	"canopy/models"
)

// Segment is a part of an order that a database can read from one index: rows whose first sort value is filled, or those where it is empty.
type Segment struct {
	Where   SQL // Text is blank where it lets everything through
	OrderBy string
	Empty   bool // its rows are those where the first sort value is empty
}

// Segments cuts the order behind a cursor (blank: from the beginning) into one or two parts, to be read one after the other. Together they are
// OrderBy behind After. Each is a range of an index over the first field and number, which neither nulls nor ties make slow:
// indexes put empty values first or last as their database likes, and "nulls last" is not what they like in both directions.
// SQLite and PostgreSQL only. A malformed cursor, or one of another order, is a models.Error invalid of the field "cursor".
func (s Sort) Segments(d Dialect, cursor string) ([]Segment, error) {
	if d != SQLite && d != Postgres {
		return nil, fmt.Errorf("predicate: no cursors for dialect %d", d)
	}
	parts := s.parts(d)
	var values []models.Value
	if cursor != "" {
		keyed, err := s.read(cursor)
		if err != nil {
			return nil, err
		}
		values = make([]models.Value, len(parts))
		for i, p := range parts {
			values[i] = keyed[p.key]
			if m, ok := values[i].(models.Money); ok && p.currency {
				values[i] = m.Currency
			}
		}
	}
	first := parts[0]
	if !first.nullable {
		segment, err := segmentOf(d, parts, values, "")
		return []Segment{segment}, err
	}
	var segments []Segment
	if len(values) == 0 || values[0] != nil {
		filled := make([]part, len(parts))
		copy(filled, parts)
		for i := range filled {
			filled[i].nullable = filled[i].nullable && filled[i].key != 0
		}
		segment, err := segmentOf(d, filled, values, first.column+" is not null")
		if err != nil {
			return nil, err
		}
		segments, values = append(segments, segment), nil
	}
	rest := parts[1:]
	for rest[0].key == 0 { // the amount of money
		rest = rest[1:]
		if values != nil {
			values = values[1:]
		}
	}
	if values != nil {
		values = values[1:]
	}
	segment, err := segmentOf(d, rest, values, first.column+" is null")
	segment.Empty = true
	return append(segments, segment), err
}

// segmentOf writes the rows of a condition behind values (nil: all), in the order of parts.
func segmentOf(d Dialect, parts []part, values []models.Value, condition string) (Segment, error) {
	a := &after{writer: writer{dialect: d}, parts: parts, values: values}
	a.put(condition)
	if values != nil {
		if condition != "" {
			a.put(" and ")
		}
		behind := a.from
		if inOneDirection(parts) {
			behind = func(int) error { return a.row() }
		}
		if err := behind(0); err != nil {
			return Segment{}, err
		}
	}
	return Segment{Where: SQL{Text: a.text.String(), Args: a.args}, OrderBy: orderBy(d, parts)}, nil
}

// inOneDirection tells whether rows behind a cursor are one comparison of rows: all values filled, all rising or all falling.
func inOneDirection(parts []part) bool {
	for _, p := range parts {
		if p.nullable || p.down != parts[0].down {
			return false
		}
	}
	return true
}

// row writes (a, b) > (?, ?), which is one range of an index over a and b also where many rows share a.
func (a *after) row() error {
	a.put("(")
	for i, p := range a.parts {
		if i > 0 {
			a.put(", ")
		}
		a.put(p.column)
	}
	if a.parts[0].down {
		a.put(") < (")
	} else {
		a.put(") > (")
	}
	for i, p := range a.parts {
		value, err := a.value(p.field, a.values[i])
		if err != nil {
			return err
		}
		if i > 0 {
			a.put(", ")
		}
		if p.collate && a.dialect == Postgres {
			value += `::text collate "C"`
		}
		a.put(value)
	}
	a.put(")")
	return nil
}

// First is the field that the order begins with; meta tells that it is one of the columns that every record has.
func (s Sort) First() (field *models.Field, meta bool) { return s.keys[0].field, s.keys[0].meta }
