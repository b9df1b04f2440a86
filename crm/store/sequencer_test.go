package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/postgrestest"
	"canopy/crm/store/storetest"
	"canopy/models"
)

const patience = 60 * time.Second

// eventually polls until is gives true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("never ", what)
		}
	}
}

// appended makes a change of a tag-like account; version tells the order in which a record's changes were made.
func appended(o *models.Object, number uint64, version int64) *models.Change {
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	return &models.Change{Object: o, Number: number, Version: version, Kind: models.Updated, HappenedAt: at, RecordedAt: at,
		Actor: models.Actor{Kind: models.ActorSystem}, Cause: "test", Image: make([]models.Value, len(o.Fields))}
}

func start(t *testing.T, s *store.Sequencer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

var errRolledBack = errors.New("rolled back on purpose")

// crowd writes from twenty connections at once: transactions of one to four changes of ten records, each holding its record's lock
// as the record engine does, committed after a random pause or rolled back. It gives how many changes were committed.
func crowd(t *testing.T, db *store.DB, locks *[10]sync.Mutex, versions *[10]int64, perWriter int) int64 {
	t.Helper()
	o := db.Registry().Object("account")
	var committed atomic.Int64
	var writers sync.WaitGroup
	for w := range 20 {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 11))
			for range perWriter {
				n, record := 1+random.IntN(4), random.IntN(10)
				roll := random.IntN(5) == 0
				pause := time.Duration(random.IntN(8)) * time.Millisecond
				locks[record].Lock() // stands for the row lock of the record, which every writer takes first
				before := versions[record]
				err := db.Run(context.Background(), crm.Interactive, func(ctx context.Context) error {
					versions[record] = before
					for range n {
						versions[record]++
						if _, err := db.Append(ctx, appended(o, uint64(record+1), versions[record])); err != nil {
							return err
						}
						<-time.After(pause / 4) // lets others insert and commit meanwhile
					}
					if roll {
						return errRolledBack
					}
					return nil
				})
				switch {
				case err == nil:
					committed.Add(int64(n))
				case errors.Is(err, errRolledBack):
					versions[record] = before
				default:
					t.Error(err)
				}
				locks[record].Unlock()
			}
		})
	}
	writers.Wait()
	return committed.Load()
}

// ordered checks the log from its first position on: no gap, no change twice, each record's changes in the order they were made.
func ordered(t *testing.T, db *store.DB, want int64) {
	t.Helper()
	last, n := map[uint64]int64{}, uint64(0)
	err := db.Each(t.Context(), 0, 1<<40, func(row *models.LogRow) error {
		n++
		if row.Position != n {
			return fmt.Errorf("position %d in place %d", row.Position, n)
		}
		if row.Version != last[row.Number]+1 {
			return fmt.Errorf("position %d: version %d of record %d after %d", n, row.Version, row.Number, last[row.Number])
		}
		last[row.Number] = row.Version
		return nil
	})
	if err != nil || int64(n) != want {
		t.Errorf("%d changes of %d, %v", n, want, err)
	}
}

// Twenty writers commit in another order than they insert, a fifth of them roll back. A reader that follows the head sees every
// change once and never one before an earlier one of its record.
func TestSequencerSkipsNothing(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, store.Config{DSN: postgrestest.Database(t)})
	stop := start(t, db.NewSequencer(store.SequencerOptions{Poll: 5 * time.Millisecond, Chunk: 7}))
	defer stop()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen atomic.Uint64
	follower := make(chan error, 1)
	go func() { // as the relay reads
		versions := map[uint64]int64{}
		for {
			if err := db.Wait(ctx, seen.Load()); err != nil {
				follower <- err
				return
			}
			head, err := db.Head(ctx)
			if err == nil {
				err = db.Each(ctx, seen.Load(), head, func(row *models.LogRow) error {
					if row.Position != seen.Load()+1 || row.Version != versions[row.Number]+1 {
						return fmt.Errorf("position %d, version %d of record %d after %d and %d", row.Position, row.Version, row.Number, seen.Load(), versions[row.Number])
					}
					versions[row.Number] = row.Version
					seen.Store(row.Position)
					return nil
				})
			}
			if err != nil {
				follower <- err
				return
			}
		}
	}()
	var locks [10]sync.Mutex
	var versions [10]int64
	want := crowd(t, db, &locks, &versions, 25)
	eventually(t, "all numbered", func() bool { return seen.Load() == uint64(want) || len(follower) > 0 })
	cancel()
	if err := <-follower; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ordered(t, db, want)
}

