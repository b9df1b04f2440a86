package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"canopy/models"
)

// feedColumns are what eachSQLite reads of a change, in the order of its destinations. The image comes as bytes, which saves a copy.
const feedColumns = `seq, object, number, version, kind, happened_at, happened_unknown, recorded_at, actor_kind, actor_user, cause, is_deleted,
    cast(image as blob)`

// eachSQLite is Each for SQLite's read pool. It asks the driver itself: the relay reads the whole log through here, and
// database/sql's conversions of thirteen columns a row would be a quarter of its time.
func (db *DB) eachSQLite(ctx context.Context, after, through uint64, fn func(*models.LogRow) error) error {
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	var failed error
	err = conn.Raw(func(raw any) error {
		queryer, ok := raw.(driver.QueryerContext)
		if !ok {
			return fmt.Errorf("store: %T asks no questions", raw)
		}
		rows, err := queryer.QueryContext(ctx, "select "+feedColumns+" from changes where seq > ? and seq <= ? order by seq",
			[]driver.NamedValue{{Ordinal: 1, Value: int64(after)}, {Ordinal: 2, Value: int64(through)}}) //nolint:gosec // under 2^63
		if err != nil {
			return err
		}
		failed = eachRow(rows, fn)
		return rows.Close()
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	return nil
}

// eachRow hands over the rows of feedColumns. fn's error is returned as it is.
func eachRow(rows driver.Rows, fn func(*models.LogRow) error) error {
	values := make([]driver.Value, len(rows.Columns()))
	var r models.LogRow
	for {
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read log: %w", err)
		}
		if !fromValues(&r, values) {
			return fmt.Errorf("read log: the change after position %d has a column of another type", r.Position)
		}
		if err := fn(&r); err != nil {
			return err
		}
	}
}

// fromValues fills r from the driver's values of feedColumns; false where one has another type than the strict table gives.
func fromValues(r *models.LogRow, v []driver.Value) bool {
	var ok [13]bool
	var position, number, happened, unknown, recorded, user, deleted int64
	var kind, actor string
	position, ok[0] = v[0].(int64)
	r.Object, ok[1] = v[1].(string)
	number, ok[2] = v[2].(int64)
	r.Version, ok[3] = v[3].(int64)
	kind, ok[4] = v[4].(string)
	happened, ok[5] = v[5].(int64)
	unknown, ok[6] = v[6].(int64)
	recorded, ok[7] = v[7].(int64)
	actor, ok[8] = v[8].(string)
	user, ok[9] = v[9].(int64)
	r.Cause, ok[10] = v[10].(string)
	deleted, ok[11] = v[11].(int64)
	r.Image, ok[12] = v[12].([]byte)
	if ok != [13]bool{true, true, true, true, true, true, true, true, true, true, true, true, true} {
		return false
	}
	r.Position, r.Number, r.ActorUser = uint64(position), uint64(number), uint64(user) //nolint:gosec // counted from 0
	r.Kind, r.ActorKind = models.ChangeKind(kind), models.ActorKind(actor)
	r.HappenedAt, r.RecordedAt = time.UnixMilli(happened).UTC(), time.UnixMilli(recorded).UTC()
	r.HappenedUnknown, r.Deleted = unknown != 0, deleted != 0
	return true
}
