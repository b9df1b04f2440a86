package crm_test

import (
	"fmt"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

func (w *world) policy(text string) {
	w.Helper()
	w.do(models.Command{Op: models.Update, Object: "pipeline", Number: w.pipeline, Sets: w.sets("pipeline", fmt.Sprintf(`{"stagnation_policy":%q}`, text))})
}

// ran runs the policies and compares what they did.
func (w *world) ran(what string, want crm.StagnationTally) {
	w.Helper()
	got, err := w.engine.RunStagnation(ctx)
	if err != nil {
		w.Fatal(err)
	}
	got.LookedAt, got.Notes = 0, nil
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.Errorf("%s: did %+v, wanted %+v", what, got, want)
	}
}

func (w *world) state(number uint64, want string) {
	w.Helper()
	r, err := w.engine.Get(ctx, models.System(), "deal", number, models.Cutoff{})
	if err != nil {
		w.Fatal(err)
	}
	if got := r.Get("stagnation"); got != want {
		w.Errorf("%s is %v, wanted %s", r.ID(), got, want)
	}
}

func TestStagnationActsStepByStep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		owner := w.make("user", `{"name":"Ann","email":"ann@example.com","role":"editor","scope":"owner"}`)
		open := func(more string) uint64 {
			return w.deal(fmt.Sprintf(`{"name":"D","stage":"stage_%d","owner":"user_%d"%s}`, w.open, owner, more), day(1)).Number
		}
		quiet, planned, tasked, called := open(""), open(`,"next_step":"Call","next_step_on":"2026-03-25"`), open(""), open("")
		w.make("task", fmt.Sprintf(`{"subject":"Visit","due_on":"2026-03-31","deal":"deal_%d"}`, tasked))
		w.make("activity", fmt.Sprintf(`{"subject":"Call","type":"call","done_at":"2026-03-15T10:00:00Z","deal":"deal_%d"}`, called))
		w.ran("without a policy", crm.StagnationTally{})

		w.policy(`{"nudge_after_days":10,"reengage_after_days":20,"close_after_days":40,"then":"lost"}`)
		preview, next, err := w.engine.Stagnation(ctx, models.System(), 0, 10)
		if err != nil || len(preview) != 1 || next != 0 || preview[0].Deal.Number != quiet || preview[0].Step != crm.StepNudge || preview[0].IdleDays != 19 || preview[0].LimitDays != 10 ||
			preview[0].Why != "nothing has happened for 19 days: it came into its stage on 2026-03-01, and nothing is planned; the limit is 10 days" {
			t.Fatalf("preview %+v %v", preview, err)
		}
		w.state(quiet, "fresh")
		w.ran("day 20", crm.StagnationTally{Nudged: 1})
		w.ran("again on the same day", crm.StagnationTally{})
		w.state(quiet, "nudged")
		tasks, err := w.engine.List(ctx, models.System(), crm.Query{Object: "task", Sort: "-due_on"})
		if err != nil || tasks.Count != 2 || tasks.Records[1].Get("owner") != owner || tasks.Records[1].Get("deal") != quiet || tasks.Records[1].Get("made_by_rule") != "stagnation" {
			t.Errorf("tasks: %v %v", tasks, err)
		}

		// Ten days later the quiet deal goes on the list, the others' plans have passed: they are nudged. The nudge's own task is no sign of life.
		w.clock.At = day(30)
		w.ran("day 30", crm.StagnationTally{Nudged: 2, Reengaged: 1})
		w.state(quiet, "reengage")
		w.state(planned, "nudged")
		w.state(tasked, "fresh")
		w.state(called, "nudged")
		w.ran("again on the same day", crm.StagnationTally{})

		// A touch makes fresh; the one without is closed, if lost lets it in.
		w.clock.At = day(31)
		w.make("activity", fmt.Sprintf(`{"subject":"Call","type":"call","done_at":"2026-03-31T09:00:00Z","deal":"deal_%d"}`, called))
		w.update(planned, `{"next_step_on":"2026-06-30"}`, day(31))
		w.clock.At = day(31).Add(time.Hour)
		w.ran("touched and planned", crm.StagnationTally{Freshened: 2})
		w.state(called, "fresh")
		w.state(planned, "fresh")
		w.do(models.Command{Op: models.Update, Object: "stage", Number: w.lost, Sets: w.sets("stage", `{"required_fields":"[\"budget\"]"}`)})
		w.clock.At = day(50)
		tally, err := w.engine.RunStagnation(ctx)
		if err != nil || tally.Refused != 1 || len(tally.Notes) != 1 || tally.Lost != 0 {
			t.Errorf("what lost asks for holds for the rule, too: %+v %v", tally, err)
		}
		w.state(quiet, "reengage")
		w.do(models.Command{Op: models.Update, Object: "stage", Number: w.lost, Sets: w.sets("stage", `{"required_fields":null}`)})
		w.ran("day 50", crm.StagnationTally{Lost: 1})
		r, err := w.engine.Get(ctx, models.System(), "deal", quiet, models.Cutoff{})
		if err != nil || r.Get("stage") != w.lost || r.Get("lost_reason") != "no_decision" || r.Get("status") != "lost" || r.Get("stagnation") != "closed" {
			t.Errorf("closed: %v %v", r.Values, err)
		}
		runs, err := w.engine.List(ctx, models.System(), crm.Query{Object: "stagnation_run", Sort: "-started_at"})
		if err != nil || runs.Count != 4 || runs.Records[0].Get("day") != day(50).Format(models.DateLayout) || runs.Records[0].Get("lost") != int64(1) || runs.Records[0].Get("refused") != int64(1) {
			t.Errorf("runs: %d %v", runs.Count, err)
		}
		if due, err := w.engine.StagnationDue(ctx); err != nil || due {
			t.Errorf("due again today: %v %v", due, err)
		}
	})
}

