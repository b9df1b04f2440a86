package job_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
	"canopy/models/predicate"
)

// works is a store with accounts and deals whose bulk edits run.
type works struct {
	testing.TB
	db       *store.DB
	engine   *crm.Engine
	jobs     *job.Service
	bulk     *job.Bulk
	accounts []uint64
	deals    []uint64
	stages   []uint64 // two open, one won
}

// slow lets a test see each save of progress.
type slow struct {
	job.Store
	saves atomic.Int64
	at    int64  // at which save
	then  func() // this is done
}

func (s *slow) Save(ctx context.Context, j *models.Job) (bool, error) {
	if s.saves.Add(1) == s.at {
		s.then()
	}
	return s.Store.Save(ctx, j)
}

func newWorks(t *testing.T, c store.Config, nAccounts, nDeals int) *works {
	t.Helper()
	w := &works{TB: t, db: storetest.Open(t, c)}
	w.engine = storetest.Engine(t, w.db, nil)
	for i := range nAccounts {
		w.accounts = append(w.accounts, w.do(models.Command{Op: models.Create, Object: "account", Cause: "demo"}, "name", fmt.Sprintf("Account %d", i), "sector", []string{"rail", "air", ""}[i%3]))
	}
	pipeline := w.do(models.Command{Op: models.Create, Object: "pipeline"}, "name", "B2B")
	for i, status := range []string{"open", "open", "won"} {
		w.stages = append(w.stages, w.do(models.Command{Op: models.Create, Object: "stage"}, "key", fmt.Sprint("B2B/", i), "name", fmt.Sprint("S", i), "pipeline", pipeline, "rank", int64(i+1), "status", status))
	}
	for i := range nDeals {
		w.deals = append(w.deals, w.do(models.Command{Op: models.Create, Object: "deal"}, "name", fmt.Sprint("Deal ", i), "pipeline", pipeline, "stage", w.stages[i%2], "amount", models.Money{Minor: 1000, Currency: "USD"}))
	}
	w.jobs = w.service(w.db.Jobs())
	return w
}

// service makes a service over the store and lets it run, as a process that starts does.
func (w *works) service(s job.Store) *job.Service {
	w.Helper()
	jobs := job.New(job.Config{Store: s})
	w.bulk = &job.Bulk{Engine: w.engine, Store: s, Undo: &job.Undoing{Traces: w.db.Traces(), Commands: w.engine}, Service: jobs}
	jobs.AddLane(job.Lane{Kind: models.BulkJob, Worker: w.bulk, Lease: w.db.NewLease("bulk", fmt.Sprintf("%p", jobs), time.Second)})
	if err := jobs.Recover(context.Background()); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(jobs.Close)
	return jobs
}

func (w *works) do(c models.Command, pairs ...any) uint64 {
	w.Helper()
	o := w.engine.Registry().Object(c.Object)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			pairs[i+1] = nil
		}
		c.Sets = append(c.Sets, models.Set{Field: o.Field(pairs[i].(string)), Value: pairs[i+1]})
	}
	outcome, err := w.engine.Do(context.Background(), models.System(), c)
	if err != nil {
		w.Fatal(err)
	}
	return outcome.Record.Number
}

// start asks for a bulk edit in the system's name.
func (w *works) start(e job.Edit) models.Job {
	w.Helper()
	j, err := w.bulk.Start(context.Background(), models.System(), e)
	if err != nil {
		w.Fatal(err)
	}
	return j
}

func (w *works) wait(number int64) models.Job {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	j, err := w.jobs.Wait(ctx, number)
	if err != nil || j.State == models.JobFailed {
		w.Fatalf("%+v: %v", j, err)
	}
	return j
}

func (w *works) undo(number int64) models.Job {
	w.Helper()
	if _, err := w.jobs.Do(context.Background(), models.System(), number, models.UndoJob); err != nil {
		w.Fatal(err)
	}
	return w.wait(number)
}

// states are records as text, without what writing them necessarily moves.
func (w *works) states(object string, numbers []uint64) map[uint64]string {
	w.Helper()
	found, err := w.db.Load(context.Background(), object, numbers, false)
	if err != nil {
		w.Fatal(err)
	}
	states := map[uint64]string{}
	for n, r := range found {
		states[n] = fmt.Sprintf("deleted %t %s", r.Deleted, r.Object.AppendImage(nil, r.Values))
	}
	return states
}

func fields(pairs ...string) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return m
}

