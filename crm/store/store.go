// Package store keeps records, their change log and Canopy's own bookkeeping in SQLite or PostgreSQL.
//
// One code path serves both: SQL is written with ? placeholders and rebound, and what truly differs is in dialect.go.
// Every method takes the transaction from its context if Run put one there, so that callers compose without seeing it.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"canopy/crm"
	"canopy/models"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // driver "sqlite"
)

// Config says where the transactional store is.
type Config struct {
	Path string // SQLite file; used when DSN is empty
	DSN  string // PostgreSQL connection string
	Now  func() time.Time
	Log  *slog.Logger // how far long work at opening has come; nil: discarded
	// CountPatience is how long a list is kept waiting for its count; 20 ms where zero.
	CountPatience time.Duration
}

// DB is the transactional store. It is safe for concurrent use.
type DB struct {
	d        dialect
	pool     *sql.DB // reads; on PostgreSQL writes too
	hasty    *sql.DB // PostgreSQL: reads that are given up after patience
	writer   *writer // SQLite: the one connection that writes
	now      func() time.Time
	patience time.Duration // with counting for a list
	schema   schemas
	signal   signal
	log      *slog.Logger
}

// Open opens or creates the store, applies migrations, grows the standard registry by the changes that were approved here, and makes
// its tables. A database written by a newer Canopy is refused with a precondition error, and so are custom names that standard takes.
func Open(ctx context.Context, c Config, standard *models.Registry) (*DB, error) {
	db := &DB{now: c.Now, log: c.Log, patience: c.CountPatience}
	if db.patience == 0 {
		db.patience = countPatience
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.now == nil {
		db.now = time.Now
	}
	if err := db.connect(ctx, c); err != nil {
		return nil, fmt.Errorf("open transactional store: %w", err)
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.openSchema(ctx, standard); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) connect(ctx context.Context, c Config) error {
	if c.DSN != "" {
		config, err := pgx.ParseConfig(c.DSN)
		if err != nil {
			return models.FieldError("postgres-dsn", "it is not a PostgreSQL connection string").WithRemedy("Write it as postgres://user:password@host:5432/database.")
		}
		config.RuntimeParams["jit"] = "off" // it costs a list hundreds of milliseconds to save none
		pool := stdlib.OpenDB(*config)
		pool.SetMaxOpenConns(32)
		pool.SetMaxIdleConns(16)
		pool.SetConnMaxLifetime(30 * time.Minute)
		hasty := config.Copy()
		hasty.RuntimeParams["statement_timeout"] = strconv.FormatInt(db.patience.Milliseconds(), 10)
		db.d, db.pool, db.hasty = postgres{}, pool, stdlib.OpenDB(*hasty)
		db.hasty.SetMaxOpenConns(8)
		db.hasty.SetMaxIdleConns(4)
		return pool.PingContext(ctx)
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return err
	}
	address := func(pragmas ...string) string {
		pragmas = append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "mmap_size(268435456)", "temp_store(MEMORY)"}, pragmas...)
		return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: url.Values{"_pragma": pragmas}.Encode()}).String()
	}
	writeDB, err := sql.Open("sqlite", address("cache_size(-64000)", "wal_autocheckpoint("+strconv.Itoa(writerCheckpoint)+")"))
	if err != nil {
		return err
	}
	writeDB.SetMaxOpenConns(2) // the writer's own, and one for migrations before the writer has work and for checkpoints
	db.writer, err = startWriter(ctx, writeDB)
	if err != nil {
		return err
	}
	pool, err := sql.Open("sqlite", address("cache_size(-16000)", "query_only(1)"))
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(8)
	pool.SetMaxIdleConns(4)
	db.d, db.pool = sqlite{}, pool
	return pool.PingContext(ctx)
}

// Close ends the writer after its running transaction and closes all connections.
func (db *DB) Close() error {
	var err error
	if db.writer != nil {
		err = db.writer.close()
	}
	if db.hasty != nil {
		err = errors.Join(err, db.hasty.Close())
	}
	if db.pool != nil {
		err = errors.Join(err, db.pool.Close())
	}
	return err
}

// IsPostgres tells which of the two databases this is.
func (db *DB) IsPostgres() bool { return db.writer == nil }

