package web

import (
	"strings"
	"testing"
	"testing/fstest"
)

func built(t *testing.T) Files {
	t.Helper()
	files, err := open(fstest.MapFS{
		".gitkeep":                 {},
		"index.html":               {Data: []byte("<html>")},
		"index.html.gz":            {Data: []byte("page zipped")},
		"theme.js":                 {Data: []byte("theme")},
		"assets/index-1a.js":       {Data: []byte("script")},
		"assets/index-1a.js.br":    {Data: []byte("script br")},
		"assets/index-1a.js.gz":    {Data: []byte("script gz")},
		"assets/inter-2b.woff2":    {Data: []byte("font")},
		"assets/lonely-archive.gz": {Data: []byte("an archive of its own")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFindPicksTheEncoding(t *testing.T) {
	t.Parallel()
	files := built(t)
	for header, want := range map[string]string{
		"":                           "",
		"gzip, deflate, br":          "br",
		"gzip":                       "gzip",
		"BR;q=0.5, gzip":             "br",
		"br;q=0, gzip;q=1":           "gzip",
		"br; q=0.0, gzip; q=0":       "",
		"*":                          "br",
		"*;q=0.1, br;q=0":            "gzip",
		"br;q=much":                  "",
		"identity, zstd;q=1":         "",
		"gzip;q=0, *;q=0, deflate,,": "",
	} {
		file := files.Find("/assets/index-1a.js", header)
		if file == nil || file.Encoding != want {
			t.Errorf("Accept-Encoding %q gives %+v, wanted %q", header, file, want)
		}
	}
	if file := files.Find("/assets/inter-2b.woff2", "br, gzip"); file.Encoding != "" || string(file.Body) != "font" {
		t.Errorf("a font comes as it is, not %+v", file)
	}
}

func TestFindKnowsPagesFromFiles(t *testing.T) {
	t.Parallel()
	files := built(t)
	for path, want := range map[string]string{
		"/": "<html>", "": "<html>", "/index.html": "<html>", "/review": "<html>", "/deals/deal_42": "<html>", "theme.js": "theme",
		"/assets/index-1a.js": "script", "//assets/./index-1a.js": "script", "/assets/lonely-archive.gz": "an archive of its own",
		"/assets/gone-3c.js": "", "/favicon.ico": "", "/.gitkeep": "", "/assets/index-1a.js.br": "", "/../embed.go": "", "/assets": "<html>",
	} {
		file := files.Find(path, "")
		if got := bodyOf(file); got != want {
			t.Errorf("%q gives %q, wanted %q", path, got, want)
		}
	}
}

func TestFilesSayHowTheyAreKept(t *testing.T) {
	t.Parallel()
	files := built(t)
	script, page := files.Find("/assets/index-1a.js", "br"), files.Find("/review", "gzip")
	if !script.Immutable || script.CacheControl != "public, max-age=31536000, immutable" || script.ContentType != "text/javascript; charset=utf-8" {
		t.Errorf("a hashed file is kept for good: %+v", script)
	}
	if page.Immutable || page.CacheControl != "no-cache" || page.ContentType != "text/html; charset=utf-8" || page.Encoding != "gzip" {
		t.Errorf("the page is asked for each time: %+v", page)
	}
	plain := files.Find("/", "")
	if plain.ETag == page.ETag || len(plain.ETag) < 10 || !strings.HasPrefix(plain.ETag, `"`) {
		t.Errorf("tags %s and %s: each form has its own", plain.ETag, page.ETag)
	}
}

func TestWithoutABuildThereIsAPageThatSaysSo(t *testing.T) {
	t.Parallel()
	files, err := open(fstest.MapFS{".gitkeep": {}})
	if err != nil {
		t.Fatal(err)
	}
	page := files.Find("/review", "br")
	if files.Built() || page == nil || !strings.Contains(string(page.Body), "npm run build") || page.ContentType != "text/html; charset=utf-8" {
		t.Errorf("wanted the page that says what is missing, got %+v", page)
	}
	if files.Find("/assets/index.js", "") != nil {
		t.Error("there are no assets")
	}
}

func TestOpenReadsWhatWasEmbedded(t *testing.T) {
	t.Parallel()
	files, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if files.Find("/", "") == nil {
		t.Error("there is always a page")
	}
}

func TestThePolicyAllowsNoScriptsOfOthers(t *testing.T) {
	t.Parallel()
	if !strings.Contains(ContentSecurityPolicy, "default-src 'self'") || strings.Contains(ContentSecurityPolicy, "script-src") {
		t.Error("scripts come from the program itself, by default-src")
	}
}

func bodyOf(f *File) string {
	if f == nil {
		return ""
	}
	return string(f.Body)
}