func TestStagnationFindsALateDealStepByStepToo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		deal := w.deal(fmt.Sprintf(`{"name":"Old","stage":"stage_%d"}`, w.open), day(-200)).Number
		w.do(models.Command{Op: models.Update, Object: "stage", Number: w.open, Sets: w.sets("stage", `{"age_limit_days":15}`)})
		w.policy(`{"nudge_after_days":10,"reengage_after_days":17,"close_after_days":30,"then":"nurture","nurture_days":60}`)
		w.ran("found", crm.StagnationTally{Nudged: 1})
		w.clock.At = day(26)
		w.ran("six days later", crm.StagnationTally{})
		w.clock.At = day(27)
		w.ran("seven days later", crm.StagnationTally{Reengaged: 1})
		w.clock.At = day(39)
		w.ran("twelve days later", crm.StagnationTally{})
		w.clock.At = day(40)
		w.ran("thirteen days later", crm.StagnationTally{Nurtured: 1})
		page, err := w.engine.List(ctx, models.System(), crm.Query{Object: "task", Sort: "-due_on"})
		if err != nil || page.Count != 2 || page.Records[0].Get("subject") != "Take up again: Old" || page.Records[0].Get("due_on").(models.Date) != models.DateOf(day(40), time.UTC).AddDays(60) {
			t.Errorf("the task to take it up again: %v %v", page, err)
		}
		w.clock.At = day(40).Add(time.Hour)
		w.update(deal, stage(w.open), w.clock.At)
		w.clock.At = day(41)
		w.ran("opened again by hand", crm.StagnationTally{Freshened: 1})
	})
}

func TestStagnationLimitsOfStages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		w.policy(`{"nudge_after_days":10,"reengage_after_days":17,"close_after_days":30,"then":"lost"}`)
		patient := w.make("stage", fmt.Sprintf(`{"key":"B2B/Trial","name":"Trial","pipeline":"pipeline_%d","rank":4,"status":"open","age_limit_days":60}`, w.pipeline))
		w.deal(fmt.Sprintf(`{"name":"In trial","stage":"stage_%d"}`, patient), day(1))
		w.ran("19 days in a stage that takes 60", crm.StagnationTally{})
		hidden := w.make("user", `{"name":"Other","email":"other@example.com"}`)
		for i := range 3 {
			w.deal(fmt.Sprintf(`{"name":"D%d","stage":"stage_%d","owner":"user_%d"}`, i, w.open, hidden), day(1+i))
		}
		reader := models.Reader{User: 999, Role: models.Editor, Scope: models.ScopeOwner}
		if list, _, err := w.engine.Stagnation(ctx, reader, 0, 10); err != nil || len(list) != 0 {
			t.Errorf("deals of others: %v %v", list, err)
		}
		first, next, err := w.engine.Stagnation(ctx, models.System(), 0, 2)
		if err != nil || len(first) != 2 || next != first[1].Deal.Number {
			t.Fatalf("%v %d %v", first, next, err)
		}
		if second, next, err := w.engine.Stagnation(ctx, models.System(), next, 2); err != nil || len(second) != 1 || next != 0 {
			t.Errorf("%v %d %v", second, next, err)
		}
		for i := range 110 { // more than a page
			w.deal(fmt.Sprintf(`{"name":"M%d","stage":"stage_%d"}`, i, w.open), day(2))
		}
		w.ran("many", crm.StagnationTally{Nudged: 113})
		w.ran("many again", crm.StagnationTally{})
	})
}

func TestStageVisits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		g := newGated(t, c)
		deal := g.open(`{"name":"A","stage":"{Qualify}","amount":{"amount":"500","currency":"USD"},"need":"yes","budget":"yes","authority":"yes","expected_close_on":"2026-04-01"}`, day(1))
		g.update(deal.Number, g.fields(`{"stage":"{Negotiate}"}`), day(9))
		g.update(deal.Number, g.fields(`{"stage":"{Propose}"}`), day(4)) // told later, happened earlier
		g.update(deal.Number, g.fields(`{"stage":"{Won}"}`), day(12))
		visits, err := g.engine.StageVisits(ctx, models.System(), deal.Number)
		if err != nil {
			t.Fatal(err)
		}
		want := []struct {
			stage         string
			entered, left time.Time
			days          float64
		}{{"Qualify", day(1), day(4), 3}, {"Propose", day(4), day(9), 5}, {"Negotiate", day(9), day(12), 3}, {"Won", day(12), time.Time{}, -1}}
		if len(visits) != len(want) {
			t.Fatalf("%+v", visits)
		}
		for i, v := range visits {
			days := -1.0
			if v.Days != nil {
				days = *v.Days
			}
			if v.Stage != g.stages[want[i].stage] || !v.EnteredAt.Equal(want[i].entered) || !v.LeftAt.Equal(want[i].left) || days != want[i].days {
				t.Errorf("visit %d: %+v for %v days, wanted %+v", i, v, days, want[i])
			}
		}
		if _, err := g.engine.StageVisits(ctx, models.Reader{User: 999, Role: models.Editor, Scope: models.ScopeOwner}, deal.Number); models.CodeOf(err) != models.NotFound {
			t.Errorf("somebody else's deal: %v", err)
		}
	})
}
