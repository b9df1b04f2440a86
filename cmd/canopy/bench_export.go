package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"canopy/dashboards/export"
	"canopy/models"
)

// benchExport writes a million contacts as CSV and as Parquet, beside a bare program that reads all columns of the same rows and writes nothing.
func benchExport(ctx context.Context, c *benchCommand) ([]measurement, error) {
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
	defer p.db.Close() //nolint:errcheck // it is a copy
	path := filepath.Join(dir, "canopy.db")
	n, err := p.manyContacts(ctx, path, c.size(1_000_000))
	if err != nil {
		return nil, err
	}
	jobs, err := p.newJobs()
	if err != nil {
		return nil, err
	}
	if err := jobs.service.Recover(ctx); err != nil {
		return nil, err
	}
	defer jobs.service.Close()
	var list []measurement
	for _, format := range []export.Format{export.CSV, export.Parquet} {
		bare, err := benchRead(ctx, path)
		if err != nil {
			return nil, err
		}
		took, grown, err := jobs.benchOne(ctx, format)
		if err != nil {
			return nil, err
		}
		name := "export." + string(format)
		list = append(list,
			measurement{name: name, value: float64(n) / took.Seconds(), unit: "records/s", ratio: bare.Seconds() / took.Seconds(), of: "of bare reading of the same rows, without titles, rights and a file"},
			measurement{name: name + ".memory", value: grown / (1 << 20), unit: "MiB", ratio: grown / (100 << 20), of: "of 100 MiB over idle (below 1)"})
	}
	return list, nil
}

// manyContacts makes a thousand contacts through the record engine, and doubles their rows until there are n.
func (p *parts) manyContacts(ctx context.Context, path string, n int) (int, error) {
	object := p.records.Registry().Object("contact")
	set := func(field string, v models.Value) models.Set { return models.Set{Field: object.Field(field), Value: v} }
	made := min(n, 1000)
	for i := range made {
		_, err := p.records.Do(ctx, models.System(), models.Command{Op: models.Create, Object: "contact", Sets: []models.Set{
			set("name", fmt.Sprintf("Person %d", i)), set("phone", "+493012345"), set("job_title", "Head of purchasing"), // no e-mail: it is unique
		}})
		if err != nil {
			return 0, err
		}
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return 0, err
	}
	defer db.Close() // it is a copy
	columns, err := columnNames(ctx, db)
	if err != nil {
		return 0, err
	}
	for made < n {
		more := min(made, n-made)
		if _, err := db.ExecContext(ctx, fmt.Sprintf(`insert into "contact" (%s) select %s from "contact" limit %d`, columns, columns, more)); err != nil {
			return 0, fmt.Errorf("double the contacts: %w", err)
		}
		made += more
	}
	return made, nil
}

// columnNames lists the columns of contacts but their numbers.
func columnNames(ctx context.Context, db *sql.DB) (string, error) {
	rows, err := db.QueryContext(ctx, `select name from pragma_table_info('contact') where name <> 'number'`)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		names = append(names, `"`+name+`"`)
	}
	return strings.Join(names, ", "), rows.Err()
}

// benchRead reads all columns of all contacts.
func benchRead(ctx context.Context, path string) (time.Duration, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=query_only(1)")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	started := time.Now()
	rows, err := db.QueryContext(ctx, `select * from "contact" order by "number"`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return 0, err
		}
	}
	return time.Since(started), rows.Err()
}

// benchOne exports all contacts and tells how long it took, and by how many bytes the process grew meanwhile.
func (j *jobs) benchOne(ctx context.Context, format export.Format) (took time.Duration, grown float64, err error) {
	idle := residentBytes()
	var most atomic.Int64
	watched := make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	go func() {
		defer close(watched)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most.Store(max(most.Load(), residentBytes()))
			case <-watching.Done():
				return
			}
		}
	}()
	started := time.Now()
	job, err := j.exports.Start(ctx, models.System(), export.Request{Object: "contact", Format: format})
	if err == nil {
		job, err = j.service.Wait(ctx, job.Number)
	}
	took = time.Since(started)
	stop()
	<-watched
	if err == nil && job.State != models.JobDone {
		err = errors.New(job.Error)
	}
	return took, float64(max(most.Load()-idle, 0)), err
}

// residentBytes is how much memory of its own the process has; pages of the database's file, which the system may take back at any time, are
// not its own. 0 where the system does not say.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "RssAnon: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}
