package crm_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

// shelf is a world whose engine keeps files.
func shelf(t *testing.T, c store.Config) (*world, *store.Contents) {
	w := newWorld(t, c)
	contents, err := store.OpenContents(filepath.Join(t.TempDir(), "files"))
	if err != nil {
		t.Fatal(err)
	}
	w.engine, err = crm.New(w.db, crm.Options{Now: w.clock.Now, Currency: "USD", Contents: contents})
	if err != nil {
		t.Fatal(err)
	}
	return w, contents
}

func (w *world) upload(reader models.Reader, name, text string) models.File {
	w.Helper()
	file, err := w.engine.Upload(ctx, reader, name, nil, strings.NewReader(text))
	if err != nil {
		w.Fatal(err)
	}
	return file
}

func fileJSON(f models.File) string {
	return fmt.Sprintf(`{"name":%q,"media_type":%q,"size":%d,"sha256":%q}`, f.Name, f.MediaType, f.Size, f.SHA256)
}

func TestFilesAreKeptWithTheirRecords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w, _ := shelf(t, c)
		file := w.upload(models.System(), `C:\offers\Offer.pdf`, "%PDF-1.7 words")
		if file.Name != "Offer.pdf" || file.MediaType != "application/pdf" || file.Size != 14 {
			t.Errorf("uploaded %+v", file)
		}
		number := w.make("attachment", fmt.Sprintf(`{"file":%s,"account":"account_%d"}`, fileJSON(file), w.account))
		r, err := w.engine.Get(ctx, models.System(), "attachment", number, models.Cutoff{})
		if err != nil || r.Get("name") != "Offer.pdf" {
			t.Errorf("named %v, %v", r.Get("name"), err)
		}
		got, body, err := w.engine.File(ctx, models.System(), "attachment", number, "file")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(body)
		if err != nil || body.Close() != nil || string(text) != "%PDF-1.7 words" || got != file {
			t.Errorf("read %q, %v", text, err)
		}
		w.do(models.Command{Op: models.Delete, Object: "attachment", Number: number})
		if _, _, err := w.engine.File(ctx, models.System(), "attachment", number, "file"); models.CodeOf(err) != models.NotFound {
			t.Errorf("a deleted record's file: %v", err)
		}
	})
}

func TestAFileIsNamedByItsUploaderOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w, _ := shelf(t, c)
		user := func(name string) models.Reader {
			return models.Reader{User: w.make("user", fmt.Sprintf(`{"name":%q,"email":"%s@example.com","role":"editor","scope":"owner"}`, name, name)), Role: models.Editor, Scope: models.ScopeOwner}
		}
		ann, bob := user("ann"), user("bob")
		file := w.upload(ann, "salary.csv", "ann,100")
		attach := func(reader models.Reader, f models.File) error {
			_, err := w.engine.Do(ctx, reader, models.Command{Op: models.Create, Object: "attachment", Sets: w.sets("attachment", fmt.Sprintf(`{"file":%s}`, fileJSON(f)))})
			return err
		}
		refused := func(what string, err error) {
			t.Helper()
			var said *models.Error
			if !errors.As(err, &said) || said.Code != models.Invalid || said.Field != "file" {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("bob knows the hash", attach(bob, file))
		never := file
		never.SHA256 = strings.Repeat("0", 64)
		refused("it was never uploaded", attach(ann, never))
		larger := file
		larger.Size++
		refused("another size", attach(ann, larger))
		page := file
		page.MediaType = "text/html"
		refused("another kind", attach(ann, page))
		if err := attach(ann, file); err != nil {
			t.Error(err)
		}
		refused("bob knows the hash of a file in use", attach(bob, file))
		if w.upload(bob, "mine.csv", "ann,100"); attach(bob, file) != nil {
			t.Error("bob has the contents himself")
		}
		if _, _, err := w.engine.File(ctx, bob, "attachment", 1, "file"); models.CodeOf(err) != models.NotFound {
			t.Errorf("bob reads ann's file: %v", err)
		}
		viewer := models.Reader{User: ann.User, Role: models.Viewer, Scope: models.ScopeAll}
		if _, err := w.engine.Upload(ctx, viewer, "x", nil, strings.NewReader("x")); models.CodeOf(err) != models.Forbidden {
			t.Errorf("a viewer uploads: %v", err)
		}
	})
}

