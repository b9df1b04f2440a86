package dashboards_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/dashboards"
)

// keeping lets a house keep files.
func keeping(t *testing.T) option {
	return func(h *house, _ *dashboards.Config, p *dashboards.Parts) {
		contents, err := store.OpenContents(filepath.Join(t.TempDir(), "files"))
		if err != nil {
			t.Fatal(err)
		}
		if h.engine, err = crm.New(h.db, crm.Options{Calendar: h.engine.Calendar(), Currency: "USD", Contents: contents}); err != nil {
			t.Fatal(err)
		}
		p.Records = h.engine
	}
}

func TestFieldRequests(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := sales(openHouse(t, c))
		definition := `{"object":"account","fields":[{"name":"seats_wanted","kind":"number","label":"Seats wanted"}]}`
		body := fmt.Sprintf(`{"fields":{"definition":%q,"reason":"We plan by it","example":"Acme has 12"}}`, definition)
		asked := h.play("an editor asks", scenario{ask{as: "eva", method: "POST", path: api + "/records/field_request", body: body}, 201, []string{`"state":"requested"`, `"requested_by":"{eva}"`}, nil})
		var made struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal([]byte(asked.body), &made); err != nil {
			t.Fatal(err)
		}
		h.ids["asked"] = made.ID
		decide := api + "/field_requests/{asked}"
		h.playAll([]named{
			{"a viewer asks", scenario{ask{as: "vic", method: "POST", path: api + "/records/field_request", body: body}, 403, nil, nil}},
			{"an editor decides", scenario{ask{as: "eva", method: "POST", path: decide + "/approve", body: `{"reason":"mine"}`}, 403, []string{"administrator"}, nil}},
			{"the state cannot be written", scenario{ask{as: "admin", method: "POST", path: api + "/records/field_request", body: strings.Replace(body, `{"fields":{`, `{"fields":{"state":"live",`, 1)}, 422, []string{"state"}, nil}},
			{"without a reason", scenario{ask{as: "admin", method: "POST", path: decide + "/reject", body: `{"reason":""}`}, 422, []string{"reason"}, nil}},
			{"another version", scenario{ask{as: "admin", method: "POST", path: decide + "/approve", body: `{"reason":"r"}`, header: map[string]string{"If-Match": `"9"`}}, 412, nil, nil}},
			{"not yet there", scenario{ask{as: "eva", method: "GET", path: api + "/objects"}, 200, nil, []string{"seats_wanted"}}},
			{"approved", scenario{ask{as: "admin", method: "POST", path: decide + "/approve", body: `{"reason":"we need it"}`}, 200, []string{`"state":"live"`, "we need it"}, nil}},
			{"twice", scenario{ask{as: "admin", method: "POST", path: decide + "/approve", body: `{"reason":"again"}`}, 409, nil, nil}},
			{"it is there", scenario{ask{as: "eva", method: "GET", path: api + "/objects"}, 200, []string{`"name":"seats_wanted"`, `"custom":true`}, nil}},
			{"in the schema", scenario{ask{as: "eva", method: "GET", path: api + "/objects/account/schema"}, 200, []string{`"seats_wanted":{`, "2020-12"}, nil}},
			{"hidden objects have no schema", scenario{ask{as: "eva", method: "GET", path: api + "/objects/setting/schema"}, 404, nil, nil}},
			{"written", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: `{"fields":{"name":"Byte","seats_wanted":12}}`}, 201, []string{`"seats_wanted":12`}, nil}},
			{"filtered", scenario{ask{as: "eva", method: "GET", path: api + `/records/account?filter=%7B%22field%22%3A%22seats_wanted%22%2C%22op%22%3A%22gte%22%2C%22value%22%3A10%7D&sort=-seats_wanted`}, 200, []string{"Byte"}, []string{"Acme"}}},
			{"progress", scenario{ask{as: "eva", method: "GET", path: decide + "/progress"}, 200, []string{`"over":true`}, nil}},
			{"a name that is taken", scenario{ask{as: "eva", method: "POST", path: api + "/records/field_request", body: body}, 422, []string{"account.seats_wanted", "another name"}, nil}},
			{"rejecting what is not there", scenario{ask{as: "admin", method: "POST", path: api + "/field_requests/field_request_99/reject", body: `{"reason":"no"}`}, 404, nil, nil}},
		})
	})
}

func TestFilesOverHTTP(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t, keeping(t)))
	h.person("Otto Own", `"role":"editor","scope":"owner"`)
	page := "<html><script>alert(1)</script></html>"
	sent := h.play("an editor uploads", scenario{upload("eva", "/files?object=attachment&field=file", "file", page), 201, []string{`"media_type":"text/html"`, `"sha256":"`, `"size":38`}, nil})
	create := ask{method: "POST", path: api + "/records/attachment", body: `{"fields":{"file":` + sent.body + `,"account":"{acme}","name":"Page"}}`}
	as := func(who string) ask { q := create; q.as = who; return q }
	h.play("somebody else names the hash", scenario{as("otto"), 422, []string{"never uploaded"}, nil})
	var made struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(h.play("its uploader attaches it", scenario{as("eva"), 201, nil, nil}).body), &made); err != nil {
		t.Fatal(err)
	}
	h.ids["file"] = made.ID
	download := api + "/records/attachment/{file}/files/file"
	a := h.play("download", scenario{ask{as: "vic", method: "GET", path: download}, 200, []string{page}, nil})
	for name, want := range map[string]string{"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Content-Disposition": `attachment; filename="accounts.csv"; filename*=UTF-8''accounts.csv`} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	h.playAll([]named{
		{"a foreign row", scenario{ask{as: "otto", method: "GET", path: download}, 404, nil, []string{"script"}}},
		{"nobody", scenario{ask{method: "GET", path: download}, 401, nil, nil}},
		{"no file field", scenario{ask{as: "eva", method: "GET", path: api + "/records/attachment/{file}/files/name"}, 404, nil, nil}},
		{"by hash alone", scenario{ask{as: "eva", method: "GET", path: api + "/files/" + strings.Repeat("a", 64)}, 404, nil, nil}},
		{"a viewer uploads", scenario{upload("vic", "/files", "file", "x"), 403, nil, nil}},
		{"no form", scenario{ask{as: "eva", method: "POST", path: api + "/files", body: "x"}, 422, []string{"multipart"}, nil}},
		{"another part", scenario{upload("eva", "/files", "mapping", "x"), 422, []string{"mapping"}, nil}},
		{"for a field that is none", scenario{upload("eva", "/files?object=account&field=name", "file", "x"), 422, []string{"account"}, nil}},
		{"still answers", scenario{ask{as: "eva", method: "GET", path: api + "/records/account/{acme}"}, 200, nil, nil}},
	})
}