// Registry is the description of objects as it is now; it grows while the store is open (Adopt, Refresh).
func (db *DB) Registry() *models.Registry { return db.schema.now().registry }

// Ping tells whether the store answers.
func (db *DB) Ping(ctx context.Context) error { return db.pool.PingContext(ctx) }

// querier is what a transaction, a connection and a pool share.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type transactionKey struct{}

// transaction is what a context carries inside Run.
type transaction struct {
	querier
	after    []func()  // run once the transaction is committed
	appended bool      // it has appended to the log
	knows    int64     // the version of the registry that it began with; PostgreSQL only
	conn     *sql.Conn // under querier; PostgreSQL only
	pending  *pending  // nil until Reserve
	failed   error     // why it is lost
}

func inTransaction(ctx context.Context) *transaction {
	t, _ := ctx.Value(transactionKey{}).(*transaction)
	return t
}

// Run runs fn in one transaction, or in the one that ctx already carries. An error or a panic of fn rolls back all
// that fn wrote. fn may be run again on PostgreSQL after a serialization failure or deadlock, so it must not keep
// state from a failed try.
func (db *DB) Run(ctx context.Context, p crm.Priority, fn func(ctx context.Context) error) error {
	if inTransaction(ctx) != nil {
		return fn(ctx)
	}
	if db.writer != nil {
		return db.writer.run(ctx, p, func(ctx context.Context) error {
			if err := fn(ctx); err != nil {
				return err
			}
			return db.send(ctx, inTransaction(ctx))
		})
	}
	const tries = 5
	for try := 1; ; try++ {
		err := db.runPostgres(ctx, fn)
		if errors.Is(err, errOutdated) {
			if err := db.Refresh(ctx); err != nil {
				return err
			}
		} else if err == nil || !isRetryable(err) {
			return err
		}
		if try == tries {
			return models.Errorf(models.Conflict, "other writers were faster %d times in a row", tries).WithRemedy("Send the request again.")
		}
	}
}

func (db *DB) runPostgres(ctx context.Context, fn func(ctx context.Context) error) error {
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback()
	t := &transaction{querier: tx, conn: conn, knows: db.schema.version()}
	if err := fn(context.WithValue(ctx, transactionKey{}, t)); err != nil {
		return err
	}
	if err := db.send(ctx, t); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, f := range t.after {
		f()
	}
	return nil
}

// AfterCommit runs f when the transaction of ctx has committed; never if it rolls back. Outside a transaction it runs at once.
func (db *DB) AfterCommit(ctx context.Context, f func()) {
	if t := inTransaction(ctx); t != nil {
		t.after = append(t.after, f)
		return
	}
	f()
}

// exec runs one statement written with ? placeholders. It must be inside Run.
func (db *DB) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	t := inTransaction(ctx)
	if t == nil {
		return nil, errors.New("store: a write outside Run")
	}
	if err := db.send(ctx, t); err != nil {
		return nil, err
	}
	return t.ExecContext(ctx, db.d.rebind(query), args...)
}

// insert runs an insert statement and gives the counted key of its row. SQLite's returning clause costs a statement
// journal a row, so there the driver is asked instead.
func (db *DB) insert(ctx context.Context, query, key string, args ...any) (int64, error) {
	t := inTransaction(ctx)
	if t == nil {
		return 0, errors.New("store: a write outside Run")
	}
	if err := db.send(ctx, t); err != nil {
		return 0, err
	}
	if !db.IsPostgres() {
		result, err := t.ExecContext(ctx, query, args...)
		if err != nil {
			return 0, err
		}
		return result.LastInsertId()
	}
	var number int64
	err := t.QueryRowContext(ctx, db.d.rebind(query+" returning "+key), args...).Scan(&number)
	return number, err
}

func (db *DB) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	from, err := db.ready(ctx)
	if err != nil {
		return nil, err
	}
	return from.QueryContext(ctx, db.d.rebind(query), args...)
}

// queryRow asks for one row. Where what is pending cannot be sent, the transaction says so at its end.
func (db *DB) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	from, _ := db.ready(ctx)
	return from.QueryRowContext(ctx, db.d.rebind(query), args...)
}

// signal wakes everybody who waits for a commit.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// wait gives a channel that is closed at the next notify.
func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
