package dashboards_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
)

// foreign is a word that stands in every row that a scoped reader must not see, and in nothing else.
const foreign = "Hidden"

// scoped furnishes a house with rows of two sides: those of the readers, and those with the word Hidden in them.
//
// Olga sees her own rows, Tim the east team's, Tessa the northern territory's, Carl those of the campaign Spring.
func scoped(h *house) *house {
	h.Helper()
	sales(h)
	h.ids["spring"] = h.make("campaign", `{"name":"Spring"}`)
	h.ids["autumn"] = h.make("campaign", `{"name":"Autumn"}`)
	h.person("Olga Owner", h.filled(`"role":"editor","scope":"owner","team":"{east}","territory":"North"`))
	h.person("Tim Team", h.filled(`"role":"editor","scope":"team","team":"{east}","territory":"East"`))
	h.person("Tessa Territory", h.filled(`"role":"editor","scope":"territory","team":"{east}","territory":"North"`))
	h.person("Carl Campaign", h.filled(`"role":"editor","scope":"campaign","team":"{east}","territory":"North","campaign":"{spring}"`))
	h.person("Sam Stranger", h.filled(`"role":"editor","scope":"all","team":"{west}","territory":"South"`))

	h.ids["mine"] = h.make("account", h.filled(`{"name":"Visible account","owner":"{olga}"}`))
	h.ids["theirs"] = h.make("account", h.filled(`{"name":"Hidden account","owner":"{sam}"}`))
	h.ids["my_deal"] = h.deal("Visible deal", `,"owner":"{olga}","campaign":"{spring}","external_id":"V-1","account":"{theirs}","amount":{"amount":"100.00","currency":"USD"}`)
	h.ids["their_deal"] = h.deal("Hidden deal", `,"owner":"{sam}","campaign":"{autumn}","external_id":"HIDDEN-1","account":"{mine}","amount":{"amount":"77777.00","currency":"USD"}`)
	h.ids["my_line"] = h.make("deal_line", h.filled(`{"name":"Visible line","deal":"{my_deal}","list_price":{"amount":"100.00","currency":"USD"},"net_price":{"amount":"100.00","currency":"USD"}}`))
	h.ids["their_line"] = h.make("deal_line", h.filled(`{"name":"Hidden line","deal":"{their_deal}","list_price":{"amount":"77777.00","currency":"USD"},"net_price":{"amount":"77777.00","currency":"USD"}}`))
	h.ids["my_call"] = h.make("activity", h.filled(`{"subject":"Visible call","type":"call","deal":"{my_deal}"}`))
	h.ids["their_call"] = h.make("activity", h.filled(`{"subject":"Hidden call","type":"call","deal":"{their_deal}"}`))
	h.ids["their_task"] = h.make("task", h.filled(`{"subject":"Hidden task","account":"{theirs}","owner":"{sam}"}`))
	h.ids["their_lead"] = h.make("lead", h.filled(`{"name":"Hidden lead","owner":"{sam}","campaign":"{autumn}","email":"hidden@example.com"}`))
	h.ids["their_contact"] = h.make("contact", h.filled(`{"name":"Hidden contact","account":"{theirs}","owner":"{sam}","email":"hidden.contact@example.com"}`))
	h.ids["their_note"] = h.make("annotation", h.filled(`{"text":"Hidden note","on":"2026-01-01","owner":"{sam}"}`))
	h.ids["setting"] = h.make("setting", `{"key":"hidden","value":"Hidden value"}`)
	return h
}

var scopedReaders = []string{"olga", "tim", "tessa", "carl"}

// A reader whose scope leaves a row out never learns that it exists: through no route, no error and no count.
func TestScopedReadersSeeNoForeignRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := scoped(openHouse(t, c))
		hidden := map[string]string{
			"deal": "{their_deal}", "deal_line": "{their_line}", "activity": "{their_call}", "task": "{their_task}", "lead": "{their_lead}",
			"contact": "{their_contact}", "annotation": "{their_note}", "account": "{theirs}", "setting": "{setting}",
		}
		for _, reader := range scopedReaders {
			h.play(reader+" sees the own deal", scenario{ask{as: reader, method: "GET", path: api + "/records/deal"}, 200, []string{"Visible deal", `"value":1`}, []string{foreign, "HIDDEN", "77777"}})
			h.play(reader+" sees the own line", scenario{ask{as: reader, method: "GET", path: api + "/records/deal_line"}, 200, []string{"Visible line", `"value":1`}, []string{foreign}})
			h.play(reader+" sees the own call", scenario{ask{as: reader, method: "GET", path: api + "/records/activity"}, 200, []string{"Visible call", `"value":1`}, []string{foreign}})
			h.noForeignReads(reader, hidden)
			h.noForeignWrites(reader, hidden)
			h.noForeignHints(reader)
		}
		h.play("all rows are as they were", scenario{ask{as: "admin", method: "GET", path: api + "/records/deal?sort=name"}, 200, []string{"Hidden deal", "Visible deal", `"value":2`}, []string{`"deleted":true`, "Taken over"}})
	})
}