func (w *works) refused(number int64) string {
	w.Helper()
	var b strings.Builder
	if err := w.jobs.Refused(context.Background(), models.System(), number, &b); err != nil {
		w.Fatal(err)
	}
	return b.String()
}

func ids(object string, numbers []uint64) []string {
	var list []string
	for _, n := range numbers {
		list = append(list, fmt.Sprintf("%s_%d", object, n))
	}
	return list
}

// Law: the undo of any bulk edit puts every record back as it was, deleted or not, unless somebody else has changed it since: that one is
// left as it is and reported.
func TestUndoRestoresEveryRecord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorks(t, c, 60, 30)
		random := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // a seeded test
		for round := range 12 {
			object, numbers := "account", w.accounts
			edits := []job.Edit{
				{Op: models.Update, Fields: fields("sector", `"bulk `+fmt.Sprint(round)+`"`)},
				{Op: models.Update, Fields: fields("sector", `null`, "employee_count", fmt.Sprint(round), "tags", `["customer"]`)},
				{Op: models.Update, Fields: fields("name", `"The same for all"`)}, // unique: one at most, the others are refused
				{Op: models.Delete}, {Op: models.Restore},
			}
			if round%3 == 2 {
				object, numbers = "deal", w.deals
				edits = []job.Edit{
					{Op: models.Update, Fields: fields("stage", fmt.Sprintf(`"stage_%d"`, w.stages[random.IntN(3)]))},
					{Op: models.Update, Fields: fields("amount", `{"amount":"12.50","currency":"EUR"}`, "name", `"Renamed"`)}, {Op: models.Delete},
				}
			}
			e := edits[random.IntN(len(edits))]
			e.Object = object
			var some []uint64
			for _, n := range numbers {
				if random.IntN(3) > 0 {
					some = append(some, n)
				}
			}
			e.IDs = ids(object, some)
			before := w.states(object, numbers)
			j := w.wait(w.start(e).Number)
			if j.State != models.JobDone || j.Done != int64(len(some)) || j.Changed+j.Unchanged+j.Refused != j.Done {
				t.Fatalf("round %d %+v: %+v", round, e, j)
			}
			changed := w.states(object, numbers)
			touched := map[uint64]bool{}
			for range random.IntN(5) { // somebody else works on
				n := some[random.IntN(len(some))]
				if changed[n] == before[n] || touched[n] || strings.HasPrefix(changed[n], "deleted true") {
					continue
				}
				touched[n] = true
				w.do(models.Command{Op: models.Update, Object: object, Number: n, Cause: "screen"}, "name", fmt.Sprintf("By hand %d %d", round, n))
			}
			now := w.states(object, numbers)
			u := w.undo(j.Number)
			if u.State != models.JobUndone || u.Kept != int64(len(touched)) || u.Undone != j.Changed-u.Kept {
				t.Errorf("round %d %s %s: %d undone and %d kept of %d changed, %d touched by others\n%s", round, e.Op, object, u.Undone, u.Kept, j.Changed, len(touched), w.refused(j.Number))
			}
			list := w.refused(j.Number)
			after := w.states(object, numbers)
			for _, n := range numbers {
				want := before[n]
				if touched[n] {
					want = now[n]
					if !strings.Contains(list, fmt.Sprintf("%s_%d,kept by the undo", object, n)) {
						t.Errorf("round %d: %s_%d is kept and not reported in\n%s", round, object, n, list)
					}
				}
				if after[n] != want {
					t.Errorf("round %d %s: %s_%d is\n%s\nwant\n%s", round, e.Op, object, n, after[n], want)
				}
			}
		}
	})
}

