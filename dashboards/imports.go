package dashboards

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"

	"canopy/models"

	"github.com/gofiber/fiber/v2"
)

// Imports brings files into records. Somebody else's import is not found, except by administrators.
type Imports interface {
	Propose(ctx context.Context, reader models.Reader, file Upload) (mapping string, err error)
	// Preview says what an import would make of a file's first rows.
	Preview(ctx context.Context, reader models.Reader, file Upload, mapping string) (models.ImportPreview, error)
	Start(ctx context.Context, reader models.Reader, file Upload, mapping string, dryRun bool) (models.Import, error)
	List(ctx context.Context, reader models.Reader, limit int) ([]models.Import, error)
	Get(ctx context.Context, reader models.Reader, id int64) (models.Import, error)
	ImportActions
}

// ImportActions are what can be done with an import that is there.
type ImportActions interface {
	Cancel(ctx context.Context, reader models.Reader, id int64) (models.Import, error)
	Resume(ctx context.Context, reader models.Reader, id int64) (models.Import, error)
	Undo(ctx context.Context, reader models.Reader, id int64) (models.Import, error)
	// Refused writes the refused rows as CSV, with their reasons.
	Refused(ctx context.Context, reader models.Reader, id int64, w io.Writer) error
}

// Upload is a file on its way in.
type Upload struct {
	Name string // as the person knows it
	Body io.Reader
}

// ImportList is the reader's imports, newest first.
type ImportList struct {
	Items []models.Import `json:"items"`
}

// MappingProposal is a mapping in YAML, proposed from a file's header and rows.
type MappingProposal struct {
	Mapping string `json:"mapping"`
}

const importsPath = apiPrefix + "/imports"

type importInput struct {
	ID int64 `path:"id" minimum:"1"`
}

type importListInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// isUpload tells which routes read their body as a stream.
func isUpload(c *fiber.Ctx) bool {
	return c.Method() == fiber.MethodPost && (c.Path() == importsPath || c.Path() == importsPath+"/propose" || c.Path() == filesPath)
}

func (s *Server) importRoutes() {
	s.app.Post(importsPath, s.startImport)
	s.app.Post(importsPath+"/propose", s.proposeMapping)
	s.app.Post(importsPath+"/preview", s.previewImport)
	s.app.Get(importsPath+"/:id/refused.csv", s.refusedRows)
	handle(s, operation(http.MethodGet, "/imports", "list-imports", "imports", "Imports, newest first"), s.listImports)
	handle(s, operation(http.MethodGet, "/imports/{id}", "get-import", "imports", "One import and how far it has come"), s.getImport)
	for name, do := range map[string]func(Imports, context.Context, models.Reader, int64) (models.Import, error){
		"cancel": Imports.Cancel, "resume": Imports.Resume, "undo": Imports.Undo,
	} {
		op := operation(http.MethodPost, "/imports/{id}/"+name, name+"-import", "imports", importActions[name])
		op.DefaultStatus = http.StatusAccepted
		handle(s, op, func(ctx context.Context, reader models.Reader, in *importInput) (*body[models.Import], error) {
			i, err := do(s.parts.Imports, ctx, reader, in.ID)
			return &body[models.Import]{i}, err
		})
	}
}

var importActions = map[string]string{
	"cancel": "Stop an import after the chunk that is being written",
	"resume": "Go on with a cancelled or failed import",
	"undo":   "Take back all that an import wrote",
}

func (s *Server) listImports(ctx context.Context, reader models.Reader, in *importListInput) (*body[ImportList], error) {
	list, err := s.parts.Imports.List(ctx, reader, in.Limit)
	if list == nil {
		list = []models.Import{}
	}
	return &body[ImportList]{ImportList{list}}, err
}

func (s *Server) getImport(ctx context.Context, reader models.Reader, in *importInput) (*body[models.Import], error) {
	i, err := s.parts.Imports.Get(ctx, reader, in.ID)
	return &body[models.Import]{i}, err
}

// unbounded is the context of work that may take longer than a request: it ends with the server.
func (s *Server) unbounded(c *fiber.Ctx) context.Context {
	return context.WithValue(s.context, requestKey{}, requestOf(c.UserContext()))
}

func (s *Server) startImport(c *fiber.Ctx) error {
	ctx, reader := s.unbounded(c), requestOf(c.UserContext()).reader
	form, err := s.receive(c, reader)
	if err != nil {
		return s.fail(c, err)
	}
	defer form.drop()
	started, err := s.parts.Imports.Start(ctx, reader, Upload{Name: form.name, Body: form.file}, form.mapping, form.dryRun)
	if err != nil {
		return s.fail(c, err)
	}
	c.Set(fiber.HeaderLocation, importsPath+"/"+strconv.FormatInt(started.ID, 10))
	return c.Status(http.StatusAccepted).JSON(started)
}

func (s *Server) proposeMapping(c *fiber.Ctx) error {
	ctx, reader := s.unbounded(c), requestOf(c.UserContext()).reader
	form, err := s.receive(c, reader)
	if err != nil {
		return s.fail(c, err)
	}
	defer form.drop()
	mapping, err := s.parts.Imports.Propose(ctx, reader, Upload{Name: form.name, Body: form.file})
	if err != nil {
		return s.fail(c, err)
	}
	return c.JSON(MappingProposal{mapping})
}

