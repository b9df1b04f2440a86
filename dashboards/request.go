package dashboards

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"runtime/debug"
	"time"

	"canopy/models"

	"github.com/gofiber/fiber/v2"
)

// request is what the edge knows of one request; handlers find it in their context.
type request struct {
	id         string
	reader     models.Reader
	byCookie   bool   // signed in as a browser, not by token
	credential string // the cookie's secret, for logging out
	address    string // of the client
}

type requestKey struct{}

// requestOf gives the request of a context; an empty one outside a request.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// cause is what the change log says of a write: who typed it, or which way a program came.
func (r *request) cause() string {
	if r.byCookie {
		return "screen"
	}
	return "api"
}

var goodRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

func newRequestID() string {
	var b [12]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}

// around is the outermost handler: it names the request, bounds its time, catches panics, and writes one line of the access log.
func (s *Server) around(c *fiber.Ctx) (err error) {
	started := time.Now()
	r := &request{id: c.Get(fiber.HeaderXRequestID), address: s.address(c)}
	if !goodRequestID.MatchString(r.id) {
		r.id = newRequestID()
	}
	c.Set(fiber.HeaderXRequestID, r.id)
	ctx, cancel := context.WithTimeout(context.WithValue(s.context, requestKey{}, r), s.config.RequestTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	s.secure(c)
	defer func() {
		if p := recover(); p != nil {
			s.log.LogAttrs(ctx, slog.LevelError, "panic in a request", slog.String("request_id", r.id),
				slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
			c.Response().ResetBody()
			err = s.fail(c, newProblem(models.Errorf(models.Internal, calmSentence).WithRemedy("Try again; if it stays, give the request id to an administrator.")))
		}
		s.observe(c, r, time.Since(started))
	}()
	if err := c.Next(); err != nil {
		return s.fiberFailed(c, err) // here and not in Fiber, so that the log and the metrics see the answer
	}
	return nil
}

// loggedParameters are the query parameters whose values the access log keeps: none can hold a secret.
var loggedParameters = []string{
	"filter", "sort", "limit", "cursor", "happened_before", "position", "deleted", "group_by", "sum", "after", "week_of", "compare", "split", "object", "state", "room",
}

// observe counts an answered request and logs it.
func (s *Server) observe(c *fiber.Ctx, r *request, took time.Duration) {
	route := c.Route().Path
	if route == "/" || route == "/*" {
		route = "other"
	}
	status := c.Response().StatusCode()
	s.telemetry.request(c.Method(), route, status, took)
	attributes := []slog.Attr{
		slog.String("request_id", r.id), slog.String("method", c.Method()), slog.String("route", route), slog.String("path", c.Path()),
		slog.Int("status", status), slog.Duration("took", took), slog.String("address", r.address),
	}
	if !c.Response().IsBodyStream() {
		attributes = append(attributes, slog.Int("bytes", len(c.Response().Body())))
	}
	if r.reader.User != 0 {
		attributes = append(attributes, slog.Uint64("user", r.reader.User))
	}
	if query := loggedQuery(c); query != "" {
		attributes = append(attributes, slog.String("query", query))
	}
	s.log.LogAttrs(c.UserContext(), slog.LevelInfo, "request", attributes...)
}

func loggedQuery(c *fiber.Ctx) string {
	if len(c.Request().URI().QueryString()) == 0 {
		return ""
	}
	kept := url.Values{}
	for _, name := range loggedParameters {
		if value := c.Query(name); value != "" {
			kept.Set(name, value)
		}
	}
	return kept.Encode()
}

// secure sets the headers that every answer carries.
func (s *Server) secure(c *fiber.Ctx) {
	c.Set("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	if s.secureOrigin() {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}
