package dashboards_test

import (
	"net/http"
	"strings"
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
)

type named = struct {
	name string
	scenario
}

const api = "/api/v1"

// sales furnishes a house with a pipeline, people and a few deals.
func sales(h *house) *house {
	h.Helper()
	h.ids["pipeline"] = h.make("pipeline", `{"name":"B2B"}`)
	h.ids["open"] = h.make("stage", h.filled(`{"key":"B2B/Open","name":"Open","pipeline":"{pipeline}","rank":1,"status":"open"}`))
	h.ids["won"] = h.make("stage", h.filled(`{"key":"B2B/Won","name":"Won","pipeline":"{pipeline}","rank":2,"status":"won"}`))
	h.ids["lost"] = h.make("stage", h.filled(`{"key":"B2B/Lost","name":"Lost","pipeline":"{pipeline}","rank":3,"status":"lost"}`))
	h.ids["east"] = h.make("team", `{"name":"East"}`)
	h.ids["west"] = h.make("team", `{"name":"West"}`)
	h.person("Eva Editor", h.filled(`"role":"editor","scope":"all","team":"{east}"`))
	h.person("Vic Viewer", `"role":"viewer","scope":"all"`)
	h.ids["acme"] = h.make("account", h.filled(`{"name":"Acme","owner":"{eva}"}`))
	return h
}

func (h *house) deal(name, more string) string {
	h.Helper()
	return h.make("deal", h.filled(`{"name":"`+name+`","pipeline":"{pipeline}","stage":"{open}"`+more+`}`))
}

