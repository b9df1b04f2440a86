package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"canopy/ingest/importer"
	"canopy/ingest/relay"
	"canopy/metrics/kpi"
	"canopy/models"
	"canopy/warehouse"
)

// bench is a whole Canopy without its HTTP side, in a scratch directory.
type bench struct {
	*parts
	back   *columnar
	remove func()
}

func (c *benchCommand) open(ctx context.Context) (*bench, error) {
	dir, remove, err := scratch()
	if err != nil {
		return nil, err
	}
	config := c.Config
	config.Data, config.PostgresDSN, config.ClickHouse, config.LogLevel = dir, "", "", "error"
	b := &bench{remove: remove}
	if b.parts, err = openRecords(ctx, &config, &streams{out: discard{}, err: os.Stderr}); err != nil {
		remove()
		return nil, err
	}
	b.back = &columnar{p: b.parts, log: b.log}
	if b.back.engine, err = b.startEngine(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) close() error {
	err := errors.Join(b.back.close(), b.db.Close())
	b.remove()
	return err
}

func (b *bench) warehouse(ctx context.Context) (*warehouse.Warehouse, error) {
	w, err := warehouse.Open(ctx, b.config.warehouseConfig(b.back.engine, b.log))
	if err != nil {
		return nil, err
	}
	if err := w.EnsureObjects(ctx, b.records.Registry()); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// importSynthetic brings n made-up deals into the records.
func (b *bench) importSynthetic(ctx context.Context, n int) (time.Duration, error) {
	path := filepath.Join(b.config.Data, "deals.csv")
	if err := writeSynthetic(path, n); err != nil {
		return 0, err
	}
	service := b.newImporter()
	if err := service.Recover(ctx); err != nil {
		return 0, err
	}
	defer service.Close()
	started := time.Now()
	i, err := (&localImports{service}).start(ctx, path, importer.SyntheticMapping, false)
	if err != nil {
		return 0, err
	}
	if i, err = service.Wait(ctx, i.ID); err != nil {
		return 0, err
	}
	if i.State != models.ImportDone || i.Refused > 0 {
		return 0, fmt.Errorf("the import ended as %s with %d refused rows: %s", i.State, i.Refused, i.Error)
	}
	return time.Since(started), nil
}

func writeSynthetic(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	return errors.Join(importer.WriteDeals(w, n, 1), w.Flush(), f.Close())
}

// benchImport imports 200,000 deals from a file through records into ClickHouse, which relays while they come in.
func benchImport(ctx context.Context, c *benchCommand) (out []measurement, err error) {
	b, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	a, err := b.back.reach(ctx)
	if err != nil {
		return nil, err
	}
	b.back.open.Store(a)
	relayed := make(chan error, 1)
	go func() { relayed <- a.relay.Run(ctx) }()
	n := c.size(200_000)
	started := time.Now()
	records, err := b.importSynthetic(ctx, n)
	if err != nil {
		return nil, err
	}
	head, err := b.db.Head(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.relay.WaitFor(ctx, head); err != nil {
		return nil, err
	}
	whole := time.Since(started)
	stop()
	if err := <-relayed; err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	rate := float64(n) / whole.Seconds()
	return []measurement{
		{name: "import.to_clickhouse", value: rate, unit: "rows/s", ratio: rate / 10_000, of: "of the guide of 10,000 rows/s (1 or more)"},
		{name: "import.to_records", value: float64(n) / records.Seconds(), unit: "rows/s", ratio: float64(n) / records.Seconds() / 10_000, of: "of the same guide, relay running beside it"},
		{name: "import.changes", value: float64(head) / whole.Seconds(), unit: "changes/s", ratio: float64(head) / float64(n), of: "changes a row"},
	}, nil
}

// benchRelay relays a log of deals, and then the same typed rows straight from memory.
func benchRelay(ctx context.Context, c *benchCommand) (out []measurement, err error) {
	b, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if _, err := b.importSynthetic(ctx, c.size(150_000)); err != nil {
		return nil, err
	}
	w, err := b.warehouse(ctx)
	if err != nil {
		return nil, err
	}
	r, err := relay.Benchmark(ctx, relay.BenchConfig{Feed: b.db, State: b.db.Relay(), Warehouse: w, Registry: b.records.Registry()})
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return []measurement{{name: "relay", value: r.Relay, unit: "changes/s", ratio: r.Ratio, of: "of ch-go inserting the same typed rows from memory (at least 0.5)"}}, w.Close()
}

// benchWeek computes one week of the tree over a million deal changes, and asks the same as bare SQL.
func benchWeek(ctx context.Context, c *benchCommand) (out []measurement, err error) {
	b, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	w, err := b.warehouse(ctx)
	if err != nil {
		return nil, err
	}
	results, err := kpi.Benchmark(ctx, kpi.BenchConfig{Warehouse: w, Registry: b.records.Registry(), Changes: c.size(1_000_000)})
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	for _, r := range results {
		out = append(out, measurement{name: "kpi.week." + r.Policy, value: float64(r.Room.Microseconds()) / 1000, unit: "ms", ratio: r.Ratio, of: "of the same question as bare SQL (at most 1.3)"})
	}
	return out, w.Close()
}