// Records that leave the filter by the edit itself are neither missed nor met twice, and a job that is cancelled or killed at any chunk and
// goes on has done the same as one that ran through.
func TestCancelledAndKilledEditsGoOnAsOneRun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorks(t, c, 150, 0)
		rail := predicate.Compare(w.engine.Registry().Object("account").Field("sector"), predicate.Eq, "rail")
		w.jobs.Close()
		var killed *job.Service
		first := &slow{Store: w.db.Jobs(), at: 3}
		first.then = func() { go killed.Close() }
		killed = w.service(first)
		w.jobs = killed
		j := w.start(job.Edit{Object: "account", Op: models.Update, Filter: rail, Fields: fields("sector", `"sea"`)})
		killed.Close()
		if now, err := w.db.Jobs().Get(t.Context(), j.Number); err != nil || !now.State.Active() && now.State != models.JobDone {
			t.Fatalf("after the kill: %+v, %v", now, err)
		}
		second := &slow{Store: w.db.Jobs(), at: 2}
		second.then = func() {
			go func() {
				if _, err := w.jobs.Do(context.Background(), models.System(), j.Number, models.CancelJob); err != nil && models.CodeOf(err) != models.Conflict {
					t.Error(err)
				}
			}()
		}
		w.jobs = w.service(second)
		if w.wait(j.Number).State == models.JobCancelled {
			if _, err := w.jobs.Do(t.Context(), models.System(), j.Number, models.ResumeJob); err != nil {
				t.Fatal(err)
			}
		}
		done := w.wait(j.Number)
		if done.State != models.JobDone || done.Done != 50 || done.Changed != 50 || done.Refused != 0 {
			t.Errorf("%+v", done)
		}
		changes, _, err := w.db.ChangesOfCause(t.Context(), done.Cause(), 0, 1000)
		if err != nil || len(changes) != 50 {
			t.Errorf("%d changes, %v", len(changes), err)
		}
		seen := map[uint64]bool{}
		for _, change := range changes {
			if seen[change.Number] {
				t.Errorf("account_%d was written twice", change.Number)
			}
			seen[change.Number] = true
		}
		if u := w.undo(j.Number); u.Undone != 50 || u.Kept != 0 {
			t.Errorf("undo: %+v", u)
		}
	})
}

func TestADryRunWritesNothingAndSaysWhatWouldBeRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorks(t, c, 40, 0)
		before := w.states("account", w.accounts)
		j := w.wait(w.start(job.Edit{Object: "account", Op: models.Update, IDs: ids("account", w.accounts), Fields: fields("employee_count", "-1"), DryRun: true}).Number)
		if j.State != models.JobDone || j.Refused != 40 || j.Changed != 0 || j.RefusedURL == "" || slices.Contains(j.Actions, models.UndoJob) {
			t.Errorf("%+v", j)
		}
		if list := w.refused(j.Number); strings.Count(list, "A head count is not negative") != 40 {
			t.Errorf("%s", list)
		}
		j = w.wait(w.start(job.Edit{Object: "account", Op: models.Delete, IDs: ids("account", w.accounts), DryRun: true}).Number)
		if j.Changed != 40 {
			t.Errorf("%+v", j)
		}
		if after := w.states("account", w.accounts); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%v", after)
		}
	})
}

// Rights are those of each chunk: records that its author may not see any more are refused, and do not show that they are there.
func TestRightsAreTodays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorks(t, c, 20, 0)
		w.jobs.Close()
		role := models.Editor
		scope := models.ScopeOwner
		jobs := job.New(job.Config{Store: w.db.Jobs(), ReaderOf: func(_ context.Context, user uint64) (models.Reader, error) {
			return models.Reader{User: user, Name: "Kim", Role: role, Scope: scope}, nil
		}})
		bulk := &job.Bulk{Engine: w.engine, Store: w.db.Jobs(), Undo: &job.Undoing{Traces: w.db.Traces(), Commands: w.engine}, Service: jobs}
		kim := models.Reader{User: 77, Name: "Kim", Role: models.Editor, Scope: models.ScopeAll}
		ask := func() models.Job {
			j, err := bulk.Start(t.Context(), kim, job.Edit{Object: "account", Op: models.Update, IDs: ids("account", w.accounts), Fields: fields("sector", `"sea"`)})
			if err != nil {
				t.Fatal(err)
			}
			return j
		}
		hidden := ask()
		jobs.AddLane(job.Lane{Kind: models.BulkJob, Worker: bulk, Lease: w.db.NewLease("bulk", "kim", time.Second)})
		if err := jobs.Recover(context.Background()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(jobs.Close)
		w.jobs = jobs
		if j := w.wait(hidden.Number); j.Changed != 0 || j.Refused != 20 {
			t.Errorf("rows of others: %+v", j)
		}
		if list := w.refused(hidden.Number); strings.Contains(list, "Account 1") || !strings.Contains(list, "there is no account") {
			t.Errorf("%s", list)
		}
		if _, err := jobs.Get(t.Context(), models.Reader{User: 5, Role: models.Editor, Scope: models.ScopeAll}, hidden.Number); models.CodeOf(err) != models.NotFound {
			t.Errorf("another's job: %v", err)
		}
	})
}
