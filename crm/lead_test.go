package crm_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

// desk is a workspace with two sellers, a rule of turns and office hours. The clock stands on Monday 2 March 2026, 10:00 in Berlin.
type desk struct {
	*world
	ana, ben, team uint64
}

func newDesk(t *testing.T, c store.Config) *desk {
	w := newWorld(t, c)
	d := &desk{world: w}
	w.clock.At = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	d.team = w.make("team", `{"name":"Inside sales"}`)
	seller := func(name, more string) uint64 {
		return w.make("user", fmt.Sprintf(`{"name":%q,"takes_leads":true,"team":"team_%d"%s}`, name, d.team, more))
	}
	d.ana, d.ben = seller("Ana", `,"languages":["de","en"],"territory":"DACH"`), seller("Ben", `,"languages":["en"],"territory":"UK"`)
	w.make("user", `{"name":"Cleo (sells nothing)"}`)
	w.make("calendar", `{"name":"Office","zone":"Europe/Berlin","hours":"{\"mon\":[\"09:00-12:00\",\"13:00-17:00\"],\"tue\":[\"09:00-17:00\"]}","standard":true}`)
	w.make("territory", `{"name":"DACH","conditions":"{\"field\":\"country\",\"op\":\"in\",\"value\":[\"DE\",\"AT\",\"CH\"]}"}`)
	w.make("assignment_rule", `{"name":"Everybody in turn","rank":9,"method":"round_robin","response_minutes":180}`)
	return d
}

func (d *desk) get(object string, number uint64) *models.Record {
	d.Helper()
	r, err := d.engine.Get(ctx, models.System(), object, number, models.Cutoff{})
	if err != nil {
		d.Fatal(err)
	}
	return r
}

func (d *desk) change(object string, number uint64, fields string) *models.Record {
	d.Helper()
	return d.do(models.Command{Op: models.Update, Object: object, Number: number, Sets: d.sets(object, fields)})
}

func (d *desk) all(object string) []*models.Record {
	d.Helper()
	page, err := d.engine.List(ctx, models.System(), crm.Query{Object: object})
	if err != nil {
		d.Fatal(err)
	}
	return page.Records
}

func TestIncompleteLeadsAreKeptAndNotAssigned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		d := newDesk(t, c)
		n := d.make("lead", `{"source":"list","external_id":"P-1"}`)
		lead := d.get("lead", n)
		if lead.Get("record_state") != "incomplete" || lead.Get("missing") != "name, e-mail or phone" || lead.Get("title") != "Unnamed lead" || lead.Get("owner") != nil || lead.Get("response_due_at") != nil {
			t.Fatalf("an empty lead is kept as incomplete and given to nobody: %v", lead.Values)
		}
		if lead = d.change("lead", n, `{"email":"X@Example.com"}`); lead.Get("title") != "x@example.com" || lead.Get("owner") != nil {
			t.Errorf("an address names it and is not enough: %v", lead.Values)
		}
		lead = d.change("lead", n, `{"name":"Xenia"}`)
		if lead.Get("record_state") != "active" || lead.Get("missing") != nil || lead.Get("title") != "Xenia" || lead.Get("owner") != d.ana {
			t.Errorf("completed, it is active and assigned in the same transaction: %v", lead.Values)
		}
		// 10:00 in Berlin and three working hours: two until noon, one after the break.
		if due := lead.Get("response_due_at"); due != time.Date(2026, 3, 2, 13, 0, 0, 0, time.UTC) {
			t.Errorf("due at %v, want 14:00 in Berlin", due)
		}
	})
}

func TestAssignmentIsExplained(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		d := newDesk(t, c)
		d.make("assignment_rule", `{"name":"German speakers","rank":1,"conditions":"{\"field\":\"territory\",\"op\":\"eq\",\"value\":\"DACH\"}","method":"least_loaded","by_territory":true,"by_language":true,"max_open":1}`)
		lead := func(name, more string) *models.Record {
			d.clock.At = d.clock.At.Add(time.Minute)
			return d.get("lead", d.make("lead", fmt.Sprintf(`{"name":%q,"email":"%s@example.com","source":"web"%s}`, name, name, more)))
		}
		first := lead("anton", `,"country":"DE","language":"DE"`)
		if first.Get("territory") != "DACH" || first.Get("owner") != d.ana || !strings.HasPrefix(first.Get("assignment_reason").(string), "German speakers: Ana") {
			t.Errorf("territory and language choose Ana: %v %v", first.Get("territory"), first.Get("assignment_reason"))
		}
		if why := first.Get("assignment_explanation").(string); !strings.Contains(why, "works in another territory than DACH") {
			t.Errorf("the explanation says why not Ben: %s", why)
		}
		second := lead("berta", `,"country":"AT","language":"de"`)
		if why := second.Get("assignment_explanation").(string); second.Get("owner") != d.ben || !strings.Contains(why, "has 1 open leads of at most 1") {
			t.Errorf("with Ana full the next rule decides, whose turn it is: %v %s", second.Get("owner"), why)
		}
		d.change("user", d.ana, `{"away_until":"2026-03-02"}`)
		if third := lead("carl", ""); third.Get("owner") != d.ben {
			t.Errorf("nobody who is away gets a lead: %v", third.Get("assignment_reason"))
		}
		d.change("user", d.ben, `{"capacity":0}`)
		fourth := lead("dora", "")
		if fourth.Get("owner") != nil || fourth.Get("assignment_reason") != "no rule found anybody" || !strings.Contains(fourth.Get("assignment_explanation").(string), "is away until 2026-03-02") {
			t.Errorf("where nobody is free the lead waits and says why: %v", fourth.Values)
		}
		log, err := d.db.History(ctx, "lead", first.Number)
		if err != nil || len(log) != 2 || log[1].Cause != "rule:assignment" {
			t.Errorf("the log tells creation and assignment: %d changes, %v", len(log), err)
		}
	})
}

