package dashboards

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"canopy/models"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

const filesPath = apiPrefix + "/files"

func (s *Server) fileRoutes() {
	s.app.Post(filesPath, s.uploadFile)
	s.app.Get(apiPrefix+"/records/:object/:id/files/:field", s.downloadFile)
}

// uploadFile keeps a file that a record will refer to. It streams: nothing is held in memory, and each read has its own deadline.
func (s *Server) uploadFile(c *fiber.Ctx) error {
	ctx, reader := s.unbounded(c), requestOf(c.UserContext()).reader
	file, err := s.takeFile(ctx, c, reader)
	if err != nil {
		c.Set(fiber.HeaderConnection, "close") // the rest of the body may still be to come
		return s.fail(c, err)
	}
	return c.Status(http.StatusCreated).JSON(file)
}

func (s *Server) takeFile(ctx context.Context, c *fiber.Ctx, reader models.Reader) (models.File, error) {
	if err := needRole(reader, models.Editor, "uploading files"); err != nil {
		return models.File{}, err
	}
	field, err := s.fileField(c.Query("object"), c.Query("field"))
	if err != nil {
		return models.File{}, err
	}
	kind, parameters, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	stream := c.Context().RequestBodyStream()
	if err != nil || kind != fiber.MIMEMultipartForm || parameters["boundary"] == "" || stream == nil {
		return models.File{}, models.Errorf(models.Invalid, "the request is no form with a file").WithRemedy("Send multipart/form-data with the part file.")
	}
	up := &upload{stream: stream, extend: c.Context().Conn().SetReadDeadline, left: s.config.UploadLimit + maxBody}
	parts := multipart.NewReader(up, parameters["boundary"])
	part, err := parts.NextPart()
	if err != nil {
		return models.File{}, s.brokenUpload(err)
	}
	if part.FormName() != "file" {
		return models.File{}, models.FieldError(part.FormName(), "the form has no such part").WithRemedy("It has the part file, and nothing else.")
	}
	file, err := s.parts.Records.Upload(ctx, reader, part.FileName(), field, part)
	var said *models.Error
	switch {
	case err != nil && !errors.As(err, &said):
		return file, s.brokenUpload(err)
	case err != nil:
		return file, err
	}
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		return file, models.FieldError("file", "one file at a time")
	}
	_, err = io.Copy(io.Discard, up) // what follows the form is not the next request
	return file, err
}

// fileField finds the field that a file is meant for; nil where the request names none.
func (s *Server) fileField(object, field string) (*models.Field, error) {
	if object == "" && field == "" {
		return nil, nil
	}
	o, err := s.parts.Records.Registry().Need(object)
	if err != nil {
		return nil, err
	}
	f := o.Field(field)
	if f == nil || f.Kind != models.FileOf {
		return nil, models.FieldError("field", "%s has no file %q", object, field).WithRemedy("GET /api/v1/objects lists the fields.")
	}
	return f, nil
}

// downloadFile streams the file that a record holds, to those who may see the record. It is always saved and never shown: whatever it
// contains does not run in these pages.
func (s *Server) downloadFile(c *fiber.Ctx) error {
	ctx, reader := s.unbounded(c), requestOf(c.UserContext()).reader
	object, number, err := s.find(RecordInput{ObjectInput{c.Params("object")}, c.Params("id")})
	if err != nil {
		return s.fail(c, err)
	}
	file, body, err := s.parts.Records.File(ctx, reader, object.Name, number, c.Params("field"))
	if err != nil {
		return s.fail(c, err)
	}
	c.Set(fiber.HeaderContentType, harmless(file.MediaType))
	c.Set(fiber.HeaderContentDisposition, disposition(file.Name))
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	c.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	c.Context().SetBodyStream(&downloading{body, c.Context().Conn().SetWriteDeadline}, int(file.Size))
	return nil
}

// harmless is the type under which contents are sent: what a browser would run is sent as bytes.
func harmless(mediaType string) string {
	for _, kept := range []string{"image/", "audio/", "video/", "application/pdf", "application/zip", "application/vnd.", "text/plain", "text/csv"} {
		if strings.HasPrefix(mediaType, kept) && mediaType != "image/svg+xml" {
			return mediaType
		}
	}
	return fiber.MIMEOctetStream
}

// disposition names a file to save, in ASCII and, for those that read it, in full (RFC 6266).
func disposition(name string) string {
	ascii := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + ascii + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

// downloading is a body on its way out: as long as somebody takes it, it may take long.
type downloading struct {
	io.ReadCloser
	extend func(time.Time) error
}

// Read moves the deadline of writing before each piece.
func (d *downloading) Read(p []byte) (int, error) {
	if err := d.extend(time.Now().Add(uploadIdle)); err != nil {
		return 0, err
	}
	return d.ReadCloser.Read(p)
}

// filesByHand describes the two streaming routes.
func (s *Server) filesByHand() []*huma.Operation {
	text := &huma.Schema{Type: huma.TypeString}
	up := s.described(operation(fiber.MethodPost, "/files", "upload-file", "records", "Upload a file that a record will refer to; what none refers to is swept after a day"), "201", "application/json", schemaOf(s, (*models.File)(nil)))
	up.Parameters = []*huma.Param{
		{Name: "object", In: "query", Schema: text, Description: "Object of the field that it is for: its limits are then told at once"},
		{Name: "field", In: "query", Schema: text, Description: "Field that it is for"},
	}
	up.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{"file": {Type: huma.TypeString, Format: "binary"}},
	}}}}
	down := s.described(operation(fiber.MethodGet, "/records/{object}/{id}/files/{field}", "download-file", "records", "The file that a record holds in a field"), "200", "application/octet-stream", &huma.Schema{Type: huma.TypeString, Format: "binary"})
	for _, name := range []string{"object", "id", "field"} {
		down.Parameters = append(down.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: text})
	}
	return []*huma.Operation{up, down}
}
