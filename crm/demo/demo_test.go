package demo_test

import (
	"context"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/demo"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

func TestTheDemoCompanyIsWrittenOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		ctx := context.Background()
		db := storetest.Open(t, c)
		engine := storetest.Engine(t, db, nil)
		config := demo.Config{Seed: 7, Deals: 150, Weeks: 60, Until: time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)}

		stopped, stop := context.WithCancel(ctx)
		defer stop()
		config.Progress = func(done, _ int) {
			if done >= 300 {
				stop()
			}
		}
		if _, err := demo.Seed(stopped, engine, config); err == nil {
			t.Fatal("a cancelled run ended well")
		}
		config.Progress = nil
		for range 2 { // goes on, and then finds everything written
			if _, err := demo.Seed(ctx, engine, config); err != nil {
				t.Fatal(err)
			}
		}
		counts := map[string]int{}
		for _, o := range engine.Registry().Objects() {
			page, err := engine.List(ctx, models.System(), crm.Query{Object: o.Name, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			counts[o.Name] = page.Count
		}
		if counts["deal"] != 150 || counts["user"] != 12 || counts["product"] != 7 || counts["account"] != 30 || counts["stage"] != 5 {
			t.Errorf("counts: %v", counts)
		}
		if counts["activity"] < 150 || counts["target"] == 0 || counts["lead"] == 0 {
			t.Errorf("counts: %v", counts)
		}
		page, err := engine.List(ctx, models.System(), crm.Query{Object: "deal", Limit: 200})
		if err != nil {
			t.Fatal(err)
		}
		byStatus := map[any]int{}
		for _, r := range page.Records {
			byStatus[r.Get("status")]++
			if closed, ok := r.Get("closed_at").(time.Time); ok != (r.Get("status") != "open") || closed.After(config.Until) {
				t.Errorf("%s: status %v, closed %v", r.ID(), r.Get("status"), closed)
			}
		}
		if byStatus["won"] < 30 || byStatus["lost"] < 30 || byStatus["open"] < 3 {
			t.Errorf("deals by status: %v", byStatus)
		}
	})
}
