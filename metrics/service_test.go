package metrics

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"canopy/crm/store"
	"canopy/metrics/kpi"
	"canopy/metrics/roomtest"
	"canopy/models"
	"canopy/warehouse"
	"canopy/warehouse/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// relayed is a relay whose position a test moves.
type relayed struct {
	mu     sync.Mutex
	status models.RelayStatus
}

func (r *relayed) Status(context.Context) models.RelayStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

func (r *relayed) move(position uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Position, r.status.Head = position, position
}

// now is a Wednesday; the weeks of 2017-06-19 and 2017-06-26 are over.
var now = time.Date(2017, 7, 5, 12, 0, 0, 0, time.UTC)

// house is a service over a real store and a real engine.
type house struct {
	*Service
	relay     *relayed
	store     *store.Runs
	warehouse *warehouse.Warehouse
}

func newHouse(t testing.TB) *house {
	t.Helper()
	registry, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "canopy.db"), Now: func() time.Time { return now }}, registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{relay: &relayed{}, store: db.Runs(), warehouse: roomtest.Warehouse(t, "deal", "product", "target", "user")}
	h.Service = h.open(t, registry)
	return h
}

func (h *house) open(t testing.TB, registry *models.Registry) *Service {
	t.Helper()
	s, err := New(Config{Warehouse: h.warehouse, Registry: registry, Store: h.store, Relay: h.relay, Sole: true, Debounce: time.Millisecond,
		Reporting: func() models.Reporting {
			return models.Reporting{Calendar: models.Calendar{Zone: time.UTC, WeekStart: time.Monday}, Currency: "USD"}
		}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve runs the service until the test ends.
func (h *house) serve(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// log appends deals to the warehouse's log and lets the relay tell of them: "number, day, status, region, owner, amount".
func (h *house) log(t testing.TB, deals ...string) {
	t.Helper()
	position := h.relay.Status(t.Context()).Position
	for _, d := range deals {
		position++
		text := fmt.Sprintf(`insert into deal_log (position, happened_at, recorded_at, version, kind, is_deleted, amount_currency, number, closed_at, status, territory, owner, amount)
			select %d, '2017-01-01', '2017-07-05 10:00:00', 1, 'updated', 0, 'USD', c1, c2, c3, c4, c5, c6 from values('c1 UInt64, c2 DateTime, c3 String, c4 String, c5 UInt64, c6 Decimal(18,4)', (%s))`, position, d)
		if err := h.warehouse.Exec(t.Context(), warehouse.Query{Name: "insert", SQL: text}); err != nil {
			t.Fatal(err)
		}
	}
	h.relay.move(position)
	h.Advanced()
}

func (h *house) upToDate(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := h.WaitFor(ctx, h.relay.Status(ctx).Position); err != nil {
		t.Fatal(err)
	}
}

// wait polls for a run's end.
func (h *house) wait(t testing.TB, id int64) models.Run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		settling := h.settling()
		run, err := h.store.Get(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if run.Status.IsOver() {
			return run
		}
		select {
		case <-settling:
		case <-ctx.Done():
			t.Fatalf("run %d is still %s", id, run.Status)
		}
	}
}

var everybody = models.Reader{User: 1, Role: models.Administrator, Scope: models.ScopeAll}

func week(day int) models.Date { return models.NewDate(2017, 6, day) }

func (h *house) root(t testing.TB, reader models.Reader, q TreeQuery) *kpi.NodeResult {
	t.Helper()
	q.Tree = "b2b_pipeline"
	r, err := h.Tree(t.Context(), reader, q)
	if err != nil {
		t.Fatal(err)
	}
	return &r.Nodes[0]
}

// From the first changes to stored weeks, a late change that touches two of them, and a tree that tells each.
func TestStoredWeeksFollowTheLog(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.log(t, "1, '2017-06-20 10:00:00', 'won', 'West', 7, 100", "2, '2017-06-27 10:00:00', 'won', 'East', 8, 300", "3, '2017-05-02 00:00:00', 'lost', 'East', 8, 50")
	h.serve(t)
	h.upToDate(t)
	runs, err := h.Runs(t.Context(), models.RunFilter{})
	if err != nil || len(runs) != 1 {
		t.Fatalf("runs: %+v, %v", runs, err)
	}
	first := runs[0]
	if first.Cause != models.CauseSchedule || first.Status != models.RunDone || fmt.Sprint(first.Weeks) != "[2017-05-01 2017-06-19 2017-06-26]" ||
		first.Done != 3 || first.Changed != 3 || first.Position != 3 || len(first.OutputHash) != 64 || first.RowsRead != 9 {
		t.Errorf("the first run: %+v", first)
	}
	root := h.root(t, everybody, TreeQuery{Week: week(26)})
	if *root.Now != 300 || *root.Before != 100 || *root.Contribution != 200 || root.AsOf.Position != 3 || !root.Complete {
		t.Errorf("the week of 26 June: %+v", root)
	}
	points, err := h.Weeks(t.Context(), everybody, "b2b_pipeline")
	if err != nil || len(points) != 10 || points[0].WeekOf != models.NewDate(2017, 5, 1) || *points[0].Value != 0 || *points[8].Value != 300 || points[9].WeekOf != models.NewDate(2017, 7, 3) {
		t.Errorf("weeks: %+v, %v", points, err)
	}

	h.log(t, "2, '2017-06-21 10:00:00', 'won', 'East', 8, 300") // decided a week earlier, as was learnt now
	h.upToDate(t)
	runs, err = h.Runs(t.Context(), models.RunFilter{})
	if err != nil || len(runs) != 2 {
		t.Fatalf("runs: %+v, %v", runs, err)
	}
	if late := runs[0]; late.Cause != models.CauseLate || fmt.Sprint(late.Weeks) != "[2017-06-19 2017-06-26]" || late.Changed != 2 || late.Position != 4 {
		t.Errorf("the late run: %+v", late)
	}
	if root = h.root(t, everybody, TreeQuery{Week: week(26)}); *root.Now != 0 || *root.Before != 400 || root.AsOf.Position != 4 {
		t.Errorf("after the late change: %+v", root)
	}
	if root = h.root(t, everybody, TreeQuery{Week: week(26), Cutoff: models.Cutoff{Position: 3}}); *root.Now != 300 || *root.Before != 100 || root.AsOf.Position != 3 {
		t.Errorf("as it was told at position 3: %+v", root)
	}

	h.log(t, "4, '2017-06-28 10:00:00', 'open', 'East', 8, 300") // closed_at of an open deal stands for any change that touches a week without changing it
	h.upToDate(t)
	if runs, err = h.Runs(t.Context(), models.RunFilter{Limit: 1}); err != nil || runs[0].Changed != 0 || runs[0].Done != 1 {
		t.Errorf("a touch without a change: %+v, %v", runs, err)
	}
}

// A back-fill computes the same bytes again, changes nothing, and says so.
func TestBackfillGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.serve(t)
	h.log(t, "1, '2017-06-20 10:00:00', 'won', 'West', 7, 100.25", "2, '2017-06-27 10:00:00', 'won', 'East', 8, 300")
	h.upToDate(t)
	var hashes []string
	for range 2 {
		run, err := h.Backfill(t.Context(), everybody, "kpi", week(5), week(26).AddDays(7))
		if err != nil {
			t.Fatal(err)
		}
		done := h.wait(t, run.ID)
		if done.Status != models.RunDone || done.Done != 4 || done.By != 1 || done.Cause != models.CauseBackfill {
			t.Errorf("the back-fill: %+v", done)
		}
		hashes = append(hashes, done.OutputHash, fmt.Sprint(done.Changed))
	}
	if hashes[0] != hashes[2] || hashes[3] != "0" {
		t.Errorf("hashes and changes: %v", hashes)
	}
	for _, wrong := range []struct {
		room     string
		from, to models.Date
	}{{"weather", week(5), week(12)}, {"kpi", week(6), week(12)}, {"kpi", week(12), week(5)}, {"kpi", week(5), week(5).AddDays(7 * 2000)}, {"kpi", week(5).AddDays(364), week(5).AddDays(371)}} {
		if _, err := h.Backfill(t.Context(), everybody, wrong.room, wrong.from, wrong.to); models.CodeOf(err) != models.Invalid {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

// scripted is a room that a test plays.
type scripted struct {
	Room
	run func(ctx context.Context, task models.RunTask, emit func(models.RunResult) error) (uint64, error)
}

func (s scripted) Run(ctx context.Context, task models.RunTask, emit func(models.RunResult) error) (uint64, error) {
	return s.run(ctx, task, emit)
}

func (h *house) play(run func(ctx context.Context, task models.RunTask, emit func(models.RunResult) error) (uint64, error)) {
	h.rooms[0] = scripted{h.rooms[0], run}
}

// A run that a killed process left goes on with the weeks that it had not stored.
func TestKilledRunGoesOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	version, err := h.rooms[0].Version(h.config.Reporting())
	if err != nil {
		t.Fatal(err)
	}
	run := models.Run{Room: "kpi", Definition: version, Cause: models.CauseBackfill, Status: models.RunWaiting, CreatedAt: now, Weeks: []models.Date{week(5), week(12), week(19)}}
	if err := h.store.Add(ctx, &run); err != nil {
		t.Fatal(err)
	}
	left, err := h.store.Claim(ctx, "killed", now, now.Add(time.Hour))
	if err != nil || left == nil {
		t.Fatal(left, err)
	}
	left.Done = 1
	mine, err := h.store.Save(ctx, "killed", left, now.Add(time.Hour), []models.RunResult{{Room: "kpi", Subject: "b2b_pipeline/region", Definition: version, Week: week(5), Hash: "h", Body: []byte("[]"), Empty: true}}, nil)
	if err != nil || !mine {
		t.Fatal(mine, err)
	}
	var asked []models.Date
	whole := h.rooms[0]
	h.play(func(ctx context.Context, task models.RunTask, emit func(models.RunResult) error) (uint64, error) {
		asked = slices.Clone(task.Weeks)
		return whole.Run(ctx, task, emit)
	})
	h.serve(t)
	done := h.wait(t, run.ID)
	if done.Status != models.RunDone || done.Done != 3 || fmt.Sprint(asked) != "[2017-06-12 2017-06-19]" {
		t.Errorf("asked for %v, the run is %+v", asked, done)
	}
	if mine, err := h.store.Save(ctx, "killed", left, now, nil, nil); mine || err != nil {
		t.Errorf("the dead worker wrote: %t, %v", mine, err)
	}
}

// A run that is cancelled while it works stops, keeps what it has stored, and cannot be cancelled twice.
func TestCancel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	started := make(chan struct{})
	h.play(func(ctx context.Context, _ models.RunTask, _ func(models.RunResult) error) (uint64, error) {
		close(started)
		<-ctx.Done()
		return 0, ctx.Err()
	})
	h.serve(t)
	run, err := h.Backfill(t.Context(), everybody, "kpi", week(5), week(12))
	if err != nil {
		t.Fatal(err)
	}
	<-started
	cancelled, err := h.Cancel(t.Context(), everybody, run.ID)
	if err != nil || cancelled.Status != models.RunCancelled {
		t.Fatal(cancelled, err)
	}
	if _, err := h.Cancel(t.Context(), everybody, run.ID); models.CodeOf(err) != models.Conflict {
		t.Errorf("cancelled twice: %v", err)
	}
	if _, err := h.Cancel(t.Context(), everybody, 999); models.CodeOf(err) != models.NotFound {
		t.Errorf("cancelled nothing: %v", err)
	}
}

// A run that fails says why; one that finds ClickHouse away is tried again until it is back.
func TestFailures(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	tries := 0
	h.play(func(context.Context, models.RunTask, func(models.RunResult) error) (uint64, error) {
		tries++
		if tries == 1 {
			return 0, models.Errorf(models.Unavailable, "ClickHouse does not answer")
		}
		return 0, fmt.Errorf("the moon is in the way")
	})
	h.serve(t)
	run, err := h.Backfill(t.Context(), everybody, "kpi", week(5), week(12))
	if err != nil {
		t.Fatal(err)
	}
	if failed := h.wait(t, run.ID); failed.Status != models.RunFailed || failed.Error != "the moon is in the way" {
		t.Errorf("got %+v", failed)
	}
}

// A reader with some rows gets numbers of those, never the stored ones, and none while the warehouse lags behind a change of rights.
func TestScopedReadersGetTheirOwnNumbers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.serve(t)
	h.log(t, "1, '2017-06-27 10:00:00', 'won', 'West', 7, 100", "2, '2017-06-27 10:00:00', 'won', 'East', 8, 300")
	h.upToDate(t)
	seller := models.Reader{User: 7, Role: models.Editor, Scope: models.ScopeOwner}
	if root := h.root(t, seller, TreeQuery{Week: week(26)}); *root.Now != 100 {
		t.Errorf("the seller is told %v", *root.Now)
	}
	if root := h.root(t, everybody, TreeQuery{Week: week(26)}); *root.Now != 400 {
		t.Errorf("everybody is told %v", *root.Now)
	}
	points, err := h.Weeks(t.Context(), seller, "b2b_pipeline")
	if err != nil || len(points) != 2 || *points[0].Value != 100 {
		t.Errorf("the seller's weeks: %+v, %v", points, err)
	}
	if root := h.root(t, models.Reader{}, TreeQuery{Week: week(26)}); *root.Now != 0 {
		t.Errorf("nobody is told %v", *root.Now)
	}
	h.config.Store = rightsAhead{h.store}
	if _, err := h.Tree(t.Context(), seller, TreeQuery{Tree: "b2b_pipeline", Week: week(26)}); models.CodeOf(err) != models.Unavailable {
		t.Errorf("told before a change of rights: %v", err)
	}
	for _, q := range []TreeQuery{{Tree: "b2b_pipeline", Week: week(27)}, {Tree: "b2b_pipeline", Week: week(26), Split: "weather"}, {Tree: "b2b_pipeline", Week: week(26), Compare: "luck"},
		{Tree: "b2b_pipeline", Week: week(26).AddDays(14)}} {
		if _, err := h.Tree(t.Context(), everybody, q); models.CodeOf(err) != models.Invalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := h.Tree(t.Context(), everybody, TreeQuery{Tree: "oak"}); models.CodeOf(err) != models.NotFound {
		t.Errorf("an unknown tree: %v", err)
	}
}

// rightsAhead is a store whose last change of rights is still on its way to the warehouse.
type rightsAhead struct{ Store }

func (rightsAhead) LastChange(context.Context, ...string) (uint64, error) { return 1_000, nil }
