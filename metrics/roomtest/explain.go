package roomtest

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	canopysql "canopy/sql"
	"canopy/warehouse"
)

var declared = regexp.MustCompile(`\{(\w+):((?:[^{}']|'[^']*')+)\}`)

// Explain plans every file of a room as it stands in a console: with its parameters, and with what stands in its marked places.
func Explain(t *testing.T, w *warehouse.Warehouse, folder string) {
	t.Helper()
	paths, err := fs.Glob(canopysql.Metrics(), folder+"/*.sql")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	for _, path := range paths {
		text, err := fs.ReadFile(canopysql.Metrics(), path)
		if err != nil {
			t.Fatal(err)
		}
		params := map[string]any{}
		for _, d := range declared.FindAllStringSubmatch(string(text), -1) {
			params[d[1]] = example(t, d[1], d[2])
		}
		if err := w.Exec(t.Context(), warehouse.Query{Name: path, SQL: "explain " + string(text), Params: params}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func example(t *testing.T, name, kind string) any {
	t.Helper()
	switch {
	case name == "zone":
		return "America/New_York"
	case kind == "String":
		return "a"
	case kind == "Bool":
		return false
	case strings.HasPrefix(kind, "UInt"):
		return uint8(3)
	case strings.HasPrefix(kind, "Array(UInt64"):
		return []uint64{1, 2}
	case strings.HasPrefix(kind, "DateTime64"):
		return time.Date(2017, 6, 26, 0, 0, 0, 0, time.UTC)
	}
	t.Fatalf("no example of %s %s", name, kind)
	return nil
}
