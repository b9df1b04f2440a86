package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"canopy/crm"
	"canopy/models"
)

// benchRecords writes deals in batches through the record engine on SQLite, and then the same rows and changes with bare
// prepared inserts into tables without indexes.
func benchRecords(ctx context.Context, c *benchCommand) ([]measurement, error) {
	dir, remove, err := scratch()
	if err != nil {
		return nil, err
	}
	defer remove()
	config := c.Config
	config.Data, config.PostgresDSN = dir, ""
	p, err := openRecords(ctx, &config, &streams{out: discard{}, err: discard{}})
	if err != nil {
		return nil, err
	}
	const batch = 200
	n := c.size(20_000)
	ours, err := p.benchEngine(ctx, n, batch)
	if err != nil {
		return nil, err
	}
	if err := p.db.Close(); err != nil {
		return nil, err
	}
	bare, err := benchBare(ctx, filepath.Join(dir, "canopy.db"), filepath.Join(dir, "bare.db"), batch)
	if err != nil {
		return nil, err
	}
	return []measurement{{
		name: "records.batch", value: float64(n) / ours.Seconds(), unit: "records/s", ratio: bare.Seconds() / ours.Seconds(),
		of: "of bare prepared inserts without indexes (at least 0.25)",
	}}, nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func (p *parts) benchEngine(ctx context.Context, n, batch int) (time.Duration, error) {
	registry := p.records.Registry()
	set := func(object, field string, v models.Value) models.Set {
		return models.Set{Field: registry.Object(object).Field(field), Value: v}
	}
	do := func(object string, sets ...models.Set) (uint64, error) {
		o, err := p.records.Do(ctx, models.System(), models.Command{Op: models.Create, Object: object, Sets: sets})
		if err != nil {
			return 0, err
		}
		return o.Record.Number, nil
	}
	pipeline, err := do("pipeline", set("pipeline", "name", "B2B"))
	if err != nil {
		return 0, err
	}
	stage, err := do("stage", set("stage", "key", "B2B/Open"), set("stage", "name", "Open"), set("stage", "pipeline", pipeline), set("stage", "rank", int64(1)), set("stage", "status", "open"))
	if err != nil {
		return 0, err
	}
	owner, err := do("user", set("user", "name", "Ann"), set("user", "territory", "North"))
	if err != nil {
		return 0, err
	}
	at := time.Now().Add(-time.Hour)
	started := time.Now()
	for first := 0; first < n; first += batch {
		commands := make([]models.Command, min(batch, n-first))
		for i := range commands {
			k := first + i
			commands[i] = models.Command{Op: models.Create, Object: "deal", Cause: "import:1", HappenedAt: at, Sets: []models.Set{
				set("deal", "name", fmt.Sprintf("Logger Plus for account %d", k)), set("deal", "external_id", fmt.Sprintf("X%09d", k*7_919_113%1_000_000_007)),
				set("deal", "stage", stage), set("deal", "owner", owner), set("deal", "source", "inbound"),
				set("deal", "amount", models.Money{Minor: int64(k) * 100, Currency: "USD"}), set("deal", "list_value", models.Money{Minor: int64(k) * 110, Currency: "USD"}),
			}}
		}
		err := p.records.Run(ctx, crm.Bulk, func(ctx context.Context) error {
			results, err := p.records.Batch(ctx, models.System(), commands)
			if err != nil {
				return err
			}
			for i := range results {
				if results[i].Err != nil {
					return results[i].Err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

// benchBare copies the deals and changes of one database into a bare one: rows are read first, then the inserts are timed.
func benchBare(ctx context.Context, from, to string, batch int) (time.Duration, error) {
	source, err := sql.Open("sqlite", "file:"+from)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	target, err := sql.Open("sqlite", "file:"+to+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return 0, err
	}
	defer target.Close()
	target.SetMaxOpenConns(1)
	deals, err := readTable(ctx, source, "select * from deal order by number")
	if err != nil {
		return 0, err
	}
	changes, err := readTable(ctx, source, "select * from changes where object = 'deal' order by seq")
	if err != nil {
		return 0, err
	}
	for name, t := range map[string]*rowsOf{"deal": deals, "changes": changes} {
		if _, err := target.ExecContext(ctx, "create table "+name+" ("+strings.Join(t.columns, ", ")+")"); err != nil {
			return 0, err
		}
	}
	started := time.Now()
	for first := 0; first < len(deals.rows); first += batch {
		if err := bareChunk(ctx, target, deals, changes, first, min(first+batch, len(deals.rows))); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

func bareChunk(ctx context.Context, db *sql.DB, deals, changes *rowsOf, first, last int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, t := range []struct {
		name string
		*rowsOf
	}{{"deal", deals}, {"changes", changes}} {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ")
		insert, err := tx.PrepareContext(ctx, "insert into "+t.name+" values ("+marks+")")
		if err != nil {
			return err
		}
		if err := insertAll(ctx, insert, t.rows[first:last]); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func insertAll(ctx context.Context, insert *sql.Stmt, rows [][]any) (err error) {
	defer func() { err = errors.Join(err, insert.Close()) }()
	for _, row := range rows {
		if _, err := insert.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return nil
}

// rowsOf is a table in memory.
type rowsOf struct {
	columns []string
	rows    [][]any
}

func readTable(ctx context.Context, db *sql.DB, query string) (*rowsOf, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	t := &rowsOf{}
	if t.columns, err = rows.Columns(); err != nil {
		return nil, err
	}
	for i, name := range t.columns {
		t.columns[i] = `"` + name + `"`
	}
	for rows.Next() {
		row := make([]any, len(t.columns))
		targets := make([]any, len(row))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		t.rows = append(t.rows, row)
	}
	return t, rows.Err()
}
