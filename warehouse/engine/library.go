package engine

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"canopy/models"
)

// libraryFile has the same name in the packages of all platforms.
const libraryFile = "libchdb.so"

// platforms are those for which the package is published.
var platforms = map[string]string{
	"linux/amd64": "linux-x64-gnu", "linux/arm64": "linux-arm64-gnu",
	"darwin/amd64": "darwin-x64", "darwin/arm64": "darwin-arm64",
}

// FindLibrary says where the engine's library is: exactly at configured if that is not empty, else beside the binary,
// else in a node_modules folder of the working directory, of the binary's directory, or of a folder above either.
// PATH and the linker's search are not asked: what runs is what was installed for Canopy.
//
// Errors: unavailable, with the command that brings it; invalid where the configured file is none.
func FindLibrary(configured string) (string, error) {
	if configured != "" {
		path, err := filepath.Abs(configured)
		if err != nil || !isFile(path) {
			return "", models.FieldError("engine.library", "there is no file %s", configured).
				WithRemedy("Give the path of libchdb.so, or leave it out to use the one that npm ci --ignore-scripts installs.")
		}
		return realPath(path), nil
	}
	platform, known := platforms[runtime.GOOS+"/"+runtime.GOARCH]
	if !known {
		return "", models.Errorf(models.Unavailable, "the embedded ClickHouse has no library for %s/%s", runtime.GOOS, runtime.GOARCH).
			WithRemedy("Give the address of a ClickHouse server in the configuration.")
	}
	for _, path := range libraryPlaces(platform) {
		if isFile(path) {
			return realPath(path), nil
		}
	}
	return "", models.Errorf(models.Unavailable, "the library of the embedded ClickHouse (@chdb/lib-%s) is not installed", platform).
		WithRemedy("Run npm ci --ignore-scripts (or make setup) in Canopy's folder, or give the address of a ClickHouse server in the configuration.")
}

// libraryPlaces lists where the library may be, best first, each once.
func libraryPlaces(platform string) []string {
	var roots, places []string
	if exe, err := os.Executable(); err == nil {
		dir := filepath.Dir(realPath(exe))
		places = append(places, filepath.Join(dir, libraryFile))
		roots = append(roots, dir)
	}
	if dir, err := os.Getwd(); err == nil {
		roots = append([]string{dir}, roots...)
	}
	for _, root := range roots {
		for dir := root; ; dir = filepath.Dir(dir) {
			path := filepath.Join(dir, "node_modules", "@chdb", "lib-"+platform, libraryFile)
			if !slices.Contains(places, path) {
				places = append(places, path)
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return places
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// realPath follows links, so that the path is the one the kernel shows in the process's maps.
func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}
