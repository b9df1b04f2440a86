package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"canopy/models"
	"canopy/warehouse"
)

// BenchConfig names what Benchmark works on: a log and a warehouse that belong to nobody, since each round empties the warehouse.
type BenchConfig struct {
	Feed      Feed
	State     State
	Warehouse *warehouse.Warehouse
	Registry  *models.Registry
	BatchRows int // as in Config
	Rounds    int // 3
}

// BenchResult compares the relay with the same rows sent straight from memory in the same run; rates are of the best round.
type BenchResult struct {
	Rows   uint64
	Relay  float64 // rows/s from the change log to the acknowledged position
	Direct float64 // rows/s of ch-go with the same columns, laid out before the clock starts, into the same tables
	Ratio  float64 // Relay / Direct
}

func (b BenchResult) String() string {
	return fmt.Sprintf("relay: %d changes, %.0f rows/s; straight from memory %.0f rows/s; ratio %.2f", b.Rows, b.Relay, b.Direct, b.Ratio)
}

// Benchmark relays the whole log into the emptied warehouse and then sends the very same blocks from memory, in turns.
func Benchmark(ctx context.Context, c BenchConfig) (BenchResult, error) {
	if c.Rounds <= 0 {
		c.Rounds = 3
	}
	r, err := New(Config{Feed: c.Feed, State: c.State, Warehouse: c.Warehouse, Registry: func() *models.Registry { return c.Registry },
		BatchRows: c.BatchRows, Linger: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return BenchResult{}, err
	}
	head, err := c.Feed.Head(ctx)
	if err != nil {
		return BenchResult{}, err
	}
	result := BenchResult{Rows: head}
	for range c.Rounds {
		relayed, err := r.benchRelay(ctx, head)
		if err != nil {
			return result, fmt.Errorf("relay: %w", err)
		}
		direct, err := r.benchDirect(ctx, head)
		if err != nil {
			return result, fmt.Errorf("straight from memory: %w", err)
		}
		result.Relay = max(result.Relay, float64(head)/relayed.Seconds())
		result.Direct = max(result.Direct, float64(head)/direct.Seconds())
	}
	result.Ratio = result.Relay / result.Direct
	return result, nil
}

// benchRelay measures from an empty warehouse until all stands, with everything that a start costs.
func (r *Relay) benchRelay(ctx context.Context, head uint64) (time.Duration, error) {
	if err := r.config.Warehouse.EnsureObjects(ctx, r.config.Registry()); err != nil {
		return 0, err
	}
	if err := r.Rebuild(ctx); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	started := time.Now()
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	err := r.WaitFor(ctx, head)
	took := time.Since(started)
	if told := r.Status(ctx).LastError; told != "" {
		err = errors.Join(err, errors.New(told))
	}
	cancel()
	return took, errors.Join(err, <-done)
}

// benchDirect decodes all batches first and measures their inserts alone.
func (r *Relay) benchDirect(ctx context.Context, head uint64) (time.Duration, error) {
	var batches []*batch
	incarnation := newIncarnation()
	for position := uint64(0); position < head; {
		b := &batch{}
		if err := r.fill(ctx, b, position, min(head, position+uint64(r.config.BatchRows)), false); err != nil { //nolint:gosec // positive
			return 0, err
		}
		b.Incarnation, b.Number = incarnation, uint64(len(batches))+1
		batches = append(batches, b)
		position = b.Through
	}
	if err := r.config.Warehouse.Empty(ctx, r.config.Registry()); err != nil {
		return 0, err
	}
	a := &attempt{Relay: r}
	var err error
	if a.client, err = r.config.Warehouse.Native(ctx); err != nil {
		return 0, err
	}
	defer a.client.Close() //nolint:errcheck // all is answered
	started := time.Now()
	for _, b := range batches {
		for _, name := range b.objects() {
			if err := a.insert(ctx, b, b.tables[name]); err != nil {
				return 0, err
			}
		}
	}
	return time.Since(started), nil
}
