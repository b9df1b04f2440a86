package crm_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

// BenchmarkBatch creates deals in chunks of 200, as an import does.
func BenchmarkBatch(b *testing.B) {
	registry, err := models.Standard()
	if err != nil {
		b.Fatal(err)
	}
	db, err := store.Open(ctx, store.Config{Path: filepath.Join(b.TempDir(), "canopy.db")}, registry)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	engine, err := crm.New(db, crm.Options{Now: (&storetest.Clock{At: day(20)}).Now})
	if err != nil {
		b.Fatal(err)
	}
	do := func(c models.Command) uint64 {
		o, err := engine.Do(ctx, models.System(), c)
		if err != nil {
			b.Fatal(err)
		}
		return o.Record.Number
	}
	set := func(object, field string, v models.Value) models.Set {
		return models.Set{Field: registry.Object(object).Field(field), Value: v}
	}
	pipeline := do(models.Command{Op: models.Create, Object: "pipeline", Sets: []models.Set{set("pipeline", "name", "P")}})
	stage := do(models.Command{Op: models.Create, Object: "stage", Sets: []models.Set{set("stage", "key", "P/Open"), set("stage", "name", "Open"), set("stage", "pipeline", pipeline), set("stage", "rank", int64(1)), set("stage", "status", "open")}})
	account := do(models.Command{Op: models.Create, Object: "account", Sets: []models.Set{set("account", "name", "Acme")}})
	const chunk = 200
	for i := 0; b.Loop(); i++ {
		commands := make([]models.Command, chunk)
		for j := range commands {
			n := i*chunk + j
			commands[j] = models.Command{Op: models.Create, Object: "deal", Cause: "import:1", HappenedAt: day(1), Sets: []models.Set{
				set("deal", "name", fmt.Sprintf("Deal %d", n)), set("deal", "external_id", fmt.Sprintf("X%08d", n*7919%100000007)), set("deal", "stage", stage), set("deal", "account", account),
				set("deal", "amount", models.Money{Minor: int64(n), Currency: "USD"}), set("deal", "list_value", models.Money{Minor: int64(n), Currency: "USD"}), set("deal", "source", "inbound"),
			}}
		}
		results, err := engine.Batch(ctx, models.System(), commands)
		if err != nil || results[0].Err != nil {
			b.Fatal(err, results[0].Err)
		}
	}
	b.ReportMetric(float64(b.N*chunk)/b.Elapsed().Seconds(), "records/s")
}
