package predicate

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"canopy/models"
)

// cursor is what a cursor's text holds: the order it was made for and the sort values of the last row that was seen.
type cursor struct {
	Object string            `json:"o"`
	Sort   string            `json:"s"`
	Values []json.RawMessage `json:"v"` // one a key, in the JSON form of its field; the last is the record's id
}

// Cursor marks the place behind a record, from its values and number. A sort by created_at, updated_at, happened_at or version needs
// CursorOf, which knows them; Cursor panics there.
func (s Sort) Cursor(values []models.Value, number uint64) string {
	for _, key := range s.keys {
		if key.meta && key.field.Name != "number" {
			panic("predicate: a sort by " + key.field.Name + " needs CursorOf")
		}
	}
	return s.cursor(values, Meta{Number: number})
}

// CursorOf marks the place behind a record.
func (s Sort) CursorOf(r *models.Record) string { return s.cursor(r.Values, MetaOf(r)) }

func (s Sort) cursor(values []models.Value, meta Meta) string {
	c := cursor{Object: s.object.Name, Sort: s.String(), Values: make([]json.RawMessage, len(s.keys))}
	for i, key := range s.keys {
		l := leaf{column: key.field, meta: key.meta}
		c.Values[i] = key.field.AppendJSON(nil, l.get(values, meta))
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("predicate: write cursor: %v", err)) // AppendJSON writes valid JSON
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// read gives the sort values that a cursor holds, one a key.
func (s Sort) read(text string) ([]models.Value, error) {
	invalid := models.FieldError("cursor", "not a cursor of this list").WithRemedy("Start again from the first page.")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, invalid
	}
	var c cursor
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, invalid
	}
	if c.Object != s.object.Name || c.Sort != s.String() || len(c.Values) != len(s.keys) {
		invalid.Message = "a cursor of another list or another sort"
		return nil, invalid
	}
	values := make([]models.Value, len(s.keys))
	for i, key := range s.keys {
		values[i], err = key.field.ParseStored(c.Values[i])
		text, _ := values[i].(string)
		if err != nil || key.meta && values[i] == nil || strings.ContainsRune(text, 0) {
			return nil, invalid
		}
	}
	return values, nil
}

// After is the condition that holds for the rows behind the cursor, in this order. SQLite and PostgreSQL only: analyses are not paged.
// A malformed cursor, or one of another order, is a models.Error invalid of the field "cursor".
func (s Sort) After(d Dialect, text string) (SQL, error) {
	if d != SQLite && d != Postgres {
		return SQL{}, fmt.Errorf("predicate: no cursors for dialect %d", d)
	}
	values, err := s.read(text)
	if err != nil {
		return SQL{}, err
	}
	a := &after{writer: writer{dialect: d}, parts: s.parts(d)}
	a.values = make([]models.Value, len(a.parts))
	for i, p := range a.parts {
		a.values[i] = values[p.key]
		if m, ok := a.values[i].(models.Money); ok && p.currency {
			a.values[i] = m.Currency
		}
	}
	if err := a.from(0); err != nil {
		return SQL{}, err
	}
	return SQL{Text: a.text.String(), Args: a.args}, nil
}

// after writes the condition for rows behind values in the order of parts:
//
//	first is behind, or first is equal and the rest is behind
//
// as "(first is equal or behind) and (first is behind or the rest is behind)", whose first half is one range that an index can take.
type after struct {
	writer
	parts  []part
	values []models.Value
}

func (a *after) from(i int) error {
	p, v := a.parts[i], a.values[i]
	last := i == len(a.parts)-1
	switch {
	case v == nil: // the empty values are the last ones: nothing but their equals can follow
		a.put("(", p.column, " is null and ")
		if err := a.from(i + 1); err != nil {
			return err
		}
		a.put(")")
		return nil
	case last:
		return a.compare(p, v, false)
	}
	a.put("(")
	if err := a.compare(p, v, true); err != nil {
		return err
	}
	a.put(" and (")
	if err := a.compare(p, v, false); err != nil {
		return err
	}
	a.put(" or ")
	if err := a.from(i + 1); err != nil {
		return err
	}
	a.put("))")
	return nil
}

// compare writes that the part is behind v, or equal to it where that will do; an empty one is behind every value.
func (a *after) compare(p part, v models.Value, orEqual bool) error {
	value, err := a.value(p.field, v)
	if err != nil {
		return err
	}
	sign := " >"
	if p.down {
		sign = " <"
	}
	if orEqual {
		sign += "="
	}
	sign += " "
	if p.collate && a.dialect == Postgres {
		value += `::text collate "C"`
	}
	if !p.nullable {
		a.put(p.column, sign, value)
		return nil
	}
	a.put("(", p.column, sign, value, " or ", p.column, " is null)")
	return nil
}