func TestRecords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := sales(openHouse(t, c))
		h.ids["deal"] = h.deal("First", `,"account":"{acme}","amount":{"amount":"1054.50","currency":"USD"},"owner":"{eva}","external_id":"X1"`)
		deal := api + "/records/deal/{deal}"
		h.playAll([]named{
			{"get", scenario{ask{as: "vic", method: "GET", path: deal}, 200,
				[]string{`"id":"{deal}"`, `"version":1`, `"amount":{"amount":"1054.50","currency":"USD"}`, `"titles":{`, `"account":"Acme"`, `"owner":"Eva Editor"`, `"team":"East"`, `"status":"open"`}, []string{"lost_reason"}}},
			{"get of another object's id", scenario{ask{as: "eva", method: "GET", path: api + "/records/account/{deal}"}, 404, []string{`"code":"not_found"`}, nil}},
			{"get of a number that is not there", scenario{ask{as: "eva", method: "GET", path: api + "/records/deal/deal_999"}, 404, []string{"deal_999"}, nil}},
			{"unknown object", scenario{ask{as: "eva", method: "GET", path: api + "/records/unicorn"}, 404, []string{"unicorn", "/api/v1/objects"}, nil}},
			{"create", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: `{"fields":{"name":"Beta","country":"Germany"}}`}, 201, []string{`"version":1`, `"country":"DE"`}, nil}},
			{"create with an unknown field", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: `{"fields":{"name":"Gamma","colour":"red","employee_count":"many"}}`}, 422,
				[]string{`"field":"colour"`, `"field":"employee_count"`, `"details":[`}, []string{"Gamma"}}},
			{"create with one unknown field", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: `{"fields":{"name":"Gamma","colour":"red"}}`}, 422, []string{`"field":"colour"`, `"remedy":`}, nil}},
			{"create with an unknown member", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: `{"fields":{"name":"Gamma"},"id":"account_7"}`}, 422, []string{`"code":"invalid"`, `id`}, nil}},
			{"create with a read-only field", scenario{ask{as: "eva", method: "POST", path: api + "/records/deal", body: `{"fields":{"name":"x","pipeline":"{pipeline}","stage":"{open}","status":"won"}}`}, 422, []string{`"field":"status"`}, nil}},
			{"create without a required field", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: `{"fields":{}}`}, 422, []string{`"field":"name"`}, nil}},
			{"create with broken JSON", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: `{"fields":{"name":`}, 400, []string{`"code":"invalid"`}, nil}},
			{"create without a body", scenario{ask{as: "eva", method: "POST", path: api + "/records/account"}, 400, []string{`"code":"invalid"`}, nil}},
			{"create as a form", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: "name=Gamma", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 415, []string{`"code":"invalid"`}, nil}},
			{"a taken unique key", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: `{"fields":{"name":"Acme"}}`}, 409, []string{`"code":"conflict"`, `"field":"name"`, "{acme}"}, nil}},
			{"a reference to nothing", scenario{ask{as: "eva", method: "PATCH", path: deal, body: `{"fields":{"account":"account_999"}}`, header: map[string]string{"If-Match": `"1"`}}, 422, []string{`"field":"account"`}, nil}},
			{"a day that does not exist", scenario{ask{as: "eva", method: "PATCH", path: deal, body: `{"fields":{"expected_close_on":"2026-02-31"}}`, header: map[string]string{"If-Match": `"1"`}}, 422, []string{`"field":"expected_close_on"`}, nil}},
			{"a bad instant", scenario{ask{as: "eva", method: "PATCH", path: deal, body: `{"fields":{},"happened_at":"soon"}`, header: map[string]string{"If-Match": `"1"`}}, 422, []string{`"field":"happened_at"`}, nil}},
			{"viewer writes", scenario{ask{as: "vic", method: "PATCH", path: deal, body: `{"fields":{"name":"Mine"}}`, header: map[string]string{"If-Match": `"1"`}}, 403, []string{`"code":"forbidden"`, "editor"}, nil}},
			{"viewer creates", scenario{ask{as: "vic", method: "POST", path: api + "/records/account", body: `{"fields":{"name":"Gamma"}}`}, 403, []string{`"code":"forbidden"`}, nil}},
			{"editor writes a user", scenario{ask{as: "eva", method: "POST", path: api + "/records/user", body: `{"fields":{"name":"Me Too","role":"administrator"}}`}, 403, []string{"administrator"}, nil}},
			{"editor reads settings", scenario{ask{as: "eva", method: "GET", path: api + "/records/setting"}, 200, []string{`"items":[]`, `"value":0`}, nil}},
			{"patch without a version", scenario{ask{as: "eva", method: "PATCH", path: deal, body: `{"fields":{"name":"Second"}}`}, 428, []string{`"code":"precondition"`, `If-Match`}, nil}},
			{"patch with a bad version", scenario{ask{as: "eva", method: "PATCH", path: deal, body: `{"fields":{"name":"Second"}}`, header: map[string]string{"If-Match": `W/"1"`}}, 422, []string{`"field":"If-Match"`}, nil}},
			{"patch", scenario{ask{as: "eva", method: "PATCH", path: deal, body: `{"fields":{"name":"Second"}}`, header: map[string]string{"If-Match": `"1"`}}, 200, []string{`"version":2`, `"name":"Second"`}, nil}},
			{"stale patch", scenario{ask{as: "eva", method: "PATCH", path: deal, body: `{"fields":{"name":"Third"}}`, header: map[string]string{"If-Match": `"1"`}}, 412,
				[]string{`"code":"precondition"`, `"version":2`, `"name":"Second"`, `"record":{`}, []string{"Third"}}},
			{"stale delete", scenario{ask{as: "eva", method: "DELETE", path: deal, header: map[string]string{"If-Match": `"1"`}}, 412, []string{`"version":2`}, nil}},
			{"delete without a version", scenario{ask{as: "eva", method: "DELETE", path: deal}, 428, nil, nil}},
			{"delete", scenario{ask{as: "eva", method: "DELETE", path: deal, header: map[string]string{"If-Match": `"2"`}}, 204, nil, []string{"{"}}},
			{"list leaves deleted ones out", scenario{ask{as: "eva", method: "GET", path: api + "/records/deal"}, 200, []string{`"items":[]`}, []string{"Second"}}},
			{"list with deleted ones", scenario{ask{as: "eva", method: "GET", path: api + "/records/deal?deleted=true"}, 200, []string{`"deleted":true`, "Second"}, nil}},
			{"restore", scenario{ask{as: "eva", method: "POST", path: deal + "/restore"}, 200, []string{`"deleted":false`, `"version":4`}, nil}},
			{"timeline", scenario{ask{as: "vic", method: "GET", path: deal + "/timeline"}, 200,
				[]string{`"kind":"restored"`, `"kind":"deleted"`, `"kind":"updated"`, `"kind":"created"`, `"cause":"api"`, `"name":"Eva Editor"`, `"before":"First"`, `"after":"Second"`, `"after_title":"Acme"`}, nil}},
			{"timeline with a bad cursor", scenario{ask{as: "vic", method: "GET", path: deal + "/timeline?cursor=-1"}, 422, []string{`"field":"cursor"`}, nil}},
			{"timeline of nothing", scenario{ask{as: "vic", method: "GET", path: api + "/records/deal/deal_999/timeline"}, 404, nil, nil}},
			{"changes", scenario{ask{as: "admin", method: "GET", path: api + "/changes?limit=3"}, 200, []string{`"position":1`, `"next":3`, `"image":{`}, []string{`"position":4`}}},
			{"changes at the end", scenario{ask{as: "admin", method: "GET", path: api + "/changes?after=100000"}, 200, []string{`"items":[]`, `"next":100000`}, nil}},
			{"objects", scenario{ask{as: "vic", method: "GET", path: api + "/objects"}, 200, []string{`"name":"deal"`, `"kind":"money"`, `"required_from":"lost"`, `"timeline_of":["account","contact"]`}, []string{`"name":"setting"`}}},
			{"objects for administrators", scenario{ask{as: "admin", method: "GET", path: api + "/objects"}, 200, []string{`"name":"setting"`}, nil}},
		})
		if a := h.send(ask{as: "eva", method: "GET", path: deal}); a.header.Get("ETag") != `"4"` || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers of a record: %v", a.header)
		}
	})
}