// noForeignReads looks at every way of reading.
func (h *house) noForeignReads(reader string, hidden map[string]string) {
	h.Helper()
	for _, text := range []string{"hidden", "hid", "hidden@example.com", "hidden-1", "{theirs}", "{their_deal}", "{their_contact}", "hidden+deal"} {
		h.play(reader+" searches for "+text, scenario{ask{as: reader, method: "GET", path: api + "/search?q=" + text}, 200, []string{`{"groups":[]}`}, []string{foreign}})
	}
	h.play(reader+" searches for the own deal", scenario{ask{as: reader, method: "GET", path: api + "/search?q=visible"}, 200, []string{"Visible deal"}, []string{foreign}})
	for object, id := range hidden {
		list := api + "/records/" + object
		for what, query := range map[string]string{
			"list": "", "with deleted ones": "?deleted=true", "sorted": "?sort=-updated_at", "by id": `?filter={"field":"id","op":"in","value":["` + id + `"]}`,
			"by not": `?filter={"not":{"field":"version","op":"eq","value":99}}`, "or": `?filter={"or":[{"field":"version","op":"gte","value":1},{"field":"version","op":"lt","value":1}]}`,
		} {
			h.play(reader+" lists "+object+", "+what, scenario{ask{as: reader, method: "GET", path: list + query}, 200, nil, []string{foreign, "HIDDEN", "77777", "hidden@"}})
		}
		one := list + "/" + id
		for what, q := range map[string]ask{
			"get": {method: "GET", path: one}, "get as of": {method: "GET", path: one + "?happened_before=2100-01-01"}, "get at a position": {method: "GET", path: one + "?position=100000"},
			"timeline": {method: "GET", path: one + "/timeline"},
		} {
			q.as = reader
			h.sameAsNothing(reader+" "+what+" of "+object, q, id)
		}
	}
	h.play(reader+" counts by name", scenario{ask{as: reader, method: "GET", path: api + `/records/deal?filter={"field":"name","op":"contains","value":"hidden"}`}, 200, []string{`"value":0`, `"items":[]`}, nil})
	// The own deal belongs to a hidden account: asking what that account holds finds no more than where there is none.
	for _, guess := range []string{`{"field":"name","op":"starts_with","value":"Hidden"}`, `{"field":"name","op":"not_empty"}`} {
		over := `?filter={"field":"account","op":"related","where":` + guess + `}`
		h.play(reader+" filters over a reference", scenario{ask{as: reader, method: "GET", path: api + "/records/deal" + over}, 200, []string{`"value":0`}, []string{foreign, "HIDDEN"}})
		not := `?filter={"not":{"field":"account","op":"related","where":` + guess + `}}`
		h.play(reader+" filters over a reference, turned around", scenario{ask{as: reader, method: "GET", path: api + "/records/deal" + not}, 200, []string{`"value":1`, "Visible deal"}, []string{foreign, "HIDDEN"}})
	}
	h.play(reader+" reads titles", scenario{ask{as: reader, method: "GET", path: api + "/records/deal/{my_deal}"}, 200, []string{"Visible deal"}, []string{foreign}})
	h.play(reader+" reads the timeline", scenario{ask{as: reader, method: "GET", path: api + "/records/deal/{my_deal}/timeline"}, 200, []string{"Visible line", "Visible call"}, []string{foreign}})
	var after uint64
	for range 50 {
		a := h.play(reader+" reads the log", scenario{ask{as: reader, method: "GET", path: fmt.Sprintf("%s/changes?limit=5&after=%d", api, after)}, 200, nil, []string{foreign, "HIDDEN", "77777", "hidden@"}})
		var next uint64
		_, rest, _ := strings.Cut(a.body, `"next":`)
		if _, err := fmt.Sscanf(rest, "%d", &next); err != nil {
			h.Fatalf("changes without next: %s", a.body)
		}
		if next == after {
			return
		}
		after = next
	}
	h.Error("the log has no end")
}

