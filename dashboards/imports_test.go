package dashboards_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/dashboards"
	"canopy/ingest/importer"
	"canopy/models"
)

// engineCommands and apiImports connect the real importer, as cmd/canopy does.
type engineCommands struct{ *crm.Engine }

func (e engineCommands) RunBulk(ctx context.Context, fn func(ctx context.Context) error) error {
	return e.Run(ctx, crm.Bulk, fn)
}

type apiImports struct{ *importer.Service }

func (a apiImports) Propose(ctx context.Context, reader models.Reader, file dashboards.Upload) (string, error) {
	return a.Service.Propose(ctx, reader, importer.File{Name: file.Name, Body: file.Body})
}

// Preview tries a file's first rows out.
func (a apiImports) Preview(ctx context.Context, reader models.Reader, file dashboards.Upload, mapping string) (models.ImportPreview, error) {
	return a.Service.Preview(ctx, reader, importer.File{Name: file.Name, Body: file.Body}, mapping)
}

func (a apiImports) Start(ctx context.Context, reader models.Reader, file dashboards.Upload, mapping string, dryRun bool) (models.Import, error) {
	return a.Service.Start(ctx, reader, importer.File{Name: file.Name, Body: file.Body}, mapping, dryRun)
}

// importing is a house whose importer works; uploads wait in the directory that is given back.
func importing(t *testing.T, options ...option) (*house, string) {
	t.Helper()
	uploads := t.TempDir()
	var service *importer.Service
	h := sqliteHouse(t, append([]option{func(h *house, c *dashboards.Config, p *dashboards.Parts) {
		service = importer.New(importer.Config{
			Commands: engineCommands{h.engine}, Jobs: h.db.Imports(), Undo: &job.Undoing{Traces: h.db.Traces(), Commands: h.engine}, Registry: h.engine.Registry, Directory: t.TempDir(),
			Workspace: importer.Workspace{Zone: time.UTC, Currency: "USD"},
		})
		p.Imports, c.UploadDirectory = apiImports{service}, uploads
	}}, options...)...)
	if err := service.Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	return sales(h), uploads
}

const accountsMapping = `
records:
  - object: account
    key: name
    fields:
      name: {from: account}
      employee_count: {from: employees}
`

const accountsFile = "account,employees\nAlder,12\nBirch,many\nCedar,30\n"