func TestFieldsSayWhichFilesTheyTake(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w, _ := shelf(t, c)
		w.approve(w.request(`{"object":"account","fields":[{"name":"logo","kind":"file","label":"Logo","max_bytes":2048,"accept":["image/*"]}]}`))
		logo := w.engine.Registry().Object("account").Field("logo")
		png := "\x89PNG\r\n\x1a\n"
		for name, try := range map[string]struct {
			text string
			code models.Code
		}{
			"logo.png": {png, ""},
			"a.png":    {"<html><script>alert(1)</script>", models.Invalid}, // its contents count, not its name
			"b.png":    {png + strings.Repeat("x", 3000), models.TooLarge},
			"empty":    {"", models.Invalid},
		} {
			_, err := w.engine.Upload(ctx, models.System(), name, logo, strings.NewReader(try.text))
			if models.CodeOf(err) != try.code {
				t.Errorf("%s: %v", name, err)
			}
		}
		file := w.upload(models.System(), "plain.txt", "words") // no field was named: the write says no
		w.refuse(models.Invalid, "logo", models.Command{Op: models.Update, Object: "account", Number: w.account, Sets: w.sets("account", `{"logo":`+fileJSON(file)+`}`)})
		big := w.upload(models.System(), "big.png", png+strings.Repeat("x", 3000))
		w.refuse(models.TooLarge, "logo", models.Command{Op: models.Update, Object: "account", Number: w.account, Sets: w.sets("account", `{"logo":`+fileJSON(big)+`}`)})
	})
}

func TestSweepTakesOnlyWhatNobodyReferredTo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		start := day(20)
		if c.Path != "" || c.DSN != "" {
			c.Now = func() time.Time { return start }
		}
		w, contents := shelf(t, c)
		used, unused := w.upload(models.System(), "used.txt", "used"), w.upload(models.System(), "unused.txt", "unused")
		number := w.make("attachment", `{"file":`+fileJSON(used)+`}`)
		w.do(models.Command{Op: models.Delete, Object: "attachment", Number: number}) // the past refers to it
		lost, err := contents.Stage(ctx, bytes.NewReader([]byte("a crash left it")), 100)
		if err != nil || lost.Keep() != nil {
			t.Fatal(err)
		}
		has := func(sha string) bool {
			ok, err := contents.Has(ctx, sha)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		if err := w.engine.Sweep(ctx); err != nil || !has(unused.SHA256) {
			t.Errorf("swept too early, %v", err)
		}
		w.clock.At = time.Now().Add(25 * time.Hour) // files carry the file system's clock
		if err := w.engine.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if !has(used.SHA256) || has(unused.SHA256) || has(lost.SHA256()) {
			t.Errorf("used %v, unused %v, lost %v", has(used.SHA256), has(unused.SHA256), has(lost.SHA256()))
		}
		w.refuse(models.Invalid, "file", models.Command{Op: models.Create, Object: "attachment", Sets: w.sets("attachment", `{"file":`+fileJSON(unused)+`}`)})
		w.upload(models.System(), "unused.txt", "unused") // again is as new
		w.make("attachment", `{"file":`+fileJSON(unused)+`}`)
	})
}

func TestMediaTypesComeFromContents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ head, name, want string }{
		{"%PDF-1.4", "a.txt", "application/pdf"},
		{"a,b\n1,2\n", "a.csv", "text/csv"},
		{"a,b\n1,2\n", "a.exe", "text/plain"},
		{"PK\x03\x04", "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"PK\x03\x04", "a.pdf", "application/zip"},
		{"<svg xmlns='http://www.w3.org/2000/svg'>", "a.png", "image/svg+xml"},
		{"<?xml version='1.0'?><svg>", "a.txt", "image/svg+xml"},
		{"hello <script>", "a.csv", "text/html"},
		{"\x00\x01\x02", "a.png", "application/octet-stream"},
	} {
		if got := crm.MediaTypeOf([]byte(c.head), c.name); got != c.want {
			t.Errorf("%q as %s is %s, want %s", c.head, c.name, got, c.want)
		}
	}
}
