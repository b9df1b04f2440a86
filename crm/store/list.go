package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"canopy/crm"
	"canopy/models"
	"canopy/models/predicate"
)

func (db *DB) predicateDialect() predicate.Dialect {
	if db.IsPostgres() {
		return predicate.Postgres
	}
	return predicate.SQLite
}

// condition gives the where clause (with the word) of a bound predicate and its arguments.
func (db *DB) condition(where *predicate.Bound, withDeleted bool) (string, []any, error) {
	var parts []string
	var args []any
	if !withDeleted {
		parts = append(parts, "deleted_at is null")
	}
	if where != nil {
		compiled, err := where.Compile(db.predicateDialect(), predicate.Options{})
		if err != nil {
			return "", nil, err
		}
		parts = append(parts, "("+compiled.Text+")")
		args = append(args, compiled.Args...)
	}
	if len(parts) == 0 {
		return "", nil, nil
	}
	return " where " + strings.Join(parts, " and "), args, nil
}

// maxFew is up to how many rows a condition that indexes narrow is answered by sorting its rows; where there are more, the order's own index
// is walked and meets enough of them soon.
const maxFew = 2000

// List reads one page in total order: from the index of the order's first field, segment by segment, or, where the condition lets few rows
// through, from those few. (Neither database could choose between the two well: it takes knowing how many rows hold all at once.)
func (db *DB) List(ctx context.Context, q crm.Listing) ([]*models.Record, error) {
	t := db.table(q.Object)
	segments, err := q.Sort.Segments(db.predicateDialect(), q.Cursor)
	if err != nil {
		return nil, err
	}
	where, args, err := db.condition(q.Where, q.WithDeleted)
	if err != nil {
		return nil, err
	}
	if q.Where.Narrows() {
		few, err := db.few(ctx, q.Object, where, args)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", q.Object, err)
		}
		switch {
		case few == nil:
		case len(few) == 0:
			return nil, nil
		default: // beside the condition, which a row may have left since
			condition, numbers := db.d.numbers(`"number"`, few)
			where, args = where+" and "+condition, append(args, numbers)
		}
	}
	records := make([]*models.Record, 0, min(q.Limit, 64))
	for _, s := range segments {
		if len(records) == q.Limit {
			break
		}
		query, with := fmt.Sprintf("select %s from %s%s", t.selects, quote(q.Object), where), append([]any{}, args...)
		if s.Where.Text != "" {
			word := " where ("
			if where != "" {
				word = " and ("
			}
			query += word + s.Where.Text + ")"
			with = append(with, s.Where.Args...)
		}
		err = db.each(ctx, t, query+" order by "+s.OrderBy+" limit ?", append(with, q.Limit-len(records)), func(r *models.Record) { records = append(records, r) })
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", q.Object, err)
		}
	}
	return records, nil
}

// few gives the numbers of a condition's rows; nil where there are more than maxFew.
func (db *DB) few(ctx context.Context, object, where string, args []any) ([]uint64, error) {
	rows, err := db.query(ctx, `select "number" from `+quote(object)+where+" limit ?", append(append([]any{}, args...), maxFew+1)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	numbers := make([]uint64, 0, 64)
	for rows.Next() {
		var n uint64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	if len(numbers) > maxFew {
		return nil, rows.Err()
	}
	return numbers, rows.Err()
}

// countPatience is how long a list is kept waiting for its count.
const countPatience = 25 * time.Millisecond

// CountSoon is Count that gives up where it takes long: known is false then.
func (db *DB) CountSoon(ctx context.Context, object string, where *predicate.Bound, withDeleted bool, limit int) (n int, known bool, err error) {
	if inTransaction(ctx) != nil { // a transaction would be lost with its statement
		n, err = db.Count(ctx, object, where, withDeleted, limit)
		return n, err == nil, err
	}
	clause, args, err := db.condition(where, withDeleted)
	if err != nil {
		return 0, false, err
	}
	query := db.d.rebind(fmt.Sprintf("select count(*) from (select 1 from %s%s limit ?) as counted", quote(object), clause))
	short, cancel := context.WithTimeout(ctx, db.patience)
	defer cancel()
	from := db.pool
	if db.IsPostgres() { // the database itself ends it: breaking it off from here would cost the connection
		short, from = ctx, db.hasty
	}
	switch err = from.QueryRowContext(short, query, append(args, limit+1)...).Scan(&n); {
	case err == nil:
		return n, true, nil
	case ctx.Err() == nil && (short.Err() != nil || isTimeout(err)):
		return 0, false, nil
	}
	return 0, false, fmt.Errorf("count %s: %w", object, err)
}

// Count counts at most limit+1 records.
func (db *DB) Count(ctx context.Context, object string, where *predicate.Bound, withDeleted bool, limit int) (int, error) {
	clause, args, err := db.condition(where, withDeleted)
	if err != nil {
		return 0, err
	}
	var n int
	query := fmt.Sprintf("select count(*) from (select 1 from %s%s limit ?) as counted", quote(object), clause)
	if err := db.queryRow(ctx, query, append(args, limit+1)...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count %s: %w", object, err)
	}
	return n, nil
}

// Timeline reads changes of several records, newest first by position, those that are not yet sequenced left out.
func (db *DB) Timeline(ctx context.Context, of []crm.RecordKey, before uint64, limit int) ([]models.Change, error) {
	column := "seq"
	if db.IsPostgres() {
		column = "position"
	}
	numbers := map[string][]uint64{}
	var objects []string
	for _, k := range of {
		if numbers[k.Object] == nil {
			objects = append(objects, k.Object)
		}
		numbers[k.Object] = append(numbers[k.Object], k.Number)
	}
	var parts []string
	var args []any
	for _, object := range objects {
		condition, arg := db.d.numbers("number", numbers[object])
		parts = append(parts, "(object = ? and "+condition+")")
		args = append(args, object, arg)
	}
	where := "where (" + strings.Join(parts, " or ") + ") and " + column + " is not null"
	if before != 0 {
		where += " and " + column + " < ?"
		args = append(args, int64(before)) //nolint:gosec // under 2^63
	}
	return db.changes(ctx, where+" order by "+column+" desc limit ?", append(args, limit)...)
}

// Remembered finds the first outcome under an idempotency key; nil where the key is new.
func (db *DB) Remembered(ctx context.Context, actor uint64, key string) (*crm.Remembered, error) {
	var r crm.Remembered
	err := db.queryRow(ctx, "select object, number, seq, fingerprint from idempotency where actor_user = ? and key = ?", int64(actor), key). //nolint:gosec // under 2^63
																			Scan(&r.Object, &r.Number, &r.Change, &r.Fingerprint)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up idempotency key: %w", err)
	}
	return &r, nil
}

// Remember keeps the first outcome under an idempotency key.
func (db *DB) Remember(ctx context.Context, actor uint64, key string, r crm.Remembered) error {
	_, err := db.exec(ctx, "insert into idempotency (actor_user, key, object, number, seq, fingerprint, created_at) values (?, ?, ?, ?, ?, ?, ?)",
		int64(actor), key, r.Object, int64(r.Number), r.Change, r.Fingerprint, db.d.instant(db.now())) //nolint:gosec // under 2^63
	if err != nil {
		return fmt.Errorf("keep idempotency key: %w", err)
	}
	return nil
}
