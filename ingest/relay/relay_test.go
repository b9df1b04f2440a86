package relay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/postgrestest"
	"canopy/models"
	"canopy/warehouse"
	"canopy/warehouse/enginetest"
)

// Every value of every kind stands in the warehouse as it was written.
func TestValuesArriveAsTheyWere(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	o := p.registry.Load().Object("jewel")
	r := p.relay(func(c *Config) { c.BatchRows = 1000 })
	var want []string
	err := p.db.Run(t.Context(), crm.Bulk, func(ctx context.Context) error {
		for i := range 3_000 {
			values := record(p.random, o)
			at := time.UnixMilli(1_500_000_000_123 + int64(i)).UTC()
			c := &models.Change{Object: o, Number: uint64(i + 1), Version: int64(i + 7), Kind: models.Created, HappenedAt: at, RecordedAt: at.Add(time.Hour),
				HappenedUnknown: i%2 == 0, Actor: models.Actor{Kind: models.ActorUser, User: 9}, Cause: texts[i%len(texts)], Deleted: i%3 == 0, Image: values}
			if _, err := p.db.Append(ctx, c); err != nil {
				return err
			}
			line := fmt.Sprintf("%d|%s|%d|%s|%d|created|%t|user|9|%s|%d", c.Number, clock(c.HappenedAt), i+1, clock(c.RecordedAt), c.Version, c.HappenedUnknown, c.Cause, bit(c.Deleted))
			for j, f := range o.Fields {
				line += "|" + shown(f, values[j])
			}
			want = append(want, line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p.written = uint64(len(want))
	p.run(r)
	p.reach(r, p.written)
	p.same(r)
	var columns []string
	for _, c := range warehouse.LogColumns(o) {
		columns = append(columns, "ifNull(toString(`"+c.Name+"`), 'NULL')")
	}
	rows, err := warehouse.Rows[struct {
		Line string `ch:"line"`
	}](t.Context(), p.warehouse, warehouse.Query{Name: "read back", SQL: "select concat(" + strings.Join(columns, ", '|', ") + ") as line from jewel_log order by position"})
	if err != nil || len(rows) != len(want) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		if row.Line != want[i] {
			t.Fatalf("row %d:\n%q\n%q", i, row.Line, want[i])
		}
	}
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

// shown writes a value as ClickHouse's toString does, money as amount|currency.
func shown(f *models.Field, v models.Value) string {
	if v == nil {
		return map[models.Kind]string{models.MoneyKind: "NULL|NULL", models.MultiPick: "[]"}[f.Kind] + map[bool]string{true: "", false: "NULL"}[f.Kind == models.MoneyKind || f.Kind == models.MultiPick]
	}
	short := func(text string) string { // ClickHouse leaves trailing zeros of decimals out
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		if text == "-0" {
			return "0"
		}
		return text
	}
	switch x := v.(type) {
	case int64:
		return short(models.FormatScaled(x, f.Scale))
	case models.Money:
		return short(x.Amount()) + "|" + x.Currency
	case time.Time:
		return clock(x)
	case []string:
		return "['" + strings.Join(x, "','") + "']"
	case string, models.Date, bool, uint64, float64:
		return fmt.Sprint(x)
	}
	return string(f.AppendJSON(nil, v))
}

var errKilled = errors.New("killed")

// The relay is cut off at random points of its way, forty times and more, while changes are written, and a new one starts from what
// is durable: both stores hold the same changes, none twice.
func TestCutOffAnywhereNothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	random := rand.New(rand.NewPCG(7, 7))
	points := map[string]int{}
	for kill := 0; kill < 40; {
		p.write(1 + random.IntN(120))
		ctx, cancel := context.WithCancel(t.Context())
		steps := 1 + random.IntN(25)
		killed := false
		r := p.relay(func(c *Config) {
			c.at = func(point string) error {
				if steps--; steps > 0 {
					return nil
				}
				if !killed { // as a process that dies: nothing of it goes on
					killed = true
					points[point]++
				}
				cancel()
				return errKilled
			}
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = r.Run(ctx)
		}()
		waited, stop := context.WithTimeout(ctx, patience)
		err := r.WaitFor(waited, p.written)
		stop()
		cancel()
		<-done
		if killed {
			kill++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, point := range []string{"freeze", "insert", "inserted", "acknowledge", "acknowledged"} {
		if points[point] == 0 {
			t.Errorf("never cut off at %q: %v", point, points)
		}
	}
	r := p.relay(nil)
	p.run(r)
	p.reach(r, p.written)
	p.same(r)
}

// The proof can fail: a batch that comes again under another token, or a row too few, is told.
func TestAuditTellsWhatDiffers(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	r := p.relay(nil)
	stop := p.run(r)
	p.write(200)
	p.reach(r, p.written)
	stop()
	p.same(r)
	ctx := t.Context()
	b := &batch{}
	if err := r.fill(ctx, b, 0, 50, true); err != nil {
		t.Fatal(err)
	}
	b.Incarnation, b.Number = "another", 1
	a := &attempt{Relay: r}
	var err error
	if a.client, err = p.warehouse.Native(ctx); err != nil {
		t.Fatal(err)
	}
	defer a.client.Close()
	if err := a.insert(ctx, b, b.tables["jewel"]); err != nil {
		t.Fatal(err)
	}
	differences, err := r.Audit(ctx)
	if err != nil || len(differences) != 1 || differences[0].Copy.Rows != differences[0].Log.Rows+b.tables["jewel"].rows || differences[0].Copy.Positions != differences[0].Log.Positions {
		t.Errorf("rows that stand twice: %+v, %v", differences, err)
	}
	if err := p.warehouse.Exec(ctx, warehouse.Query{Name: "lose a row", SQL: "alter table box_log update version = version + 1 where position = (select max(position) from box_log)", Settings: map[string]any{"mutations_sync": 2}}); err != nil {
		t.Fatal(err)
	}
	if differences, err = r.Audit(ctx); err != nil || len(differences) != 2 {
		t.Errorf("a row that is another: %+v, %v", differences, err)
	}
	// A rebuild mends it, also while the relay runs.
	p.run(r)
	if err := r.Rebuild(ctx); err != nil {
		t.Fatal(err)
	}
	p.write(10)
	p.reach(r, p.written)
	p.same(r)
}

// A frozen batch goes first and unchanged, though the log has grown and batches may be larger now; ClickHouse drops what it has.
func TestFrozenBatchIsRepeatedUnchanged(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write(30)
	ctx, cancel := context.WithCancel(t.Context())
	first := p.relay(func(c *Config) {
		c.at = func(point string) error {
			if point == "acknowledge" { // all rows stand, and nobody knows
				cancel()
				return errKilled
			}
			return nil
		}
	})
	if err := first.Run(ctx); err != nil {
		t.Fatal(err)
	}
	frozen, err := p.db.Relay().Load(t.Context())
	if err != nil || frozen.Frozen == nil || *frozen.Frozen != (models.RelayBatch{Incarnation: frozen.Incarnation, Number: 1, After: 0, Through: 30}) {
		t.Fatalf("%+v, %v", frozen, err)
	}
	p.write(500)
	var advances []models.RelayBatch
	second := p.relay(func(c *Config) {
		c.BatchRows = 1000
		c.OnAdvance = func(a models.RelayAdvance) { advances = append(advances, a.Batch) }
	})
	stop := p.run(second)
	p.reach(second, p.written)
	stop()
	p.same(second)
	if len(advances) != 2 || advances[0] != *frozen.Frozen || advances[1].Number != 2 || advances[1].After != 30 || advances[1].Through != 530 {
		t.Errorf("%+v", advances)
	}
}

// The engine is killed again and again while the relay sends; writes go on, and in the end every change stands once.
func TestEngineKilledInTheMiddle(t *testing.T) {
	p := newPlace(t) // not parallel: it ends the engine that the others use
	e := enginetest.Start(t)
	var kills atomic.Int64
	random := rand.New(rand.NewPCG(13, 13))
	r := p.relay(func(c *Config) {
		c.BatchRows = 200
		n := 0
		c.at = func(point string) error {
			if n++; n%17 != 0 || kills.Load() >= 4 {
				return nil
			}
			kills.Add(1)
			pid := e.Status().PID
			kill := func() {
				if process, err := os.FindProcess(pid); err == nil && pid != 0 {
					_ = process.Signal(syscall.SIGKILL)
				}
			}
			if point != "insert" {
				kill() // between two tables, or before the batch is acknowledged
				return nil
			}
			time.AfterFunc(time.Duration(random.IntN(12))*time.Millisecond, kill) // somewhere within the insert
			return nil
		}
	})
	p.run(r)
	for kills.Load() < 4 {
		p.write(400)
		p.until(r, "on its way", func(s models.RelayStatus) bool { return s.LagChanges < 2_000 || kills.Load() >= 4 })
	}
	p.write(400)
	p.reach(r, p.written)
	p.same(r)
	s := p.until(r, "caught up", func(s models.RelayStatus) bool { return s.State == models.RelayCaughtUp })
	if s.LastError != "" || s.Position != p.written || s.Head != p.written || s.LagChanges != 0 || s.LagSeconds != 0 {
		t.Errorf("%+v", s)
	}
}

// With ClickHouse away the log grows, the status says why, and the relay catches up by itself.
func TestWarehouseAway(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write(10)
	e := enginetest.Start(t)
	var away atomic.Bool
	var err error
	p.warehouse, err = warehouse.Open(t.Context(), warehouse.Config{User: e.User(), Password: e.Password(), Database: p.warehouse.Database(),
		Resolve: func(ctx context.Context) (string, error) {
			if away.Load() {
				return "", errors.New("the server is down")
			}
			return e.Resolve(ctx)
		}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.warehouse.Close()
	away.Store(true)
	now := time.Date(2020, 1, 1, 1, 0, 0, 0, time.UTC) // an hour after the first change was recorded, less a minute
	r := p.relay(func(c *Config) { c.Now = func() time.Time { return now } })
	p.run(r)
	s := p.until(r, "retrying", func(s models.RelayStatus) bool { return s.State == models.RelayRetrying })
	if !strings.Contains(s.LastError, "ClickHouse does not answer") || s.LagChanges != 10 || s.LagSeconds != 59*60 {
		t.Errorf("%+v", s)
	}
	p.write(100)
	if s = r.Status(t.Context()); s.Position != 0 || s.LagChanges != 110 {
		t.Errorf("%+v", s)
	}
	away.Store(false)
	p.reach(r, p.written)
	p.same(r)
	if s = r.Status(t.Context()); s.LastError != "" || s.LagSeconds != 0 {
		t.Errorf("%+v", s)
	}
}

// A field that is added while the relay runs arrives with its first row.
func TestFieldAddedBetweenBatches(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	r := p.relay(nil)
	p.run(r)
	p.write(120)
	p.reach(r, p.written)
	p.registry.Store(jewel(t, &models.Field{Name: "cut", Kind: models.Text, Custom: true}, &models.Field{Name: "worth", Kind: models.MoneyKind, Custom: true}))
	p.write(120)
	p.reach(r, p.written)
	p.same(r)
	filled, err := warehouse.Rows[struct {
		Cut   uint64 `ch:"n_cut"`
		Worth uint64 `ch:"n_worth"`
		Early uint64 `ch:"n_early"`
	}](t.Context(), p.warehouse, warehouse.Query{Name: "count", SQL: "select countIf(cut is not null) as n_cut, countIf(worth_currency is not null) as n_worth, countIf(position <= 120 and (cut is not null or worth is not null)) as n_early from jewel_log"})
	if err != nil || filled[0].Cut == 0 || filled[0].Worth == 0 || filled[0].Early != 0 {
		t.Errorf("%+v, %v", filled, err)
	}
	present, err := warehouse.Value[uint64](t.Context(), p.warehouse, warehouse.Query{Name: "count", SQL: "select countIf(cut is not null) from staging_jewel_now"})
	if err != nil || present == 0 {
		t.Errorf("%d records with a cut now, %v", present, err)
	}
}

// A row that cannot be read stops the relay there, by name; what is before it stands, and nothing after it is taken.
func TestUnreadableRowStopsTheRelay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write(100)
	r := p.relay(func(c *Config) { c.Feed = &mended{Feed: p.db, position: 73} })
	p.run(r)
	s := p.until(r, "stopped at the row", func(s models.RelayStatus) bool { return s.Position == 72 && s.LastError != "" })
	if s.State != models.RelayRetrying || !strings.Contains(s.LastError, "position 73") || s.LagChanges != 28 {
		t.Errorf("%+v", s)
	}
	r.config.Feed.(*mended).whole.Store(true)
	p.reach(r, p.written)
	p.same(r)
}

// mended is a log with one row that cannot be read until it is whole.
type mended struct {
	Feed
	position uint64
	whole    atomic.Bool
}

func (m *mended) Each(ctx context.Context, after, through uint64, fn func(*models.LogRow) error) error {
	return m.Feed.Each(ctx, after, through, func(row *models.LogRow) error {
		if row.Position == m.position && !m.whole.Load() {
			row.Image = []byte(`{"sold":"perhaps"}`)
		}
		return fn(row)
	})
}

// A gap in the log is an inconsistency, not a smaller batch.
func TestGapStopsTheRelay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write(20)
	r := p.relay(func(c *Config) { c.Feed = gap{p.db} })
	p.run(r)
	s := p.until(r, "stopped at the gap", func(s models.RelayStatus) bool { return s.LastError != "" && s.Position == 10 })
	if !strings.Contains(s.LastError, "position 11") {
		t.Errorf("%+v", s)
	}
}

type gap struct{ Feed }

func (g gap) Each(ctx context.Context, after, through uint64, fn func(*models.LogRow) error) error {
	return g.Feed.Each(ctx, after, through, func(row *models.LogRow) error {
		if row.Position == 11 {
			return nil
		}
		return fn(row)
	})
}

// A warehouse that was thrown away is filled again; one that lost rows, or has rows that the log does not know, is told.
func TestWarehouseThatDoesNotBelongToTheLog(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	r := p.relay(nil)
	stop := p.run(r)
	p.write(150)
	p.reach(r, p.written)
	before := r.Status(t.Context())
	stop()
	ctx := t.Context()

	if err := p.warehouse.Empty(ctx, p.registry.Load()); err != nil {
		t.Fatal(err)
	}
	r = p.relay(nil)
	stop = p.run(r)
	p.reach(r, p.written)
	p.same(r)
	if s := r.Status(ctx); s.Incarnation == before.Incarnation || s.Batch != before.Batch {
		t.Errorf("%+v after %+v", s, before)
	}
	stop()

	remove := func(table, where string) {
		t.Helper()
		if err := p.warehouse.Exec(ctx, warehouse.Query{Name: "remove", SQL: "alter table " + table + " delete where " + where, Settings: map[string]any{"mutations_sync": 2}}); err != nil {
			t.Fatal(err)
		}
	}
	remove("jewel_log", "position > 100")
	remove("box_log", "position > 100")
	r = p.relay(nil)
	stop = p.run(r)
	s := p.until(r, "told that rows are missing", func(s models.RelayStatus) bool { return s.LastError != "" })
	if !strings.Contains(s.LastError, "rows are missing") || s.Position != p.written {
		t.Errorf("%+v", s)
	}
	if err := r.Rebuild(ctx); err != nil {
		t.Fatal(err)
	}
	p.reach(r, p.written)
	p.same(r)
	stop()

	// The transactional store goes back to where 100 changes were relayed, as after a restore.
	if err := p.db.Relay().Renew(ctx, "restored", 100); err != nil {
		t.Fatal(err)
	}
	r = p.relay(nil)
	stop = p.run(r)
	if s := p.until(r, "told that there is too much", func(s models.RelayStatus) bool { return s.LastError != "" }); !strings.Contains(s.LastError, "was given only 100") {
		t.Errorf("%+v", s)
	}
	stop()
	if err := p.db.Relay().Renew(ctx, "from the future", p.written+5); err != nil {
		t.Fatal(err)
	}
	r = p.relay(nil)
	p.run(r)
	if s := p.until(r, "told that the log went back", func(s models.RelayStatus) bool { return s.LastError != "" }); !strings.Contains(s.LastError, "put back to an earlier state") {
		t.Errorf("%+v", s)
	}
}

// Two relays on one log, as when a process is slow to die: neither loses or doubles anything.
func TestTwoRelaysAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	one, two := p.relay(nil), p.relay(nil)
	p.run(one)
	p.run(two)
	for range 10 {
		p.write(100)
		p.until(one, "on their way", func(s models.RelayStatus) bool {
			return max(s.Position, two.Status(t.Context()).Position)+300 >= p.written
		})
	}
	p.reach(one, p.written)
	p.reach(two, p.written)
	p.same(one)
}

// Advances come in order and say what was touched.
func TestAdvancesTellWhatWasTouched(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write(500)
	var rows, last uint64
	from, to := time.Time{}, time.Time{}
	r := p.relay(func(c *Config) {
		c.OnAdvance = func(a models.RelayAdvance) {
			if a.Batch.After != last {
				t.Errorf("batch %+v after %d", a.Batch, last)
			}
			last = a.Batch.Through
			for _, touched := range a.Objects {
				rows += touched.Rows
				if from.IsZero() || touched.HappenedFrom.Before(from) {
					from = touched.HappenedFrom
				}
				if touched.HappenedTo.After(to) {
					to = touched.HappenedTo
				}
			}
		}
	})
	stop := p.run(r)
	p.reach(r, 500)
	stop()
	var least, greatest time.Time
	err := p.db.Each(t.Context(), 0, 500, func(row *models.LogRow) error {
		if least.IsZero() || row.HappenedAt.Before(least) {
			least = row.HappenedAt
		}
		if row.HappenedAt.After(greatest) {
			greatest = row.HappenedAt
		}
		return nil
	})
	if err != nil || rows != 500 || !from.Equal(least) || !to.Equal(greatest) {
		t.Errorf("%d rows from %s to %s, not %s to %s, %v", rows, from, to, least, greatest, err)
	}
}

func TestBatchesAreClosedByTheirBytes(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write(300)
	var sizes []uint64
	r := p.relay(func(c *Config) {
		c.BatchRows, c.BatchBytes = 1000, 10_000
		c.OnAdvance = func(a models.RelayAdvance) { sizes = append(sizes, a.Batch.Rows()) }
	})
	stop := p.run(r)
	p.reach(r, 300)
	stop()
	if len(sizes) < 5 {
		t.Errorf("batches of %v rows", sizes)
	}
	p.same(r)
}

// Twenty writers on PostgreSQL, a fifth of their transactions rolled back, the sequencer numbering and the relay running: the
// warehouse holds exactly what was committed.
func TestPostgresWritersReachTheWarehouse(t *testing.T) {
	t.Parallel()
	p := newPlaceOn(t, store.Config{DSN: postgrestest.Database(t)})
	ctx, cancel := context.WithCancel(t.Context())
	numbered := make(chan error, 1)
	go func() {
		numbered <- p.db.NewSequencer(store.SequencerOptions{Poll: 5 * time.Millisecond}).Run(ctx)
	}()
	defer func() {
		cancel()
		if err := <-numbered; err != nil {
			t.Error(err)
		}
	}()
	r := p.relay(nil)
	p.run(r)
	o := p.registry.Load().Object("jewel")
	var committed atomic.Uint64
	var writers sync.WaitGroup
	for w := range 20 {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 17))
			for i := range 20 {
				n, roll := 1+random.IntN(5), random.IntN(5) == 0
				err := p.db.Run(t.Context(), crm.Interactive, func(ctx context.Context) error {
					for range n {
						at := time.Date(2020, 1, 1, 0, 0, i, 0, time.UTC)
						c := &models.Change{Object: o, Number: uint64(w + 1), Version: 1, Kind: models.Updated, HappenedAt: at, RecordedAt: at,
							Actor: models.Actor{Kind: models.ActorSystem}, Cause: "api", Image: record(random, o)}
						if _, err := p.db.Append(ctx, c); err != nil {
							return err
						}
						<-time.After(time.Duration(random.IntN(3)) * time.Millisecond) // lets others in between
					}
					if roll {
						return errKilled
					}
					return nil
				})
				if err == nil {
					committed.Add(uint64(n))
				} else if !errors.Is(err, errKilled) {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	p.written = committed.Load()
	p.reach(r, p.written)
	p.same(r)
}

// The benchmark measures what it says on a small log, and leaves the two stores equal but for the rows sent straight.
func TestBenchmarkRuns(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write(2_000)
	result, err := Benchmark(t.Context(), BenchConfig{Feed: p.db, State: p.db.Relay(), Warehouse: p.warehouse, Registry: p.registry.Load(), BatchRows: 500, Rounds: 1})
	if err != nil || result.Rows != 2_000 || result.Relay <= 0 || result.Direct <= 0 || result.Ratio != result.Relay/result.Direct {
		t.Errorf("%+v, %v", result, err)
	}
}
