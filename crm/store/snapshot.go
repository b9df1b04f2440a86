package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"canopy/crm"
	"canopy/models"
	"canopy/models/predicate"

	"github.com/jackc/pgx/v5"
)

// Snapshot runs fn with a context in which every read sees the store as it stood at one moment, however long fn takes and whatever is
// written meanwhile. Nothing may be written with that context. On SQLite it is a read transaction, which keeps the write-ahead log
// from being shortened while it lasts; on PostgreSQL one of isolation level repeatable read.
func (db *DB) Snapshot(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	if db.IsPostgres() {
		tx, err := db.pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
		if err != nil {
			return fmt.Errorf("begin a snapshot: %w", err)
		}
		defer tx.Rollback()
		return fn(context.WithValue(ctx, transactionKey{}, &transaction{querier: tx}))
	}
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin a snapshot: %w", err)
	}
	end := context.WithoutCancel(ctx)
	defer func() { err = errors.Join(err, conn.Close()) }()
	for _, statement := range []string{"pragma temp_store = file", "begin"} { // a long sort goes to the disk
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("begin a snapshot: %w", err)
		}
	}
	defer func() {
		for _, statement := range []string{"rollback", "pragma temp_store = memory"} {
			if _, failed := conn.ExecContext(end, statement); failed != nil {
				err = errors.Join(err, fmt.Errorf("end a snapshot: %w", failed))
			}
		}
	}()
	return fn(context.WithValue(ctx, transactionKey{}, &transaction{querier: conn}))
}

// Scan reads all records of a query in its order, size at a time; its limit and cursor do not matter. Inside Snapshot, fn may read.
func (db *DB) Scan(ctx context.Context, q crm.Listing, size int, fn func([]*models.Record) error) error {
	t := db.table(q.Object)
	where, args, err := db.condition(q.Where, q.WithDeleted)
	if err != nil {
		return err
	}
	query := fmt.Sprintf("select %s from %s%s order by %s", t.selects, quote(q.Object), where, q.Sort.OrderBy(db.predicateDialect()))
	if db.IsPostgres() {
		err = db.scanCursor(ctx, t, query, args, size, fn)
	} else {
		err = db.scanRows(ctx, t, query, args, size, fn)
	}
	if err != nil {
		return fmt.Errorf("read all %s: %w", q.Object, err)
	}
	return nil
}

func (db *DB) scanRows(ctx context.Context, t *table, query string, args []any, size int, fn func([]*models.Record) error) error {
	rows, err := db.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	batch := make([]*models.Record, 0, size)
	for rows.Next() {
		r, err := db.scanRecord(t, rows)
		if err != nil {
			return err
		}
		if batch = append(batch, r); len(batch) == size {
			if err := fn(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if err := rows.Err(); err != nil || len(batch) == 0 {
		return err
	}
	return fn(batch)
}

// scanCursor reads through a cursor of the server: a connection of PostgreSQL answers one query at a time, and fn may ask others.
func (db *DB) scanCursor(ctx context.Context, t *table, query string, args []any, size int, fn func([]*models.Record) error) error {
	transaction := inTransaction(ctx)
	if transaction == nil {
		return errors.New("store: a cursor outside Snapshot")
	}
	if _, err := transaction.ExecContext(ctx, "declare canopy_scan no scroll cursor for "+db.d.rebind(query), args...); err != nil {
		return err
	}
	fetch := fmt.Sprintf("fetch %d from canopy_scan", size)
	anew := []any{pgx.QueryExecModeDescribeExec} // the same text has other columns for another object
	batch := make([]*models.Record, 0, size)
	for {
		batch = batch[:0]
		if err := db.each(ctx, t, fetch, anew, func(r *models.Record) { batch = append(batch, r) }); err != nil {
			return err
		}
		if len(batch) > 0 {
			if err := fn(batch); err != nil {
				return err
			}
		}
		if len(batch) < size {
			_, err := transaction.ExecContext(ctx, "close canopy_scan")
			return err
		}
	}
}

// Numbers reads the numbers of all live records for which a predicate holds (with deleted: of all deleted ones) in rising order. It is one
// statement, so that they are those of one moment.
func (db *DB) Numbers(ctx context.Context, object string, where *predicate.Bound, deleted bool, fn func(number uint64) error) error {
	clause, args, err := db.condition(where, true)
	if err != nil {
		return err
	}
	alive := "deleted_at is null"
	if deleted {
		alive = "deleted_at is not null"
	}
	if clause == "" {
		clause = " where " + alive
	} else {
		clause += " and " + alive
	}
	rows, err := db.query(ctx, fmt.Sprintf(`select "number" from %s%s order by "number"`, quote(object), clause), args...)
	if err != nil {
		return fmt.Errorf("read numbers of %s: %w", object, err)
	}
	defer rows.Close()
	for rows.Next() {
		var n uint64
		if err := rows.Scan(&n); err != nil {
			return err
		}
		if err := fn(n); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Position gives the position of the log up to which a reader of ctx sees all changes. exact tells that he sees no other: on PostgreSQL
// committed changes may wait for their position.
func (db *DB) Position(ctx context.Context) (position uint64, exact bool, err error) {
	if !db.IsPostgres() {
		err = db.queryRow(ctx, "select coalesce(max(seq), 0) from changes").Scan(&position)
		return position, true, err
	}
	err = db.queryRow(ctx, "select coalesce((select max(position) from changes), 0), not exists (select 1 from changes where position is null)").Scan(&position, &exact)
	return position, exact, err
}

// Histories gives the whole histories of records; a record without changes is missing.
func (db *DB) Histories(ctx context.Context, object string, numbers []uint64) ([]models.TouchedRecord, error) {
	return db.Traces().Histories(ctx, object, numbers)
}
