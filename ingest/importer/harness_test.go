package importer_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/ingest/importer"
	"canopy/models"
	"canopy/models/predicate"
	"canopy/models/require"
)

// engineCommands is the record engine as the importer's port; cmd/canopy connects it the same way.
type engineCommands struct{ *crm.Engine }

func (e engineCommands) RunBulk(ctx context.Context, fn func(ctx context.Context) error) error {
	return e.Run(ctx, crm.Bulk, fn)
}

// workplace is a store, an engine and an importer over one data directory, which can be closed and opened again.
type workplace struct {
	t         *testing.T
	config    store.Config
	directory string
	db        *store.DB
	engine    *crm.Engine
	service   *importer.Service
	commands  importer.Commands // nil: the engine
}

func newWorkplace(t *testing.T, c store.Config) *workplace {
	t.Helper()
	w := &workplace{t: t, config: c, directory: t.TempDir()}
	w.db = storetest.Open(t, c)
	w.engine = storetest.Engine(t, w.db, nil)
	return w
}

// start makes the importer and lets it recover.
func (w *workplace) start() *importer.Service {
	w.t.Helper()
	if w.commands == nil {
		w.commands = engineCommands{w.engine}
	}
	w.service = importer.New(importer.Config{
		Commands: w.commands, Jobs: w.db.Imports(), Undo: &job.Undoing{Traces: w.db.Traces(), Commands: w.commands}, Registry: w.engine.Registry, Directory: w.directory,
		Workspace: importer.Workspace{Zone: time.UTC, Currency: "USD"},
	})
	if err := w.service.Recover(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.service.Close)
	return w.service
}

// load imports text and waits.
func (w *workplace) load(name, text, mapping string) models.Import {
	w.t.Helper()
	i, err := w.service.Start(context.Background(), models.System(), importer.File{Name: name, Body: strings.NewReader(text)}, mapping, false)
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	return w.wait(i.ID)
}

func (w *workplace) wait(id int64) models.Import {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Minute)
	defer cancel()
	i, err := w.service.Wait(ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	if i.State == models.ImportFailed {
		w.t.Fatalf("import %d of %s failed: %s", id, i.FileName, i.Error)
	}
	return i
}

// refused gives the list of refused rows as text.
func (w *workplace) refused(id int64) string {
	w.t.Helper()
	var b strings.Builder
	if err := w.service.Refused(context.Background(), models.System(), id, &b); err != nil {
		w.t.Fatal(err)
	}
	return b.String()
}

// all reads all live records of an object, by number.
func (w *workplace) all(object string) []*models.Record {
	w.t.Helper()
	var list []*models.Record
	cursor := ""
	for {
		page, err := w.engine.List(context.Background(), models.System(), crm.Query{Object: object, Limit: crm.MaxPage, Cursor: cursor})
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, page.Records...)
		if cursor = page.NextCursor; cursor == "" {
			return list
		}
	}
}

// one finds the live record whose field has a value.
func (w *workplace) one(object, field string, value models.Value) *models.Record {
	w.t.Helper()
	o := w.engine.Registry().Object(object)
	page, err := w.engine.List(context.Background(), models.System(), crm.Query{Object: object, Where: predicate.Compare(o.Field(field), predicate.Eq, value)})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(page.Records) != 1 {
		w.t.Fatalf("%d records of %s with %s %v", len(page.Records), object, field, value)
	}
	return page.Records[0]
}

const setDirectory = "crm_sales_opportunities"

// realFile reads one file of the real set and its shipped mapping.
func realFile(t *testing.T, name string) (text, mapping string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(require.SharedData(t), setDirectory, name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data), exampleMapping(t, name)
}

func exampleMapping(t *testing.T, name string) string {
	t.Helper()
	yaml, err := os.ReadFile(filepath.Join("..", "..", "examples", setDirectory, name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(yaml)
}

var realFiles = []string{"accounts", "products", "sales_teams", "sales_pipeline"}

// loadRealSet imports the four files in order and gives their imports.
func (w *workplace) loadRealSet() []models.Import {
	w.t.Helper()
	var list []models.Import
	for _, name := range realFiles {
		text, mapping := realFile(w.t, name)
		list = append(list, w.load(name+".csv", text, mapping))
	}
	return list
}
