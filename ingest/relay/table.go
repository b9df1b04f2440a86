package relay

import (
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"canopy/models"
	"canopy/warehouse"
)

// table gathers the rows of one object's log as columns. It is filled row by row, sent as one block, and emptied for re-use.
type table struct {
	object *models.Object
	name   string // of the log table
	insert string // statement of the block
	input  proto.Input

	number, happenedAt, position, recordedAt, version, happenedUnknown, actorUser, deleted *plain
	kind, actorKind, cause                                                                 *coded

	names  []string // of the fields, in the registry's order
	spans  []span   // of the row at hand, one a field
	fields []writer // one a field

	rows     uint64
	unknown  uint64 // values of fields that the registry does not have
	from, to int64  // least and greatest happened_at, in milliseconds
	scratch  []byte
}

// newTable lays out the columns of an object's log as warehouse.LogColumns gives them.
func newTable(o *models.Object) *table {
	t := &table{object: o, name: warehouse.LogTable(o.Name), spans: make([]span, len(o.Fields)), fields: make([]writer, len(o.Fields))}
	for _, f := range o.Fields {
		t.names = append(t.names, f.Name)
	}
	own := map[string]column{}
	for _, c := range warehouse.LogColumns(o) {
		made := newColumn(c)
		t.input = append(t.input, proto.InputColumn{Name: c.Name, Data: made})
		if c.Field == nil {
			own[c.Name] = made
			continue
		}
		w := &t.fields[c.Field.Index()]
		w.field = c.Field
		if c.Part == warehouse.Currency {
			w.currency = made.(*coded)
		} else {
			w.column = made
		}
	}
	t.number, t.happenedAt, t.position = own["number"].(*plain), own["happened_at"].(*plain), own["position"].(*plain)
	t.recordedAt, t.version, t.happenedUnknown = own["recorded_at"].(*plain), own["version"].(*plain), own["happened_unknown"].(*plain)
	t.actorUser, t.deleted = own["actor_user"].(*plain), own["is_deleted"].(*plain)
	t.kind, t.actorKind, t.cause = own["kind"].(*coded), own["actor_kind"].(*coded), own["cause"].(*coded)
	for i := range t.fields {
		t.fields[i].prepare()
	}
	t.insert = t.input.Into(t.name)
	return t
}

// newColumn makes the gatherer of a column by its ClickHouse type.
func newColumn(c warehouse.Column) column {
	switch c.Type {
	case "UInt64":
		return newPlain(c.Type, false, 8)
	case "DateTime64(3, 'UTC')":
		return newPlain(c.Type, false, 8)
	case "Bool", "UInt8":
		return newPlain(c.Type, false, 1)
	case "LowCardinality(String)":
		return newCoded(c.Type, false)
	case "LowCardinality(Nullable(String))":
		return newCoded(c.Type, true)
	case "Array(LowCardinality(String))":
		return newList(c.Type)
	case "Nullable(String)":
		return newPlain(c.Type, true, 0)
	case "Nullable(Date32)":
		return newPlain(c.Type, true, 4)
	case "Nullable(Bool)":
		return newPlain(c.Type, true, 1)
	}
	return newPlain(c.Type, true, 8) // Nullable of UInt64, Float64, DateTime64(3) or Decimal(18, …)
}

// add appends one row. An error leaves the row half appended: the table is then thrown away.
func (t *table) add(r *models.LogRow) error {
	unknown, err := scanImage(r.Image, t.names, t.spans)
	image := r.Image
	if err != nil { // JSON, but not as AppendImage writes it
		if image, err = compact(r.Image); err != nil {
			return err
		}
		if unknown, err = scanImage(image, t.names, t.spans); err != nil {
			return err
		}
	}
	for i := range t.fields {
		s := t.spans[i]
		w := &t.fields[i]
		if s.end == 0 {
			w.empty()
			continue
		}
		raw := image[s.start:s.end]
		if s.escaped && w.column != nil && w.unescapes {
			if t.scratch, err = unescape(t.scratch[:0], raw); err != nil {
				return fmt.Errorf("%s: %w", w.field.Name, err)
			}
			raw = t.scratch
		}
		if err := w.put(raw); err != nil {
			return fmt.Errorf("%s: %w", w.field.Name, err)
		}
	}
	t.own(r)
	t.unknown += uint64(unknown) //nolint:gosec // a count
	return nil
}

func (t *table) own(r *models.LogRow) {
	happened := r.HappenedAt.UnixMilli()
	if t.rows == 0 || happened < t.from {
		t.from = happened
	}
	if t.rows == 0 || happened > t.to {
		t.to = happened
	}
	t.rows++
	t.number.uint64(r.Number)
	t.happenedAt.int64(happened)
	t.position.uint64(r.Position)
	t.recordedAt.int64(r.RecordedAt.UnixMilli())
	t.version.int64(r.Version)
	t.kind.word(string(r.Kind))
	t.happenedUnknown.byte(bit(r.HappenedUnknown))
	t.actorKind.word(string(r.ActorKind))
	t.actorUser.uint64(r.ActorUser)
	t.cause.word(r.Cause)
	t.deleted.byte(bit(r.Deleted))
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func (t *table) reset() {
	t.rows, t.unknown = 0, 0
	for _, c := range t.input {
		c.Data.(column).reset()
	}
}

func (t *table) touched() models.RelayTouched {
	return models.RelayTouched{Rows: t.rows, HappenedFrom: time.UnixMilli(t.from).UTC(), HappenedTo: time.UnixMilli(t.to).UTC()}
}
