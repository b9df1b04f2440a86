package relay

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/models"
	"canopy/warehouse"
	"canopy/warehouse/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// place is a change log, mostly on SQLite, and a warehouse, both of the test's own.
type place struct {
	t         *testing.T
	db        *store.DB
	warehouse *warehouse.Warehouse
	registry  atomic.Pointer[models.Registry]
	numbers   map[string]uint64 // last number given, by object
	random    *rand.Rand
	written   uint64 // changes
}

func newPlace(t *testing.T) *place {
	t.Helper()
	return newPlaceOn(t, store.Config{Path: filepath.Join(t.TempDir(), "canopy.db")})
}

// newPlaceOn is newPlace on a given transactional store.
func newPlaceOn(t *testing.T, c store.Config) *place {
	t.Helper()
	p := &place{t: t, numbers: map[string]uint64{}, random: rand.New(rand.NewPCG(5, uint64(len(t.Name()))))}
	p.registry.Store(jewel(t))
	e := enginetest.Start(t)
	var err error
	p.warehouse, err = warehouse.Open(t.Context(), warehouse.Config{Resolve: e.Resolve, User: e.User(), Password: e.Password(), Database: enginetest.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.warehouse.Close() })
	p.db, err = store.Open(t.Context(), c, p.registry.Load())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.db.Close() })
	return p
}

// relay makes a relay of small batches; change may set more.
func (p *place) relay(change func(*Config)) *Relay {
	p.t.Helper()
	c := Config{Feed: p.db, State: p.db.Relay(), Warehouse: p.warehouse, Registry: p.registry.Load, Linger: -1,
		BatchRows: 50, BackoffMax: 200 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&c)
	}
	r, err := New(c)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// write appends n changes in one transaction: new records and new versions of old ones, now and then deleted, some
// back-dated with their later image restated.
func (p *place) write(n int) {
	p.t.Helper()
	err := p.db.Run(p.t.Context(), crm.Bulk, func(ctx context.Context) error {
		for range n {
			o := p.registry.Load().Object([]string{"jewel", "jewel", "jewel", "box"}[p.random.IntN(4)])
			number := p.random.Uint64N(p.numbers[o.Name]+3) + 1
			number = min(number, p.numbers[o.Name]+1)
			p.numbers[o.Name] = max(p.numbers[o.Name], number)
			p.written++
			at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(p.written) * time.Minute)
			c := &models.Change{Object: o, Number: number, Version: int64(p.written), Kind: models.Updated, HappenedAt: at, RecordedAt: at,
				HappenedUnknown: p.random.IntN(5) == 0, Actor: models.Actor{Kind: models.ActorUser, User: uint64(p.random.IntN(5))}, Cause: "api",
				Deleted: p.random.IntN(10) == 0, Image: record(p.random, o)}
			if p.random.IntN(7) == 0 {
				c.HappenedAt = at.Add(-time.Hour)
			}
			if _, err := p.db.Append(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// run runs a relay until the test or stop ends it.
func (p *place) run(r *Relay) (stop func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			p.t.Error(err)
		}
	}()
	stop = func() { cancel(); <-done }
	p.t.Cleanup(stop)
	return stop
}

const patience = 60 * time.Second

// reach waits until the warehouse holds a position.
func (p *place) reach(r *Relay, position uint64) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if err := r.WaitFor(ctx, position); err != nil {
		p.t.Fatalf("%v (%+v)", err, r.Status(p.t.Context()))
	}
}

// until polls a condition of the status.
func (p *place) until(r *Relay, what string, is func(models.RelayStatus) bool) models.RelayStatus {
	p.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		s := r.Status(p.t.Context())
		if is(s) {
			return s
		}
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatalf("never %s: %+v", what, s)
		}
	}
}

// same proves both stores equal: every change once, the present at the greatest position.
func (p *place) same(r *Relay) {
	p.t.Helper()
	differences, err := r.Audit(p.t.Context())
	if err != nil || differences != nil {
		p.t.Errorf("%+v, %v", differences, err)
	}
	progress, err := p.db.Relay().Load(p.t.Context())
	if err != nil || progress.Acknowledged != p.written || progress.Frozen != nil {
		p.t.Errorf("%d changes written, progress %+v, %v", p.written, progress, err)
	}
}
