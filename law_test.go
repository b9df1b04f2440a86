package canopy_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "canopy"

// A rule says what one package, or every package of a kind, may import of ours. Patterns are paths below the module: "metrics/*"
// means each folder directly in metrics that has no rule of its own.
type rule struct {
	packages string
	may      []string
	because  string // completes "…, because <because>"

	// onlyWords: outside Canopy, only the standard library and the value libraries.
	onlyWords bool
	// onlyStandard: outside Canopy, only the standard library.
	onlyStandard bool
}

// law is docs/architecture.md's table of who may import whom, and nothing else is allowed.
var law = []rule{
	{packages: "models", onlyWords: true,
		because: "the shared words stand on the standard library and the value libraries alone, so that everyone may use them"},
	{packages: "models/predicate", may: []string{"models"}, onlyWords: true,
		because: "the predicate knows the registry and nothing that stores or serves records"},
	{packages: "models/require", onlyStandard: true,
		because: "whether a test can run must not depend on what it tests"},
	{packages: "sql",
		because: "the SQL files run as they are in a console and know nobody"},
	{packages: "metrics/num",
		because: "kernels are arithmetic over plain numbers"},
	{packages: "web",
		because: "the pages are files; what they show comes over HTTP"},
	{packages: "warehouse", may: []string{"sql", "models"},
		because: "the warehouse knows tables, not what they mean"},
	{packages: "warehouse/engine", may: []string{"models"},
		because: "the engine is a process to start and stop; it knows neither tables nor questions"},
	{packages: "crm", may: []string{"models", "models/predicate"},
		because: "the core records and knows neither its stores nor the numbers: a score comes back as a command"},
	{packages: "crm/store", may: []string{"crm", "models", "models/predicate"},
		because: "the store is an adapter of the core and of nothing else"},
	{packages: "crm/job", may: []string{"crm", "models", "models/predicate"},
		because: "long jobs write through the same commands as everyone's, and keep their progress through ports"},
	{packages: "crm/demo", may: []string{"crm", "models"},
		because: "the demonstration company is written through the same commands as everyone's"},
	{packages: "ingest/*", may: []string{"warehouse", "models", "models/predicate"},
		because: "what travels to ClickHouse comes through ports over the words of models, not from the core's inside"},
	{packages: "metrics", may: []string{"metrics/*", "warehouse", "sql", "models", "models/predicate"},
		because: "rooms, their schedule and their runs read the warehouse; crm and metrics never see each other"},
	{packages: "metrics/*", may: []string{"metrics/num", "warehouse", "sql", "models", "models/predicate"},
		because: "a room stands alone: it knows its kernels, its SQL and the warehouse, and no other room"},
	{packages: "dashboards/export", may: []string{"crm", "crm/job", "models", "models/predicate"},
		because: "a file of records is read through the core, as a screen is"},
	{packages: "dashboards", may: []string{"crm", "crm/job", "dashboards/export", "metrics", "metrics/*", "models", "models/predicate"},
		because: "the screen shows: it asks the core and the rooms, and never a store or the warehouse itself"},
	{packages: "cmd/*", may: []string{"*"},
		because: "cmd is where parts meet"},
}

// words are the value libraries that models may stand on.
var words = []string{
	"github.com/shopspring/decimal", "github.com/nyaruka/phonenumbers", "cel.dev/cel-go", "cel.dev/expr",
	"go.yaml.in/yaml/v3", "golang.org/x/text",
}

// Every import between Canopy's packages is one that the law allows. Test files may import more.
func TestImportLaw(t *testing.T) {
	t.Parallel()
	for folder, imports := range packages(t) {
		if isTestSupport(folder) {
			continue // helps tests, and TestTestSupportStaysInTests keeps it there
		}
		r := ruleOf(folder)
		if r == nil {
			t.Errorf("%s has no rule in the import law: say in law_test.go and docs/architecture.md what it may import", folder)
			continue
		}
		for _, imported := range slices.Sorted(maps.Keys(imports)) {
			file := imports[imported]
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
				if !isTestSupport(ours) && !r.allows(ours) {
					t.Errorf("%s: %s may not import %s, because %s (it may import %s)", file, folder, ours, r.because, r.list())
				}
				continue
			}
			if r.onlyStandard && !isStandard(imported) || r.onlyWords && !isStandard(imported) && !isWord(imported) {
				t.Errorf("%s: %s may not import %s, because %s", file, folder, imported, r.because)
			}
		}
	}
}

