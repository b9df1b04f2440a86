package crm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
	"canopy/models/predicate"
)

// world is an engine over a fresh store with one pipeline of three stages.
type world struct {
	*testing.T
	engine            *crm.Engine
	db                *store.DB
	clock             *storetest.Clock
	open, won, lost   uint64
	pipeline, account uint64
	sequencer         *store.Sequencer
}

var ctx = context.Background()

func day(n int) time.Time { return time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC) }

func newWorld(t *testing.T, c store.Config) *world {
	db := storetest.Open(t, c)
	clock := &storetest.Clock{At: day(20)}
	w := &world{T: t, db: db, clock: clock, engine: storetest.Engine(t, db, clock), sequencer: db.NewSequencer(store.SequencerOptions{})}
	w.pipeline = w.make("pipeline", `{"name":"B2B"}`)
	stage := func(rank int, name, status string) uint64 {
		return w.make("stage", fmt.Sprintf(`{"key":"B2B/%s","name":%q,"pipeline":"pipeline_%d","rank":%d,"status":%q}`, name, name, w.pipeline, rank, status))
	}
	w.open, w.won, w.lost = stage(1, "Open", "open"), stage(2, "Won", "won"), stage(3, "Lost", "lost")
	w.account = w.make("account", `{"name":"Acme"}`)
	return w
}

func (w *world) sets(object, fields string) []models.Set {
	w.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(fields), &raw); err != nil {
		w.Fatal(err)
	}
	sets, err := w.engine.Patch(w.engine.Registry().Object(object), raw)
	if err != nil {
		w.Fatal(err)
	}
	return sets
}

func (w *world) do(c models.Command) *models.Record {
	w.Helper()
	outcome, err := w.engine.Do(ctx, models.System(), c)
	if err != nil {
		w.Fatal(err)
	}
	return outcome.Record
}

func (w *world) make(object, fields string) uint64 {
	w.Helper()
	return w.do(models.Command{Op: models.Create, Object: object, Sets: w.sets(object, fields)}).Number
}

func (w *world) refuse(code models.Code, field string, c models.Command) {
	w.Helper()
	_, err := w.engine.Do(ctx, models.System(), c)
	var said *models.Error
	if !errors.As(err, &said) || said.Code != code || said.Field != field {
		w.Errorf("want %s of %q, got %v", code, field, err)
	}
}

func (w *world) deal(fields string, at time.Time) *models.Record {
	w.Helper()
	return w.do(models.Command{Op: models.Create, Object: "deal", HappenedAt: at, Sets: w.sets("deal", fields)})
}

func (w *world) update(number uint64, fields string, at time.Time) *models.Record {
	w.Helper()
	return w.do(models.Command{Op: models.Update, Object: "deal", Number: number, HappenedAt: at, Sets: w.sets("deal", fields)})
}

func (w *world) asOf(number uint64, before time.Time, position uint64) *models.Record {
	w.Helper()
	r, err := w.engine.Get(ctx, models.System(), "deal", number, models.Cutoff{HappenedBefore: before, Position: position})
	if models.CodeOf(err) == models.NotFound {
		return nil
	}
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func stage(n uint64) string { return fmt.Sprintf(`{"stage":"stage_%d"}`, n) }

func TestDealLife(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		deal := w.deal(`{"name":"Rollout","amount":{"amount":"100.00","currency":"USD"}}`, day(1))
		if deal.Get("stage") != w.open || deal.Get("status") != "open" || deal.Get("opened_at") != day(1) || deal.Get("closed_at") != nil {
			t.Errorf("a new deal enters the first open stage: %v", deal.Values)
		}
		w.refuse(models.Invalid, "lost_reason", models.Command{Op: models.Update, Object: "deal", Number: deal.Number, Sets: w.sets("deal", stage(w.lost))})
		deal = w.update(deal.Number, fmt.Sprintf(`{"stage":"stage_%d","lost_reason":"price"}`, w.lost), day(3))
		if deal.Get("status") != "lost" || deal.Get("closed_at") != day(3) || deal.Version != 2 {
			t.Errorf("lost on day 3: %v", deal.Values)
		}
		deal = w.update(deal.Number, stage(w.open), day(5)) // re-opened
		if deal.Get("closed_at") != nil || deal.Get("lost_reason") != nil || deal.Get("stage_entered_at") != day(5) {
			t.Errorf("re-opening empties what closing filled: %v", deal.Values)
		}
		deal = w.update(deal.Number, stage(w.won), day(7))
		if deal.Get("closed_at") != day(7) || deal.Get("status") != "won" {
			t.Errorf("won on day 7: %v", deal.Values)
		}
		if again := w.update(deal.Number, stage(w.won), day(8)); again.Version != deal.Version {
			t.Error("a change that changes nothing is written")
		}
	})
}

