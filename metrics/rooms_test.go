package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"canopy/metrics/kpi"
	"canopy/models"
)

// Every registered room has all its places, and every room that runs is registered.
func TestRoomsHaveAllTheirPlaces(t *testing.T) {
	t.Parallel()
	registry, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	_, all, err := rooms(&kpi.Loader{Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	registered := Registered()
	if len(all) != len(registered) {
		t.Errorf("%d rooms run, %d are registered", len(all), len(registered))
	}
	for _, room := range all {
		places, ok := registered[room.Name()]
		if !ok {
			t.Errorf("the room %s is not registered", room.Name())
			continue
		}
		text, err := os.ReadFile(filepath.Join("..", places.Package, "definition.md"))
		if err != nil || string(text) != room.Definition() || len(text) < 1_000 {
			t.Errorf("%s: definition.md is missing, short, or not what the room serves (%v)", room.Name(), err)
		}
		for _, word := range []string{"**Question.**", "**Population", "**Window.**", "**Ties.**", "**Empty denominators.**", "**Worked example.**"} {
			if !strings.Contains(string(text), word) {
				t.Errorf("%s: definition.md says nothing of %s", room.Name(), word)
			}
		}
		for _, pattern := range []string{filepath.Join(places.SQL, "*.sql"), places.Dashboard, filepath.Join(places.Web, "*.tsx"),
			filepath.Join(places.Package, "load.go"), filepath.Join(places.Package, "job.go"), filepath.Join(places.Package, "testdata", "*.txtar")} {
			if found, err := filepath.Glob(filepath.Join("..", pattern)); err != nil || len(found) == 0 {
				t.Errorf("%s: there is no %s", room.Name(), pattern)
			}
		}
		if _, err := room.Version(models.Reporting{Currency: "USD"}); err != nil {
			t.Errorf("%s: %v", room.Name(), err)
		}
	}
}
