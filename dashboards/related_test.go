package dashboards_test

import (
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
)

func TestRelated(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := sales(openHouse(t, c))
		h.person("Olaf Owner", `"role":"editor","scope":"owner"`)
		h.ids["ours"] = h.make("account", h.filled(`{"name":"Ours","owner":"{olaf}"}`))
		h.ids["deal"] = h.deal("Seen by Eva", `,"account":"{ours}","owner":"{eva}"`)
		h.make("task", h.filled(`{"subject":"Send the offer","account":"{ours}","owner":"{olaf}"}`))
		h.make("activity", h.filled(`{"subject":"First call","type":"call","done_at":"2026-01-05T09:00:00Z","account":"{ours}"}`))
		h.make("activity", h.filled(`{"subject":"Second call","type":"call","done_at":"2026-02-05T09:00:00Z","account":"{ours}"}`))
		path := api + "/records/account/{ours}/related"
		h.playAll([]named{
			{"groups", scenario{ask{as: "eva", method: "GET", path: path}, 200,
				[]string{`"object":"deal","label":"Deals","field":"account","name":"Account","count":{"value":1,"capped":false}`, "Seen by Eva", "Send the offer", `"interactions":[{`, "First call", "Second call"}, []string{`"object":"contact","label"`}}},
			{"the last interaction first", scenario{ask{as: "eva", method: "GET", path: path + "?interactions=1"}, 200, []string{"Second call"}, []string{"First call"}}},
			{"a hidden row leaves neither name nor count", scenario{ask{as: "olaf", method: "GET", path: path}, 200, []string{"Send the offer"}, []string{"Seen by Eva", `"label":"Deals"`}}},
			{"of a record that is not there", scenario{ask{as: "eva", method: "GET", path: api + "/records/account/account_999/related"}, 404, []string{`"code":"not_found"`}, nil}},
			{"of a record that is not theirs", scenario{ask{as: "olaf", method: "GET", path: api + "/records/account/{acme}/related"}, 404, []string{`"code":"not_found"`}, []string{"Acme"}}},
			{"a timeline of some objects", scenario{ask{as: "eva", method: "GET", path: api + "/records/account/{ours}/timeline?of=activity"}, 200, []string{"First call", "Second call"}, []string{`"object":"account"`, "Send the offer"}}},
			{"of the record itself", scenario{ask{as: "eva", method: "GET", path: api + "/records/account/{ours}/timeline?of=account,task"}, 200, []string{`"object":"account"`, "Send the offer"}, []string{"First call"}}},
			{"of objects that never stand there", scenario{ask{as: "eva", method: "GET", path: api + "/records/account/{ours}/timeline?of=product"}, 200, []string{`"items":[]`}, nil}},
			{"of no object", scenario{ask{as: "eva", method: "GET", path: api + "/records/account/{ours}/timeline?of=unicorn"}, 422, []string{`"field":"of"`}, nil}},
			{"too many", scenario{ask{as: "eva", method: "GET", path: path + "?limit=21"}, 422, []string{`"field":"limit"`}, nil}},
		})
	})
}
