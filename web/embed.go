// Package web holds the built front end inside the binary and finds its files for the edge that serves them.
//
// `npm ci --ignore-scripts && npm run build` in this folder writes dist; a binary built without it says so on its one page, so that
// `go build` works in a fresh clone.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// all: takes .gitkeep too, so that the pattern matches where nothing was built.
//
//go:embed all:dist
var dist embed.FS

// ContentSecurityPolicy allows nothing but the program's own files; styles may be inline, as the component library sets them.
const ContentSecurityPolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// The cache rules: a file under assets/ has its content's hash in its name, every other one is asked for again each time.
const (
	cacheForGood = "public, max-age=31536000, immutable"
	cacheAsk     = "no-cache"
)

// File is one file as it goes out. Body must not be changed.
type File struct {
	Body         []byte
	ContentType  string
	Encoding     string // "br", "gzip" or empty
	CacheControl string
	ETag         string // strong, in quotes; each encoding has its own
	Immutable    bool   // its name changes with its content
}

// Files are the built pages.
type Files struct {
	byPath map[string]*variants
	built  bool
}

// variants are the forms of one file; plain is always there.
type variants struct{ plain, brotli, gzip *File }

// Open reads the embedded pages and computes their tags. Where they were not built it gives the one page that says so.
func Open() (Files, error) {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		return Files{}, fmt.Errorf("open the embedded pages: %w", err)
	}
	return open(root)
}

func open(root fs.FS) (Files, error) {
	files := Files{byPath: map[string]*variants{}, built: true}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == ".gitkeep" || isVariant(root, name) {
			return err
		}
		found, err := read(root, name)
		if err == nil {
			files.byPath[name] = found
		}
		return err
	})
	if err != nil {
		return Files{}, fmt.Errorf("read the embedded pages: %w", err)
	}
	if files.byPath["index.html"] == nil {
		files.built = false
		files.byPath["index.html"] = &variants{plain: newFile("index.html", "", []byte(placeholder))}
	}
	return files, nil
}

// Built tells whether the front end was built into the binary.
func (f Files) Built() bool { return f.built }

// Find gives the file of a URL path ("/", "/assets/index-1a2b.js", "review") in the best form that acceptEncoding (the request header) allows.
// A path that names no file and has no dot in its last part is a page, which index.html draws. Nil: there is no such file.
func (f Files) Find(urlPath, acceptEncoding string) *File {
	name := strings.TrimPrefix(path.Clean("/"+urlPath), "/")
	if name == "" {
		name = "index.html"
	}
	found := f.byPath[name]
	if found == nil && !strings.Contains(path.Base(name), ".") {
		found = f.byPath["index.html"]
	}
	if found == nil {
		return nil
	}
	return found.best(acceptEncoding)
}

func (v *variants) best(acceptEncoding string) *File {
	accepts := parseAccept(acceptEncoding)
	if v.brotli != nil && accepts("br") {
		return v.brotli
	}
	if v.gzip != nil && accepts("gzip") {
		return v.gzip
	}
	return v.plain
}

// parseAccept reads an Accept-Encoding header: a coding is accepted where it, or *, stands with a weight above zero. Broken weights count as zero.
func parseAccept(header string) func(coding string) bool {
	weights := map[string]bool{}
	for part := range strings.SplitSeq(header, ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		accepted := true
		if text, ok := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q="); ok {
			weight, err := strconv.ParseFloat(text, 64)
			accepted = err == nil && weight > 0
		}
		if coding = strings.ToLower(strings.TrimSpace(coding)); coding != "" {
			weights[coding] = accepted
		}
	}
	return func(coding string) bool {
		if accepted, named := weights[coding]; named {
			return accepted
		}
		return weights["*"]
	}
}

// isVariant tells whether name is the compressed form of another file.
func isVariant(root fs.FS, name string) bool {
	plain, isBrotli := strings.CutSuffix(name, ".br")
	if !isBrotli {
		var isGzip bool
		if plain, isGzip = strings.CutSuffix(name, ".gz"); !isGzip {
			return false
		}
	}
	_, err := fs.Stat(root, plain)
	return err == nil
}

func read(root fs.FS, name string) (*variants, error) {
	plain, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	out := &variants{plain: newFile(name, "", plain)}
	for _, form := range []struct {
		suffix, encoding string
		to               **File
	}{{".br", "br", &out.brotli}, {".gz", "gzip", &out.gzip}} {
		body, err := fs.ReadFile(root, name+form.suffix)
		switch {
		case err == nil:
			*form.to = newFile(name, form.encoding, body)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return out, nil
}

func newFile(name, encoding string, body []byte) *File {
	sum := sha256.Sum256(body)
	file := &File{
		Body: body, ContentType: contentType(name), Encoding: encoding, CacheControl: cacheAsk,
		ETag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, Immutable: strings.HasPrefix(name, "assets/"),
	}
	if file.Immutable {
		file.CacheControl = cacheForGood
	}
	return file
}

// contentTypes are fixed: what the machine's own table says must not decide what a browser runs.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
	".json": "application/json", ".woff2": "font/woff2", ".png": "image/png", ".ico": "image/x-icon", ".txt": "text/plain; charset=utf-8",
}

func contentType(name string) string {
	if known, ok := contentTypes[path.Ext(name)]; ok {
		return known
	}
	return "application/octet-stream"
}

const placeholder = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Canopy</title>
<style>body { font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1.5rem } code { background: #eef1f5; padding: .1em .4em; border-radius: 4px }</style>
<h1>Canopy is running, its pages are not built in</h1>
<p>This binary was made without the web front end. In the source folder, run <code>npm ci --ignore-scripts</code> and
<code>npm run build</code> in <code>web</code>, then build the binary again.</p>
<p>The API answers under <code>/api/v1</code>; <code>/healthz</code> says how the program is.</p>
</html>
`
