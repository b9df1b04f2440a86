package predicate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"canopy/models"
	"canopy/models/predicate"
)

// largest are predicates at the limits, which every database must still take; wide ones have the given number of conditions.
func largest(width int) map[string]string {
	wide := make([]string, width)
	for i := range wide {
		wide[i] = fmt.Sprintf(`{"field":"rank","op":"eq","value":%d}`, i)
	}
	list := make([]string, 5000)
	for i := range list {
		list[i] = fmt.Sprintf(`"thing_%d"`, i+1)
	}
	zigzag := `{"field":"name","op":"not_empty"}`
	for range 15 {
		zigzag = `{"and":[{"field":"name","op":"not_empty"},{"or":[{"field":"rank","op":"eq","value":1},` + zigzag + `]}]}`
	}
	related := `{"field":"name","op":"not_empty"}`
	for range 4 {
		related = `{"not":{"or":[{"field":"rank","op":"eq","value":1},` + related + `]}}`
		related = `{"field":"parent","op":"related","where":` + related + `}`
	}
	return map[string]string{
		"wide or":   `{"or":[` + strings.Join(wide, ",") + `]}`,
		"wide and":  `{"and":[` + strings.ReplaceAll(strings.Join(wide, ","), `"eq"`, `"ne"`) + `]}`,
		"long list": `{"field":"id","op":"in","value":[` + strings.Join(list, ",") + `]}`,
		"deep not":  strings.Repeat(`{"not":`, 31) + `{"field":"name","op":"eq","value":"a"}` + strings.Repeat("}", 31),
		"zigzag":    zigzag,
		"related":   related,
	}
}

func checkLargest(t *testing.T, w *world, width int, matches func(t interface{ Fatalf(string, ...any) }, b *predicate.Bound) []uint64) {
	t.Helper()
	for name, text := range largest(width) {
		b := w.bind(t, asked{text: text, reader: models.System()})
		if wanted, found := w.matches(b), matches(t, b); !slices.Equal(wanted, found) {
			t.Errorf("%s: Go chooses %v, the database %v", name, wanted, found)
		}
	}
}

func TestAnalysesTakeFewerConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 8)
	b := w.bind(t, asked{text: largest(251)["wide or"], reader: models.System()})
	if _, err := b.Compile(predicate.ClickHouse, predicate.Options{}); models.CodeOf(err) != models.Invalid {
		t.Errorf("251 conditions: %v", err)
	}
}

func TestSQLiteTakesTheLargest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 8)
	checkLargest(t, w, 999, openSQLite(t, w).matches)
}

func TestPostgresTakesTheLargest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 8)
	checkLargest(t, w, 999, openPostgres(t, w).matches)
}
