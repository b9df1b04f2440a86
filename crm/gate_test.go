package crm_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"

	"pgregory.net/rapid"
)

// gated is a world with a pipeline whose stages ask for something.
type gated struct {
	*world
	stages map[string]uint64
	editor models.Reader
}

// The pipeline of these tests: what each stage asks for, in the words of the slow reference below.
//
//	Qualify    exit: amount is filled
//	Propose    entry: need is yes; required: expected_close_on; exit: budget is yes
//	Negotiate  entry: authority is yes
//	Won        entry: amount is at least 100 USD
//	Lost       entry: nothing; lost_reason is required by its status
func newGated(t *testing.T, c store.Config) *gated {
	w := newWorld(t, c)
	g := &gated{world: w, stages: map[string]uint64{}, editor: models.Reader{User: w.make("user", `{"name":"Ed","email":"ed@example.com","role":"editor","scope":"all"}`), Role: models.Editor, Scope: models.ScopeAll}}
	pipeline := w.make("pipeline", `{"name":"Gated"}`)
	for i, s := range []struct{ name, status, more string }{
		{"Qualify", "open", `"exit_criteria":"{\"field\":\"amount\",\"op\":\"not_empty\"}","exit_help":"Say what it is worth."`},
		{"Propose", "open", `"entry_criteria":"{\"field\":\"need\",\"op\":\"eq\",\"value\":\"yes\"}","required_fields":"[\"expected_close_on\"]","exit_criteria":"{\"and\":[{\"field\":\"budget\",\"op\":\"eq\",\"value\":\"yes\"}]}"`},
		{"Negotiate", "open", `"entry_criteria":"{\"field\":\"authority\",\"op\":\"eq\",\"value\":\"yes\"}"`},
		{"Won", "won", `"entry_criteria":"{\"field\":\"amount\",\"op\":\"gte\",\"value\":{\"amount\":\"100\",\"currency\":\"USD\"}}","override_role":"editor"`},
		{"Lost", "lost", `"forecast_category":"omitted"`},
	} {
		g.stages[s.name] = w.make("stage", fmt.Sprintf(`{"key":"Gated/%s","name":%q,"pipeline":"pipeline_%d","rank":%d,"status":%q,%s}`, s.name, s.name, pipeline, i+1, s.status, s.more))
	}
	return g
}

// fields fills {Stage} with its id.
func (g *gated) fields(text string) string {
	for name, number := range g.stages {
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprintf("stage_%d", number))
	}
	return text
}

func (g *gated) try(reader models.Reader, c models.Command) (*models.Record, *models.Error) {
	g.Helper()
	c.Object = "deal"
	outcome, err := g.engine.Do(ctx, reader, c)
	var said *models.Error
	if err != nil && !errors.As(err, &said) {
		g.Fatal(err)
	}
	return outcome.Record, said
}

func (g *gated) open(fields string, at time.Time) *models.Record {
	g.Helper()
	return g.deal(g.fields(fields), at)
}

// asks checks that a refusal is one precondition that names exactly these fields.
func (g *gated) asks(what string, err *models.Error, fields ...string) {
	g.Helper()
	if err == nil {
		g.Errorf("%s: it was let through", what)
		return
	}
	var named []string
	for _, d := range err.Details {
		named = append(named, d.Field)
		if d.Message == "" || d.Remedy == "" {
			g.Errorf("%s: a detail without message or remedy: %+v", what, d)
		}
	}
	slices.Sort(named)
	if err.Code != models.Precondition || err.Field != "stage" || !slices.Equal(named, fields) {
		g.Errorf("%s: want a precondition of %v, got %s %q %v: %v", what, fields, err.Code, err.Field, named, err)
	}
}