func TestLists(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := sales(openHouse(t, c))
		for _, name := range []string{"Alder", "Birch", "Cedar", "Dogwood", "Elm"} {
			h.deal(name, `,"amount":{"amount":"`+strings.Repeat("1", len(name))+`","currency":"USD"}`)
		}
		list := api + "/records/deal?"
		first := h.play("first page", scenario{ask{as: "vic", method: "GET", path: list + "sort=-name&limit=2"}, 200, []string{"Elm", "Dogwood", `"value":5`, `"capped":false`, `"next_cursor":"`}, []string{"Cedar"}})
		_, cursor, _ := strings.Cut(first.body, `"next_cursor":"`)
		cursor, _, _ = strings.Cut(cursor, `"`)
		h.playAll([]named{
			{"second page", scenario{ask{as: "vic", method: "GET", path: list + "sort=-name&limit=2&cursor=" + cursor}, 200, []string{"Cedar", "Birch"}, []string{"Elm", "Alder"}}},
			{"cursor of another sort", scenario{ask{as: "vic", method: "GET", path: list + "sort=name&limit=2&cursor=" + cursor}, 422, []string{`"code":"invalid"`}, nil}},
			{"made-up cursor", scenario{ask{as: "vic", method: "GET", path: list + "cursor=zzz"}, 422, []string{`"code":"invalid"`}, nil}},
			{"filter", scenario{ask{as: "vic", method: "GET", path: list + `filter={"field":"name","op":"starts_with","value":"b"}`}, 200, []string{"Birch", `"value":1`}, []string{"Alder"}}},
			{"filter on an unknown field", scenario{ask{as: "vic", method: "GET", path: list + `filter={"field":"colour","op":"eq","value":"b"}`}, 422, []string{"colour"}, nil}},
			{"filter that is none", scenario{ask{as: "vic", method: "GET", path: list + `filter={"field":`}, 422, []string{`"code":"invalid"`}, nil}},
			{"filter with SQL in it", scenario{ask{as: "vic", method: "GET", path: list + `filter={"field":"name'%20or%201=1--","op":"eq","value":"b"}`}, 422, nil, []string{"Alder"}}},
			{"unknown sort", scenario{ask{as: "vic", method: "GET", path: list + "sort=colour"}, 422, []string{"colour"}, nil}},
			{"limit too large", scenario{ask{as: "vic", method: "GET", path: list + "limit=5000"}, 422, []string{`"field":"limit"`}, nil}},
			{"limit that is no number", scenario{ask{as: "vic", method: "GET", path: list + "limit=many"}, 422, []string{`"field":"limit"`}, nil}},
			{"unknown parameter", scenario{ask{as: "vic", method: "GET", path: list + "colour=red"}, 422, []string{"colour"}, nil}},
		})
	})
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t))
	create := ask{as: "eva", method: "POST", path: api + "/records/account", body: `{"fields":{"name":"Once"}}`, header: map[string]string{"Idempotency-Key": "key-1"}}
	first := h.play("first", scenario{create, 201, []string{`"name":"Once"`}, nil})
	again := h.play("again", scenario{create, 201, []string{`"name":"Once"`}, nil})
	if first.body != again.body || first.header.Get("Idempotent-Replayed") != "" || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("repeated:\n%s %v\n%s %v", first.body, first.header, again.body, again.header)
	}
	if first.header.Get("Location") == "" || first.header.Get("ETag") != `"1"` {
		t.Errorf("headers: %v", first.header)
	}
	create.body = `{"fields":{"name":"Twice"}}`
	h.play("the key for something else", scenario{create, 409, []string{`"code":"conflict"`}, []string{"Twice"}})
	h.play("one record", scenario{ask{as: "eva", method: "GET", path: api + `/records/account?filter={"field":"name","op":"eq","value":"Once"}`}, 200, []string{`"value":1`}, nil})
}