func (s *Server) previewImport(c *fiber.Ctx) error {
	ctx, reader := s.unbounded(c), requestOf(c.UserContext()).reader
	form, err := s.receive(c, reader)
	if err != nil {
		return s.fail(c, err)
	}
	defer form.drop()
	preview, err := s.parts.Imports.Preview(ctx, reader, Upload{Name: form.name, Body: form.file}, form.mapping)
	if err != nil {
		return s.fail(c, err)
	}
	return c.JSON(preview)
}

// importForm is an upload that has arrived whole: parts come in any order, and no import waits for a slow line.
type importForm struct {
	name    string
	file    *os.File
	mapping string
	dryRun  bool
}

func (f *importForm) drop() {
	if f.file != nil {
		_ = f.file.Close()
		_ = os.Remove(f.file.Name())
	}
}

// receive reads a multipart body as it arrives; the file goes to the disk, never into memory.
func (s *Server) receive(c *fiber.Ctx, reader models.Reader) (*importForm, error) {
	if err := needRole(reader, models.Editor, "importing"); err != nil {
		return nil, err
	}
	if int64(c.Request().Header.ContentLength()) > s.config.UploadLimit+maxBody {
		return nil, s.uploadTooLarge()
	}
	kind, parameters, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	stream := c.Context().RequestBodyStream()
	if err != nil || kind != fiber.MIMEMultipartForm || parameters["boundary"] == "" || stream == nil {
		return nil, models.Errorf(models.Invalid, "the request is no form with a file").WithRemedy("Send multipart/form-data with the part file.")
	}
	up := &upload{stream: stream, extend: c.Context().Conn().SetReadDeadline, left: s.config.UploadLimit + maxBody}
	form := &importForm{}
	if err := s.readParts(multipart.NewReader(up, parameters["boundary"]), form); err != nil {
		form.drop()
		c.Set(fiber.HeaderConnection, "close") // the rest of the body is still to come
		return nil, err
	}
	if _, err := io.Copy(io.Discard, up); err != nil { // what follows the form, a last empty chunk at least, is not the next request
		form.drop()
		c.Set(fiber.HeaderConnection, "close")
		return nil, s.brokenUpload(err)
	}
	return form, nil
}

func (s *Server) readParts(parts *multipart.Reader, form *importForm) error {
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s.brokenUpload(err)
		}
		if err := s.readPart(part, form); err != nil {
			return err
		}
	}
	if form.file == nil {
		return models.FieldError("file", "no file was sent").WithRemedy("Send multipart/form-data with the part file.")
	}
	if _, err := form.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read upload: %w", err)
	}
	return nil
}

func (s *Server) readPart(part *multipart.Part, form *importForm) (err error) {
	switch name := part.FormName(); name {
	case "file":
		if form.file != nil {
			return models.FieldError("file", "one file at a time")
		}
		if form.file, err = os.CreateTemp(s.config.UploadDirectory, "canopy-upload-*"); err != nil {
			return fmt.Errorf("store upload: %w", err)
		}
		form.name = part.FileName()
		if _, err = io.Copy(form.file, part); err != nil {
			return s.brokenUpload(err)
		}
		return nil
	case "mapping", "dry_run":
		text, err := io.ReadAll(io.LimitReader(part, maxBody+1))
		if err != nil {
			return s.brokenUpload(err)
		}
		if len(text) > maxBody {
			return tooLarge(maxBody)
		}
		if name == "mapping" {
			form.mapping = string(text)
			return nil
		}
		if form.dryRun, err = strconv.ParseBool(string(text)); err != nil {
			return models.FieldError("dry_run", "%q is neither true nor false", text)
		}
		return nil
	default:
		return models.FieldError(name, "the form has no such part").WithRemedy("It has file, mapping and dry_run.")
	}
}

func (s *Server) uploadTooLarge() error {
	return &models.Error{
		Code: models.TooLarge, Field: "file", Message: fmt.Sprintf("the file is larger than %d bytes", s.config.UploadLimit),
		Remedy: "Split it, or ask an administrator to raise the limit.",
	}
}

// brokenUpload tells a line that broke, or a form that is none, from a disk that is full.
func (s *Server) brokenUpload(err error) error {
	var disk *os.PathError
	switch {
	case errors.Is(err, errUploadTooLarge):
		return s.uploadTooLarge()
	case errors.As(err, &disk):
		return fmt.Errorf("store upload: %w", err)
	}
	return models.Errorf(models.Invalid, "the upload broke off or is no form").WithRemedy("Send it again.")
}

// refusedRows streams the rows that an import refused.
func (s *Server) refusedRows(c *fiber.Ctx) error {
	ctx, reader := s.unbounded(c), requestOf(c.UserContext()).reader
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil || id < 1 {
		return s.fail(c, models.Errorf(models.NotFound, "there is no import %q", c.Params("id")))
	}
	if _, err := s.parts.Imports.Get(ctx, reader, id); err != nil {
		return s.fail(c, err)
	}
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="import-%d-refused.csv"`, id))
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		if err := s.parts.Imports.Refused(ctx, reader, id, w); err != nil {
			s.log.LogAttrs(ctx, slog.LevelError, "refused rows broke off", slog.String("request_id", requestOf(ctx).id), slog.String("error", err.Error()))
		}
	})
	return nil
}
