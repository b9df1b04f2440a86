package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"canopy/models"
)

// bare opens the workplace's database without Canopy.
func (w *workplace) bare() (*sql.DB, error) {
	if w.kind == "postgres" {
		return sql.Open("pgx", w.config.PostgresDSN)
	}
	return sql.Open("sqlite", "file:"+filepath.Join(w.config.Data, "canopy.db")+"?_pragma=busy_timeout(10000)&_pragma=synchronous(FULL)")
}

// bareList reads the first page of contacts by name as SQL, and gives the median in milliseconds.
func (w *workplace) bareList(ctx context.Context) (float64, error) {
	db, err := w.bare()
	if err != nil {
		return 0, err
	}
	times, err := timed(ctx, samples, func(ctx context.Context, _ int) error {
		_, err := readTable(ctx, db, "select * from contact where deleted_at is null order by name, number limit 50")
		return err
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return 0, err
	}
	return quantile(times, 0.5), nil
}

// importFigures tells how fast contacts were imported, beside what the bare database takes for the same records and changes: prepared
// inserts on SQLite, COPY on PostgreSQL, a thousand rows a transaction, without a key or an index.
func (w *workplace) importFigures(ctx context.Context, n int, seconds float64) error {
	rate := float64(n) / seconds
	w.tell("import", rate, "rows/s", rate/10_000, "of the guide of 10,000 rows/s (1 or more)")
	db, err := w.bare()
	if err != nil {
		return err
	}
	defer db.Close()
	some := min(n, 50_000)
	contacts, err := readTable(ctx, db, fmt.Sprintf("select * from contact order by number desc limit %d", some))
	if err != nil {
		return err
	}
	changes, err := readTable(ctx, db, fmt.Sprintf("select * from changes where object = 'contact' order by seq desc limit %d", some))
	if err != nil {
		return err
	}
	const chunk = 1000
	var took time.Duration
	if w.kind == "postgres" {
		took, err = w.bareCopy(ctx, chunk, contacts, changes)
	} else {
		took, err = w.bareInserts(ctx, chunk, contacts, changes)
	}
	if err != nil {
		return err
	}
	bare := float64(len(contacts.rows)) / took.Seconds()
	w.tell("import.bare", rate, "rows/s", rate/bare, fmt.Sprintf("of %.0f rows/s of bare inserts of the same records and changes without indexes", bare))
	return nil
}

func (w *workplace) bareInserts(ctx context.Context, chunk int, contacts, changes *rowsOf) (time.Duration, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.config.Data, "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for name, t := range map[string]*rowsOf{"deal": contacts, "changes": changes} {
		if _, err := db.ExecContext(ctx, "create table "+name+" ("+strings.Join(t.columns, ", ")+")"); err != nil {
			return 0, err
		}
	}
	started := time.Now()
	for first := 0; first < len(contacts.rows); first += chunk {
		if err := bareChunk(ctx, db, contacts, changes, first, min(first+chunk, len(contacts.rows))); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

func (w *workplace) bareCopy(ctx context.Context, chunk int, contacts, changes *rowsOf) (time.Duration, error) {
	db, err := w.bare()
	if err != nil {
		return 0, err
	}
	defer db.Close()
	for _, name := range []string{"contact", "changes"} {
		if _, err := db.ExecContext(ctx, "create table bare_"+name+" as select * from "+name+" limit 0"); err != nil {
			return 0, err
		}
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	started := time.Now()
	err = conn.Raw(func(driver any) error {
		raw := driver.(*stdlib.Conn).Conn()
		for first := 0; first < len(contacts.rows); first += chunk {
			tx, err := raw.Begin(ctx)
			if err != nil {
				return err
			}
			for name, t := range map[string]*rowsOf{"bare_contact": contacts, "bare_changes": changes} {
				columns := make([]string, len(t.columns))
				for i, c := range t.columns {
					columns[i] = strings.Trim(c, `"`)
				}
				if _, err := tx.CopyFrom(ctx, pgx.Identifier{name}, columns, pgx.CopyFromRows(t.rows[first:min(first+chunk, len(t.rows))])); err != nil {
					return errors.Join(err, tx.Rollback(ctx))
				}
			}
			if err := tx.Commit(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	took := time.Since(started)
	_, drop := db.ExecContext(ctx, "drop table bare_contact, bare_changes")
	return took, errors.Join(err, drop)
}

const writers = 20

// writes lets 20 people change contacts at once, first through Canopy and then with one bare update each, and holds the one against the other.
func (w *workplace) writes(ctx context.Context) error {
	ours, err := crowd(ctx, func(ctx context.Context, k int) error {
		_, err := w.records.Do(ctx, models.System(), w.change(k))
		return err
	})
	if err != nil {
		return err
	}
	db, err := w.bare()
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(writers)
	update := "update contact set job_title = ? where number = ?"
	if w.kind == "postgres" {
		update = "update contact set job_title = $1 where number = $2"
	} else {
		db.SetMaxOpenConns(1) // one writer, as SQLite has; more would only wait in turns
	}
	theirs, err := crowd(ctx, func(ctx context.Context, k int) error {
		_, err := db.ExecContext(ctx, update, fmt.Sprintf("Bare %d", k), int64(k*7919%w.contacts+1))
		return err
	})
	if err != nil {
		return err
	}
	p95, bare := quantile(ours, 0.95), quantile(theirs, 0.95)
	w.tell("write", p95, "ms", p95/10, "of 10 ms, p95 with 20 writers (at most 1)")
	w.tell("write.bare", p95, "ms", p95/bare, fmt.Sprintf("of %.2f ms, p95 of 20 writers with bare updates", bare))
	return nil
}

// crowd lets writers do one thing after the other, each 50 times, and gives the times in milliseconds, sorted.
func crowd(ctx context.Context, do func(ctx context.Context, k int) error) ([]float64, error) {
	const each = 50
	var wait sync.WaitGroup
	times, failed := make([][]float64, writers), make([]error, writers)
	for n := range writers {
		wait.Go(func() {
			times[n], failed[n] = timed(ctx, each, func(ctx context.Context, k int) error { return do(ctx, n*each+k) })
		})
	}
	wait.Wait()
	all := slices.Concat(times...)
	slices.Sort(all)
	return all, errors.Join(failed...)
}
