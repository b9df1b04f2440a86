package store_test

import (
	"errors"
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

func TestRelayProgressMovesOnlyForward(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		db := storetest.Open(t, c)
		r, ctx := db.Relay(), t.Context()
		load := func(want models.RelayProgress) {
			t.Helper()
			got, err := r.Load(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if (got.Frozen == nil) != (want.Frozen == nil) || got.Frozen != nil && *got.Frozen != *want.Frozen {
				t.Errorf("frozen is %+v, not %+v", got.Frozen, want.Frozen)
			}
			got.Frozen, want.Frozen = nil, nil
			if got != want {
				t.Errorf("%+v, not %+v", got, want)
			}
		}
		conflict := func(what string, err error) {
			t.Helper()
			if models.CodeOf(err) != models.Conflict {
				t.Errorf("%s: %v", what, err)
			}
		}
		load(models.RelayProgress{})
		one := models.RelayBatch{Incarnation: "a", Number: 1, After: 0, Through: 10}
		conflict("freeze before the first copy", r.Freeze(ctx, one))
		if err := r.Renew(ctx, "a", 0); err != nil {
			t.Fatal(err)
		}
		load(models.RelayProgress{Incarnation: "a"})
		conflict("acknowledge what is not frozen", r.Acknowledge(ctx, one))
		for _, wrong := range []models.RelayBatch{{Incarnation: "b", Number: 1, Through: 10}, {Incarnation: "a", Number: 2, Through: 10}, {Incarnation: "a", Number: 1, After: 1, Through: 10}} {
			conflict("freeze another", r.Freeze(ctx, wrong))
		}
		if err := r.Freeze(ctx, one); err != nil {
			t.Fatal(err)
		}
		load(models.RelayProgress{Incarnation: "a", Batch: 1, Frozen: &one})
		conflict("freeze twice", r.Freeze(ctx, one))
		conflict("freeze over a frozen one", r.Freeze(ctx, models.RelayBatch{Incarnation: "a", Number: 2, After: 0, Through: 20}))
		conflict("acknowledge another", r.Acknowledge(ctx, models.RelayBatch{Incarnation: "a", Number: 1, After: 0, Through: 11}))
		if err := r.Acknowledge(ctx, one); err != nil {
			t.Fatal(err)
		}
		load(models.RelayProgress{Incarnation: "a", Batch: 1, Acknowledged: 10})
		conflict("acknowledge twice", r.Acknowledge(ctx, one))
		two := models.RelayBatch{Incarnation: "a", Number: 2, After: 10, Through: 11}
		if err := errors.Join(r.Freeze(ctx, two), r.Acknowledge(ctx, two)); err != nil {
			t.Fatal(err)
		}
		load(models.RelayProgress{Incarnation: "a", Batch: 2, Acknowledged: 11})
		three := models.RelayBatch{Incarnation: "a", Number: 3, After: 11, Through: 12}
		if err := r.Freeze(ctx, three); err != nil {
			t.Fatal(err)
		}
		if err := r.Renew(ctx, "b", 5); err != nil {
			t.Fatal(err)
		}
		load(models.RelayProgress{Incarnation: "b", Acknowledged: 5})
		conflict("acknowledge of the copy before", r.Acknowledge(ctx, three))
	})
}