// sameAsNothing asks for a hidden record and for one that is not there: but for the number the answers are the same.
func (h *house) sameAsNothing(name string, q ask, id string) {
	h.Helper()
	id = h.filled(id)
	object := id[:strings.LastIndexByte(id, '_')]
	a := h.play(name, scenario{q, 404, []string{`"code":"not_found"`}, []string{foreign, "HIDDEN"}})
	q.path = strings.ReplaceAll(h.filled(q.path), id, object+"_999999")
	b := h.send(q)
	same := func(x answer, id string) string {
		text := strings.ReplaceAll(x.body, id, "ID")
		return strings.ReplaceAll(text, x.header.Get("X-Request-Id"), "REQUEST")
	}
	if same(a, id) != same(b, object+"_999999") {
		h.Errorf("%s tells a hidden record from none:\n%s\n%s", name, a.body, b.body)
	}
}

// noForeignWrites tries to change, delete and restore what is hidden, alone and in a batch.
func (h *house) noForeignWrites(reader string, hidden map[string]string) {
	h.Helper()
	for object, id := range hidden {
		if object == "setting" {
			continue // refused for the role already
		}
		one := api + "/records/" + object + "/" + id
		title := h.engine.Registry().Object(object).Title
		if h.engine.Registry().Object(object).Field(title).ReadOnly {
			title = "name"
		}
		h.sameAsNothing(reader+" patches "+object, ask{as: reader, method: "PATCH", path: one, body: `{"fields":{"` + title + `":"Taken over"}}`, header: map[string]string{"If-Match": `"1"`}}, id)
		h.sameAsNothing(reader+" patches a stale "+object, ask{as: reader, method: "PATCH", path: one, body: `{"fields":{"` + title + `":"Taken over"}}`, header: map[string]string{"If-Match": `"7"`}}, id)
		h.sameAsNothing(reader+" deletes "+object, ask{as: reader, method: "DELETE", path: one, header: map[string]string{"If-Match": `"1"`}}, id)
		h.sameAsNothing(reader+" restores "+object, ask{as: reader, method: "POST", path: one + "/restore"}, id)
	}
	h.play(reader+" writes in a batch", scenario{ask{as: reader, method: "POST", path: api + "/batch", body: `{"operations":[
		{"op":"update","object":"deal","id":"{their_deal}","version":1,"fields":{"name":"Taken over"}},{"op":"delete","object":"deal","id":"{their_deal}","version":1},
		{"op":"update","object":"deal","id":"{their_deal}","version":9,"fields":{"name":"Taken over"}},{"op":"restore","object":"deal","id":"{their_deal}"}]}`}, 200,
		[]string{`"status":404`}, []string{`"status":200`, `"status":412`, `"status":403`, foreign}})
}

// noForeignHints looks at errors that could tell of a hidden row: a taken key, a reference.
func (h *house) noForeignHints(reader string) {
	h.Helper()
	mine := ask{as: reader, method: "PATCH", path: api + "/records/deal/{my_deal}", header: map[string]string{"If-Match": `"` + h.version("{my_deal}") + `"`}}
	mine.body = `{"fields":{"external_id":"HIDDEN-1"}}`
	h.play(reader+" takes a hidden key", scenario{mine, 409, []string{"another deal has this value already"}, []string{"{their_deal}", foreign}})
	mine.body = `{"fields":{"contact":"{their_contact}"}}`
	refused := h.play(reader+" refers to a hidden record", scenario{mine, 422, []string{`"field":"contact"`}, []string{foreign}})
	mine.body = `{"fields":{"contact":"contact_999999"}}`
	missing := h.play(reader+" refers to nothing", scenario{mine, 422, []string{`"field":"contact"`}, nil})
	plain := func(a answer, id string) string {
		return strings.ReplaceAll(strings.ReplaceAll(a.body, id, "ID"), a.header.Get("X-Request-Id"), "REQUEST")
	}
	if plain(refused, h.ids["their_contact"]) != plain(missing, "contact_999999") {
		h.Errorf("%s tells a hidden reference from none:\n%s\n%s", reader, refused.body, missing.body)
	}
	h.play(reader+" may not look at the runs", scenario{ask{as: reader, method: "GET", path: api + "/runs"}, http.StatusForbidden, nil, nil})
}

// version is what a record's version is now.
func (h *house) version(id string) string {
	h.Helper()
	object, _, _ := strings.Cut(h.filled(id), "_")
	a := h.send(ask{as: "admin", method: "GET", path: api + "/records/" + object + "/" + url.PathEscape(h.filled(id))})
	return strings.Trim(a.header.Get("ETag"), `"`)
}