func TestBatch(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t))
	batch := api + "/batch"
	h.ids["old"] = h.make("account", `{"name":"Old"}`)
	h.playAll([]named{
		{"each for itself", scenario{ask{as: "eva", method: "POST", path: batch, body: `{"operations":[
			{"op":"create","object":"account","fields":{"name":"Batch one"}},{"op":"create","object":"account","fields":{"nam":"x"}},
			{"op":"update","object":"account","id":"{old}","version":1,"fields":{"sector":"software"}},{"op":"update","object":"account","id":"{old}","version":1,"fields":{"sector":"retail"}},
			{"op":"delete","object":"account","id":"{old}"},{"op":"create","object":"user","fields":{"name":"x"}}]}`}, 200,
			[]string{`{"status":201,"record":{`, `"status":422`, `"field":"nam"`, `"row":2`, `"status":200`, `"status":412`, `"row":4`, `"row":5`, `"status":403`, `"row":6`}, []string{"retail"}}},
		{"all or none", scenario{ask{as: "eva", method: "POST", path: batch, body: `{"atomic":true,"operations":[{"op":"create","object":"account","fields":{"name":"Never one"}},{"op":"create","object":"account","fields":{"name":"Acme"}}]}`}, 409, []string{`"row":2`, `"field":"name"`}, nil}},
		{"all or none, unreadable", scenario{ask{as: "eva", method: "POST", path: batch, body: `{"atomic":true,"operations":[{"op":"create","object":"account","fields":{"name":"Never two"}},{"op":"create","object":"unicorn"},{"op":"delete","object":"account","id":"account_1"}]}`}, 404, []string{`"row":2`, `"row":3`}, nil}},
		{"nothing of it was written", scenario{ask{as: "eva", method: "GET", path: api + `/records/account?filter={"field":"name","op":"starts_with","value":"Never"}`}, 200, []string{`"value":0`}, nil}},
		{"all", scenario{ask{as: "eva", method: "POST", path: batch, body: `{"atomic":true,"operations":[{"op":"create","object":"account","fields":{"name":"All one"}},{"op":"create","object":"account","fields":{"name":"All two"}}]}`}, 200, []string{"All one", "All two"}, nil}},
		{"unknown operation", scenario{ask{as: "eva", method: "POST", path: batch, body: `{"operations":[{"op":"erase","object":"account"}]}`}, 422, []string{"operations[0].op"}, nil}},
		{"none", scenario{ask{as: "eva", method: "POST", path: batch, body: `{"operations":[]}`}, 422, nil, nil}},
		{"too many", scenario{ask{as: "eva", method: "POST", path: batch, body: `{"operations":[` + strings.Repeat(`{"op":"create","object":"account","fields":{}},`, 1000) + `{"op":"create","object":"account"}]}`}, 422, []string{"operations"}, nil}},
		{"viewer", scenario{ask{as: "vic", method: "POST", path: batch, body: `{"operations":[{"op":"create","object":"account","fields":{"name":"By a viewer"}}]}`}, 200, []string{`"status":403`}, []string{`"status":201`}}},
	})
	many := `{"operations":[` + strings.TrimSuffix(strings.Repeat(`{"op":"create","object":"activity","fields":{"subject":"Call","type":"call"}},`, 1000), ",") + `]}`
	a := h.play("a thousand", scenario{ask{as: "eva", method: "POST", path: batch, body: many}, 200, nil, []string{"error"}})
	if n := strings.Count(a.body, `"status":201`); n != 1000 {
		t.Errorf("%d of 1,000 were created", n)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t))
	large := `{"fields":{"name":"Large","sector":"` + strings.Repeat("x", 1<<20) + `"}}`
	h.play("too large", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: large}, 413, []string{`"code":"too_large"`, `"remedy":`}, nil})
	h.play("too large a batch", scenario{ask{as: "eva", method: "POST", path: api + "/batch", body: strings.Repeat(" ", 8<<20+1)}, 413, []string{`"code":"too_large"`}, nil})
	h.play("a batch may be larger", scenario{ask{as: "eva", method: "POST", path: api + "/batch", body: strings.Repeat(" ", 2<<20) + `{"operations":[{"op":"create","object":"account","fields":{"name":"After spaces"}}]}`}, 200, []string{"After spaces"}, nil})

	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+api+"/records/account", struct{ *strings.Reader }{strings.NewReader(large)})
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = -1 // chunked: its length is not told
	request.Header.Set("Authorization", "Bearer "+h.tokens["eva"])
	request.Header.Set("Content-Type", "application/json")
	response, err := h.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("chunked: %d", response.StatusCode)
	}
	h.play("the next request", scenario{ask{as: "eva", method: "GET", path: api + "/me"}, 200, []string{"Eva Editor"}, nil})
}

