package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"canopy/crm"
)

// writer is the one goroutine that writes to SQLite. It takes waiting transactions together into one commit (group
// commit, so that twenty writers share one fsync), each behind a savepoint of its own so that one can fail alone.
// Interactive work always goes before bulk work, and at most one bulk transaction joins a commit.
type writer struct {
	db          *sql.DB
	conn        *sql.Conn
	statements  map[string]*sql.Stmt
	interactive chan *job
	bulk        chan *job
	stop        chan struct{}
	done        chan struct{}
	committed   chan struct{} // holds one where there may be something to checkpoint
	idle        chan struct{} // closed once checkpointing has ended
}

type job struct {
	ctx    context.Context
	fn     func(ctx context.Context) error
	after  []func()
	err    error
	result chan error
}

// groupBudget bounds how long one commit may gather interactive work.
const groupBudget = 20 * time.Millisecond

var errClosed = errors.New("the store is closed")

func startWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w := &writer{
		db: db, conn: conn, statements: map[string]*sql.Stmt{},
		interactive: make(chan *job), bulk: make(chan *job), stop: make(chan struct{}), done: make(chan struct{}),
		committed: make(chan struct{}, 1), idle: make(chan struct{}),
	}
	go w.loop()
	go w.checkpoint() //nolint:gosec // it lives as long as the store, not as the opening of it
	return w, nil
}

func (w *writer) close() error {
	close(w.stop)
	<-w.done
	<-w.idle
	for _, statement := range w.statements {
		statement.Close() //nolint:errcheck // the connection closes next
	}
	return errors.Join(w.conn.Close(), w.db.Close())
}

// Pages of the log are copied into the file beside the writer, so that a commit waits for its own sync only. Past writerCheckpoint pages
// (64 MiB) the writer does it itself: under steady work the log begins anew at no other time.
const (
	writerCheckpoint = 16_000
	checkpointPause  = 250 * time.Millisecond
)

func (w *writer) checkpoint() {
	defer close(w.idle)
	ticker := time.NewTicker(checkpointPause)
	defer ticker.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-ticker.C:
		}
		select {
		case <-w.committed:
			// What fails now is done by the writer or when the store is opened next.
			_, _ = w.db.ExecContext(context.Background(), "pragma wal_checkpoint(passive)")
		default:
		}
	}
}

func (w *writer) run(ctx context.Context, p crm.Priority, fn func(ctx context.Context) error) error {
	j := &job{ctx: ctx, fn: fn, result: make(chan error, 1)}
	queue := w.interactive
	if p == crm.Bulk {
		queue = w.bulk
	}
	select {
	case queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stop:
		return errClosed
	}
	return <-j.result // once taken, a job always gets its answer: it may have been committed
}

func (w *writer) loop() {
	defer close(w.done)
	for {
		select {
		case j := <-w.interactive:
			w.group(j)
			continue
		case <-w.stop:
			return
		default:
		}
		select {
		case j := <-w.interactive:
			w.group(j)
		case j := <-w.bulk:
			w.commit([]*job{j}, nil)
		case <-w.stop:
			return
		}
	}
}

func (w *writer) group(first *job) { w.commit([]*job{first}, w.interactive) }

// commit runs jobs, and what more arrives in time, in one transaction and answers them after it is durable.
func (w *writer) commit(jobs []*job, more <-chan *job) {
	started := time.Now()
	if err := w.begin(); err != nil {
		answer(jobs, err)
		return
	}
	for i := 0; i < len(jobs); i++ {
		if err := w.try(jobs[i], i > 0); err != nil {
			answer(jobs, err)
			return
		}
		if more != nil && i == len(jobs)-1 && time.Since(started) < groupBudget {
			select {
			case j := <-more:
				jobs = append(jobs, j)
			default:
			}
		}
	}
	if _, err := w.conn.ExecContext(context.Background(), "commit"); err != nil {
		answer(jobs, errors.Join(fmt.Errorf("commit: %w", err), w.rollback()))
		return
	}
	select {
	case w.committed <- struct{}{}:
	default:
	}
	for _, j := range jobs {
		if j.err == nil {
			for _, f := range j.after {
				f()
			}
		}
		j.result <- j.err
	}
}

