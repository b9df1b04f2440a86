package canopy_test

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// largestFile bounds what is committed: data belongs to whoever has it, not into the history of a program.
const largestFile = 1 << 20

func TestNoLargeFile(t *testing.T) {
	t.Parallel()
	for file, info := range tree(t) {
		if info.Size() > largestFile {
			t.Errorf("%s has %d bytes; a committed file has at most %d", file, info.Size(), largestFile)
		}
	}
}

// forbidden are texts that tie the repository to the machine it was written on. They are put together here so that this file does not hold them.
var forbidden = []struct {
	text    *regexp.Regexp
	except  []string // files that may hold it
	because string
}{
	{text: regexp.MustCompile(`(^|[^\w.\-/])/(wo` + `rk|ro` + `ot)/`), because: "a path of one machine means nothing on another"},
	{text: regexp.MustCompile(`/tmp/(bri` + `ef|bash` + `_jobs)`), because: "a path of one machine means nothing on another"},
	{text: regexp.MustCompile(`(regis` + `try\.npmjs\.org|regis` + `try\.yarnpkg\.com|pro` + `xy\.golang\.org|s` + `um\.golang\.org|regis` + `try-1\.docker\.io)`),
		except:  []string{"package-lock.json", "web/package-lock.json"},
		because: "where packages come from is the installer's setting, and may be a mirror"},
	{text: regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`), because: "what is open is said in an issue or done"},
}

func TestNoForbiddenText(t *testing.T) {
	t.Parallel()
	for file := range tree(t) {
		text := read(t, file)
		if bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 {
			continue // a picture or the like
		}
		for _, f := range forbidden {
			if at := f.text.FindIndex(text); at != nil && !slices.Contains(f.except, file) {
				t.Errorf("%s:%d holds %q: %s", file, 1+bytes.Count(text[:at[0]], []byte("\n")), text[at[0]:at[1]], f.because)
			}
		}
	}
}

// The module is called as it is imported everywhere, and nothing is replaced by a local copy.
func TestModule(t *testing.T) {
	t.Parallel()
	text := string(read(t, "go.mod"))
	if first, _, _ := strings.Cut(text, "\n"); first != "module "+module {
		t.Errorf("go.mod begins with %q, not with %q", first, "module "+module)
	}
	if regexp.MustCompile(`(?m)^\s*replace\b`).MatchString(text) {
		t.Error("go.mod replaces a module; a build must need nothing that is not published")
	}
}

// Each SQL text says first what it answers or makes.
func TestEverySQLFileHasAHeader(t *testing.T) {
	t.Parallel()
	n := 0
	for file := range tree(t) {
		if path.Ext(file) != ".sql" || !strings.HasPrefix(file, "sql/") {
			continue
		}
		n++
		first, _, _ := strings.Cut(string(read(t, file)), "\n")
		if header, ok := strings.CutPrefix(first, "-- "); !ok || len(header) < 20 {
			t.Errorf("%s begins with %q: its first line is a comment that says its question, or what it makes", file, first)
		}
	}
	if n == 0 {
		t.Error("there are no files in sql/")
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
