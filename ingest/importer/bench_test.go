package importer_test

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/crm/store"
	"canopy/ingest/importer"
	"canopy/models"
)

// BenchmarkImport measures file → records on SQLite; one operation is one row of a synthetic file.
func BenchmarkImport(b *testing.B) {
	b.Run("deals", func(b *testing.B) {
		benchmarkImport(b, importer.SyntheticMapping, func(w io.Writer) error { return importer.WriteDeals(w, b.N, 1) })
	})
	b.Run("contacts", func(b *testing.B) {
		benchmarkImport(b, importer.ContactsMapping, func(w io.Writer) error { return importer.WriteContacts(w, b.N, b.N/5+1, 1) })
	})
}

func benchmarkImport(b *testing.B, mapping string, write func(io.Writer) error) {
	b.Helper()
	registry, err := models.Standard()
	if err != nil {
		b.Fatal(err)
	}
	db, err := store.Open(context.Background(), store.Config{Path: filepath.Join(b.TempDir(), "canopy.db")}, registry)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the benchmark is over
	engine, err := crm.New(db, crm.Options{Calendar: models.Calendar{Zone: time.UTC, WeekStart: time.Monday}, Currency: "USD"})
	if err != nil {
		b.Fatal(err)
	}
	service := importer.New(importer.Config{Commands: engineCommands{engine}, Jobs: db.Imports(), Undo: &job.Undoing{Traces: db.Traces(), Commands: engine}, Registry: engine.Registry, Directory: b.TempDir(),
		Workspace: importer.Workspace{Zone: time.UTC, Currency: "USD"}})
	if err := service.Recover(context.Background()); err != nil {
		b.Fatal(err)
	}
	defer service.Close()
	var file bytes.Buffer
	if err := write(&file); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len() / b.N))
	b.ResetTimer()
	i, err := service.Start(context.Background(), models.System(), importer.File{Name: "deals.csv", Body: &file}, mapping, false)
	if err == nil {
		i, err = service.Wait(context.Background(), i.ID)
	}
	if err != nil || i.State != models.ImportDone || i.Refused != 0 {
		b.Fatalf("%v: %+v", err, i)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
