package relay

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/models"
	"canopy/warehouse"
	"canopy/warehouse/enginetest"
)

// benchChanges is how many changes of deals BenchmarkRelay takes over in each round.
const benchChanges = 300_000

// BenchmarkRelay compares the relay, from SQLite to the acknowledged position, with the same blocks sent straight from memory.
func BenchmarkRelay(b *testing.B) {
	ctx := b.Context()
	registry, err := models.Standard()
	if err != nil {
		b.Fatal(err)
	}
	e := enginetest.Start(b)
	w, err := warehouse.Open(ctx, warehouse.Config{Resolve: e.Resolve, User: e.User(), Password: e.Password(), Database: enginetest.Database(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	db, err := store.Open(ctx, store.Config{Path: filepath.Join(b.TempDir(), "canopy.db")}, registry)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for from := 0; from < benchChanges; from += 2_000 {
		if err := writeDeals(ctx, db, registry.Object("deal"), from, 2_000); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		result, err := Benchmark(ctx, BenchConfig{Feed: db, State: db.Relay(), Warehouse: w, Registry: registry})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(result.Relay, "rows/s")
		b.ReportMetric(result.Direct, "direct_rows/s")
		b.ReportMetric(result.Ratio, "ratio")
	}
}

// writeDeals appends n changes of deals with fifteen of their fields filled.
func writeDeals(ctx context.Context, db *store.DB, o *models.Object, from, n int) error {
	return db.Run(ctx, crm.Bulk, func(ctx context.Context) error {
		for i := from; i < from+n; i++ {
			at := time.Date(2017, 1, 1, 0, i, 0, 0, time.UTC)
			c := &models.Change{Object: o, Number: uint64(i%100_000 + 1), Version: int64(i/100_000 + 1), Kind: models.Updated, HappenedAt: at, RecordedAt: at,
				Actor: models.Actor{Kind: models.ActorSystem}, Cause: "demo", Image: dealValues(o, i, at)}
			if _, err := db.Append(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkDecode measures laying out one deal's change as columns.
func BenchmarkDecode(b *testing.B) {
	registry, err := models.Standard()
	if err != nil {
		b.Fatal(err)
	}
	o := registry.Object("deal")
	at := time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)
	var rows []models.LogRow
	for i := range 1_000 {
		rows = append(rows, models.LogRow{Position: uint64(i + 1), Object: "deal", Number: uint64(i + 1), Version: 1, Kind: models.Updated, HappenedAt: at, RecordedAt: at,
			ActorKind: models.ActorSystem, Cause: "demo", Image: o.AppendImage(nil, dealValues(o, i, at))})
	}
	t := newTable(o)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%50_000 == 0 {
			t.reset()
		}
		if err := t.add(&rows[i%len(rows)]); err != nil {
			b.Fatal(err)
		}
	}
}

// dealValues fills fifteen fields of the i-th change.
func dealValues(o *models.Object, i int, at time.Time) []models.Value {
	values := make([]models.Value, len(o.Fields))
	for name, v := range map[string]models.Value{
		"name": fmt.Sprintf("Deal number %d", i%100_000), "external_id": fmt.Sprintf("EXT%08d", i%100_000), "account": uint64(i%5_000 + 1),
		"pipeline": uint64(1), "stage": uint64(i%6 + 1), "status": []string{"open", "won", "lost"}[i%3], "stage_entered_at": at, "opened_at": at,
		"amount": models.Money{Minor: int64(i) * 37, Currency: "USD"}, "list_value": models.Money{Minor: int64(i) * 41, Currency: "USD"},
		"product": uint64(i%7 + 1), "source": "inbound", "owner": uint64(i%35 + 1), "team": uint64(i%6 + 1), "territory": "Central",
	} {
		values[o.Field(name).Index()] = v
	}
	return values
}