// Two sequencers want the lease: one works, the other takes over when the first goes or dies.
func TestSequencersTakeTurns(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.Database(t)
	one, two := storetest.Open(t, store.Config{DSN: dsn}), storetest.Open(t, store.Config{DSN: dsn})
	options := store.SequencerOptions{Lease: 300 * time.Millisecond, Poll: 5 * time.Millisecond, Chunk: 50, Logger: slog.New(slog.DiscardHandler)}
	var locks [10]sync.Mutex
	var versions [10]int64
	var want int64
	head := func() uint64 {
		n, err := one.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	options.Holder = "one"
	stopOne := start(t, one.NewSequencer(options))
	defer stopOne()
	options.Holder = "two"
	stopTwo := start(t, two.NewSequencer(options))
	defer stopTwo()
	want += crowd(t, one, &locks, &versions, 3)
	eventually(t, "numbered by either", func() bool { return head() == uint64(want) })
	stopOne()
	want += crowd(t, two, &locks, &versions, 3)
	eventually(t, "numbered by the second", func() bool { return head() == uint64(want) })
	stopTwo()

	// A holder that dies leaves its lease behind: nobody numbers until it ends, then the next one does.
	options.Holder, options.Lease = "dead", 2*time.Second
	dead := one.NewSequencer(options)
	if _, err := dead.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	want += crowd(t, two, &locks, &versions, 1)
	options.Holder = "heir"
	heir := two.NewSequencer(options)
	if n, err := heir.Step(t.Context()); err != nil || n != 0 {
		t.Errorf("%d numbered under another's lease, %v", n, err)
	}
	stopHeir := start(t, heir)
	defer stopHeir()
	eventually(t, "numbered by the heir", func() bool { return head() == uint64(want) })
	// It was only asleep: what it does now, under a lease that it lost, changes nothing.
	want += crowd(t, two, &locks, &versions, 1)
	if _, err := dead.Step(t.Context()); err != nil {
		t.Error(err)
	}
	eventually(t, "numbered by the heir again", func() bool { return head() == uint64(want) })
	ordered(t, one, want)
}

// A sequencer that was suspended between taking the lease and numbering is stopped by its fence.
func TestFenceStopsALateSequencer(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, store.Config{DSN: postgrestest.Database(t)})
	ctx := t.Context()
	options := store.SequencerOptions{Lease: time.Millisecond, Holder: "late"}
	late := db.NewSequencer(options)
	if _, err := late.Step(ctx); err != nil {
		t.Fatal(err)
	}
	options.Holder, options.Lease = "next", time.Minute
	next := db.NewSequencer(options)
	o := db.Registry().Object("account")
	write := func(version int64) {
		t.Helper()
		if err := db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
			_, err := db.Append(ctx, appended(o, 1, version))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	write(1)
	eventually(t, "the lease taken over", func() bool {
		n, err := next.Step(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return n == 1
	})
	write(2)
	if n, err := late.Number(ctx); n != 0 || !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("%d numbered, %v", n, err)
	}
	if n, err := next.Step(ctx); n != 1 || err != nil {
		t.Errorf("%d numbered, %v", n, err)
	}
	ordered(t, db, 2)
}

// On SQLite a change has its position when it is written, and the sequencer has nothing to do.
func TestSequencerRestsOnSQLite(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	s := db.NewSequencer(store.SequencerOptions{})
	if err := s.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if n, err := s.Step(t.Context()); n != 0 || err != nil {
		t.Error(n, err)
	}
}

// The record engine itself: twenty people update five accounts at once. Positions follow the versions of each record.
func TestSequencerKeepsTheOrderOfTheRecordEngine(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, store.Config{DSN: postgrestest.Database(t)})
	engine := storetest.Engine(t, db, nil)
	stop := start(t, db.NewSequencer(store.SequencerOptions{Poll: 5 * time.Millisecond, Chunk: 3}))
	defer stop()
	o := db.Registry().Object("account")
	name := o.Field("name")
	numbers := make([]uint64, 5)
	for i := range numbers {
		made, err := engine.Do(t.Context(), models.System(), models.Command{Op: models.Create, Object: o.Name, Sets: []models.Set{{Field: name, Value: fmt.Sprint("account ", i)}}, Cause: "test"})
		if err != nil {
			t.Fatal(err)
		}
		numbers[i] = made.Record.Number
	}
	var writers sync.WaitGroup
	for w := range 20 {
		writers.Go(func() {
			for i := range 10 {
				_, err := engine.Do(context.Background(), models.System(), models.Command{Op: models.Update, Object: o.Name, Number: numbers[(w+i)%5],
					Sets: []models.Set{{Field: name, Value: fmt.Sprintf("account %d of %d.%d", (w+i)%5, w, i)}}, Cause: "test"})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	eventually(t, "all numbered", func() bool {
		n, err := db.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n >= 205
	})
	ordered(t, db, 205)
}
