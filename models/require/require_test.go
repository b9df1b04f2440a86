package require

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// recorder is a TB that remembers how it was ended, by a panic that run catches.
type recorder struct{ end, text string }

func (r *recorder) Helper()           {}
func (r *recorder) Name() string      { return "TestX" }
func (r *recorder) Fatal(args ...any) { r.end, r.text = "fatal", fmt.Sprint(args...); runtime.Goexit() }
func (r *recorder) Skip(args ...any)  { r.end, r.text = "skip", fmt.Sprint(args...); runtime.Goexit() }

func run(f func(TB) string) (r *recorder, got string) {
	r = &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		got = f(r)
	}()
	<-done
	return r, got
}

// These tests set the environment, so they do not run in parallel.

func TestMissingPartIsSkippedAndRecorded(t *testing.T) {
	list := filepath.Join(t.TempDir(), "not_run")
	t.Setenv("CANOPY_REQUIRE", "")
	t.Setenv("CANOPY_NOT_RUN", list)
	t.Setenv("CANOPY_SHARED_DATA", filepath.Join(t.TempDir(), "nothing"))
	for range 2 {
		if r, _ := run(SharedData); r.end != "skip" || !strings.HasPrefix(r.text, "NOT RUN: TestX needs the shared data sets") {
			t.Fatalf("ended by %q with %q", r.end, r.text)
		}
	}
	text, err := os.ReadFile(list)
	if err != nil || strings.Count(string(text), "NOT RUN: TestX") != 2 || strings.Count(string(text), "\n") != 2 {
		t.Fatalf("recorded %q, %v", text, err)
	}
}

func TestMissingPartFailsWhereAllIsRequired(t *testing.T) {
	t.Setenv("CANOPY_REQUIRE", "all")
	t.Setenv("CANOPY_SHARED_DATA", filepath.Join(t.TempDir(), "nothing"))
	if r, _ := run(SharedData); r.end != "fatal" {
		t.Fatalf("ended by %q", r.end)
	}
}

func TestSkipThatCannotBeRecordedFails(t *testing.T) {
	t.Setenv("CANOPY_REQUIRE", "")
	t.Setenv("CANOPY_NOT_RUN", filepath.Join(t.TempDir(), "no", "such", "folder"))
	t.Setenv("CANOPY_SHARED_DATA", filepath.Join(t.TempDir(), "nothing"))
	if r, _ := run(SharedData); r.end != "fatal" {
		t.Fatalf("ended by %q", r.end)
	}
}

func TestPartsAreFoundUpward(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"repo/a/b", "shared/data", "repo/node_modules/@chdb"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "repo/go.mod"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CANOPY_SHARED_DATA", "")
	t.Chdir(filepath.Join(root, "repo/a/b"))
	r, got := run(SharedData)
	if r.end != "" || !strings.HasSuffix(got, "shared/data") || !isThere(got) {
		t.Fatalf("got %q, ended by %q %q", got, r.end, r.text)
	}
	if path, ok := upward("node_modules/@chdb"); !ok || !strings.HasSuffix(path, "repo/node_modules/@chdb") {
		t.Fatalf("got %q, %v", path, ok)
	}
}

func TestVersionsAreNumbers(t *testing.T) {
	if version("/usr/lib/postgresql/9/bin/initdb") >= version("/usr/lib/postgresql/15/bin/initdb") {
		t.Fatal("9 is not before 15")
	}
}