func TestHandoffsOfLeads(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		d := newDesk(t, c)
		campaign := d.make("campaign", `{"name":"Spring"}`)
		lead := func(name string) uint64 {
			d.clock.At = d.clock.At.Add(time.Minute)
			return d.make("lead", fmt.Sprintf(`{"name":%q,"email":"%s@example.com","source":"web","campaign":"campaign_%d"}`, name, name, campaign))
		}
		rejected, taken, passed := lead("anton"), lead("berta"), lead("carl")
		handoffs := d.all("handoff")
		if len(handoffs) != 3 || handoffs[0].Get("state") != "open" || handoffs[0].Get("to") != d.ana || handoffs[0].Get("campaign") != campaign || handoffs[0].Get("summary") != "Marketing to sales: anton" {
			t.Fatalf("each assigned lead is handed over: %d", len(handoffs))
		}
		d.refuse(models.Invalid, "reason", models.Command{Op: models.Update, Object: "handoff", Number: handoffs[0].Number, Sets: d.sets("handoff", `{"state":"rejected"}`)})
		d.refuse(models.Invalid, "rejection_reason", models.Command{Op: models.Update, Object: "lead", Number: rejected, Sets: d.sets("lead", `{"status":"rejected"}`)})
		d.change("handoff", handoffs[0].Number, `{"state":"rejected","reason":"no_budget"}`)
		if l := d.get("lead", rejected); l.Get("status") != "rejected" || l.Get("rejection_reason") != "no_budget" {
			t.Errorf("rejecting the handoff rejects the lead: %v", l.Values)
		}
		d.change("lead", taken, `{"status":"working"}`)
		if h := d.get("handoff", handoffs[1].Number); h.Get("state") != "accepted" || h.Get("decided_at") != d.clock.At {
			t.Errorf("working on the lead accepts its handoff: %v", h.Values)
		}
		d.change("lead", passed, fmt.Sprintf(`{"owner":"user_%d"}`, d.ben))
		now := d.all("handoff")
		if len(now) != 4 || now[2].Get("state") != "expired" || now[3].Get("to") != d.ben {
			t.Errorf("a new owner is a new handoff, the old one is no longer asked: %d", len(now))
		}
		d.refuse(models.Invalid, "state", models.Command{Op: models.Update, Object: "handoff", Number: handoffs[0].Number, Sets: d.sets("handoff", `{"state":"accepted"}`)})
	})
}

func TestFirstResponseStopsTheClock(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		d := newDesk(t, c)
		n := d.make("lead", `{"name":"Anton","email":"anton@example.com","source":"web"}`)
		log := func(kind, at string) {
			d.make("activity", fmt.Sprintf(`{"subject":"x","type":%q,"lead":"lead_%d","owner":"user_%d","done_at":%q}`, kind, n, d.ana, at))
		}
		d.clock.At = d.clock.At.Add(3 * time.Hour)
		log("note", "2026-03-02T10:00:00Z")
		if d.get("lead", n).Get("first_response_at") != nil {
			t.Error("a note is no response")
		}
		log("call", "2026-03-02T11:00:00Z")
		log("email", "2026-03-02T10:30:00Z")
		log("meeting", "2026-03-02T11:30:00Z")
		if first := d.get("lead", n).Get("first_response_at"); first != time.Date(2026, 3, 2, 10, 30, 0, 0, time.UTC) {
			t.Errorf("the first response is the earliest one: %v", first)
		}
	})
}

