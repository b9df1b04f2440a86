package crm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"canopy/models"
)

// Contents keeps the bytes of files by their SHA-256, each once.
type Contents interface {
	// Stage reads a body into a place of its own, at most limit bytes; a longer one is too_large. head is its first 512 bytes.
	Stage(ctx context.Context, body io.Reader, limit int64) (Staged, error)
	// Open reads what is kept under a hash; not_found where nothing is.
	Open(ctx context.Context, sha256 string) (io.ReadCloser, int64, error)
	Has(ctx context.Context, sha256 string) (bool, error)
	Remove(ctx context.Context, sha256 string) error
	// EachBefore visits the hashes of contents that were kept before an instant.
	EachBefore(ctx context.Context, before time.Time, fn func(sha256 string) error) error
}

// Staged is a body that has arrived whole and is not kept yet.
type Staged interface {
	SHA256() string // lower-case hex
	Size() int64    // bytes
	Head() []byte   // at most 512 bytes
	Keep() error    // durably; again is no error
	Drop()          // whatever is left of it, also after Keep
}

// StoredFile is what is known of contents beside their bytes.
type StoredFile struct {
	SHA256    string
	MediaType string
	Size      int64
	Used      bool // a record has referred to it; it is kept for good, since the past refers to it
	Mine      bool // the user asked for has uploaded it
}

// Uploads knows which contents arrived from whom.
type Uploads interface {
	// NoteUpload notes that a user has uploaded contents; it holds their row until the transaction ends.
	NoteUpload(ctx context.Context, f StoredFile, user uint64) error
	// UploadOf finds contents, and whether the user has uploaded them; nil where there are none. It holds their row.
	UploadOf(ctx context.Context, sha256 string, user uint64) (*StoredFile, error)
	// UseUpload says that a record refers to contents.
	UseUpload(ctx context.Context, sha256 string) error
	// ForgetUnused drops contents uploaded before an instant that no record has referred to, and gives their hashes.
	ForgetUnused(ctx context.Context, before time.Time) ([]string, error)
}

// MediaTypeOf tells what a file is from its first bytes (512 are enough) and, only where they leave it open, from its name. What a browser
// would run is never told as something else.
func MediaTypeOf(head []byte, name string) string {
	sniffed, _, _ := strings.Cut(http.DetectContentType(head), ";")
	extension := strings.ToLower(path.Ext(name))
	text := strings.ToLower(string(head))
	switch {
	case strings.Contains(text, "<svg"):
		return "image/svg+xml"
	case strings.HasPrefix(sniffed, "text/") && (strings.Contains(text, "<html") || strings.Contains(text, "<script")):
		return "text/html"
	case sniffed == "application/zip":
		return oneOf(extension, sniffed, map[string]string{
			".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
			".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
			".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
			".odt":  "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
		})
	case sniffed == "text/plain":
		return oneOf(extension, sniffed, map[string]string{".csv": "text/csv", ".json": "application/json", ".md": "text/markdown", ".eml": "message/rfc822", ".ics": "text/calendar", ".vcf": "text/vcard"})
	}
	return sniffed
}

func oneOf(extension, otherwise string, types map[string]string) string {
	if t := types[extension]; t != "" {
		return t
	}
	return otherwise
}

// accepts tells whether a media type is one of those that a field takes: "application/pdf", "image/*"; none listed takes any.
func accepts(accept []string, mediaType string) bool {
	for _, a := range accept {
		if prefix, ok := strings.CutSuffix(a, "*"); a == mediaType || ok && strings.HasPrefix(mediaType, prefix) {
			return true
		}
	}
	return len(accept) == 0
}

// fits tells what is wrong with a file for a field; nil where nothing is.
func fits(f *models.Field, file models.File) *models.Error {
	switch {
	case file.Size > f.FileLimit():
		return &models.Error{Code: models.TooLarge, Field: f.Name, Message: fmt.Sprintf("the file has %s, and %s takes at most %s", inWords(file.Size), f.Label, inWords(f.FileLimit())),
			Remedy: "Send a smaller one."}
	case !accepts(f.Accept, file.MediaType):
		return models.FieldError(f.Name, "the file is %s, and %s takes %s", file.MediaType, f.Label, strings.Join(f.Accept, ", ")).
			WithRemedy("Send a file of such a kind; its contents count, not its name.")
	}
	return nil
}

