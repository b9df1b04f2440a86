package dashboards_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"canopy/crm/job"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/dashboards"
	"canopy/dashboards/export"
	"canopy/models"
)

// plainJobs shows exports and bulk edits; cmd/canopy joins the imports to them.
type plainJobs struct{ *job.Service }

func (p plainJobs) Get(ctx context.Context, reader models.Reader, id string) (models.Job, error) {
	_, number, err := models.ParseJobID(id)
	if err != nil {
		return models.Job{}, err
	}
	return p.Service.Get(ctx, reader, number)
}

func (p plainJobs) Do(ctx context.Context, reader models.Reader, id string, action models.JobAction) (models.Job, error) {
	_, number, err := models.ParseJobID(id)
	if err != nil {
		return models.Job{}, err
	}
	return p.Service.Do(ctx, reader, number, action)
}

func (p plainJobs) Refused(ctx context.Context, reader models.Reader, id string, w io.Writer) error {
	_, number, err := models.ParseJobID(id)
	if err != nil {
		return err
	}
	return p.Service.Refused(ctx, reader, number, w)
}

// working is a house with people and records whose long jobs work.
func working(t *testing.T, c store.Config) *house {
	t.Helper()
	var jobs *job.Service
	h := openHouse(t, c, func(h *house, _ *dashboards.Config, p *dashboards.Parts) {
		jobs = job.New(job.Config{Store: h.db.Jobs(), ReaderOf: h.access.ReaderOf})
		bulk := &job.Bulk{Engine: h.engine, Store: h.db.Jobs(), Undo: &job.Undoing{Traces: h.db.Traces(), Commands: h.engine}, Service: jobs}
		exports := &export.Service{Engine: h.engine, Jobs: jobs, Files: h.db.Jobs(), Directory: t.TempDir(), Now: time.Now}
		place, err := export.Place(exports.Directory)
		if err != nil {
			t.Fatal(err)
		}
		jobs.AddLane(job.Lane{Kind: models.BulkJob, Worker: bulk, Lease: h.db.NewLease("bulk", "test", job.LeaseLasts)})
		jobs.AddLane(job.Lane{Kind: models.ExportJob, Place: place, Worker: exports, Lease: h.db.NewLease("exports", "test", job.LeaseLasts)})
		p.Jobs, p.Bulk, p.Exports = plainJobs{jobs}, bulk, exports
	})
	if err := jobs.Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(jobs.Close)
	return sales(h)
}

// ended waits until a job has ended and gives it as the API tells it.
func (h *house) ended(as string, asked answer) models.Job {
	h.Helper()
	var j models.Job
	h.eventually("the job's end", func() bool {
		a := h.send(ask{as: as, method: "GET", path: asked.header.Get("Location")})
		j = models.Job{}
		return json.Unmarshal([]byte(a.body), &j) == nil && !j.State.Active()
	})
	return j
}

func TestBulkEditsAndTheirUndo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := working(t, c)
		post := func(as, path, body string) ask { return ask{as: as, method: "POST", path: api + path, body: body} }
		h.play("no such field", scenario{post("eva", "/bulk", `{"object":"deal","op":"update","filter":{"and":[]},"fields":{"colour":"red"}}`), 422, []string{`"field":"colour"`}, nil})
		h.play("neither filter nor ids", scenario{post("eva", "/bulk", `{"object":"deal","op":"update","fields":{"name":"x"}}`), 422, []string{`"field":"filter"`}, nil})
		h.play("viewers do not", scenario{post("vic", "/bulk", `{"object":"deal","op":"delete","filter":{"and":[]}}`), 403, []string{"role editor"}, nil})
		before := h.send(ask{as: "eva", method: "GET", path: api + "/records/account"}).body
		asked := h.play("all accounts", scenario{post("eva", "/bulk", `{"object":"account","op":"update","filter":{"and":[]},"fields":{"sector":"rail"}}`), 202, []string{`"id":"bulk_1"`, `"title":"Set`}, nil})
		j := h.ended("eva", asked)
		if j.State != models.JobDone || j.Changed == 0 || j.Total == nil || j.Done != *j.Total || len(j.Actions) != 1 || j.Actions[0] != models.UndoJob {
			t.Fatalf("bulk edit: %+v", j)
		}
		h.play("others do not see it", scenario{ask{as: "vic", method: "GET", path: api + "/jobs/bulk_1"}, 404, []string{"there is no job"}, []string{"rail"}})
		h.play("administrators do", scenario{ask{as: "admin", method: "GET", path: api + "/jobs?kind=bulk"}, 200, []string{`"bulk_1"`}, nil})
		h.play("undo", scenario{post("eva", "/jobs/bulk_1/undo", ""), 202, []string{`"state":"undoing"`}, nil})
		if u := h.ended("eva", asked); u.State != models.JobUndone || u.Undone != j.Changed || u.Kept != 0 {
			t.Errorf("undo: %+v", u)
		}
		after := h.send(ask{as: "eva", method: "GET", path: api + "/records/account"}).body
		if sectors(t, before) != sectors(t, after) {
			t.Errorf("after the undo:\n%s\nbefore:\n%s", after, before)
		}
		h.play("undone already", scenario{post("eva", "/jobs/bulk_1/undo", ""), 409, []string{"undone already"}, nil})
	})
}

