package dashboards_test

import (
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
)

// strict makes the house's stages ask for something.
func strict(h *house) *house {
	h.Helper()
	for _, q := range []ask{
		{as: "admin", method: "PATCH", path: api + "/records/stage/{open}", header: map[string]string{"If-Match": `"1"`},
			body: `{"fields":{"exit_criteria":"{\"field\":\"amount\",\"op\":\"not_empty\"}","exit_help":"Say what it is worth","probability":0.25,"age_limit_days":30}}`},
		{as: "admin", method: "PATCH", path: api + "/records/stage/{won}", header: map[string]string{"If-Match": `"1"`}, body: `{"fields":{"required_fields":"[\"expected_close_on\"]","probability":1}}`},
	} {
		if a := h.send(q); a.status != 200 {
			h.Fatal(a.body)
		}
	}
	return h
}

func TestStagesThroughTheAPI(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := strict(sales(openHouse(t, c)))
		h.ids["deal"] = h.deal("First", `,"owner":"{eva}"`)
		deal, one := api+"/records/deal/{deal}", map[string]string{"If-Match": `"1"`}
		h.playAll([]named{
			{"what is missing is told one by one", scenario{ask{as: "eva", method: "PATCH", path: deal, body: `{"fields":{"stage":"{won}"}}`, header: one}, 412,
				[]string{`"code":"precondition"`, `"field":"stage"`, `"field":"amount"`, `"remedy":"Say what it is worth"`, `"field":"expected_close_on"`}, []string{`"version":`}}},
			{"a batch meets it, too", scenario{ask{as: "eva", method: "POST", path: api + "/batch", body: `{"operations":[{"op":"update","object":"deal","id":"{deal}","version":1,"fields":{"stage":"{won}"}}]}`}, 200,
				[]string{`"status":412`, `"field":"amount"`}, nil}},
			{"a new deal in a late stage", scenario{ask{as: "eva", method: "POST", path: api + "/records/deal", body: `{"fields":{"name":"Late","pipeline":"{pipeline}","stage":"{won}"}}`}, 412, []string{`"field":"amount"`}, nil}},
			{"a batch that deletes with fields", scenario{ask{as: "eva", method: "POST", path: api + "/batch", body: `{"operations":[{"op":"delete","object":"deal","id":"{deal}","version":1,"fields":{"stage":"{won}"}}]}`}, 200, []string{`"status":422`, `"field":"fields"`}, nil}},
			{"an override of an editor", scenario{ask{as: "eva", method: "PATCH", path: deal, body: `{"fields":{"stage":"{won}"},"override":"The boss said so"}`, header: one}, 403, []string{`"field":"override"`, `"field":"amount"`}, nil}},
			{"an override by hand", scenario{ask{as: "eva", method: "POST", path: api + "/records/stage_override", body: `{"fields":{"reason":"mine","deal":"{deal}"}}`}, 422, []string{`"field":"reason"`}, nil}},
			{"an override of an administrator", scenario{ask{as: "admin", method: "PATCH", path: deal, body: `{"fields":{"stage":"{won}"},"override":"The contract came by post"}`, header: one}, 200, []string{`"status":"won"`, `"version":2`}, nil}},
			{"it is kept", scenario{ask{as: "eva", method: "GET", path: api + "/records/stage_override"}, 200, []string{`"reason":"The contract came by post"`, `"deal":"{deal}"`, `"unmet":"Amount is filled\n`}, nil}},
			{"and is on the timeline", scenario{ask{as: "eva", method: "GET", path: deal + "/timeline"}, 200, []string{`"object":"stage_override"`, "The contract came by post"}, nil}},
			{"stays", scenario{ask{as: "vic", method: "GET", path: api + "/deals/{deal}/stages"}, 200, []string{`"title":"Open"`, `"title":"Won"`, `"left_at":`, `"days":`}, nil}},
			{"stays of a deal that is not there", scenario{ask{as: "vic", method: "GET", path: api + "/deals/deal_999/stages"}, 404, nil, nil}},
			{"stages in words", scenario{ask{as: "vic", method: "GET", path: api + "/pipelines/{pipeline}/stages"}, 200, []string{`"exit":["Amount is filled"]`, `"exit_help":"Say what it is worth"`, `"required":["Expected close"]`, `"age_limit_days":30`}, nil}},
			{"stages of a pipeline that is not there", scenario{ask{as: "vic", method: "GET", path: api + "/pipelines/pipeline_99/stages"}, 404, nil, nil}},
			{"a criterion over a field that is none", scenario{ask{as: "admin", method: "PATCH", path: api + "/records/stage/{open}", body: `{"fields":{"entry_criteria":"{\"field\":\"amonut\",\"op\":\"not_empty\"}"}}`, header: map[string]string{"If-Match": `"2"`}}, 422, []string{`"field":"entry_criteria"`, "amonut"}, nil}},
		})
		// A stage that becomes stricter counts who stands in it.
		h.deal("Second", `,"owner":"{eva}"`)
		h.play("stricter", scenario{ask{as: "admin", method: "PATCH", path: api + "/records/stage/{open}", body: `{"fields":{"required_fields":"[\"source\"]"}}`, header: map[string]string{"If-Match": `"2"`}}, 200, nil, nil})
		h.play("broken ones are counted", scenario{ask{as: "vic", method: "GET", path: api + "/pipelines/{pipeline}/stages"}, 200, []string{`"open":{"count":{"value":1,"capped":false},"breaks":{"value":1,"capped":false}`}, nil})
		h.person("Sam Own", `"role":"editor","scope":"owner"`)
		h.play("not for those who do not see the deal", scenario{ask{as: "sam", method: "GET", path: api + "/pipelines/{pipeline}/stages"}, 200, []string{`"open":{"count":{"value":0,"capped":false},"breaks":{"value":0,"capped":false}`}, nil})
	})
}