func TestStagesLetThroughOnlyWhatTheyAskFor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		g := newGated(t, c)
		system := models.System()
		move := func(number uint64, fields string) models.Command {
			return models.Command{Op: models.Update, Number: number, Sets: g.sets("deal", g.fields(fields))}
		}
		deal := g.open(`{"name":"A","stage":"{Qualify}"}`, day(1))
		_, err := g.try(system, move(deal.Number, `{"stage":"{Propose}"}`))
		g.asks("next stage", err, "amount", "expected_close_on", "need")
		if d := err.Details[0]; d.Remedy != "Say what it is worth." || d.Message != "Amount is filled" {
			t.Errorf("the stage's own words are %q, %q", d.Message, d.Remedy)
		}
		_, err = g.try(system, move(deal.Number, `{"stage":"{Negotiate}","amount":{"amount":"5","currency":"USD"}}`))
		g.asks("a stage skipped", err, "authority", "budget", "expected_close_on", "need")
		_, err = g.try(system, move(deal.Number, `{"stage":"{Won}","amount":{"amount":"5","currency":"USD"},"need":"yes","budget":"yes","authority":"yes","expected_close_on":"2026-04-01"}`))
		g.asks("won without what won asks for", err, "amount")
		_, err = g.try(system, models.Command{Op: models.Create, Sets: g.sets("deal", g.fields(`{"name":"B","stage":"{Negotiate}"}`))})
		g.asks("made in a late stage", err, "amount", "authority", "budget", "expected_close_on", "need")

		// Lost asks for its reason, and for nothing else; it is no way round.
		if _, err = g.try(system, move(deal.Number, `{"stage":"{Lost}"}`)); err == nil || err.Field != "lost_reason" {
			t.Errorf("lost without a reason: %v", err)
		}
		if _, err = g.try(system, move(deal.Number, `{"stage":"{Lost}","lost_reason":"price"}`)); err != nil {
			t.Fatal(err)
		}
		_, err = g.try(system, move(deal.Number, `{"stage":"{Propose}"}`))
		g.asks("re-opened further on than it was closed", err, "amount", "expected_close_on", "need")
		r, err := g.try(system, move(deal.Number, `{"stage":"{Qualify}"}`))
		if err != nil || r.Get("lost_reason") != nil || r.Get("closed_from") != nil {
			t.Fatalf("re-opened where it was: %v %v", r, err)
		}
		if _, err = g.try(system, move(deal.Number, `{"stage":"{Propose}","amount":{"amount":"5","currency":"USD"},"need":"yes","expected_close_on":"2026-04-01"}`)); err != nil {
			t.Fatal(err)
		}
		_, err = g.try(system, move(deal.Number, `{"expected_close_on":null}`))
		g.asks("a required field is emptied", err, "expected_close_on")
		if _, err = g.try(system, move(deal.Number, `{"need":"no"}`)); err != nil {
			t.Errorf("a criterion binds when the deal moves, not afterwards: %v", err)
		}
		if _, err = g.try(system, move(deal.Number, `{"stage":"{Qualify}"}`)); err != nil {
			t.Errorf("going back asks for nothing: %v", err)
		}
	})
}

func TestBackDatingIsNoWayRound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		g := newGated(t, c)
		system := models.System()
		at := func(n int, number uint64, fields string) models.Command {
			return models.Command{Op: models.Update, Number: number, HappenedAt: day(n), Sets: g.sets("deal", g.fields(fields))}
		}
		ready := `"amount":{"amount":"500","currency":"USD"},"need":"yes","expected_close_on":"2026-04-01"`
		deal := g.open(`{"name":"A","stage":"{Qualify}"}`, day(1))
		if _, err := g.try(system, at(5, deal.Number, `{`+ready+`}`)); err != nil {
			t.Fatal(err)
		}
		_, err := g.try(system, at(3, deal.Number, `{"stage":"{Propose}"}`))
		g.asks("as of day 3 nothing was filled", err, "amount", "expected_close_on", "need")
		if _, err := g.try(system, at(7, deal.Number, `{"stage":"{Propose}"}`)); err != nil {
			t.Fatal(err)
		}
		_, err = g.try(system, at(6, deal.Number, `{"amount":null}`))
		g.asks("what a later move needs is taken away before it", err, "amount")
		if _, err := g.try(system, at(8, deal.Number, `{"next_step":"Call"}`)); err != nil {
			t.Fatal(err)
		}
		// A stage that becomes stricter keeps who stands in it, and back-dated changes of other things still work.
		g.do(models.Command{Op: models.Update, Object: "stage", Number: g.stages["Propose"], Sets: g.sets("stage", `{"required_fields":"[\"expected_close_on\",\"source\"]"}`)})
		if _, err := g.try(system, at(7, deal.Number, `{"name":"A2"}`)); err != nil {
			t.Errorf("a stricter stage turns on those that stand in it: %v", err)
		}
		_, err = g.try(system, models.Command{Op: models.Create, HappenedAt: day(2), Sets: g.sets("deal", g.fields(`{"name":"B","stage":"{Propose}",`+ready+`}`))})
		g.asks("made in the past, by today's rules", err, "source")
		g.present(deal.Number)
	})
}