func TestAsOf(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t))
	a := h.send(ask{as: "eva", method: "POST", path: api + "/records/deal", body: `{"happened_at":"2026-01-05","fields":{"name":"Then","pipeline":"{pipeline}","stage":"{open}"}}`})
	_, id, _ := strings.Cut(a.body, `"id":"`)
	h.ids["then"], _, _ = strings.Cut(id, `"`)
	h.play("back-dated patch", scenario{ask{as: "eva", method: "PATCH", path: api + "/records/deal/{then}", body: `{"happened_at":"2026-02-01T10:00:00Z","fields":{"stage":"{won}"}}`, header: map[string]string{"If-Match": `"1"`}}, 200, []string{`"closed_at":"2026-02-01T10:00:00.000Z"`}, nil})
	h.playAll([]named{
		{"before it was there", scenario{ask{as: "eva", method: "GET", path: api + "/records/deal/{then}?happened_before=2026-01-05"}, 404, nil, nil}},
		{"before it was won", scenario{ask{as: "eva", method: "GET", path: api + "/records/deal/{then}?happened_before=2026-02-01"}, 200, []string{`"status":"open"`}, nil}},
		{"after it was won", scenario{ask{as: "eva", method: "GET", path: api + "/records/deal/{then}?happened_before=2026-02-02"}, 200, []string{`"status":"won"`}, nil}},
		{"bad instant", scenario{ask{as: "eva", method: "GET", path: api + "/records/deal/{then}?happened_before=then"}, 422, []string{`"field":"happened_before"`}, nil}},
		{"bad position", scenario{ask{as: "eva", method: "GET", path: api + "/records/deal/{then}?position=-1"}, 422, []string{`"field":"position"`}, nil}},
	})
}
