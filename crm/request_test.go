package crm_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

func (w *world) request(definition string) uint64 {
	w.Helper()
	return w.make("field_request", fmt.Sprintf(`{"definition":%q,"reason":"We plan by it","example":"Acme has 12"}`, definition))
}

func (w *world) approve(request uint64) *models.Record {
	w.Helper()
	outcome, err := w.engine.Approve(ctx, models.System(), request, 0, "It is needed")
	if err != nil {
		w.Fatal(err)
	}
	return outcome.Record
}

func TestAnApprovedRequestIsLiveAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		request := w.request(`{"object":"account","fields":[{"name":"seats_wanted","kind":"number","label":"Seats wanted","indexed":true}]}`)
		r := w.approve(request)
		if r.Get("state") != "live" || r.Get("decision") != "It is needed" || r.Get("object") != "account" || r.Get("title") != "account: seats_wanted" || r.Get("registry_version") != int64(1) {
			t.Errorf("the request says %v", r.Values)
		}
		number := w.make("account", `{"name":"Byte","seats_wanted":12}`)
		page, err := w.engine.List(ctx, models.System(), crm.Query{Object: "account", Sort: "-seats_wanted"})
		if err != nil || page.Records[0].Number != number {
			t.Errorf("sorted by it: %v, %v", page.Records, err)
		}
		_, err = w.engine.Approve(ctx, models.System(), request, 0, "again")
		if models.CodeOf(err) != models.Conflict {
			t.Errorf("approved twice: %v", err)
		}
		w.refuse(models.Invalid, "definition", models.Command{Op: models.Update, Object: "field_request", Number: request,
			Sets: w.sets("field_request", `{"definition":"{\"object\":\"account\",\"fields\":[{\"name\":\"other\",\"kind\":\"text\",\"label\":\"Other\"}]}"}`)})
	})
}

func TestRequestsThatCannotBeApprovedNameTheField(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		for field, definition := range map[string]string{
			"account.name":   `{"object":"account","fields":[{"name":"name","kind":"text","label":"Name"}]}`,
			"account.double": `{"object":"account","fields":[{"name":"double","kind":"formula","label":"Double","formula":"emplyees * 2"}]}`,
			"account.big":    `{"object":"account","fields":[{"name":"big","kind":"number","label":"Big","check":"big >"}]}`,
			"account.yard":   `{"object":"account","fields":[{"name":"yard","kind":"reference","label":"Yard","to":"yard"}]}`,
			"deal__x":        `{"object":"deal__x","new_object":{"name":"deal__x","label":"X","title":"name","fields":[{"name":"name","kind":"text","label":"Name"}]}}`,
		} {
			w.refuse(models.Invalid, field, models.Command{Op: models.Create, Object: "field_request",
				Sets: w.sets("field_request", fmt.Sprintf(`{"definition":%q,"reason":"r","example":"e"}`, definition))})
		}
		first := w.request(`{"object":"account","fields":[{"name":"seats_wanted","kind":"number","label":"Seats"}]}`)
		second := w.request(`{"object":"account","fields":[{"name":"seats_wanted","kind":"text","label":"Seats"}]}`)
		w.approve(first)
		_, err := w.engine.Approve(ctx, models.System(), second, 0, "both")
		var said *models.Error
		if !errors.As(err, &said) || said.Field != "account.seats_wanted" {
			t.Errorf("a name that was taken meanwhile: %v", err)
		}
		editor := models.Reader{User: 1, Role: models.Editor, Scope: models.ScopeAll}
		if _, err := w.engine.Approve(ctx, editor, second, 0, "mine"); models.CodeOf(err) != models.Forbidden {
			t.Errorf("an editor approves: %v", err)
		}
		if _, err := w.engine.Reject(ctx, models.System(), second, 0, " "); models.CodeOf(err) != models.Invalid {
			t.Errorf("rejected without a reason: %v", err)
		}
		outcome, err := w.engine.Reject(ctx, models.System(), second, 0, "There is one already")
		if err != nil || outcome.Record.Get("state") != "rejected" {
			t.Errorf("rejected: %v", err)
		}
	})
}

func TestFormulasReachRecordsThatAreThere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		w.approve(w.request(`{"object":"product","fields":[{"name":"height","kind":"number","label":"Height"},{"name":"width","kind":"number","label":"Width"}]}`))
		const n = 250
		var numbers []uint64
		for i := range n {
			numbers = append(numbers, w.make("product", fmt.Sprintf(`{"name":"P%d","height":%d,"width":2}`, i, i)))
		}
		far := w.make("product", `{"name":"Far","height":9000000,"width":900000000}`) // its product is out of range
		empty := w.make("product", `{"name":"Empty","height":3}`)
		request := w.request(`{"object":"product","fields":[{"name":"area","kind":"formula","label":"Area","formula":"height * width","scale":1}]}`)
		if r := w.approve(request); r.Get("state") != "approved" {
			t.Fatalf("it is %v", r.Get("state"))
		}
		fresh := w.make("product", `{"name":"New","height":7,"width":3}`) // records made meanwhile have their value already
		running, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- w.engine.ComputeFormulas(running, slog.New(slog.DiscardHandler)) }()
		var work crm.Work
		for deadline := time.Now().Add(time.Minute); !work.Over && time.Now().Before(deadline); {
			var err error
			if work, err = w.engine.WorkOf(ctx, models.System(), request); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if work.Done < n || work.Refused != 1 || work.Problem == "" {
			t.Errorf("the work says %+v", work)
		}
		found, err := w.engine.Records(ctx, models.System(), "product", append(numbers, far, empty, fresh))
		if err != nil {
			t.Fatal(err)
		}
		for i, number := range numbers {
			if found[number].Get("area") != int64(i*20) {
				t.Fatalf("area of %d is %v", i, found[number].Get("area"))
			}
		}
		if found[far].Get("area") != nil || found[empty].Get("area") != nil || found[fresh].Get("area") != int64(210) {
			t.Error("areas without a value, or of a new record, are wrong")
		}
		history, err := w.db.History(ctx, "product", numbers[3])
		if err != nil || len(history) != 2 || history[1].Cause != "rule:formula" {
			t.Errorf("history %v, %v", history, err)
		}
		r, err := w.engine.Get(ctx, models.System(), "field_request", request, models.Cutoff{})
		if err != nil || r.Get("state") != "live" {
			t.Errorf("the request is %v, %v", r.Get("state"), err)
		}
	})
}