func TestOverrideIsForThoseWhoMayAndIsKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		g := newGated(t, c)
		admin := g.editor
		admin.Role = models.Administrator
		deal := g.open(`{"name":"A","stage":"{Qualify}"}`, day(1))
		to := func(stage, why string) models.Command {
			return models.Command{Op: models.Update, Number: deal.Number, HappenedAt: day(4), Sets: g.sets("deal", g.fields(`{"stage":"{`+stage+`}"}`)), Override: why}
		}
		if _, err := g.try(g.editor, to("Propose", "the customer asked for it")); err == nil || err.Code != models.Forbidden || err.Field != "override" || len(err.Details) != 3 {
			t.Errorf("an editor passes over: %v", err)
		}
		if _, err := g.try(admin, to("Propose", "x")); err == nil || err.Field != "override" {
			t.Errorf("a reason of one letter: %v", err)
		}
		if _, err := g.try(admin, to("Propose", "Signed before we had stages")); err != nil {
			t.Fatal(err)
		}
		page, err := g.engine.List(ctx, admin, crm.Query{Object: "stage_override"})
		if err != nil || len(page.Records) != 1 {
			t.Fatalf("%v %v", page, err)
		}
		kept := page.Records[0]
		if kept.Get("reason") != "Signed before we had stages" || kept.Get("deal") != deal.Number || kept.Get("stage") != g.stages["Propose"] || kept.Get("by") != admin.User ||
			!kept.Get("at").(time.Time).Equal(day(4)) || kept.Get("unmet") != "Amount is filled\nNeed is Yes\nExpected close is required from the stage Propose on" {
			t.Errorf("kept: %v", kept.Values)
		}
		g.head()
		changes, err := g.engine.Timeline(ctx, admin, "deal", deal.Number, 0, 20)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(changes, func(c models.Change) bool { return c.Object.Name == "stage_override" && c.Actor.User == admin.User }) {
			t.Error("the override is not on the deal's timeline")
		}
		// Won allows editors; a reason that is not needed leaves nothing behind.
		if _, err := g.try(g.editor, models.Command{Op: models.Update, Number: deal.Number, Sets: g.sets("deal", g.fields(`{"stage":"{Won}"}`)), Override: "The contract came by post"}); err != nil {
			t.Fatal(err)
		}
		if _, err := g.try(admin, models.Command{Op: models.Update, Number: deal.Number, Sets: g.sets("deal", `{"next_step":"Thank them"}`), Override: "for no reason"}); err != nil {
			t.Fatal(err)
		}
		if page, err = g.engine.List(ctx, admin, crm.Query{Object: "stage_override"}); err != nil || len(page.Records) != 2 {
			t.Errorf("%d overrides, %v", len(page.Records), err)
		}
	})
}

func TestUndoPutsFormerStatesBackAndNothingElse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		g := newGated(t, c)
		system := models.System()
		on := func(n int, number uint64, cause, fields string) models.Command {
			return models.Command{Op: models.Update, Number: number, HappenedAt: day(n), Cause: cause, Sets: g.sets("deal", g.fields(fields))}
		}
		deal := g.open(`{"name":"A","stage":"{Propose}","amount":{"amount":"500","currency":"USD"},"need":"yes","expected_close_on":"2026-04-01"}`, day(1))
		if _, err := g.try(system, on(2, deal.Number, "import:9", `{"stage":"{Qualify}","expected_close_on":null}`)); err != nil {
			t.Fatalf("back to a stage that does not require the field yet: %v", err)
		}
		g.do(models.Command{Op: models.Update, Object: "stage", Number: g.stages["Propose"], Sets: g.sets("stage", `{"required_fields":"[\"expected_close_on\",\"source\"]"}`)})
		_, err := g.try(system, on(3, deal.Number, "api", `{"stage":"{Propose}","expected_close_on":"2026-04-01"}`))
		g.asks("by hand, under the stricter rule", err, "source")
		_, err = g.try(system, on(2, deal.Number, "undo:9", `{"stage":"{Negotiate}","expected_close_on":"2026-04-01"}`))
		g.asks("an undo to where it never was", err, "authority", "budget", "source")
		r, err := g.try(system, on(2, deal.Number, "undo:9", `{"stage":"{Propose}","expected_close_on":"2026-04-01"}`))
		if err != nil || r.Get("stage") != g.stages["Propose"] {
			t.Errorf("the undo: %v", err)
		}
		g.present(deal.Number)
	})
}

