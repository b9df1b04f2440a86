// Package require says to a test whether a part that the repository cannot carry is on this machine: the ClickHouse
// library, PostgreSQL, a browser, the shared data sets.
//
// A test that lacks one is skipped, with a line in the file that CANOPY_NOT_RUN names, so that the run can end with the
// list of what it did not prove. With CANOPY_REQUIRE=all nothing may be missing, and the test fails.
package require

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// TB is the part of testing.TB that is used; declared here, so that programs that import models carry no test flags.
type TB interface {
	Helper()
	Name() string
	Fatal(args ...any)
	Skip(args ...any)
}

// Engine gives the path of the ClickHouse library that npm installed, in a node_modules folder here or above.
func Engine(t TB) string {
	t.Helper()
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	if runtime.GOOS == "linux" {
		arch += "-gnu"
	}
	path := filepath.Join("node_modules", "@chdb", "lib-"+runtime.GOOS+"-"+arch, "libchdb.so")
	found, ok := upward(path)
	if !ok {
		missing(t, "the ClickHouse library", "npm ci --ignore-scripts")
	}
	return found
}

// Postgres gives the directory of PostgreSQL's programs (initdb, postgres): that of Debian's newest version, else that of
// the initdb on the PATH.
func Postgres(t TB) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		missing(t, "PostgreSQL", "apt-get install postgresql")
	}
	return filepath.Dir(path)
}

// Browser gives the path of Chromium or Chrome.
func Browser(t TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "a browser", "apt-get install chromium")
	return ""
}

// SharedData gives the directory of the shared data sets: CANOPY_SHARED_DATA, else ../shared/data beside the repository.
func SharedData(t TB) string {
	t.Helper()
	if dir := os.Getenv("CANOPY_SHARED_DATA"); dir != "" {
		if isThere(dir) {
			return dir
		}
		missing(t, "the shared data sets", "set CANOPY_SHARED_DATA to their directory")
	}
	if mod, ok := upward("go.mod"); ok {
		if dir := filepath.Join(filepath.Dir(mod), "..", "shared", "data"); isThere(dir) {
			return dir
		}
	}
	missing(t, "the shared data sets", "set CANOPY_SHARED_DATA to their directory")
	return ""
}

// missing fails or skips the test; it does not return.
func missing(t TB, what, remedy string) {
	t.Helper()
	text := fmt.Sprintf("NOT RUN: %s needs %s (%s)", t.Name(), what, remedy)
	if os.Getenv("CANOPY_REQUIRE") == "all" {
		t.Fatal(text)
	}
	if path := os.Getenv("CANOPY_NOT_RUN"); path != "" {
		// One write of one line in append mode: test binaries run side by side.
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString(text + "\n")
			f.Close()
		}
		if err != nil {
			t.Fatal(text + ", and this could not be recorded: " + err.Error())
		}
	}
	t.Skip(text)
}

// upward looks for a relative path in the working directory (a test's own package) and in the directories above it.
func upward(path string) (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if full := filepath.Join(dir, path); isThere(full) {
			return full, true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
		dir = filepath.Dir(dir)
	}
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// version reads the number in /usr/lib/postgresql/<number>/bin/initdb; 0 where it is none.
func version(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return n
}
