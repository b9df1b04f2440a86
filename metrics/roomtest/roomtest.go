// Package roomtest gives the tests of rooms a warehouse of their own on the shared engine.
package roomtest

import (
	"slices"
	"testing"

	"canopy/models"
	"canopy/warehouse"
	"canopy/warehouse/enginetest"
)

// Warehouse makes a database of the test's own with the tables of the named objects, without their references to others: it is made in a
// fraction of the time that all objects take.
func Warehouse(t testing.TB, objects ...string) *warehouse.Warehouse {
	t.Helper()
	database := enginetest.Database(t)
	e := enginetest.Start(t)
	w, err := warehouse.Open(t.Context(), warehouse.Config{Addr: e.Addr(), Resolve: e.Resolve, User: e.User(), Password: e.Password(), Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.EnsureObjects(t.Context(), Registry(t, objects...)); err != nil {
		t.Fatal(err)
	}
	return w
}

// Registry is that of the named objects alone.
func Registry(t testing.TB, kept ...string) *models.Registry {
	t.Helper()
	standard, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	var objects []*models.Object
	for _, name := range kept {
		o := standard.Object(name)
		o.Fields = slices.DeleteFunc(o.Fields, func(f *models.Field) bool { return f.To != "" && !slices.Contains(kept, f.To) })
		o.Scope.Team, o.Scope.Campaign, o.Scope.Via, o.TimelineOf = "", "", nil, nil
		objects = append(objects, o)
	}
	registry, err := models.NewRegistry(objects)
	if err != nil {
		t.Fatal(err)
	}
	return registry
}