func TestStageSaysWhatCannotBeAsked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		g := newGated(t, c)
		change := func(fields string) models.Command {
			return models.Command{Op: models.Update, Object: "stage", Number: g.stages["Propose"], Sets: g.sets("stage", fields)}
		}
		g.refuse(models.Invalid, "entry_criteria", change(`{"entry_criteria":"{\"field\":\"amonut\",\"op\":\"not_empty\"}"}`))
		g.refuse(models.Invalid, "exit_criteria", change(`{"exit_criteria":"{\"field\":"}`))
		g.refuse(models.Invalid, "required_fields", change(`{"required_fields":"[\"no_such_field\"]"}`))
		g.refuse(models.Invalid, "required_fields", change(`{"required_fields":"amount"}`))
		g.refuse(models.Invalid, "required_fields", change(`{"required_fields":"[\"status\"]"}`))
		for _, policy := range []string{`{"nudge_after_days":0,"reengage_after_days":2,"close_after_days":3,"then":"lost"}`, `{"nudge_after_days":5,"reengage_after_days":5,"close_after_days":9,"then":"lost"}`, `{"nudge_after_days":5,"reengage_after_days":6,"close_after_days":9,"then":"forget"}`, `{"nudge_after_days":5,"reengage_after_days":6,"close_after_days":9,"then":"lost","reason":"boredom"}`, `soon`} {
			g.refuse(models.Invalid, "stagnation_policy", models.Command{Op: models.Update, Object: "pipeline", Number: g.pipeline, Sets: g.sets("pipeline", fmt.Sprintf(`{"stagnation_policy":%q}`, policy))})
		}
	})
}

func TestTwoWritersNeverBothMoveADeal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		g := newGated(t, c)
		for round := range 8 {
			deal := g.open(`{"name":"A","stage":"{Qualify}","amount":{"amount":"500","currency":"USD"},"need":"yes","expected_close_on":"2026-04-01"}`, day(1))
			commands := []models.Command{
				{Op: models.Update, Object: "deal", Number: deal.Number, Version: 1, Sets: g.sets("deal", g.fields(`{"stage":"{Propose}"}`))},
				{Op: models.Update, Object: "deal", Number: deal.Number, Version: 1, Sets: g.sets("deal", g.fields(`{"stage":"{Lost}","lost_reason":"price"}`))},
			}
			errs := make([]error, len(commands))
			var both sync.WaitGroup
			for i := range commands {
				both.Go(func() { _, errs[i] = g.engine.Do(ctx, models.System(), commands[i]) })
			}
			both.Wait()
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("round %d: %v and %v", round, errs[0], errs[1])
			}
			for _, err := range errs {
				if err != nil && models.CodeOf(err) != models.Precondition {
					t.Error(err)
				}
			}
			if r, err := g.engine.Get(ctx, models.System(), "deal", deal.Number, models.Cutoff{}); err != nil || r.Version != 2 {
				t.Errorf("version %d, %v", r.Version, err)
			}
		}
	})
}

// names of the gated pipeline by rank; the reference knows nothing else of the engine.
var gatedOrder = []string{"Qualify", "Propose", "Negotiate", "Won"}

// meets is the slow reference: may a deal go from one state to the next? origin is the open stage that a closed deal came from.
func (g *gated) meets(prior, next *models.Record) error {
	name := func(v models.Value) string {
		for name, number := range g.stages {
			if number == v {
				return name
			}
		}
		return ""
	}
	from, to := "", name(next.Get("stage"))
	if prior != nil {
		if from = name(prior.Get("stage")); from == to {
			return nil
		}
		if from == "Won" || from == "Lost" {
			from = name(prior.Get("closed_from"))
		}
	}
	if to == "Lost" {
		if next.Get("lost_reason") == nil {
			return errors.New("lost without a reason")
		}
		return nil
	}
	start, end := slices.Index(gatedOrder, from), slices.Index(gatedOrder, to)
	if start >= end && to != "Won" {
		return nil
	}
	exits := map[string]bool{"Qualify": next.Get("amount") != nil, "Propose": next.Get("budget") == "yes"}
	money, _ := next.Get("amount").(models.Money)
	entries := map[string]bool{"Propose": next.Get("need") == "yes", "Negotiate": next.Get("authority") == "yes", "Won": money.Minor >= 100_00}
	for i := range end + 1 {
		stage := gatedOrder[i]
		if met, asked := exits[stage]; asked && !met && i >= start && i < end {
			return fmt.Errorf("%s was left without what it asks for", stage)
		}
		if met, asked := entries[stage]; asked && !met && i > start {
			return fmt.Errorf("%s was entered without what it asks for", stage)
		}
	}
	if end >= 1 && next.Get("expected_close_on") == nil {
		return errors.New("expected_close_on is empty")
	}
	return nil
}

