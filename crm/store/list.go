package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
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
	return db.conditionWith(where, withDeleted, predicate.Options{})
}

func (db *DB) conditionWith(where *predicate.Bound, withDeleted bool, o predicate.Options) (string, []any, error) {
	var parts []string
	var args []any
	if !withDeleted {
		parts = append(parts, "deleted_at is null")
	}
	if where != nil {
		compiled, err := where.Compile(db.predicateDialect(), o)
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

// List reads one page in total order: from the index of the order's first field, segment by segment, or, where indexes find few rows that
// the condition may let through, from those few. (Neither database chooses well between the two: it takes knowing how many rows
// hold several conditions at once.)
func (db *DB) List(ctx context.Context, q crm.Listing) ([]*models.Record, error) {
	t := db.table(q.Object)
	segments, err := q.Sort.Segments(db.predicateDialect(), q.Cursor)
	if err != nil {
		return nil, err
	}
	few, narrowed, err := db.few(ctx, q.Object, q.Where.Plan())
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", q.Object, err)
	}
	if narrowed && len(few) == 0 {
		return nil, nil
	}
	where, args, err := db.conditionWith(q.Where, q.WithDeleted, predicate.Options{RowByRow: true})
	if err != nil {
		return nil, err
	}
	if narrowed { // beside the condition, which a row may have left since
		condition, numbers := db.d.numbers(`"number"`, few)
		if where == "" {
			where = " where 1 = 1"
		}
		where, args = where+" and "+condition, append(args, numbers)
	}
	records := make([]*models.Record, 0, min(q.Limit, 64))
	for _, s := range segments {
		if len(records) == q.Limit {
			break
		}
		from := quote(q.Object)
		if !narrowed && !db.IsPostgres() {
			from += walked(q, s)
		}
		condition, with := where, append([]any{}, args...)
		if s.Where.Text != "" {
			word := " where ("
			if where != "" {
				word = " and ("
			}
			condition += word + s.Where.Text + ")"
			with = append(with, s.Where.Args...)
		}
		query := fmt.Sprintf("select %s from %s%s order by %s limit ?", t.selects, from, condition, s.OrderBy)
		if narrowed { // the rows are sorted by what they are sorted by, and only a page of them is read whole
			query = fmt.Sprintf(`select %s from %s where "number" in (select "number" from %s%s order by %s limit ?) order by %s`, t.selects, from, from, condition, s.OrderBy, s.OrderBy)
		}
		err = db.each(ctx, t, query, append(with, q.Limit-len(records)), func(r *models.Record) { records = append(records, r) })
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", q.Object, err)
		}
	}
	return records, nil
}

// walked tells SQLite, which knows no numbers of rows, to walk the index that has the order of a segment; blank where there is none.
func walked(q crm.Listing, s predicate.Segment) string {
	field, meta := q.Sort.First()
	index := q.Object + "__" + field.Name
	switch {
	case meta && field.Name == "number", s.Empty && field.Kind == models.Reference && field.Indexed && !field.Unique:
		return " not indexed" // the table is in this order; such an index has no empty values
	case meta && field.Name == "updated_at":
	case meta, !field.Indexed && !field.Unique, field.Unique && q.WithDeleted: // unique keys are those of live records
		return ""
	case field.Unique:
		index += "__unique"
	}
	return " indexed by " + quote(index)
}

// maxFew is up to how many rows are read by their numbers instead of walking an order. It is past what is counted.
const maxFew = 8000

// few gives the numbers of rows among which all are that a plan is for, deleted ones too, sorted; ok is false where there are more than maxFew
// or nothing narrows them.
func (db *DB) few(ctx context.Context, object string, p *predicate.Plan) (numbers []uint64, ok bool, err error) {
	switch {
	case p == nil:
		return nil, false, nil
	case p.Index != nil:
		return db.fewOf(ctx, object, p.Index)
	}
	for _, part := range p.All {
		some, narrowed, err := db.few(ctx, object, part)
		switch {
		case err != nil:
			return nil, false, err
		case narrowed && ok:
			numbers = slices.DeleteFunc(numbers, func(n uint64) bool { _, in := slices.BinarySearch(some, n); return !in })
		case narrowed:
			numbers, ok = some, true
		}
		if ok && len(numbers) == 0 {
			break
		}
	}
	for _, part := range p.Any {
		some, narrowed, err := db.few(ctx, object, part)
		if err != nil || !narrowed {
			return nil, false, err
		}
		numbers = append(numbers, some...)
		slices.Sort(numbers)
		if numbers = slices.Compact(numbers); len(numbers) > maxFew {
			return nil, false, nil
		}
		ok = true
	}
	return numbers, ok, nil
}

// fewOf asks one index.
func (db *DB) fewOf(ctx context.Context, object string, b *predicate.Bound) ([]uint64, bool, error) {
	where, args, err := db.condition(b, true)
	if err != nil {
		return nil, false, err
	}
	rows, err := db.query(ctx, `select "number" from `+quote(object)+where+" limit ?", append(args, maxFew+1)...)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	numbers := make([]uint64, 0, 64)
	for rows.Next() {
		var n uint64
		if err := rows.Scan(&n); err != nil {
			return nil, false, err
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers, len(numbers) <= maxFew, rows.Err()
}

// countPatience is how long a list is kept waiting for its count.
const countPatience = 20 * time.Millisecond

// CountSoon is Count that gives up where it takes long: known is false then.
func (db *DB) CountSoon(ctx context.Context, object string, where *predicate.Bound, withDeleted bool, limit int) (n int, known bool, err error) {
	if inTransaction(ctx) != nil { // a transaction would be lost with its statement
		n, err = db.Count(ctx, object, where, withDeleted, limit)
		return n, err == nil, err
	}
	if many, err := db.many(ctx, object, where.Plan(), withDeleted, limit); err != nil || many {
		return limit + 1, err == nil, err
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

// many tells whether one index alone finds more than limit rows that hold the whole condition.
func (db *DB) many(ctx context.Context, object string, p *predicate.Plan, withDeleted bool, limit int) (bool, error) {
	switch {
	case p == nil:
		return false, nil
	case p.Index != nil && len(p.Index.Objects()) == 0:
		clause, args, err := db.condition(p.Index, withDeleted)
		if err != nil {
			return false, err
		}
		var n int
		query := fmt.Sprintf("select count(*) from (select 1 from %s%s limit ?) as counted", quote(object), clause)
		err = db.queryRow(ctx, query, append(args, limit+1)...).Scan(&n)
		return n > limit, err
	}
	for _, part := range p.Any {
		if many, err := db.many(ctx, object, part, withDeleted, limit); many || err != nil {
			return many, err
		}
	}
	return false, nil
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