func inWords(bytes int64) string {
	for _, unit := range []struct {
		of   int64
		name string
	}{{1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "KB"}} {
		if bytes >= unit.of {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(bytes)/float64(unit.of)), ".0") + " " + unit.name
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// Upload keeps the contents of a file that a record will refer to; until then they can be read by nobody, and after a day they are swept
// away. field, where it is given, already says what it takes. The file that is given back is what a write names.
func (e *Engine) Upload(ctx context.Context, reader models.Reader, name string, field *models.Field, body io.Reader) (models.File, error) {
	if e.options.Contents == nil {
		return models.File{}, models.Errorf(models.Unavailable, "files are not kept here")
	}
	if !reader.MayWrite(models.Editor) {
		return models.File{}, models.Errorf(models.Forbidden, "uploading files needs the role %s", models.Editor).WithRemedy("Ask an administrator for the right.")
	}
	staged, err := e.options.Contents.Stage(ctx, body, e.uploadLimit(field))
	if err != nil {
		return models.File{}, err
	}
	defer staged.Drop()
	file := models.File{Name: models.FileName(name), Size: staged.Size(), SHA256: staged.SHA256(), MediaType: MediaTypeOf(staged.Head(), name)}
	if file.Size == 0 {
		return models.File{}, models.FieldError("file", "the file is empty")
	}
	if field != nil {
		if problem := fits(field, file); problem != nil {
			return models.File{}, problem
		}
	}
	err = e.store.Run(ctx, Interactive, func(ctx context.Context) error {
		if err := e.store.NoteUpload(ctx, StoredFile{SHA256: file.SHA256, MediaType: file.MediaType, Size: file.Size}, reader.User); err != nil {
			return err
		}
		return staged.Keep() // while the row is held, so that a sweep cannot come between
	})
	return file, err
}

// uploadLimit is what the field takes, or the most that any field takes.
func (e *Engine) uploadLimit(field *models.Field) int64 {
	if field != nil {
		return field.FileLimit()
	}
	limit := int64(models.DefaultMaxBytes)
	for _, o := range e.Registry().Objects() {
		for _, f := range o.Fields {
			if f.Kind == models.FileOf {
				limit = max(limit, f.FileLimit())
			}
		}
	}
	return limit
}

// checkFile refuses a file that the writer has not uploaded: knowing a hash is no right to its contents. Rules and undoing may name what
// records have referred to.
func (b *batch) checkFile(f *models.Field, w *writing, file models.File) (*models.Error, error) {
	stored, err := b.store.UploadOf(b.ctx, file.SHA256, b.reader.User)
	if err != nil {
		return nil, err
	}
	known := stored != nil && (stored.Mine || stored.Used && (b.reader.User == 0 || isUndo(w.cause)))
	if known && b.options.Contents != nil {
		if known, err = b.options.Contents.Has(b.ctx, file.SHA256); err != nil {
			return nil, err
		}
	}
	if !known {
		return models.FieldError(f.Name, "this file was never uploaded").WithRemedy("Send it to POST /api/v1/files first, and name what that gives back."), nil
	}
	if stored.Size != file.Size || stored.MediaType != file.MediaType {
		return models.FieldError(f.Name, "the uploaded file has %d bytes and is %s", stored.Size, stored.MediaType).
			WithRemedy("Name the file as the upload gave it back."), nil
	}
	if problem := fits(f, file); problem != nil {
		return problem, nil
	}
	return nil, nil
}

// keepFiles says of files that were just written that a record refers to them.
func (b *batch) keepFiles(changed []models.FieldChange) error {
	for _, c := range changed {
		if file, ok := c.After.(models.File); ok {
			if err := b.store.UseUpload(b.ctx, file.SHA256); err != nil {
				return err
			}
		}
	}
	return nil
}

// File opens the file that a record holds in a field, for a reader who may see the record as it is now.
func (e *Engine) File(ctx context.Context, reader models.Reader, object string, number uint64, field string) (models.File, io.ReadCloser, error) {
	r, err := e.Get(ctx, reader, object, number, models.Cutoff{})
	if err != nil {
		return models.File{}, nil, err
	}
	f := r.Object.Field(field)
	if f == nil || f.Kind != models.FileOf {
		return models.File{}, nil, models.Errorf(models.NotFound, "%s has no file %q", object, field).WithRemedy("GET /api/v1/objects lists the fields.")
	}
	file, ok := r.Get(field).(models.File)
	if !ok || r.Deleted || e.options.Contents == nil {
		return models.File{}, nil, models.Errorf(models.NotFound, "%s has no file in %s", r.ID(), f.Label)
	}
	body, size, err := e.options.Contents.Open(ctx, file.SHA256)
	if err != nil {
		return models.File{}, nil, err
	}
	if size != file.Size {
		return models.File{}, nil, errors.Join(fmt.Errorf("open file of %s: it has %d bytes instead of %d", r.ID(), size, file.Size), body.Close())
	}
	return file, body, nil
}

// uploadLife is how long contents wait for a record that refers to them.
const uploadLife = 24 * time.Hour

// SweepUploads takes away, each hour until ctx ends, what was uploaded more than a day ago and never referred to.
func (e *Engine) SweepUploads(ctx context.Context, log *slog.Logger) error {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		if err := e.Sweep(ctx); err != nil && ctx.Err() == nil {
			log.Warn("sweep of uploads: trying again in an hour", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Sweep takes away what waits for a record for more than a day, and what a crash left without anybody's knowing it.
func (e *Engine) Sweep(ctx context.Context) error {
	contents := e.options.Contents
	if contents == nil {
		return nil
	}
	before := e.options.Now().UTC().Add(-uploadLife)
	err := e.store.Run(ctx, Bulk, func(ctx context.Context) error {
		forgotten, err := e.store.ForgetUnused(ctx, before)
		if err != nil {
			return err
		}
		for _, sha := range forgotten { // before the commit: whoever uploads the same waits for it, and then keeps it anew
			if err := contents.Remove(ctx, sha); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return contents.EachBefore(ctx, before, func(sha string) error {
		return e.store.Run(ctx, Bulk, func(ctx context.Context) error {
			if known, err := e.store.UploadOf(ctx, sha, 0); err != nil || known != nil {
				return err
			}
			return contents.Remove(ctx, sha)
		})
	})
}

// completeAttachment names a file after itself.
func completeAttachment(_ *batch, w *writing) error {
	if file, ok := w.after("file").(models.File); ok && w.after("name") == nil {
		w.set("name", file.Name)
	}
	return nil
}