// states gives a deal's states by instant, in order, as readers see them.
func (g *gated) states(number uint64) []*models.Record {
	history, err := g.db.History(ctx, "deal", number)
	if err != nil {
		g.Fatal(err)
	}
	byInstant := map[int64]*models.Record{}
	for _, c := range history {
		byInstant[c.HappenedAt.UnixMilli()] = &models.Record{Object: c.Object, Number: number, HappenedAt: c.HappenedAt, Values: c.Image, Deleted: c.Deleted}
	}
	var list []*models.Record
	for _, r := range byInstant {
		list = append(list, r)
	}
	slices.SortFunc(list, func(x, y *models.Record) int { return x.HappenedAt.Compare(y.HappenedAt) })
	return list
}

// TestNoPathGetsADealPastAnUnmetCriterion plays random commands of all kinds, dated anywhere, without an override: whatever was accepted, in no
// state of the story does a deal stand past what the reference asks for, and the present is what replaying the log gives.
func TestNoPathGetsADealPastAnUnmetCriterion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		g := newGated(t, c)
		rapid.Check(t, func(rt *rapid.T) {
			random := func(number uint64) models.Command {
				command := models.Command{Op: models.Update, Object: "deal", Number: number, Cause: rapid.SampledFrom([]string{"api", "screen", "import:3", "rule:anything", "demo:1"}).Draw(rt, "cause")}
				if rapid.Bool().Draw(rt, "dated") {
					command.HappenedAt = day(1).Add(time.Duration(rapid.IntRange(1, 1_000_000).Draw(rt, "at")) * time.Second)
				}
				text := `{"name":"x"`
				for _, choice := range []struct {
					name   string
					values []string
				}{
					{"stage", []string{"", `"{Qualify}"`, `"{Propose}"`, `"{Negotiate}"`, `"{Won}"`, `"{Lost}"`}},
					{"amount", []string{"", "null", `{"amount":"50","currency":"USD"}`, `{"amount":"200","currency":"USD"}`, `{"amount":"200","currency":"USD"}`}},
					{"need", []string{"", `"yes"`, `"yes"`, `"no"`}}, {"budget", []string{"", `"yes"`, `"yes"`, `"unknown"`}}, {"authority", []string{"", `"yes"`, `"yes"`, "null"}},
					{"expected_close_on", []string{"", `"2026-04-01"`, `"2026-05-01"`, "null"}}, {"lost_reason", []string{"", `"price"`}},
				} {
					if v := rapid.SampledFrom(choice.values).Draw(rt, choice.name); v != "" {
						text += fmt.Sprintf(`,%q:%s`, choice.name, v)
					}
				}
				command.Sets = g.sets("deal", g.fields(text+"}"))
				return command
			}
			g.clock.At = day(20)
			made := random(0)
			made.Op, made.Number, made.HappenedAt = models.Create, 0, day(1)
			results, err := g.engine.Batch(ctx, g.editor, []models.Command{made})
			if err != nil {
				rt.Fatal(err)
			}
			if results[0].Err != nil {
				return
			}
			number := results[0].Record.Number
			for range rapid.IntRange(1, 10).Draw(rt, "steps") {
				g.clock.At = g.clock.At.Add(time.Minute)
				var commands []models.Command
				switch rapid.IntRange(0, 9).Draw(rt, "path") {
				case 0:
					commands = append(commands, models.Command{Op: models.Delete, Object: "deal", Number: number})
				case 1:
					commands = append(commands, models.Command{Op: models.Restore, Object: "deal", Number: number})
				case 2: // one batch with changes at different instants
					commands = append(commands, random(number), random(number))
					commands[1].HappenedAt = day(15).Add(time.Duration(rapid.IntRange(0, 1000).Draw(rt, "second")) * time.Second)
				default:
					commands = append(commands, random(number))
				}
				if _, err := g.engine.Batch(ctx, g.editor, commands); err != nil {
					rt.Fatal(err)
				}
			}
			var prior *models.Record
			for _, s := range g.states(number) {
				if err := g.meets(prior, s); err != nil {
					rt.Fatalf("deal %d on %v: %v", number, s.HappenedAt, err)
				}
				prior = s
			}
			now, err := g.engine.Records(ctx, models.System(), "deal", []uint64{number})
			if err != nil {
				rt.Fatal(err)
			}
			for i, f := range prior.Object.Fields {
				if !models.ValuesEqual(prior.Values[i], now[number].Values[i]) {
					rt.Fatalf("deal %d: %s is %v, replaying the log gives %v", number, f.Name, now[number].Values[i], prior.Values[i])
				}
			}
		})
	})
}