func (w *writer) begin() error {
	if _, err := w.conn.ExecContext(context.Background(), "begin immediate"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

func (w *writer) rollback() error {
	if _, err := w.conn.ExecContext(context.Background(), "rollback"); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

func answer(jobs []*job, err error) {
	for _, j := range jobs {
		j.result <- err
	}
}

// try runs one job. The first of a transaction stands alone: if it fails, all is rolled back and begun anew. Later ones
// run behind a savepoint (whose journal costs, so a lone bulk chunk does without). A returned error has lost the transaction.
func (w *writer) try(j *job, behindSavepoint bool) error {
	if j.err = j.ctx.Err(); j.err != nil {
		return nil //nolint:nilerr // the job has its error; the transaction is well
	}
	ctx := context.Background()
	if behindSavepoint {
		if _, err := w.ExecContext(ctx, "savepoint job"); err != nil {
			return errors.Join(err, w.rollback())
		}
	}
	t := &transaction{querier: w}
	j.err = protect(func() error {
		// A job that has begun is not cut off by its caller's going away: a cancelled statement would leave SQLite's
		// transaction open to question, and bulk work is bounded by its chunk anyway.
		return j.fn(context.WithValue(context.WithoutCancel(j.ctx), transactionKey{}, t))
	})
	j.after = t.after
	switch {
	case !behindSavepoint && j.err != nil:
		if err := w.rollback(); err != nil {
			return err
		}
		return w.begin()
	case !behindSavepoint:
		return nil
	case j.err != nil:
		if _, err := w.ExecContext(ctx, "rollback to job"); err != nil {
			return errors.Join(err, w.rollback())
		}
	}
	if _, err := w.ExecContext(ctx, "release job"); err != nil {
		return errors.Join(err, w.rollback())
	}
	return nil
}

// protect turns a panic of fn into an error, so that the writer lives on.
func protect(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in transaction: %v\n%s", p, debug.Stack())
		}
	}()
	return fn()
}

// maxStatements bounds the cache of prepared statements; past it, rare ones are prepared each time.
const maxStatements = 500

func (w *writer) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := w.statements[query]; s != nil {
		return s, nil
	}
	if len(w.statements) >= maxStatements {
		for text, s := range w.statements {
			s.Close() //nolint:errcheck // it is only evicted
			delete(w.statements, text)
			break
		}
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err == nil {
		w.statements[query] = s
	}
	return s, err
}

// ExecContext, QueryContext and QueryRowContext make the writer a querier over its one connection.
func (w *writer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := w.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// limitInText writes a bound limit into the query's text. SQLite looks at the value of a bound limit when it plans, so that it prepares
// such a statement anew each time it is bound: that costs more than most short queries themselves. Limits are few.
func limitInText(query string, args []any) (string, []any) {
	const limit = "limit ?"
	at := strings.LastIndex(query, limit)
	if at < 0 || len(args) == 0 || strings.Contains(query[at+len(limit):], "?") {
		return query, args
	}
	n, ok := args[len(args)-1].(int)
	if !ok {
		return query, args
	}
	return query[:at] + "limit " + strconv.Itoa(n) + query[at+len(limit):], args[:len(args)-1]
}

// QueryContext runs a prepared query on the writing connection.
func (w *writer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	query, args = limitInText(query, args)
	s, err := w.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// QueryRowContext runs a prepared query for one row on the writing connection.
func (w *writer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	query, args = limitInText(query, args)
	s, err := w.prepared(ctx, query)
	if err != nil {
		return w.conn.QueryRowContext(ctx, query, args...) // gives the same error to Scan
	}
	return s.QueryRowContext(ctx, args...)
}
