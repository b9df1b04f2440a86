package dashboards

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"canopy/models"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// Problem is the one form of every error answer: RFC 9457 with the members of models.Error beside it.
type Problem struct {
	Type      string          `json:"type" doc:"Always about:blank: code says which kind it is" example:"about:blank"`
	Title     string          `json:"title" doc:"The HTTP status in words"`
	Status    int             `json:"status" doc:"The HTTP status"`
	Detail    string          `json:"detail" doc:"What is wrong, for a person"`
	Code      models.Code     `json:"code" enum:"invalid,not_found,conflict,precondition,unauthenticated,forbidden,too_large,exhausted,unavailable,internal"`
	Field     string          `json:"field,omitempty" doc:"The field or parameter that is wrong"`
	Row       int64           `json:"row,omitempty" doc:"1-based row or operation that is wrong"`
	Remedy    string          `json:"remedy,omitempty" doc:"What the caller can do"`
	Details   []ProblemDetail `json:"details,omitempty" doc:"Several faults at once, or what stands in the way"`
	RequestID string          `json:"request_id,omitempty" doc:"Finds the request in the server's log"`

	retryAfter time.Duration
	etag       string // of the record that stands in the way
}

// ProblemDetail is one of several faults; of a stale write it is the record as it stands now.
type ProblemDetail struct {
	Code    models.Code `json:"code,omitempty"`
	Message string      `json:"message"`
	Field   string      `json:"field,omitempty"`
	Row     int64       `json:"row,omitempty"`
	Remedy  string      `json:"remedy,omitempty"`
	Version int64       `json:"version,omitempty" doc:"The version that the record has now"`
	Record  *Record     `json:"record,omitempty" doc:"The record as it stands now"`
}

const problemType = "application/problem+json"

// calmSentence is all that is told of an internal error; the log has the rest under the request id.
const calmSentence = "something went wrong on our side; nothing was half done"

// Error is the problem's detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders gives Retry-After, ETag and WWW-Authenticate where they belong.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set(fiber.HeaderRetryAfter, strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	if p.etag != "" {
		h.Set(fiber.HeaderETag, p.etag)
	}
	if p.Status == http.StatusUnauthorized {
		h.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="canopy"`)
	}
	return h
}

// newProblem tells what a models.Error says.
func newProblem(e *models.Error) *Problem {
	status := e.Code.HTTPStatus()
	p := &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: e.Message, Code: e.Code,
		Field: e.Field, Row: e.Row, Remedy: e.Remedy,
	}
	for i := range e.Details {
		d := &e.Details[i]
		p.Details = append(p.Details, ProblemDetail{Code: d.Code, Message: d.Message, Field: d.Field, Row: d.Row, Remedy: d.Remedy})
	}
	return p
}

// problemOf turns any error into what the caller may know. An internal one is logged in full and told as one sentence.
func (s *Server) problemOf(ctx context.Context, err error) *Problem {
	id := requestOf(ctx).id
	var p *Problem
	var said *models.Error
	switch {
	case errors.As(err, &p):
	case errors.As(err, &said) && said.Code != models.Internal:
		p = newProblem(said)
	case errors.Is(err, context.DeadlineExceeded):
		s.log.LogAttrs(ctx, slog.LevelWarn, "request took too long", slog.String("request_id", id), slog.String("error", err.Error()))
		p = newProblem(models.Errorf(models.Unavailable, "this took too long and was stopped").WithRemedy("Try again, or ask for less at once."))
	case errors.Is(err, context.Canceled):
		p = newProblem(models.Errorf(models.Unavailable, "Canopy is stopping").WithRemedy("Try again in a moment."))
	default:
		s.log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("request_id", id), slog.String("error", err.Error()))
		p = newProblem(models.Errorf(models.Internal, calmSentence).WithRemedy("Try again; if it stays, give the request id to an administrator."))
	}
	p.RequestID = id
	return p
}

// fail writes a problem on a plain Fiber route.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	p := s.problemOf(c.UserContext(), err)
	for name, values := range p.GetHeaders() {
		c.Set(name, values[0])
	}
	s.discard(c)
	c.Status(p.Status)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(p, problemType)
}

// fiberFailed is Fiber's own error handler: no route, a method that a route does not have, a broken request.
func (s *Server) fiberFailed(c *fiber.Ctx, err error) error {
	var own *fiber.Error
	if !errors.As(err, &own) {
		return s.fail(c, err)
	}
	return s.fail(c, frameworkProblem(own.Code, own.Message))
}

// frameworkProblem gives Fiber's and huma's own refusals the form of all others.
func frameworkProblem(status int, message string) *Problem {
	code := models.Invalid
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		code = models.NotFound
		message = "there is no such route"
	case http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge, http.StatusRequestURITooLong:
		code = models.TooLarge
	case http.StatusRequestTimeout, http.StatusServiceUnavailable:
		code = models.Unavailable
	default:
		if status >= http.StatusInternalServerError || status == 0 {
			code, message = models.Internal, calmSentence
		}
	}
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: strings.ToLower(message[:1]) + message[1:], Code: code}
}

// humaProblem replaces huma.NewError. Values are never echoed: they may be passwords.
func humaProblem(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
	if message == "" {
		message = http.StatusText(status)
	}
	if message == "" {
		message = "error" // huma asks for an example once, to describe the type
	}
	p := frameworkProblem(status, message)
	if ctx != nil {
		p.RequestID = requestOf(ctx.Context()).id
	}
	for _, err := range errs {
		var detailer huma.ErrorDetailer
		if err == nil || !errors.As(err, &detailer) {
			continue
		}
		d := detailer.ErrorDetail()
		p.Details = append(p.Details, ProblemDetail{Code: p.Code, Field: fieldOf(d.Location), Message: d.Message})
	}
	if p.Code == models.Internal {
		p.Details = nil
	}
	if len(p.Details) == 1 {
		p.Detail, p.Field, p.Details = p.Details[0].Message, p.Details[0].Field, nil
	}
	return p
}

// fieldOf takes the part of a request out of huma's location: "query.limit" → "limit", "body.fields.amount" → "fields.amount".
func fieldOf(location string) string {
	for _, part := range []string{"body.", "query.", "header.", "path."} {
		if rest, ok := strings.CutPrefix(location, part); ok {
			return rest
		}
	}
	return location
}

// huma keeps its error form, and whether lists may be null, in package variables; this is the only place that sets them.
func init() {
	huma.DefaultArrayNullable = false
	huma.NewErrorWithContext = humaProblem
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return humaProblem(nil, status, message, errs...)
	}
}
