package warehouse

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"canopy/models"
	canopysql "canopy/sql"
)

// LastPosition is the greatest position that any object's log holds; 0 for an empty warehouse.
func (w *Warehouse) LastPosition(ctx context.Context, r *models.Registry) (uint64, error) {
	parts := make([]string, 0, len(r.Objects()))
	for _, o := range r.Objects() {
		parts = append(parts, "select max(position) as position from `"+LogTable(o.Name)+"`")
	}
	return Value[uint64](ctx, w, Query{Name: "find the last position",
		SQL: "select max(position) from (" + strings.Join(parts, " union all ") + ")"})
}

// Tally is what an object's log and present state hold up to a position; see sql/staging/audit_log.sql.
type Tally struct {
	Rows      uint64 `ch:"rows"`
	Positions uint64 `ch:"positions"` // distinct
	Sum       uint64 `ch:"sum"`
	Stale     uint64 `ch:"stale"` // records whose present state is behind the log
}

// Tally counts an object's changes up to a position, inclusive.
func (w *Warehouse) Tally(ctx context.Context, o *models.Object, position uint64) (Tally, error) {
	text, err := fs.ReadFile(canopysql.Staging(), "audit_log.sql")
	if err != nil {
		return Tally{}, err
	}
	rows, err := Rows[Tally](ctx, w, Query{Name: "audit " + o.Name, SQL: string(text), Heavy: true,
		Params: map[string]any{"log": LogTable(o.Name), "present": o.Name, "position": position}})
	if err != nil {
		return Tally{}, err
	}
	if len(rows) != 1 {
		return Tally{}, fmt.Errorf("audit %s: wanted one row, got %d", o.Name, len(rows))
	}
	return rows[0], nil
}

// Empty throws away all rows of the objects' logs and present states, and the tokens of their inserts. Nothing may be inserting.
func (w *Warehouse) Empty(ctx context.Context, r *models.Registry) error {
	stands, err := w.standing(ctx)
	if err != nil {
		return err
	}
	for _, o := range r.Objects() {
		for _, table := range []string{LogTable(o.Name), o.Name} {
			if stands[table] == nil {
				continue
			}
			if err := w.statement(ctx, "empty "+table, "truncate table `"+table+"`"); err != nil {
				return err
			}
		}
	}
	return nil
}
