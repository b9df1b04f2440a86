package predicate_test

import (
	"testing"

	"canopy/warehouse"
	"canopy/warehouse/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// openWarehouse opens a fresh database of the embedded engine.
func openWarehouse(t testing.TB) *warehouse.Warehouse {
	t.Helper()
	e := enginetest.Start(t)
	w, err := warehouse.Open(t.Context(), warehouse.Config{
		Addr: e.Addr(), Resolve: e.Resolve, User: e.User(), Password: e.Password(), Database: enginetest.Database(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}