// form writes a multipart body: pairs of part and content, where file is sent as a file.
func form(pairs ...string) (body, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(pairs); i += 2 {
		var part io.Writer
		var err error
		if pairs[i] == "file" {
			part, err = w.CreateFormFile("file", "accounts.csv")
		} else {
			part, err = w.CreateFormField(pairs[i])
		}
		if err == nil {
			_, err = io.WriteString(part, pairs[i+1])
		}
		if err != nil {
			panic(err) // a buffer takes everything
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String(), w.FormDataContentType()
}

func upload(as, path string, pairs ...string) ask {
	body, kind := form(pairs...)
	return ask{as: as, method: "POST", path: api + path, body: body, header: map[string]string{"Content-Type": kind}}
}

// finished waits until an import has ended and gives it as the API tells it.
func (h *house) finished(as, path string) (answer, models.Import) {
	h.Helper()
	var a answer
	var i models.Import
	h.eventually("the import's end", func() bool {
		a = h.send(ask{as: as, method: "GET", path: path})
		i = models.Import{}
		return json.Unmarshal([]byte(a.body), &i) == nil && !i.State.Active()
	})
	return a, i
}

func TestImports(t *testing.T) {
	t.Parallel()
	h, uploads := importing(t)
	h.person("Otto Other", `"role":"editor","scope":"all"`)
	proposal := h.play("propose", scenario{upload("eva", "/imports/propose", "file", accountsFile), 200, []string{`"mapping":"`, "account"}, nil})
	_ = proposal
	dry := h.play("dry run, its parts in any order", scenario{upload("eva", "/imports", "file", accountsFile, "dry_run", "true", "mapping", accountsMapping), 202, []string{`"dry_run":true`, `"state":"`}, nil})
	if _, i := h.finished("eva", dry.header.Get("Location")); i.State != models.ImportDone || i.Created != 2 || i.Refused != 1 {
		t.Errorf("dry run: %+v", i)
	}
	h.play("nothing was written", scenario{ask{as: "eva", method: "GET", path: api + `/records/account?filter={"field":"name","op":"eq","value":"Alder"}`}, 200, []string{`"value":0`}, nil})

	started := h.play("start", scenario{upload("eva", "/imports", "mapping", accountsMapping, "file", accountsFile), 202, []string{`"file_name":"accounts.csv"`, `"object":"account"`, `"by":{"id":"{eva}","name":"Eva Editor"}`}, nil})
	path := started.header.Get("Location")
	a, i := h.finished("eva", path)
	if i.State != models.ImportDone || i.Created != 2 || i.Refused != 1 || i.RowsRead != 3 || i.BytesRead != i.BytesTotal {
		t.Errorf("import: %s", a.body)
	}
	h.playAll([]named{
		{"written", scenario{ask{as: "eva", method: "GET", path: api + "/records/account?sort=name"}, 200, []string{"Alder", "Cedar", `"employee_count":30`}, []string{"Birch"}}},
		{"list", scenario{ask{as: "eva", method: "GET", path: api + "/imports"}, 200, []string{`"items":[{"id":2`, `"id":1`}, nil}},
		{"list is limited", scenario{ask{as: "eva", method: "GET", path: api + "/imports?limit=1"}, 200, []string{`"id":2`}, []string{`"id":1,`}}},
		{"somebody else's are not listed", scenario{ask{as: "otto", method: "GET", path: api + "/imports"}, 200, []string{`"items":[]`}, []string{"accounts.csv"}}},
		{"somebody else's is not found", scenario{ask{as: "otto", method: "GET", path: path}, 404, nil, []string{"accounts.csv"}}},
		{"nor its refused rows", scenario{ask{as: "otto", method: "GET", path: path + "/refused.csv"}, 404, nil, []string{"Birch"}}},
		{"nor can it be undone", scenario{ask{as: "otto", method: "POST", path: path + "/undo"}, 404, nil, nil}},
		{"an administrator sees it", scenario{ask{as: "admin", method: "GET", path: path}, 200, []string{"accounts.csv"}, nil}},
		{"refused rows", scenario{ask{as: "eva", method: "GET", path: path + "/refused.csv"}, 200, []string{"Birch", "many", "not a number"}, []string{"Alder"}}},
		{"refused rows of nothing", scenario{ask{as: "eva", method: "GET", path: api + "/imports/99/refused.csv"}, 404, nil, nil}},
		{"refused rows of a word", scenario{ask{as: "eva", method: "GET", path: api + "/imports/x/refused.csv"}, 404, nil, nil}},
		{"cancel what is over", scenario{ask{as: "eva", method: "POST", path: path + "/cancel"}, 409, []string{`"code":"conflict"`}, nil}},
		{"resume what is over", scenario{ask{as: "eva", method: "POST", path: path + "/resume"}, 409, nil, nil}},
		{"no such import", scenario{ask{as: "eva", method: "GET", path: api + "/imports/99"}, 404, []string{"99"}, nil}},
		{"an import that is a word", scenario{ask{as: "eva", method: "GET", path: api + "/imports/x"}, 422, []string{`"field":"id"`}, nil}},
		{"undo", scenario{ask{as: "eva", method: "POST", path: path + "/undo"}, 202, []string{`"state":"undoing"`}, nil}},
	})
	if _, i := h.finished("eva", path); i.State != models.ImportUndone || i.Undone != 2 {
		t.Errorf("undone: %+v", i)
	}
	h.play("taken back", scenario{ask{as: "eva", method: "GET", path: api + "/records/account"}, 200, []string{"Acme"}, []string{"Alder", "Cedar"}})
	if a := h.send(ask{as: "eva", method: "GET", path: path + "/refused.csv"}); !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") || !strings.Contains(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("download: %v", a.header)
	}
	h.play("metrics", scenario{ask{method: "GET", path: "/metrics"}, 200, []string{`canopy_imports{state="undone"} 1`, `canopy_imports{state="done"} 1`, `canopy_imports{state="running"} 0`}, nil})
	if left, err := os.ReadDir(uploads); err != nil || len(left) != 0 {
		t.Errorf("uploads are left: %v, %v", left, err)
	}
}

func TestBadUploads(t *testing.T) {
	t.Parallel()
	h, uploads := importing(t, func(_ *house, c *dashboards.Config, _ *dashboards.Parts) { c.UploadLimit = 3 << 20 })
	broken, kind := form("file", accountsFile)
	h.playAll([]named{
		{"viewer", scenario{upload("vic", "/imports", "file", accountsFile), 403, []string{"editor"}, nil}},
		{"viewer proposes", scenario{upload("vic", "/imports/propose", "file", accountsFile), 403, nil, nil}},
		{"no file", scenario{upload("eva", "/imports", "mapping", accountsMapping), 422, []string{`"field":"file"`}, nil}},
		{"two files", scenario{upload("eva", "/imports", "file", accountsFile, "file", accountsFile), 422, []string{`"field":"file"`}, nil}},
		{"an unknown part", scenario{upload("eva", "/imports", "colour", "red", "file", accountsFile), 422, []string{`"field":"colour"`}, nil}},
		{"dry_run that is no boolean", scenario{upload("eva", "/imports", "dry_run", "perhaps", "file", accountsFile), 422, []string{`"field":"dry_run"`}, nil}},
		{"an empty file", scenario{upload("eva", "/imports", "file", "", "mapping", accountsMapping), 422, []string{`"field":"file"`}, nil}},
		{"a mapping that is none", scenario{upload("eva", "/imports", "file", accountsFile, "mapping", "records: 7"), 422, []string{`"code":"invalid"`}, nil}},
		{"a mapping of users by an editor", scenario{upload("eva", "/imports", "file", accountsFile, "mapping", "records: [{object: user, fields: {name: {from: account}}}]"), 403, nil, nil}},
		{"JSON", scenario{ask{as: "eva", method: "POST", path: api + "/imports", body: `{"file":"x"}`}, 422, []string{`"code":"invalid"`, "multipart"}, nil}},
		{"no boundary", scenario{ask{as: "eva", method: "POST", path: api + "/imports", body: broken, header: map[string]string{"Content-Type": "multipart/form-data"}}, 422, nil, nil}},
		{"cut off", scenario{ask{as: "eva", method: "POST", path: api + "/imports", body: broken[:len(broken)/2], header: map[string]string{"Content-Type": kind}}, 422, nil, nil}},
		{"too large a mapping", scenario{upload("eva", "/imports", "mapping", strings.Repeat("#", 1<<20+1), "file", accountsFile), 413, nil, nil}},
		{"too large a file", scenario{upload("eva", "/imports", "file", strings.Repeat("account,employees\n", 300_000)), 413, []string{`"code":"too_large"`, `"field":"file"`}, nil}},
	})
	large, kind := form("file", strings.Repeat("account,employees\n", 300_000))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+api+"/imports", struct{ io.Reader }{strings.NewReader(large)}) // chunked
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+h.tokens["eva"])
	request.Header.Set("Content-Type", kind)
	response, err := h.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too large, chunked: %d", response.StatusCode)
	}
	if left, err := os.ReadDir(uploads); err != nil || len(left) != 0 {
		t.Errorf("uploads are left: %v, %v", left, err)
	}
	h.play("no import was made", scenario{ask{as: "admin", method: "GET", path: api + "/imports"}, 200, []string{`"items":[]`}, nil})
}

// A file far larger than any buffer streams through.
func TestLargeUpload(t *testing.T) {
	t.Parallel()
	h, _ := importing(t)
	var rows strings.Builder
	rows.WriteString("account,employees\n")
	for i := range 150_000 {
		fmt.Fprintf(&rows, "Bulk %d with a long name so that the file grows beyond a few megabytes of text,%d\n", i%50, i%50)
	}
	a := h.play("start", scenario{upload("eva", "/imports", "file", rows.String(), "mapping", strings.Replace(accountsMapping, "key: name", "key: name\n    repeats: allow", 1), "dry_run", "true"), 202, []string{fmt.Sprintf(`"bytes_total":%d`, rows.Len())}, nil})
	if _, i := h.finished("eva", a.header.Get("Location")); i.State != models.ImportDone || i.RowsRead != 150_000 || i.Created != 50 {
		t.Errorf("import: %+v", i)
	}
}
