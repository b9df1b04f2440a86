package dashboards_test

import (
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
)

func TestViews(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := sales(openHouse(t, c))
		views := api + "/records/view"
		create := func(as, name, more string) string {
			h.Helper()
			return `{"fields":{"name":"` + name + `","object":"deal"` + more + `}}`
		}
		h.playAll([]named{
			{"private", scenario{ask{as: "eva", method: "POST", path: views, body: create("eva", "Secret plan", `,"filter":"{\"field\":\"status\",\"op\":\"eq\",\"value\":\"open\"}","sort":"-amount","columns":"[\"amount\",\"owner\"]"`)}, 201, []string{`"owner":"Eva Editor"`, `"shared":false`}, nil}},
			{"shared", scenario{ask{as: "eva", method: "POST", path: views, body: create("eva", "For all", `,"shared":true,"layout":"board","group_by":"status"`)}, 201, []string{`"shared":true`}, nil}},
			{"her own and the shared", scenario{ask{as: "eva", method: "GET", path: views}, 200, []string{"Secret plan", "For all", `"value":2`}, nil}},
			{"a viewer sees shared ones", scenario{ask{as: "vic", method: "GET", path: views}, 200, []string{"For all", `"value":1`}, []string{"Secret plan"}}},
			{"so does an administrator", scenario{ask{as: "admin", method: "GET", path: views}, 200, []string{"For all", `"value":1`}, []string{"Secret plan"}}},
			{"a private one answers like none", scenario{ask{as: "vic", method: "GET", path: views + "/view_1"}, 404, []string{`"code":"not_found"`}, []string{"Secret plan"}}},
			{"nor does its history tell", scenario{ask{as: "admin", method: "GET", path: views + "/view_1/timeline"}, 404, nil, []string{"Secret plan"}}},
			{"nor the log", scenario{ask{as: "admin", method: "GET", path: api + "/changes?limit=1000"}, 200, []string{"For all"}, []string{"Secret plan"}}},
			{"nor a filter over a reference", scenario{ask{as: "admin", method: "GET", path: api + `/records/view_choice?filter={"field":"view","op":"related","where":{"field":"name","op":"contains","value":"Secret"}}`}, 200, []string{`"value":0`}, nil}},
			{"shared is for its owner to change", scenario{ask{as: "vic", method: "PATCH", path: views + "/view_2", body: `{"fields":{"name":"Mine"}}`, header: map[string]string{"If-Match": `"1"`}}, 403, []string{"belongs to somebody else", `"remedy":`}, nil}},
			{"and to delete", scenario{ask{as: "vic", method: "DELETE", path: views + "/view_2", header: map[string]string{"If-Match": `"1"`}}, 403, nil, nil}},
			{"a viewer saves for himself", scenario{ask{as: "vic", method: "POST", path: views, body: create("vic", "Vic's", "")}, 201, []string{`"owner":"Vic Viewer"`}, nil}},
			{"and shares nothing", scenario{ask{as: "vic", method: "POST", path: views, body: create("vic", "Vic's for all", `,"shared":true`)}, 403, []string{`"field":"shared"`}, nil}},
			{"nobody gives views away", scenario{ask{as: "vic", method: "POST", path: views, body: h.filled(create("vic", "Hers", `,"owner":"{eva}"`))}, 422, []string{`"field":"owner"`}, nil}},
			{"of no object", scenario{ask{as: "eva", method: "POST", path: views, body: `{"fields":{"name":"X","object":"unicorn"}}`}, 422, []string{`"field":"object"`, "unicorn"}, nil}},
			{"a filter that is none", scenario{ask{as: "eva", method: "POST", path: views, body: create("eva", "X", `,"filter":"{"`)}, 422, []string{`"field":"filter"`}, nil}},
			{"a filter on no field", scenario{ask{as: "eva", method: "POST", path: views, body: create("eva", "X", `,"filter":"{\"field\":\"colour\",\"op\":\"eq\",\"value\":1}"`)}, 422, []string{`"field":"filter"`, "colour"}, nil}},
			{"an order of no field", scenario{ask{as: "eva", method: "POST", path: views, body: create("eva", "X", `,"sort":"colour"`)}, 422, []string{`"field":"sort"`}, nil}},
			{"columns that are none", scenario{ask{as: "eva", method: "POST", path: views, body: create("eva", "X", `,"columns":"[\"colour\"]"`)}, 422, []string{`"field":"columns"`, "colour"}, nil}},
			{"a board without columns", scenario{ask{as: "eva", method: "POST", path: views, body: create("eva", "X", `,"layout":"board"`)}, 422, []string{`"field":"group_by"`}, nil}},
			{"to start with", scenario{ask{as: "vic", method: "POST", path: api + "/records/view_choice", body: `{"fields":{"object":"deal","view":"view_2"}}`}, 201, []string{`"view":"For all"`}, nil}},
			{"of another object", scenario{ask{as: "vic", method: "POST", path: api + "/records/view_choice", body: `{"fields":{"object":"account","view":"view_2"}}`}, 422, []string{`"field":"view"`}, nil}},
			{"of a hidden view", scenario{ask{as: "vic", method: "POST", path: api + "/records/view_choice", body: `{"fields":{"object":"deal","view":"view_1"}}`}, 422, []string{`"field":"view"`}, []string{"Secret plan"}}},
		})
	})
}