func TestBackdatedChangesRestateLaterImages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		deal := w.deal(`{"name":"A","amount":{"amount":"100.00","currency":"USD"}}`, day(1))
		w.update(deal.Number, `{"name":"B"}`, day(5))
		w.update(deal.Number, stage(w.won), day(9))
		told := w.head()
		w.update(deal.Number, `{"amount":{"amount":"80.00","currency":"USD"},"name":"C"}`, day(3))
		cases := []struct {
			before time.Time
			name   string
			minor  int64
		}{{day(2), "A", 10000}, {day(4), "C", 8000}, {day(6), "B", 8000}, {day(10), "B", 8000}}
		for _, x := range cases {
			r := w.asOf(deal.Number, x.before, 0)
			if r == nil || r.Get("name") != x.name || r.Get("amount") != (models.Money{Minor: x.minor, Currency: "USD"}) {
				t.Errorf("before %v: %v", x.before, r)
			}
		}
		if r := w.asOf(deal.Number, day(6), told); r.Get("amount") != (models.Money{Minor: 10000, Currency: "USD"}) {
			t.Error("as known before the correction, the amount was 100")
		}
		if w.asOf(deal.Number, day(1), 0) != nil {
			t.Error("the deal did not exist before day 1")
		}
		now := w.asOf(deal.Number, time.Time{}, 0)
		if now.Get("name") != "B" || now.Get("status") != "won" || now.Get("closed_at") != day(9) {
			t.Errorf("the present keeps what came later: %v", now.Values)
		}
		// The date of winning is corrected: derived instants follow.
		w.update(deal.Number, stage(w.won), day(7))
		if r := w.asOf(deal.Number, time.Time{}, 0); r.Get("closed_at") != day(7) {
			t.Errorf("closed_at follows the earlier winning: %v", r.Get("closed_at"))
		}
		w.present(deal.Number)
		w.refuse(models.Invalid, "happened_at", models.Command{Op: models.Update, Object: "deal", Number: deal.Number, HappenedAt: day(1).Add(-time.Hour), Sets: w.sets("deal", `{"name":"X"}`)})
		w.refuse(models.Invalid, "happened_at", models.Command{Op: models.Update, Object: "deal", Number: deal.Number, HappenedAt: day(25), Sets: w.sets("deal", `{"name":"X"}`)})
	})
}

// present checks the law of the log: the greatest position is the record's present.
func (w *world) present(number uint64) {
	w.Helper()
	history, err := w.db.History(ctx, "deal", number)
	if err != nil {
		w.Fatal(err)
	}
	r := w.asOf(number, time.Time{}, 0)
	last := history[len(history)-1]
	for i, f := range r.Object.Fields {
		if !models.ValuesEqual(r.Values[i], last.Image[i]) {
			w.Errorf("%s: row has %v, the last image %v", f.Name, r.Values[i], last.Image[i])
		}
	}
	if last.Deleted != r.Deleted || last.Version != r.Version {
		w.Errorf("row and last image differ: deleted %v %v, version %d %d", r.Deleted, last.Deleted, r.Version, last.Version)
	}
}

// head gives the last position; on PostgreSQL it plays the sequencer, for the tests of this file write one after another.
func (w *world) head() uint64 {
	w.Helper()
	if w.db.IsPostgres() {
		if _, err := w.sequencer.Step(ctx); err != nil {
			w.Fatal(err)
		}
	}
	head, err := w.db.Head(ctx)
	if err != nil {
		w.Fatal(err)
	}
	return head
}

func TestDeleteRestoreAndUniqueKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		w.refuse(models.Conflict, "name", models.Command{Op: models.Create, Object: "account", Sets: w.sets("account", `{"name":"Acme"}`)})
		w.do(models.Command{Op: models.Delete, Object: "account", Number: w.account})
		second := w.make("account", `{"name":"Acme"}`)
		w.refuse(models.Conflict, "name", models.Command{Op: models.Restore, Object: "account", Number: w.account})
		w.do(models.Command{Op: models.Delete, Object: "account", Number: second})
		if r := w.do(models.Command{Op: models.Restore, Object: "account", Number: w.account}); r.Deleted || r.Version != 3 {
			t.Errorf("restored: %+v", r)
		}
		w.refuse(models.NotFound, "", models.Command{Op: models.Update, Object: "account", Number: second, Sets: w.sets("account", `{"sector":"x"}`)})
		results, err := w.engine.Batch(ctx, models.System(), []models.Command{
			{Op: models.Create, Object: "account", Sets: w.sets("account", `{"name":"One"}`), Row: 1},
			{Op: models.Create, Object: "account", Sets: w.sets("account", `{"name":"One"}`), Row: 2},
			{Op: models.Create, Object: "account", Sets: w.sets("account", `{"name":"Two","founded_in":12}`), Row: 3},
			{Op: models.Create, Object: "account", Sets: w.sets("account", `{"name":"Three"}`), Row: 4},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, code := range []models.Code{"", models.Conflict, models.Invalid, ""} {
			got := models.Code("")
			if results[i].Err != nil {
				got = results[i].Err.Code
			}
			if got != code {
				t.Errorf("row %d: want %q, got %q", i+1, code, got)
			}
		}
		w.refuse(models.Invalid, "account", models.Command{Op: models.Create, Object: "deal", Sets: w.sets("deal", fmt.Sprintf(`{"name":"D","account":"account_%d"}`, second))})
	})
}

func TestBackdatedDeletionTakesTheRecordOutOfItsPast(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		deal := w.deal(`{"name":"A"}`, day(1))
		w.update(deal.Number, stage(w.won), day(5))
		w.do(models.Command{Op: models.Delete, Object: "deal", Number: deal.Number, HappenedAt: day(1)})
		for _, before := range []time.Time{day(2), day(6), {}} {
			if r := w.asOf(deal.Number, before, 0); r == nil || !r.Deleted {
				t.Errorf("before %v it still stands: %+v", before, r)
			}
		}
		w.present(deal.Number)
	})
}

func TestVersionsAndIdempotency(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		w.do(models.Command{Op: models.Update, Object: "account", Number: w.account, Version: 1, Sets: w.sets("account", `{"sector":"retail"}`)})
		w.refuse(models.Precondition, "version", models.Command{Op: models.Update, Object: "account", Number: w.account, Version: 1, Sets: w.sets("account", `{"sector":"media"}`)})
		create := models.Command{Op: models.Create, Object: "account", IdempotencyKey: "k1", Sets: w.sets("account", `{"name":"Once"}`)}
		first, err := w.engine.Do(ctx, models.System(), create)
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.engine.Do(ctx, models.System(), create)
		if err != nil || !again.Repeated || again.Record.Number != first.Record.Number || again.Change != first.Change {
			t.Errorf("a repeated key: %+v %v", again, err)
		}
		create.Sets = w.sets("account", `{"name":"Other"}`)
		w.refuse(models.Conflict, "idempotency_key", create)
	})
}

func TestConcurrentWritersNeverBothWin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		const writers, rounds = 20, 5
		for round := range rounds {
			version := int64(round + 1)
			var mu sync.Mutex
			var wins int
			var group sync.WaitGroup
			for i := range writers {
				group.Go(func() {
					_, err := w.engine.Do(ctx, models.System(), models.Command{
						Op: models.Update, Object: "account", Number: w.account, Version: version,
						Sets: []models.Set{{Field: w.engine.Registry().Object("account").Field("employee_count"), Value: int64(round*100 + i + 1)}},
					})
					mu.Lock()
					defer mu.Unlock()
					switch models.CodeOf(err) {
					case "":
						wins++
					case models.Precondition:
					default:
						t.Error(err)
					}
				})
			}
			group.Wait()
			if wins != 1 {
				t.Errorf("round %d: %d of %d writers won", round, wins, writers)
			}
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		created := 0
		for range writers {
			group.Go(func() {
				_, err := w.engine.Do(ctx, models.System(), models.Command{Op: models.Create, Object: "product",
					Sets: []models.Set{{Field: w.engine.Registry().Object("product").Field("name"), Value: "Same"}}})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					created++
				} else if models.CodeOf(err) != models.Conflict {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if created != 1 {
			t.Errorf("%d records hold one unique value", created)
		}
	})
}

func TestLinesRollUpIntoTheirDeal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		deal := w.deal(`{"name":"A"}`, day(1))
		line := func(quantity, list, net string) uint64 {
			return w.make("deal_line", fmt.Sprintf(`{"name":"L","deal":"deal_%d","quantity":%s,"list_price":{"amount":%q,"currency":"USD"},"net_price":{"amount":%q,"currency":"USD"}}`, deal.Number, quantity, list, net))
		}
		line("2", "10.00", "9.00")
		second := line("1.5", "3.33", "3.00")
		r := w.asOf(deal.Number, time.Time{}, 0)
		if r.Get("list_value") != (models.Money{Minor: 2500, Currency: "USD"}) || r.Get("amount") != (models.Money{Minor: 2250, Currency: "USD"}) {
			t.Errorf("2 × 10 + 1.5 × 3.33 = 24.995 → 25.00; 18 + 4.5: %v %v", r.Get("list_value"), r.Get("amount"))
		}
		w.do(models.Command{Op: models.Delete, Object: "deal_line", Number: second})
		if r := w.asOf(deal.Number, time.Time{}, 0); r.Get("list_value") != (models.Money{Minor: 2000, Currency: "USD"}) {
			t.Errorf("a deleted line counts: %v", r.Get("list_value"))
		}
	})
}