func TestStagnationThroughTheAPI(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := sales(openHouse(t, c))
		preview, run := api+"/stagnation/preview", ask{as: "admin", method: "POST", path: api + "/stagnation/runs"}
		h.play("no policy", scenario{ask{as: "vic", method: "GET", path: preview}, 200, []string{`"items":[]`}, nil})
		h.play("a policy", scenario{ask{as: "admin", method: "PATCH", path: api + "/records/pipeline/{pipeline}", header: map[string]string{"If-Match": `"1"`},
			body: `{"fields":{"stagnation_policy":"{\"nudge_after_days\":14,\"reengage_after_days\":28,\"close_after_days\":60,\"then\":\"lost\"}"}}`}, 200, nil, nil})
		h.play("an old deal", scenario{ask{as: "admin", method: "POST", path: api + "/records/deal", body: `{"happened_at":"2026-01-05","fields":{"name":"Quiet","pipeline":"{pipeline}","stage":"{open}","owner":"{eva}"}}`}, 201, nil, nil})
		h.play("preview", scenario{ask{as: "vic", method: "GET", path: preview}, 200, []string{`"step":"nudge"`, `"name":"Quiet"`, "nothing has happened for", `"limit_days":14`}, nil})
		h.person("Sam Own", `"role":"editor","scope":"owner"`)
		h.play("deals of others", scenario{ask{as: "sam", method: "GET", path: preview}, 200, []string{`"items":[]`}, []string{"Quiet"}})
		h.play("not by an editor", scenario{ask{as: "eva", method: "POST", path: api + "/stagnation/runs"}, 403, []string{`"code":"forbidden"`}, nil})
		h.play("run", scenario{run, 200, []string{`"nudged":1`, `"notes":[]`}, nil})
		h.play("run again", scenario{run, 200, []string{`"nudged":0`}, nil})
		h.play("the owner's task", scenario{ask{as: "eva", method: "GET", path: api + "/records/task"}, 200, []string{"Plan a next step: Quiet", `"made_by_rule":"stagnation"`}, nil})
		h.play("runs are the administrator's", scenario{ask{as: "admin", method: "GET", path: api + "/records/stagnation_run"}, 200, []string{`"nudged":1`}, nil})
		h.play("and nobody else's", scenario{ask{as: "eva", method: "GET", path: api + "/records/stagnation_run"}, 200, nil, []string{`"nudged":1`}})
	})
}

func TestBoardSums(t *testing.T) {
	t.Parallel()
	a, analysed := analytic(t)
	h := strict(sales(sqliteHouse(t, analysed)))
	h.dealIn("One", `,"owner":"{eva}"`, "100.10")
	h.dealIn("Two", "", "300.00")
	h.settled(a)
	board := api + "/pipelines/{pipeline}/board"
	h.play("sums", scenario{ask{as: "vic", method: "GET", path: board}, 200, []string{
		`{"id":"{open}","count":2,"sums":[{"amount":"400.10","currency":"USD"}],"weighted":[{"amount":"100.03","currency":"USD"}],"stale_count":2}`,
		`"open":{"count":2,"sums":[{"amount":"400.10","currency":"USD"}],"weighted":[{"amount":"100.03","currency":"USD"}]}`, `"stale_count":2,"as_of"`,
	}, nil})
	h.play("filtered", scenario{ask{as: "vic", method: "GET", path: board + "?filter=%7B%22field%22%3A%22owner%22%2C%22op%22%3A%22eq%22%2C%22value%22%3A%22{eva}%22%7D"}, 200, []string{`"count":1,"sums":[{"amount":"100.10"`}, []string{"400.10"}})
	h.person("Sam Own", `"role":"editor","scope":"owner"`)
	h.settled(a)
	h.play("nobody's rows but one's own", scenario{ask{as: "sam", method: "GET", path: board}, 200, []string{`"count":0,"sums":[]`}, []string{"400.10"}})
}
