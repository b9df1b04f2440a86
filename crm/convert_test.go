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

func TestConversionIsAllOrNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		d := newDesk(t, c)
		n := d.make("lead", `{"name":"Anton","email":"anton@example.com","source":"web","company":"Alder","job_title":"Head of IT","country":"DE"}`)
		call := d.make("activity", fmt.Sprintf(`{"subject":"First call","type":"call","lead":"lead_%d","owner":"user_%d"}`, n, d.ana))
		d.make("touch", fmt.Sprintf(`{"lead":"lead_%d","at":"2026-03-01T10:00:00Z","source":"google","medium":"cpc"}`, n))
		d.make("contact", `{"name":"Somebody","email":"taken@example.com"}`)
		conversion := func(email string) crm.Conversion {
			return crm.Conversion{
				Account: &crm.Side{}, Contact: crm.Side{Sets: d.sets("contact", fmt.Sprintf(`{"email":%q}`, email))},
				Deal: &crm.Side{Sets: d.sets("deal", `{"name":"Alder rollout"}`)},
			}
		}
		_, err := d.engine.Convert(ctx, models.System(), n, conversion("taken@example.com"))
		if said, ok := err.(*models.Error); !ok || said.Code != models.Conflict || said.Field != "contact.email" { //nolint:errorlint // the error itself
			t.Fatalf("a taken address is named at its record: %v", err)
		}
		if len(d.all("account")) != 1 || len(d.all("deal")) != 0 || d.get("lead", n).Get("status") != "new" {
			t.Error("a refused conversion leaves nothing behind")
		}
		done, err := d.engine.Convert(ctx, models.System(), n, conversion("anton@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		lead := d.get("lead", n)
		if lead.Get("status") != "converted" || lead.Get("converted_contact") != done.Contact.Number || lead.Get("converted_deal") != done.Deal.Number || lead.Get("accepted_at") == nil {
			t.Errorf("the lead refers to what it became: %v", lead.Values)
		}
		contact := d.get("contact", done.Contact.Number)
		if contact.Get("name") != "Anton" || contact.Get("account") != done.Account.Number || contact.Get("job_title") != "Head of IT" || contact.Get("first_channel") != "paid_search" || contact.Get("lifecycle") != "sql" {
			t.Errorf("the contact has what the lead had, and its first touch: %v", contact.Values)
		}
		if a := d.get("activity", call); a.Get("contact") != done.Contact.Number || a.Get("account") != done.Account.Number || a.Get("deal") != done.Deal.Number {
			t.Errorf("activities come along: %v", a.Values)
		}
		if d.all("handoff")[0].Get("state") != "accepted" {
			t.Error("who converts has accepted")
		}
		again, err := d.engine.Convert(ctx, models.System(), n, crm.Conversion{})
		if err != nil || !again.Repeated || again.Contact.Number != done.Contact.Number || len(d.all("contact")) != 2 {
			t.Errorf("converting twice converts once: %v", err)
		}
		d.refuse(models.Invalid, "status", models.Command{Op: models.Update, Object: "lead", Number: n, Sets: d.sets("lead", `{"status":"working"}`)})
		other := d.make("lead", `{"name":"Berta","email":"berta@example.com","source":"web"}`)
		d.refuse(models.Invalid, "status", models.Command{Op: models.Update, Object: "lead", Number: other, Sets: d.sets("lead", `{"status":"converted"}`)})
		if _, err := d.engine.Convert(ctx, models.Reader{User: d.ana, Role: models.Viewer, Scope: models.ScopeAll}, other, crm.Conversion{}); models.CodeOf(err) != models.Forbidden {
			t.Errorf("a viewer converts nothing: %v", err)
		}
		if _, err := d.engine.Convert(ctx, models.Reader{User: d.ben, Role: models.Editor, Scope: models.ScopeOwner}, n, crm.Conversion{}); models.CodeOf(err) != models.NotFound {
			t.Errorf("a hidden lead is not there: %v", err)
		}
	})
}

func TestSimulationWritesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		d := newDesk(t, c)
		for i := range 6 {
			d.clock.At = d.clock.At.Add(time.Minute)
			d.make("lead", fmt.Sprintf(`{"name":"L%d","email":"l%d@example.com","source":"web","country":"DE"}`, i, i))
		}
		d.make("lead", `{"source":"list"}`)
		before := len(d.all("handoff"))
		draft := [][]models.Set{
			d.sets("assignment_rule", fmt.Sprintf(`{"name":"All to Ben","rank":1,"method":"fixed","person":"user_%d","max_open":4}`, d.ben)),
			d.sets("assignment_rule", `{"name":"The rest","rank":2,"method":"least_loaded","by_territory":true}`),
		}
		done, err := d.engine.Simulate(ctx, models.System(), draft, 30)
		if err != nil {
			t.Fatal(err)
		}
		if done.Leads != 6 || done.Nobody != 0 || len(done.People) != 2 || done.People[0].Would != 2 || done.People[0].Did != 3 || done.People[1].Would != 4 || done.People[1].MostOpen != 4 {
			t.Errorf("Ben gets four, then Ana by her territory: %+v", done.People)
		}
		if done.Rows[0].Title != "L5" || !strings.Contains(done.Rows[0].Decision.Reason, "The rest: Ana") || !strings.Contains(done.Rows[0].Decision.Tried[0].Considered[0].WhyNot, "4 open leads of at most 4") {
			t.Errorf("each lead says why: %+v", done.Rows[0])
		}
		if len(d.all("handoff")) != before || d.get("lead", 1).Get("owner") != d.ana {
			t.Error("a simulation writes nothing")
		}
		_, err = d.engine.Simulate(ctx, models.System(), [][]models.Set{d.sets("assignment_rule", `{"name":"x","rank":1,"conditions":"{\"field\":\"moon\",\"op\":\"eq\",\"value\":1}"}`)}, 30)
		if said, ok := err.(*models.Error); !ok || said.Field != "conditions" || said.Row != 1 { //nolint:errorlint // the error itself
			t.Errorf("a broken draft names its rule: %v", err)
		}
		moved, err := d.engine.Reassign(ctx, models.System(), 1, 0, "api")
		if err != nil || moved.Get("owner") != d.ben {
			t.Errorf("given away by the rules, it goes to somebody else: %v %v", moved, err)
		}
		if _, err := d.engine.Reassign(ctx, models.System(), 7, 0, "api"); models.CodeOf(err) != models.Invalid {
			t.Errorf("an incomplete lead is given to nobody: %v", err)
		}
	})
}

func TestBreachReport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		d := newDesk(t, c) // clocks end on Monday at 14:00 in Berlin
		for i := range 4 {
			d.make("lead", fmt.Sprintf(`{"name":"L%d","email":"l%d@example.com","source":"web"}`, i, i))
		}
		d.clock.At = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		d.change("lead", 1, `{"status":"working"}`)
		d.clock.At = time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
		d.change("lead", 2, `{"status":"rejected","rejection_reason":"spam"}`)
		d.do(models.Command{Op: models.Delete, Object: "lead", Number: 4})
		report, err := d.engine.Breaches(ctx, models.System(), mustDate(t, "2026-03-02"))
		if err != nil {
			t.Fatal(err)
		}
		if k := report.Kinds[0]; k.Due != 3 || k.InTime != 1 || k.Late != 1 || k.Waiting != 1 || len(report.Rows) != 2 {
			t.Errorf("one in time, one late, one waiting; of a lead that is gone nothing is asked: %+v", k)
		}
		theirs, err := d.engine.Breaches(ctx, models.Reader{User: d.ben, Role: models.Editor, Scope: models.ScopeOwner}, mustDate(t, "2026-03-02"))
		if err != nil || theirs.Kinds[0].Due != 1 {
			t.Errorf("a reader counts what the reader sees: %+v %v", theirs.Kinds, err)
		}
		if _, err := d.engine.Breaches(ctx, models.System(), mustDate(t, "2026-03-03")); models.CodeOf(err) != models.Invalid {
			t.Error("weeks start on the workspace's first day")
		}
		reasons, err := d.engine.Rejections(ctx, models.System(), models.Window{From: day(1), To: day(9)}, 0)
		if err != nil || len(reasons) != 1 || reasons[0].Reason != "spam" || reasons[0].Count != 1 {
			t.Errorf("reasons are counted: %+v %v", reasons, err)
		}
	})
}

func mustDate(t *testing.T, text string) models.Date {
	t.Helper()
	d, err := models.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
