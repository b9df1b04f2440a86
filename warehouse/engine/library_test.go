package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"canopy/models"
)

// These change the working directory, so they do not run in parallel.

func TestMissingLibraryNamesTheCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Start(t.Context(), Config{Directory: t.TempDir()})
	var e *models.Error
	if !errors.As(err, &e) || e.Code != models.Unavailable || !strings.Contains(e.Remedy, "npm ci --ignore-scripts") || !strings.Contains(e.Remedy, "make setup") {
		t.Fatalf("%v", err)
	}
}

func TestConfiguredLibraryMustExist(t *testing.T) {
	_, err := FindLibrary(filepath.Join(t.TempDir(), "libchdb.so"))
	if models.CodeOf(err) != models.Invalid {
		t.Fatal(err)
	}
}

func TestLibraryIsFoundInAFolderAbove(t *testing.T) {
	root := realPath(t.TempDir())
	platform := platforms["linux/amd64"]
	want := filepath.Join(root, "node_modules", "@chdb", "lib-"+platform, libraryFile)
	for _, dir := range []string{filepath.Dir(want), filepath.Join(root, "a", "b")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(want, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(root, "a", "b"))
	for _, place := range libraryPlaces(platform) {
		if isFile(place) {
			if place != want {
				t.Fatal("found ", place)
			}
			return
		}
	}
	t.Fatal("not among ", libraryPlaces(platform))
}

func TestBrokenLibrarySaysWhy(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(broken, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{Directory: t.TempDir(), Library: broken})
	if models.CodeOf(err) != models.Unavailable || !strings.Contains(err.Error(), "load the library") {
		t.Fatal(err)
	}
}