// The law says no where it should: a rule that lets everything through would pass the test above.
func TestImportLawRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{from: "crm", to: "models/predicate", may: true},
		{from: "crm", to: "crm/store"},
		{from: "crm", to: "metrics/kpi"},
		{from: "metrics/kpi", to: "metrics/num", may: true},
		{from: "metrics/kpi", to: "metrics/funnel"},
		{from: "metrics/kpi", to: "crm"},
		{from: "metrics", to: "metrics/kpi", may: true},
		{from: "metrics/num", to: "models"},
		{from: "models", to: "models/predicate"},
		{from: "ingest/relay", to: "ingest/importer"},
		{from: "dashboards", to: "warehouse"},
		{from: "dashboards", to: "crm/store"},
		{from: "cmd/canopy", to: "warehouse/engine", may: true},
	} {
		if may := ruleOf(c.from).allows(c.to); may != c.may {
			t.Errorf("%s importing %s: allowed is %t, not %t", c.from, c.to, may, c.may)
		}
	}
}

// Whatever the law names exists, so that no rule outlives its package.
func TestImportLawNamesWhatExists(t *testing.T) {
	t.Parallel()
	found := packages(t)
	exists := func(pattern string) bool {
		for folder := range found {
			if covers(pattern, folder) {
				return true
			}
		}
		return false
	}
	for _, r := range law {
		for _, pattern := range append([]string{r.packages}, r.may...) {
			if !exists(pattern) {
				t.Errorf("the import law names %s, and there is no such package", pattern)
			}
		}
	}
}

// Packages that help tests are imported by tests and by each other only.
func TestTestSupportStaysInTests(t *testing.T) {
	t.Parallel()
	for folder, imports := range packages(t) {
		if isTestSupport(folder) {
			continue
		}
		for imported, file := range imports {
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok && isTestSupport(ours) {
				t.Errorf("%s: %s helps tests, so only test files may import it", file, ours)
			}
		}
	}
}

// isTestSupport: models/require, and packages that end in "test" as net/http/httptest does.
func isTestSupport(folder string) bool {
	return folder == "models/require" || strings.HasSuffix(folder, "test")
}

func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".") && first != module
}

func isWord(imported string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return imported == w || strings.HasPrefix(imported, w+"/") })
}

// ruleOf gives the rule by the package's own name if there is one, else the pattern that covers it; nil if none does.
func ruleOf(folder string) *rule {
	for _, exact := range []bool{true, false} {
		for i := range law {
			if law[i].packages == folder || !exact && covers(law[i].packages, folder) {
				return &law[i]
			}
		}
	}
	return nil
}

func (r *rule) allows(folder string) bool {
	return slices.ContainsFunc(r.may, func(pattern string) bool { return covers(pattern, folder) })
}

func (r *rule) list() string {
	if len(r.may) == 0 {
		return "nothing of Canopy's"
	}
	return strings.Join(r.may, ", ")
}

// covers: "*" is everything, "metrics/*" each folder directly in metrics, and any other pattern itself.
func covers(pattern, folder string) bool {
	if pattern == "*" || pattern == folder {
		return true
	}
	parent, all := strings.CutSuffix(pattern, "/*")
	return all && path.Dir(folder) == parent
}

// packages gives, for each folder with Go files other than tests, what these import and in which file.
// Files for other systems count too: build constraints are not looked at.
func packages(t *testing.T) map[string]map[string]string {
	t.Helper()
	found := map[string]map[string]string{}
	for file := range tree(t) {
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		folder := path.Dir(file)
		if folder == "tools" || strings.HasPrefix(folder, "tools/") || strings.Contains(folder, "testdata") {
			continue // a module of its own; not Go of ours
		}
		source, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(file), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatalf("read imports: %v", err)
		}
		if found[folder] == nil {
			found[folder] = map[string]string{}
		}
		for _, spec := range source.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			found[folder][imported] = file
		}
	}
	if len(found) == 0 {
		t.Fatal("there are no packages here")
	}
	return found
}

// tree gives every file of the repository as a slash-separated path, without what .gitignore leaves out.
func tree(t *testing.T) func(yield func(string, fs.FileInfo) bool) {
	t.Helper()
	ignored := func(name string, d fs.DirEntry) bool {
		base := path.Base(name)
		if d.IsDir() {
			return base == ".git" || base == "node_modules" || slices.Contains([]string{"bin", "data", "web/dist", "web/shots"}, name) ||
				strings.HasSuffix(name, "testdata/rapid")
		}
		return slices.Contains([]string{".test", ".out", ".prof"}, path.Ext(base)) || name == ".notrun" || name == "canopy" || name == ".env"
	}
	return func(yield func(string, fs.FileInfo) bool) {
		err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return fmt.Errorf("walk the repository: %w", err)
			}
			if name != "." && ignored(name, d) {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			if !d.Type().IsRegular() {
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if !yield(name, info) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			t.Errorf("%v", err)
		}
	}
}
