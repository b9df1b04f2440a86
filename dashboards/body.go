package dashboards

import (
	"bytes"
	"errors"
	"io"
	"time"

	"canopy/models"

	"github.com/gofiber/fiber/v2"
)

// How large a body may be, in bytes; uploads have their own limit in the configuration.
const (
	maxBody      = 1 << 20
	maxBatchBody = 8 << 20
)

// readBody takes a body into memory before its handler runs, up to the route's limit. Uploads stream and are left alone.
func (s *Server) readBody(c *fiber.Ctx) error {
	if safeMethod(c.Method()) || isUpload(c) {
		return c.Next()
	}
	limit := maxBody
	if c.Path() == batchPath {
		limit = maxBatchBody
	}
	body, err := s.bounded(c, limit)
	if err != nil {
		return s.fail(c, err)
	}
	c.Request().SetBodyStream(bytes.NewReader(body), len(body))
	return c.Next()
}

func (s *Server) bounded(c *fiber.Ctx, limit int) ([]byte, error) {
	if c.Request().Header.ContentLength() > limit {
		return nil, tooLarge(limit)
	}
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(stream, int64(limit)+1))
	if err != nil {
		return nil, models.Errorf(models.Invalid, "the request's body broke off")
	}
	if len(body) > limit {
		return nil, tooLarge(limit)
	}
	return body, nil
}

func tooLarge(limit int) *models.Error {
	return models.Errorf(models.TooLarge, "the request's body is larger than %d bytes", limit).WithRemedy("Send less at once, or import a file.")
}

// maxDiscard is how much of an unwanted body is read, so that its sender comes to reading the answer.
const maxDiscard = 16 << 20

// discard reads what is left of a refused request's body. Where too much is left the connection is given up.
func (s *Server) discard(c *fiber.Ctx) {
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return
	}
	if err := c.Context().Conn().SetReadDeadline(time.Now().Add(5 * time.Second)); err == nil {
		if n, err := io.CopyN(io.Discard, stream, maxDiscard); errors.Is(err, io.EOF) && n < maxDiscard {
			return
		}
	}
	c.Context().SetConnectionClose()
}

// uploadIdle is how long an upload may stand still.
const uploadIdle = time.Minute

// upload reads a streamed body: each read has its own deadline, so that a large file may take long and a stalled one ends.
type upload struct {
	stream io.Reader
	extend func(time.Time) error
	left   int64 // bytes that may still come
}

var errUploadTooLarge = errors.New("upload too large")

// Read fails with errUploadTooLarge past the limit.
func (u *upload) Read(p []byte) (int, error) {
	if err := u.extend(time.Now().Add(uploadIdle)); err != nil {
		return 0, err
	}
	n, err := u.stream.Read(p)
	if u.left -= int64(n); u.left < 0 {
		return 0, errUploadTooLarge
	}
	return n, err
}