// sectors are the fields of a page's records.
func sectors(t *testing.T, page string) string {
	t.Helper()
	var p struct {
		Items []struct {
			ID     string
			Fields json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(page), &p); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, i := range p.Items {
		b.WriteString(i.ID + string(i.Fields) + "\n")
	}
	return b.String()
}

func TestExports(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		h := working(t, c)
		post := func(as, path, body string) ask { return ask{as: as, method: "POST", path: api + path, body: body} }
		h.play("no such column", scenario{post("eva", "/exports", `{"object":"deal","columns":["colour"]}`), 422, []string{`"field":"columns"`}, nil})
		h.play("no such format", scenario{post("eva", "/exports", `{"object":"deal","format":"pdf"}`), 422, []string{"csv"}, nil})
		h.make("account", `{"name":"=HYPERLINK(1)"}`)
		h.send(ask{as: "eva", method: "GET", path: api + "/records/account"}) // numbers the log
		asked := h.play("accounts", scenario{post("eva", "/exports", `{"object":"account","columns":["id","name","owner"]}`), 202, []string{`"kind":"export"`}, nil})
		j := h.ended("eva", asked)
		if j.State != models.JobDone || j.File == nil || j.File.URL == "" || j.File.Position == 0 || j.Done == 0 {
			t.Fatalf("export: %+v", j)
		}
		whole := h.play("the file", scenario{ask{as: "eva", method: "GET", path: j.File.URL}, 200, []string{"id,name,owner,owner_title\r\n", "'=HYPERLINK(1)"}, nil})
		if d := whole.header.Get("Content-Disposition"); !strings.Contains(d, "accounts-") || whole.header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("headers %v", whole.header)
		}
		part := h.send(ask{as: "eva", method: "GET", path: j.File.URL, header: map[string]string{"Range": "bytes=3-6"}})
		if part.status != http.StatusPartialContent || part.body != whole.body[3:7] {
			t.Errorf("a part: %d %q", part.status, part.body)
		}
		if a := h.send(ask{as: "eva", method: "GET", path: j.File.URL, header: map[string]string{"Range": "bytes=999999-"}}); a.status != http.StatusRequestedRangeNotSatisfiable {
			t.Errorf("beyond the end: %d", a.status)
		}
		h.play("not another's", scenario{ask{as: "vic", method: "GET", path: j.File.URL}, 404, nil, []string{"HYPERLINK"}})
		number, err := models.ParseID("user", h.ids["eva"])
		if err != nil {
			t.Fatal(err)
		}
		h.change("user", number, "scope", "owner")
		h.play("rights have changed", scenario{ask{as: "eva", method: "GET", path: j.File.URL}, 403, []string{"your rights have changed"}, []string{"HYPERLINK"}})
	})
}

// change sets one field of a record in the system's name.
func (h *house) change(object string, number uint64, field string, value models.Value) {
	h.Helper()
	o := h.engine.Registry().Object(object)
	if _, err := h.engine.Do(h.Context(), models.System(), models.Command{
		Op: models.Update, Object: object, Number: number, Sets: []models.Set{{Field: o.Field(field), Value: value}},
	}); err != nil {
		h.Fatal(err)
	}
}
