package store_test

import (
	"fmt"
	"testing"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
	"canopy/models/predicate"
)

// Deleted records make no list longer than it is, also where one index alone answers the filter.
func TestCountingPassesOverDeletedRecords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		db := storetest.Open(t, c)
		engine := storetest.Engine(t, db, nil)
		for i := range 6 {
			r := create(t, engine, "account", fmt.Sprintf(`{"name":"A%d","sector":"rail"}`, i))
			if i > 0 {
				write(t, engine, models.Command{Op: models.Delete, Object: "account", Number: r.Number}, `{}`)
			}
		}
		object := engine.Registry().Object("account")
		where, err := predicate.Compare(object.Field("sector"), predicate.Eq, "rail").Bind(engine.Registry(), object, engine.Calendar())
		if err != nil {
			t.Fatal(err)
		}
		for withDeleted, want := range map[bool]int{false: 1, true: 4} { // the limit and one more
			if n, known, err := db.CountSoon(t.Context(), "account", where, withDeleted, 3); err != nil || !known || n != want {
				t.Errorf("with deleted %v: %d, %v, %v; want %d", withDeleted, n, known, err, want)
			}
		}
	})
}
