package dashboards_test

import (
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
)

// What people type into the search field, and what they are shown.
func TestSearch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := openHouse(t, c)
		sales(h)
		h.ids["acme"] = h.make("account", `{"name":"Ångström Labs","domain":"angstrom.example"}`)
		h.ids["anna"] = h.make("contact", h.filled(`{"name":"Anna Müller","email":"anna.mueller@angstrom.example","phone":"+49 30 1234567","account":"{acme}"}`))
		h.ids["hanna"] = h.make("contact", `{"name":"Hanna Annandale","email":"hanna@example.org"}`)
		search := func(query string) ask {
			return ask{as: "vic", method: "GET", path: api + "/search?" + query}
		}
		anna := h.filled(`{"id":"{anna}","title":"Anna Müller","subtitle":"Ångström Labs · anna.mueller@angstrom.example","matched":"name"}`)
		for _, s := range []scenario{
			{search("q=anna"), 200, []string{`{"groups":[{"object":"contact","label":"Contacts","items":[` + anna + `,{`, `"more":false}]`, "Annandale"}, nil},
			{search("q=anna&limit=1"), 200, []string{anna, `"more":true`}, []string{"Annandale"}},
			{search("q=MULLER"), 200, []string{anna}, []string{"Hanna"}},
			{search("q=mull+ann"), 200, []string{anna}, []string{"Hanna"}},
			{search("q=anna.mueller@ang"), 200, []string{h.filled("{anna}"), `"matched":"email"`}, []string{"Hanna"}},
			{search("q=0301234567"), 200, []string{h.filled("{anna}"), `"matched":"phone"`}, []string{"Hanna"}},
			{search("q=angstrom"), 200, []string{h.filled(`{"id":"{acme}","title":"Ångström Labs","subtitle":"angstrom.example","matched":"name"}`), h.filled("{anna}")}, nil},
			{search("q=angstrom&objects=contact"), 200, []string{h.filled("{anna}")}, []string{`"account"`}},
			{search(h.filled("q={hanna}")), 200, []string{h.filled(`"id":"{hanna}","title":"Hanna Annandale","subtitle":"hanna@example.org","matched":"id"`)}, []string{h.filled("{anna}")}},
			{search("q=nobody"), 200, []string{`{"groups":[]}`}, nil},
			{search("q=%26%26"), 422, []string{"nothing to search for"}, nil},
			{search("q=a&objects=unicorn"), 422, []string{"unicorn"}, nil},
			{search("q=a&limit=51"), 422, []string{"limit"}, nil},
			{ask{method: "GET", path: api + "/search?q=anna"}, 401, nil, []string{"Anna"}},
		} {
			h.play("search "+s.path, s)
		}
	})
}
