package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"canopy/models"
)

const appendChange = `insert into changes (object, number, version, kind, happened_at, happened_unknown, recorded_at,
    actor_kind, actor_user, cause, is_deleted, fields, image) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// changeNames are the columns of a change whose seq is known beforehand.
var changeNames = []string{"seq", "object", "number", "version", "kind", "happened_at", "happened_unknown", "recorded_at",
	"actor_kind", "actor_user", "cause", "is_deleted", "fields", "image"}

// Append adds one change to the log in the running transaction and gives its sequence number.
func (db *DB) Append(ctx context.Context, c *models.Change) (int64, error) {
	fields := appendFields(make([]byte, 0, 256), c.Fields)
	image := c.Object.AppendImage(make([]byte, 0, 512), c.Image)
	t := inTransaction(ctx)
	if t == nil {
		return 0, errors.New("store: a write outside Run")
	}
	args := []any{c.Object.Name, int64(c.Number), c.Version, string(c.Kind), //nolint:gosec // numbers are under 2^63
		db.d.instant(c.HappenedAt), c.HappenedUnknown, db.d.instant(c.RecordedAt), string(c.Actor.Kind), int64(c.Actor.User), //nolint:gosec // the same
		c.Cause, c.Deleted, string(fields), string(image)}
	seq, later, err := db.nextKey(ctx, "changes", "seq")
	switch {
	case err != nil:
	case later:
		t.pending.hold("changes", changeNames, append([]any{seq}, args...))
	case db.IsPostgres():
		seq, err = db.appendPostgres(ctx, t, args)
	default:
		seq, err = db.insert(ctx, appendChange, "seq", args...)
	}
	if err != nil {
		return 0, fmt.Errorf("append change of %s %d: %w", c.Object.Name, c.Number, err)
	}
	if !db.IsPostgres() {
		c.Position = uint64(seq) //nolint:gosec // counted from 1
	}
	if !t.appended {
		t.appended = true
		t.after = append(t.after, db.signal.notify)
	}
	return seq, nil
}

// appendPostgres also asks, in the same statement, whether the registry that the transaction knows is still the one in force. The record
// was read and locked before, so a change that another process made under a newer registry is never overwritten by an image
// without its new fields: the transaction is run again with the newer one (see Run).
func (db *DB) appendPostgres(ctx context.Context, t *transaction, args []any) (seq int64, err error) {
	var version int64
	query := appendChange + " returning seq, (select coalesce(max(version), 0) from registry_changes)"
	if err := t.QueryRowContext(ctx, db.d.rebind(query), args...).Scan(&seq, &version); err != nil {
		return 0, err
	}
	if version > t.knows {
		return 0, errOutdated
	}
	return seq, nil
}

// stillInForce asks the same after changes were sent together.
func (db *DB) stillInForce(ctx context.Context, t *transaction) error {
	var version int64
	if err := t.QueryRowContext(ctx, "select coalesce(max(version), 0) from registry_changes").Scan(&version); err != nil {
		return err
	}
	if version > t.knows {
		return errOutdated
	}
	return nil
}

func appendFields(dst []byte, fields []models.FieldChange) []byte {
	dst = append(dst, '[')
	for i, c := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"field":"`...)
		dst = append(dst, c.Field.Name...)
		dst = append(dst, '"')
		if c.Before != nil {
			dst = append(dst, `,"before":`...)
			dst = c.Field.AppendJSON(dst, c.Before)
		}
		if c.After != nil {
			dst = append(dst, `,"after":`...)
			dst = c.Field.AppendJSON(dst, c.After)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// changeColumns selects a change; the first column is the position (0 while PostgreSQL's sequencer has not numbered it).
func (db *DB) changeColumns() string {
	return db.positionColumn() + `, object, number, version, kind, happened_at, happened_unknown, recorded_at,
    actor_kind, actor_user, cause, is_deleted, fields, image`
}

func (db *DB) positionColumn() string {
	if db.IsPostgres() {
		return "coalesce(position, 0)"
	}
	return "seq"
}

// scanChange reads one row of changeColumns; leading are targets of columns selected before them.
func (db *DB) scanChange(rows *sql.Rows, leading ...any) (models.Change, error) {
	var c models.Change
	var object, kind, actorKind string
	var fields, image []byte
	var happened, recorded instant
	err := rows.Scan(append(leading, &c.Position, &object, &c.Number, &c.Version, &kind, &happened, &c.HappenedUnknown, &recorded,
		&actorKind, &c.Actor.User, &c.Cause, &c.Deleted, &fields, &image)...)
	if err != nil {
		return c, fmt.Errorf("read change: %w", err)
	}
	c.Kind, c.HappenedAt, c.RecordedAt, c.Actor.Kind = models.ChangeKind(kind), happened.Time, recorded.Time, models.ActorKind(actorKind)
	if c.Object = db.Registry().Object(object); c.Object == nil {
		return c, fmt.Errorf("read change %d: object %q is not in the registry", c.Position, object)
	}
	if c.Image, err = c.Object.ParseImage(image); err != nil {
		return c, err
	}
	c.Fields, err = parseFields(c.Object, fields)
	return c, err
}

func parseFields(o *models.Object, text []byte) ([]models.FieldChange, error) {
	var raw []struct {
		Field  string          `json:"field"`
		Before json.RawMessage `json:"before"`
		After  json.RawMessage `json:"after"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("read changed fields of %s: %w", o.Name, err)
	}
	changes := make([]models.FieldChange, 0, len(raw))
	for _, r := range raw {
		f := o.Field(r.Field)
		if f == nil {
			continue // a field that was dropped since
		}
		c := models.FieldChange{Field: f}
		var err error
		if r.Before != nil {
			if c.Before, err = f.ParseStored(r.Before); err != nil {
				return nil, err
			}
		}
		if r.After != nil {
			if c.After, err = f.ParseStored(r.After); err != nil {
				return nil, err
			}
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// History gives all changes of one record in the order they were appended, restated images too.
func (db *DB) History(ctx context.Context, object string, number uint64) ([]models.Change, error) {
	return db.changes(ctx, "where object = ? and number = ? order by seq", object, int64(number)) //nolint:gosec // under 2^63
}

// Changes gives sequenced changes after a position, in order, at most limit.
func (db *DB) Changes(ctx context.Context, after uint64, limit int) ([]models.Change, error) {
	column := "seq"
	if db.IsPostgres() {
		column = "position"
	}
	return db.changes(ctx, "where "+column+" > ? order by "+column+" limit ?", int64(after), limit) //nolint:gosec // under 2^63
}

// ChangesOfCause gives the changes of one cause in the order they were appended, with their sequence numbers: after is the
// last number seen. It reads the log from there on, so begin where the cause began.
func (db *DB) ChangesOfCause(ctx context.Context, cause string, after int64, limit int) ([]models.Change, []int64, error) {
	rows, err := db.query(ctx, "select seq, "+db.changeColumns()+" from changes where cause = ? and seq > ? order by seq limit ?", cause, after, limit)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	var changes []models.Change
	var sequence []int64
	for rows.Next() {
		var seq int64
		c, err := db.scanChange(rows, &seq)
		if err != nil {
			return nil, nil, err
		}
		changes, sequence = append(changes, c), append(sequence, seq)
	}
	return changes, sequence, rows.Err()
}

func (db *DB) changes(ctx context.Context, where string, args ...any) ([]models.Change, error) {
	rows, err := db.query(ctx, "select "+db.changeColumns()+" from changes "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close()
	var changes []models.Change
	for rows.Next() {
		c, err := db.scanChange(rows)
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	return changes, rows.Err()
}

// Head is the greatest position that readers of the log may see; 0 for an empty log.
func (db *DB) Head(ctx context.Context) (uint64, error) {
	column := "seq"
	if db.IsPostgres() {
		column = "position"
	}
	var head uint64
	err := db.queryRow(ctx, "select coalesce(max("+column+"), 0) from changes").Scan(&head)
	return head, err
}

// Wait returns when the log may have grown past a position, or when ctx ends. On PostgreSQL another process may have
// written, so it also looks every half second.
func (db *DB) Wait(ctx context.Context, after uint64) error {
	for {
		woken := db.signal.wait()
		head, err := db.Head(ctx)
		if err != nil || head > after {
			return err
		}
		var again <-chan time.Time
		if db.IsPostgres() {
			again = time.After(500 * time.Millisecond)
		}
		select {
		case <-woken:
		case <-again:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Notify wakes everybody in Wait; the sequencer calls it after it has numbered changes.
func (db *DB) Notify() { db.signal.notify() }

// Each streams the sequenced changes of a range (after < position ≤ through) in order, without decoding their images.
func (db *DB) Each(ctx context.Context, after, through uint64, fn func(*models.LogRow) error) error {
	if !db.IsPostgres() && inTransaction(ctx) == nil {
		return db.eachSQLite(ctx, after, through, fn)
	}
	column := "seq"
	if db.IsPostgres() {
		column = "position"
	}
	query := "select " + column + `, object, number, version, kind, happened_at, happened_unknown, recorded_at, actor_kind, actor_user,
    cause, is_deleted, image from changes where ` + column + " > ? and " + column + " <= ? order by " + column
	rows, err := db.query(ctx, query, int64(after), int64(through)) //nolint:gosec // under 2^63
	if err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	defer rows.Close()
	var r models.LogRow
	var happened, recorded instant
	var object, kind, actorKind, cause sql.RawBytes
	var image sql.RawBytes
	names := map[string]string{} // few distinct texts: kept once
	intern := func(b sql.RawBytes) string {
		if s, ok := names[string(b)]; ok {
			return s
		}
		s := string(b)
		names[s] = s
		return s
	}
	for rows.Next() {
		if err := rows.Scan(&r.Position, &object, &r.Number, &r.Version, &kind, &happened, &r.HappenedUnknown, &recorded,
			&actorKind, &r.ActorUser, &cause, &r.Deleted, &image); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		r.Object, r.Kind, r.ActorKind, r.Cause = intern(object), models.ChangeKind(intern(kind)), models.ActorKind(intern(actorKind)), intern(cause)
		r.HappenedAt, r.RecordedAt, r.Image = happened.Time, recorded.Time, image
		if err := fn(&r); err != nil {
			return err
		}
	}
	return rows.Err()
}