func TestTouchesKeepFirstAndLast(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		d := newDesk(t, c)
		n := d.make("lead", `{"name":"Anton","email":"anton@example.com","source":"web"}`)
		d.make("channel_alias", `{"spelling":"Haus-Post","channel":"email"}`)
		touch := func(at, more string) uint64 {
			return d.make("touch", fmt.Sprintf(`{"lead":"lead_%d","at":%q%s}`, n, at, more))
		}
		touch("2026-03-01T10:00:00Z", `,"source":"Google","medium":"CPC","campaign_name":"Spring"`)
		touch("2026-03-02T08:00:00Z", `,"source":"hauspost"`)
		early := touch("2026-02-01T10:00:00Z", `,"referrer":"https://www.google.com/search"`)
		touch("2026-03-01T12:00:00Z", `,"source":"carrier pigeon"`)
		lead := d.get("lead", n)
		if lead.Get("first_channel") != "organic_search" || lead.Get("last_channel") != "email" || lead.Get("last_source") != "hauspost" {
			t.Errorf("first and last by when they happened: %v %v", lead.Get("first_channel"), lead.Get("last_channel"))
		}
		d.do(models.Command{Op: models.Delete, Object: "touch", Number: early})
		if lead = d.get("lead", n); lead.Get("first_channel") != "paid_search" || lead.Get("first_campaign") != "Spring" {
			t.Errorf("a touch that goes leaves the pair to the next: %v", lead.Get("first_channel"))
		}
		if all := d.all("touch"); all[len(all)-1].Get("channel") != crm.Unmapped {
			t.Error("an unknown spelling is listed, not guessed")
		}
	})
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		d := newDesk(t, c)
		stageOf := func(object string, n uint64) models.Value { return d.get(object, n).Get("lifecycle") }
		contact := d.make("contact", `{"name":"Cara","email":"cara@example.com"}`)
		if stageOf("contact", contact) != "subscriber" {
			t.Error("somebody whom we can reach is a subscriber")
		}
		deal := func() uint64 {
			return d.make("deal", fmt.Sprintf(`{"name":"D","account":"account_%d","contact":"contact_%d"}`, d.account, contact))
		}
		first := deal()
		if stageOf("account", d.account) != "sql" || stageOf("contact", contact) != "sql" {
			t.Error("an open deal makes a sales-qualified buyer")
		}
		d.change("deal", first, fmt.Sprintf(`{"stage":"stage_%d","lost_reason":"price"}`, d.lost))
		if stageOf("account", d.account) != "sql" {
			t.Error("a lost deal makes no stranger")
		}
		d.change("deal", deal(), stage(d.won))
		if r := d.get("account", d.account); r.Get("lifecycle") != "customer" || !strings.Contains(r.Get("lifecycle_reason").(string), "at least 1 won deals") {
			t.Errorf("the first won deal makes a customer and says why: %v", r.Get("lifecycle_reason"))
		}
		d.change("deal", deal(), stage(d.won))
		if stageOf("account", d.account) != "repeat" {
			t.Error("the second makes a repeat customer")
		}
		for _, step := range []struct {
			months int
			want   string
		}{{6, "repeat"}, {13, "lapsing"}, {19, "churned"}} {
			d.clock.At = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).AddDate(0, step.months, 0)
			if _, err := d.engine.SweepLifecycle(ctx); err != nil {
				t.Fatal(err)
			}
			if got := stageOf("account", d.account); got != step.want {
				t.Errorf("after %d months: %v, want %s", step.months, got, step.want)
			}
		}
		d.change("deal", deal(), stage(d.won))
		if stageOf("account", d.account) != "reactivated" {
			t.Error("who had churned and buys is reactivated")
		}
		d.refuse(models.Invalid, "conditions", models.Command{Op: models.Create, Object: "lifecycle_rule", Sets: d.sets("lifecycle_rule", `{"name":"x","object":"account","stage":"customer","rank":1,"definition":"x","owner_name":"x","conditions":"[{\"fact\":\"moon\",\"op\":\"gte\",\"value\":1}]"}`)})
	})
}

func TestWonDealsAreHandedToSuccess(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		d := newDesk(t, c)
		n := d.make("deal", fmt.Sprintf(`{"name":"Rollout","account":"account_%d"}`, d.account))
		d.change("deal", n, stage(d.won))
		handoffs := d.all("handoff")
		if len(handoffs) != 1 || handoffs[0].Get("kind_of") != "sales_to_success" || handoffs[0].Get("summary") != "Sales to success: Rollout" || handoffs[0].Get("due_at") == nil {
			t.Fatalf("a won deal starts the kickoff clock: %v", handoffs)
		}
		d.change("deal", n, stage(d.open))
		if d.get("handoff", handoffs[0].Number).Get("state") != "expired" {
			t.Error("a deal that is opened again is handed to nobody")
		}
	})
}
