package dashboards_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/dashboards"
	"canopy/models"
)

// undoing takes conversions back as the program does.
type undoing struct{ h *house }

func (u undoing) UndoConversion(ctx context.Context, reader models.Reader, lead uint64) ([]models.JobRefusal, error) {
	cause := crm.ConversionCause(lead)
	var kept []models.JobRefusal
	err := u.h.engine.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		step, err := (&job.Undoing{Traces: u.h.db.Traces(), Commands: u.h.engine}).Step(ctx, models.UndoTask{Reader: reader, Cause: cause, UndoCause: "undo:" + cause, Work: "the conversion"}, 500)
		kept = step.Kept
		return err
	})
	return kept, err
}

func TestLeadsAtWork(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := openHouse(t, c, func(h *house, _ *dashboards.Config, p *dashboards.Parts) { p.Conversions = undoing{h} })
		h.person("Eva Editor", `"role":"editor","scope":"all","takes_leads":true`)
		h.person("Olga Owner", `"role":"editor","scope":"owner","takes_leads":true`)
		h.person("Vic Viewer", `"role":"viewer","scope":"all"`)
		h.ids["pipeline"] = h.make("pipeline", `{"name":"B2B"}`)
		h.make("stage", h.filled(`{"key":"B2B/Open","name":"Open","pipeline":"{pipeline}","rank":1,"status":"open"}`))
		h.ids["rule"] = h.make("assignment_rule", h.filled(`{"name":"All to Eva","rank":1,"method":"fixed","person":"{eva}"}`))
		h.ids["campaign"] = h.make("campaign", `{"name":"Spring"}`)
		for i, name := range []string{"anton", "berta", "carl", "dora"} {
			h.ids[name] = h.make("lead", h.filled(fmt.Sprintf(`{"name":"%s","email":"%s@example.com","source":"web","company":"Company %d","campaign":"{campaign}","owner":null}`, name, name, i)))
		}
		h.make("touch", h.filled(`{"lead":"{anton}","at":"2026-01-01T10:00:00Z","source":"Carrier Pigeon"}`))
		leads, handoffs := api+"/leads/", api+"/handoffs/"
		reject := func(as, id, body string) ask {
			return ask{as: as, method: "POST", path: leads + id + "/reject", body: body}
		}
		for name, s := range map[string]scenario{
			"a viewer accepts":           {ask{as: "vic", method: "POST", path: leads + "{anton}/accept"}, 403, nil, nil},
			"a hidden lead":              {ask{as: "olga", method: "POST", path: leads + "{anton}/accept"}, 404, nil, []string{"anton"}},
			"a hidden lead is converted": {ask{as: "olga", method: "POST", path: leads + "{anton}/convert", body: `{}`}, 404, nil, []string{"Company"}},
			"no reason":                  {reject("eva", "{berta}", `{"reason":""}`), 422, []string{`"field":"reason"`}, nil},
			"an unknown reason":          {reject("eva", "{berta}", `{"reason":"moody"}`), 422, []string{`"field":"rejection_reason"`}, nil},
			"an editor simulates":        {ask{as: "eva", method: "POST", path: api + "/assignment/simulate", body: `{"days":30,"rules":[]}`}, 403, nil, nil},
			"a broken draft":             {ask{as: "admin", method: "POST", path: api + "/assignment/simulate", body: `{"days":30,"rules":[{"name":"x","rank":1,"conditions":"soon"}]}`}, 422, []string{`"field":"conditions"`}, nil},
			"the lifecycle in words":     {ask{as: "vic", method: "GET", path: api + "/lifecycle"}, 200, []string{`"stage":"churned"`, "Has bought at least twice.", "at least 2 won deals"}, nil},
			"unmapped channels":          {ask{as: "eva", method: "GET", path: api + "/channels/unmapped"}, 200, []string{`"source":"Carrier Pigeon"`, `"count":1`}, nil},
			"hidden channels":            {ask{as: "olga", method: "GET", path: api + "/channels/unmapped"}, 200, []string{`"items":[]`}, []string{"Pigeon"}},
			"no such week":               {ask{as: "eva", method: "GET", path: api + "/handoffs/breaches?week_of=soon"}, 422, []string{`"field":"week_of"`}, nil},
			"a week":                     {ask{as: "eva", method: "GET", path: api + "/handoffs/breaches"}, 200, []string{`"kind":"marketing_to_sales"`, `"late":[]`}, nil},
			"a contact that is taken":    {ask{as: "eva", method: "POST", path: leads + "{carl}/convert", body: `{"deal":{"id":"deal_1"}}`}, 422, []string{`"field":"deal"`}, nil},
			"undo of nothing":            {ask{as: "eva", method: "POST", path: leads + "{carl}/undo-conversion"}, 409, nil, nil},
			"nobody else":                {ask{as: "eva", method: "POST", path: leads + "{dora}/reassign", body: `{}`}, 409, []string{"nobody else"}, nil},
		} {
			h.play(name, s)
		}
		h.play("accept", scenario{ask{as: "eva", method: "POST", path: leads + "{anton}/accept"}, 200, []string{`"status":"working"`, `"owner":"Eva Editor"`}, nil})
		h.play("reject", scenario{reject("eva", "{berta}", `{"reason":"no_budget"}`), 200, []string{`"status":"rejected"`}, nil})
		h.play("reasons go back to the campaign", scenario{ask{as: "eva", method: "GET", path: handoffs + "rejections?campaign={campaign}"}, 200, []string{`"reason":"no_budget"`, `"count":1`, `"title":"Spring"`}, nil})
		h.play("of hidden handoffs nothing", scenario{ask{as: "olga", method: "GET", path: handoffs + "rejections"}, 200, []string{`"items":[]`}, []string{"Spring"}})
		h.play("reassign", scenario{ask{as: "eva", method: "POST", path: leads + "{dora}/reassign", body: `{"owner":"{olga}"}`}, 200, []string{`"owner":"Olga Owner"`, "given by Eva Editor"}, nil})
		h.play("simulate", scenario{ask{as: "admin", method: "POST", path: api + "/assignment/simulate", body: `{"days":30,"rules":[{"name":"In turn","rank":1,"method":"round_robin"}]}`}, 200, []string{`"leads":4`, `"nobody":0`, "In turn: "}, nil})
		h.play("convert", scenario{ask{as: "eva", method: "POST", path: leads + "{carl}/convert", body: `{"account":{},"contact":{"fields":{"job_title":"Head"}},"deal":{"fields":{"name":"Carl's"}}}`}, 200,
			[]string{`"status":"converted"`, `"name":"Company 2"`, `"job_title":"Head"`, `"name":"Carl's"`, `"repeated":false`}, nil})
		h.play("convert again", scenario{ask{as: "eva", method: "POST", path: leads + "{carl}/convert", body: `{}`}, 200, []string{`"repeated":true`, "Carl's"}, nil})
		h.play("take it back", scenario{ask{as: "eva", method: "POST", path: leads + "{carl}/undo-conversion"}, 200, []string{`"status":"new"`, `"kept":[]`}, nil})
		if gone := h.send(ask{as: "eva", method: "GET", path: api + "/records/deal"}); gone.status != 200 {
			t.Error(gone.body)
		}
		h.play("what it made is gone", scenario{ask{as: "eva", method: "GET", path: api + "/records/contact"}, 200, []string{`"items":[]`}, []string{"carl"}})
		h.ids["account"] = h.make("account", h.filled(`{"name":"Alder","owner":"{eva}"}`))
		h.ids["to_success"] = h.make("handoff", h.filled(`{"kind_of":"sales_to_success","account":"{account}","to":null,"due_at":"`+time.Now().UTC().Add(-time.Second).Format(time.RFC3339)+`"}`))
		h.play("reject without a reason", scenario{ask{as: "eva", method: "POST", path: handoffs + "{to_success}/reject", body: `{"reason":""}`}, 422, []string{`"field":"reason"`}, nil})
		h.play("a viewer takes over", scenario{ask{as: "vic", method: "POST", path: handoffs + "{to_success}/accept"}, 403, nil, nil})
		h.play("take over", scenario{ask{as: "eva", method: "POST", path: handoffs + "{to_success}/accept"}, 200, []string{`"state":"accepted"`, `"to":"Eva Editor"`}, nil})
		h.play("kickoff", scenario{ask{as: "eva", method: "POST", path: handoffs + "{to_success}/kickoff"}, 200, []string{`"state":"done"`, `"done_at":"`}, nil})
		h.ids["other"] = h.make("handoff", h.filled(`{"kind_of":"sales_to_success","account":"{account}"}`))
		h.play("reject a handover", scenario{ask{as: "eva", method: "POST", path: handoffs + "{other}/reject", body: `{"reason":"incomplete_handover","comment":"no goals"}`}, 200, []string{`"state":"rejected"`, "no goals"}, nil})
	})
}
