package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Query is one question, or one statement that answers nothing.
type Query struct {
	Name string // what is asked, "kpi: week of b2b_pipeline"; put into errors and, as log_comment, into system.query_log
	SQL  string // with parameters as {name:Type}
	// Params holds one value per parameter of the text, under its name: string, bool, integers, floats, models.Date, time.Time,
	// decimals as text or Stringer, slices of these for Array(…), nil for Nullable(…). One missing or too many is an error.
	Params map[string]any

	Settings     map[string]any // of ClickHouse, for this question only
	MaxExecution time.Duration  // on the server; that of Config where zero
	Heavy        bool           // takes its turn: at most Config.HeavyQueries run at once
	// Repeatable says that the statement of Exec may safely run twice. Questions always may.
	Repeatable bool
	Progress   func(Progress) // called while ClickHouse works, from one goroutine; nil: nobody asks

	keepsParameters bool // the text defines parameters of a view and gives them no values
}

// Progress says how far ClickHouse has come with a question; counts are totals so far.
type Progress struct {
	Rows  uint64 // read
	Bytes uint64 // read
	Total uint64 // rows to read as far as is known; 0 if not
}

// Select asks and hands the rows to scan, which calls rows.Next until it is false; Select closes them and reports their error.
// scan runs once: only the asking is tried again when the connection is dead. Errors carry a models.Code where a caller may
// be told (unavailable, exhausted, forbidden).
func (w *Warehouse) Select(ctx context.Context, q Query, scan func(rows driver.Rows) error) error {
	ctx, release, err := w.prepare(ctx, q)
	if err != nil {
		return err
	}
	defer release()
	var rows driver.Rows
	err = w.repeat(ctx, q.Name, func() (err error) {
		rows, err = w.conn.Query(ctx, q.SQL)
		return err
	})
	if err != nil {
		return err
	}
	err = scan(rows)
	if closed := rows.Close(); err == nil {
		err = closed
	}
	if asked := rows.Err(); asked != nil {
		err = asked
	}
	return explain(q.Name, err)
}

// Exec runs a statement that answers nothing.
func (w *Warehouse) Exec(ctx context.Context, q Query) error {
	ctx, release, err := w.prepare(ctx, q)
	if err != nil {
		return err
	}
	defer release()
	if !q.Repeatable {
		return explain(q.Name, w.conn.Exec(ctx, q.SQL))
	}
	return w.repeat(ctx, q.Name, func() error { return w.conn.Exec(ctx, q.SQL) })
}

// prepare binds parameters and settings to the context and waits for a turn; release gives the turn back.
func (w *Warehouse) prepare(ctx context.Context, q Query) (context.Context, func(), error) {
	var parameters clickhouse.Parameters
	if !q.keepsParameters {
		var err error
		if parameters, err = bind(q.SQL, q.Params); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", q.Name, err)
		}
	}
	limit := q.MaxExecution
	if limit <= 0 {
		limit = w.config.MaxExecution
	}
	settings := clickhouse.Settings{"log_comment": q.Name, "max_execution_time": seconds(limit)}
	for name, value := range q.Settings {
		settings[name] = value
	}
	options := []clickhouse.QueryOption{clickhouse.WithSettings(settings)}
	if len(parameters) > 0 {
		options = append(options, clickhouse.WithParameters(parameters))
	}
	if q.Progress != nil {
		var sum Progress
		options = append(options, clickhouse.WithProgress(func(p *clickhouse.Progress) { // each tells what is new since the last
			sum.Rows, sum.Bytes, sum.Total = sum.Rows+p.Rows, sum.Bytes+p.Bytes, sum.Total+p.TotalRows
			q.Progress(sum)
		}))
	}
	release := func() {}
	if q.Heavy {
		if err := w.heavy.Acquire(ctx, 1); err != nil {
			return nil, nil, fmt.Errorf("%s: wait for a turn: %w", q.Name, err)
		}
		release = func() { w.heavy.Release(1) }
	}
	return clickhouse.Context(ctx, options...), release, nil
}

// Rows asks and scans every row into a T, a struct whose fields name their columns: `ch:"closed_deals"`. No row gives nil.
func Rows[T any](ctx context.Context, w *Warehouse, q Query) ([]T, error) {
	var all []T
	err := w.Select(ctx, q, func(rows driver.Rows) error {
		for rows.Next() {
			var row T
			if err := rows.ScanStruct(&row); err != nil {
				return err
			}
			all = append(all, row)
		}
		return nil
	})
	return all, err
}

// Value asks for the single value of a single row, as max(position).
func Value[T any](ctx context.Context, w *Warehouse, q Query) (T, error) {
	var value T
	err := w.Select(ctx, q, func(rows driver.Rows) error {
		n := 0
		for rows.Next() {
			n++
			if err := rows.Scan(&value); err != nil {
				return err
			}
		}
		if n != 1 && rows.Err() == nil {
			return fmt.Errorf("wanted one row, got %d", n)
		}
		return nil
	})
	return value, err
}