func TestRowScope(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		north := w.make("team", `{"name":"North","territory":"North"}`)
		south := w.make("team", `{"name":"South","territory":"South"}`)
		ann := w.make("user", fmt.Sprintf(`{"name":"Ann","team":"team_%d","territory":"North"}`, north))
		bob := w.make("user", fmt.Sprintf(`{"name":"Bob","team":"team_%d","territory":"South"}`, south))
		mine := w.deal(fmt.Sprintf(`{"name":"Mine","external_id":"m","owner":"user_%d"}`, ann), day(1))
		theirs := w.deal(fmt.Sprintf(`{"name":"Theirs","external_id":"t","owner":"user_%d"}`, bob), day(1))
		if mine.Get("team") != north || mine.Get("territory") != "North" {
			t.Errorf("team and territory follow the owner: %v", mine.Values)
		}
		readers := []models.Reader{
			{User: ann, Role: models.Editor, Scope: models.ScopeOwner},
			{User: ann, Role: models.Editor, Scope: models.ScopeTeam, Teams: []uint64{north}},
			{User: ann, Role: models.Editor, Scope: models.ScopeTerritory, Territories: []string{"North"}},
		}
		for _, reader := range readers {
			page, err := w.engine.List(ctx, reader, crm.Query{Object: "deal"})
			if err != nil || page.Count != 1 || page.Records[0].Number != mine.Number {
				t.Errorf("%s sees %d deals, %v", reader.Scope, page.Count, err)
			}
			if _, err := w.engine.Get(ctx, reader, "deal", theirs.Number, models.Cutoff{}); models.CodeOf(err) != models.NotFound {
				t.Errorf("%s reads a foreign deal: %v", reader.Scope, err)
			}
			_, err = w.engine.Do(ctx, reader, models.Command{Op: models.Update, Object: "deal", Number: theirs.Number, Sets: w.sets("deal", `{"name":"X"}`)})
			if models.CodeOf(err) != models.NotFound {
				t.Errorf("%s writes a foreign deal: %v", reader.Scope, err)
			}
			_, err = w.engine.Do(ctx, reader, models.Command{Op: models.Update, Object: "deal", Number: mine.Number, Sets: w.sets("deal", `{"external_id":"t"}`)})
			var said *models.Error
			if !errors.As(err, &said) || said.Code != models.Conflict || said.Message != "another deal has this value already" {
				t.Errorf("a unique error names a hidden record: %v", err)
			}
			changes, _, err := w.engine.Changes(ctx, reader, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			for i := range changes {
				if changes[i].Object.Name == "deal" && changes[i].Number == theirs.Number {
					t.Error("the feed shows a foreign change")
				}
			}
		}
		nobody := models.Reader{}
		if page, err := w.engine.List(ctx, nobody, crm.Query{Object: "deal"}); err != nil || page.Count != 0 {
			t.Errorf("the zero reader sees %d, %v", page.Count, err)
		}
		where := predicate.Compare(w.engine.Registry().Object("deal").Field("name"), predicate.Eq, "Theirs")
		if page, _ := w.engine.List(ctx, readers[0], crm.Query{Object: "deal", Where: where}); page.Count != 0 {
			t.Error("a filter reaches past the scope")
		}
	})
}
