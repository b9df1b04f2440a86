package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pending are rows that a transaction has inserted and not yet sent: many rows of a table go in one statement (SQLite) or one COPY
// (PostgreSQL). It exists in transactions that have announced many records (Reserve); whatever else the transaction reads or writes
// sends them first, so that nobody can tell.
type pending struct {
	numbers map[string]*block // by table
	tables  []*pendingRows    // in the order in which they were first inserted into
}

// block is a range of counted keys that belong to the transaction.
type block struct{ next, left int64 }

type pendingRows struct {
	table   string
	columns []string // unquoted
	rows    [][]any
}

// reservation is how many keys are taken at once where an announcement fell short: a batch's consequences, such as restated images.
const reservation = 64

// Reserve announces that the transaction of ctx is about to insert many records: objects tells how many of each, and changes how many
// changes at least. Their keys are taken at once, their rows are sent together.
func (db *DB) Reserve(ctx context.Context, objects map[string]int, changes int) error {
	t := inTransaction(ctx)
	if t == nil {
		return errors.New("store: a write outside Run")
	}
	if t.pending == nil {
		t.pending = &pending{numbers: map[string]*block{}}
	}
	for object, n := range objects {
		if err := db.take(ctx, t, object, "number", int64(n)); err != nil {
			return err
		}
	}
	return db.take(ctx, t, "changes", "seq", int64(changes))
}

// take makes sure that n keys of a table belong to the transaction.
func (db *DB) take(ctx context.Context, t *transaction, name, key string, n int64) error {
	b := t.pending.numbers[name]
	if b == nil {
		b = &block{}
		t.pending.numbers[name] = b
	}
	if b.left >= n {
		return nil
	}
	if !db.IsPostgres() { // one writer: nobody else takes the next ones
		if b.next == 0 {
			if err := db.queryRow(ctx, "select coalesce(max("+key+"), 0) + 1 from "+quote(name)).Scan(&b.next); err != nil {
				return fmt.Errorf("reserve keys of %s: %w", name, err)
			}
		}
		b.left = n
		return nil
	}
	rows, err := db.query(ctx, "select nextval(pg_get_serial_sequence(?, ?)) from generate_series(1, ?::bigint)", quote(name), key, n)
	if err != nil {
		return fmt.Errorf("reserve keys of %s: %w", name, err)
	}
	defer rows.Close()
	b.left = 0
	var first, last int64
	for rows.Next() {
		if err := rows.Scan(&last); err != nil {
			return err
		}
		if first == 0 || last != first+b.left { // another transaction took keys in between: go on with the last run of keys
			first, b.left = last, 0
		}
		b.left++
	}
	b.next = first
	return rows.Err()
}

// nextKey gives a reserved key of a table; false where the transaction keeps nothing pending.
func (db *DB) nextKey(ctx context.Context, name, key string) (int64, bool, error) {
	t := inTransaction(ctx)
	if t == nil || t.pending == nil || t.pending.numbers[name] == nil {
		return 0, false, nil
	}
	b := t.pending.numbers[name]
	if b.left == 0 {
		if err := db.take(ctx, t, name, key, reservation); err != nil {
			return 0, false, err
		}
	}
	n := b.next
	b.next++
	b.left--
	return n, true, nil
}

// locked is told when the transaction has locked records: changes of a record are read in the order of their keys, so on PostgreSQL a key that
// was taken before the lock, while another transaction may have been writing the record, is not used after it.
func (p *pending) locked() {
	if p != nil && p.numbers["changes"] != nil {
		p.numbers["changes"].left = 0
	}
}

// hold keeps a row for later.
func (p *pending) hold(table string, columns []string, row []any) {
	for _, t := range p.tables {
		if t.table == table {
			t.rows = append(t.rows, row)
			return
		}
	}
	p.tables = append(p.tables, &pendingRows{table: table, columns: columns, rows: [][]any{row}})
}

// send writes what is pending. It is called before anything else that the transaction asks of the database, and before its commit. An
// error has lost the transaction.
func (db *DB) send(ctx context.Context, t *transaction) error {
	if t == nil || t.failed != nil {
		return failedOf(t)
	}
	if t.pending == nil || len(t.pending.tables) == 0 {
		return nil
	}
	tables := t.pending.tables
	t.pending.tables = nil
	for _, rows := range tables {
		var err error
		if db.IsPostgres() {
			err = t.copyIn(ctx, rows)
		} else {
			err = db.insertMany(ctx, t, rows)
		}
		if err != nil {
			t.failed = fmt.Errorf("insert %d rows into %s: %w", len(rows.rows), rows.table, err)
			return t.failed
		}
	}
	if t.appended && db.IsPostgres() {
		if t.failed = db.stillInForce(ctx, t); t.failed != nil {
			return t.failed
		}
	}
	return nil
}

func failedOf(t *transaction) error {
	if t == nil {
		return nil
	}
	return t.failed
}

// manyRows is how many rows one statement inserts; what is left over goes one by one.
const manyRows = 16

// insertMany inserts rows on SQLite.
func (db *DB) insertMany(ctx context.Context, t *transaction, p *pendingRows) error {
	quoted := make([]string, len(p.columns))
	for i, c := range p.columns {
		quoted[i] = quote(c)
	}
	one := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(quoted)), ", ") + ")"
	head := "insert into " + quote(p.table) + " (" + strings.Join(quoted, ", ") + ") values "
	many := head + strings.TrimSuffix(strings.Repeat(one+", ", manyRows), ", ")
	rows := p.rows
	args := make([]any, 0, manyRows*len(quoted))
	for ; len(rows) >= manyRows; rows = rows[manyRows:] {
		args = args[:0]
		for _, row := range rows[:manyRows] {
			args = append(args, row...)
		}
		if _, err := t.ExecContext(ctx, many, args...); err != nil {
			return err
		}
	}
	for _, row := range rows {
		if _, err := t.ExecContext(ctx, head+one, row...); err != nil {
			return err
		}
	}
	return nil
}

// copyIn inserts rows on PostgreSQL.
func (t *transaction) copyIn(ctx context.Context, p *pendingRows) error {
	return t.conn.Raw(func(driver any) error {
		conn, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("store: %T copies nothing", driver)
		}
		_, err := conn.Conn().CopyFrom(ctx, pgx.Identifier{p.table}, p.columns, pgx.CopyFromRows(p.rows))
		return err
	})
}

// ready gives where ctx reads and writes, once what is pending there is sent.
func (db *DB) ready(ctx context.Context) (querier, error) {
	t := inTransaction(ctx)
	if t == nil {
		return db.pool, nil
	}
	return t.querier, db.send(ctx, t)
}
