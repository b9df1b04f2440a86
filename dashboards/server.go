package dashboards

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"time"

	"canopy/crm"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
)

// Config says how the API presents itself. Zero values have working defaults.
type Config struct {
	Workspace       string         // name of the workspace; "Canopy" where empty
	Locale          string         // BCP 47, for the screens; "en-US" where empty
	PublicURL       string         // address that people type, if not the one the server sees: https makes cookies Secure
	TrustedProxies  []netip.Prefix // peers whose X-Forwarded-For tells the client's address
	UploadLimit     int64          // bytes of one uploaded file; 2 GiB where zero
	UploadDirectory string         // where uploads wait until they are whole; the system's temporary directory where empty
	RequestTimeout  time.Duration  // 30 s where zero; uploads and downloads are not bound by it
	Log             *slog.Logger   // nil: discarded
	Now             func() time.Time
}

// Parts are what the API stands on.
type Parts struct {
	Records *crm.Engine
	Access  *crm.Access
	History History
	Trees   Trees
	Runs    Runs
	Imports Imports
	Jobs    Jobs
	Bulk    BulkEdits
	Exports Exports
	Relay   Relay
	Files   Files

	Signer      *crm.Signer     // of forms; nil: there are none
	Secrets     crm.SecretStore // of webhooks; nil: there are none
	Conversions Conversions
	Checks      []Check
}

// Server is the HTTP API. Make one with New; it is safe for concurrent use.
type Server struct {
	config    Config
	parts     Parts
	log       *slog.Logger
	origin    *url.URL
	context   context.Context //nolint:containedctx // the server's life: every request's context comes from it
	stop      context.CancelFunc
	app       *fiber.App
	api       huma.API
	telemetry *telemetry
	logins    *loginLimits
	formLimit *limiter // by address and form
	formFlood *limiter // by form
	hookLimit *limiter // by address
	spec      []byte
}

// New builds the API. The configuration's PublicURL must be an http(s) address without a path.
func New(config Config, parts Parts) (*Server, error) {
	s := &Server{config: config, parts: parts, log: config.Log}
	if err := s.defaults(); err != nil {
		return nil, err
	}
	s.context, s.stop = context.WithCancel(context.Background())
	s.telemetry = newTelemetry(parts)
	s.logins = newLoginLimits(s.config.Now)
	s.app = fiber.New(fiber.Config{
		Immutable: true, DisableStartupMessage: true, StreamRequestBody: true, DisablePreParseMultipartForm: true,
		BodyLimit: 64 << 10, ReadBufferSize: 32 << 10, // the latter bounds a request's line and headers: a filter may be long
		ReadTimeout: time.Minute, WriteTimeout: 10 * time.Minute, IdleTimeout: 2 * time.Minute, Concurrency: 4096,
		ErrorHandler: s.fiberFailed, StrictRouting: true, CaseSensitive: true, DisableDefaultContentType: true,
	})
	s.app.Use(s.around)
	s.healthRoutes()
	s.app.Get(specPath, s.serveSpec)
	s.publicRoutes() // before whatever asks for credentials
	s.app.Use(apiPrefix, s.authenticate, s.readBody)
	s.api = humafiber.New(s.app, humaConfig())
	s.routes()
	s.app.Use("/api", func(*fiber.Ctx) error { return fiber.ErrNotFound })
	s.app.Get("/*", s.serveFile)
	var err error
	s.spec, err = s.openapi()
	return s, err
}

// apiPrefix stands before every route that needs credentials.
const apiPrefix = "/api/v1"

func (s *Server) defaults() error {
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.config.Workspace == "" {
		s.config.Workspace = "Canopy"
	}
	if s.config.Locale == "" {
		s.config.Locale = "en-US"
	}
	if s.config.UploadLimit == 0 {
		s.config.UploadLimit = 2 << 30
	}
	if s.config.RequestTimeout == 0 {
		s.config.RequestTimeout = 30 * time.Second
	}
	if s.config.Now == nil {
		s.config.Now = time.Now
	}
	if s.config.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(s.config.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return fmt.Errorf("public URL %q: wanted http(s)://host[:port]", s.config.PublicURL)
	}
	s.origin = u
	return nil
}

func (s *Server) routes() {
	s.sessionRoutes()
	s.objectRoutes()
	s.requestRoutes()
	s.fileRoutes()
	s.aggregateRoutes() // before the records, whose /{id} would take its place
	s.recordRoutes()
	s.searchRoutes()
	s.batchRoutes()
	s.timelineRoutes()
	s.relatedRoutes()
	s.leadRoutes()
	s.assignmentRoutes()
	s.handoffRoutes()
	s.webhookRoutes()
	s.importRoutes()
	s.jobRoutes()
	s.runRoutes()
	s.treeRoutes()
	s.relayRoutes()
	s.pipelineRoutes()
}

// Serve answers on a listener until ctx ends, then lets running requests finish for up to ten seconds.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- s.app.Listener(listener) }()
	select {
	case err := <-failed:
		s.stop()
		return err
	case <-ctx.Done():
	}
	err := s.app.ShutdownWithTimeout(10 * time.Second)
	s.stop() // whatever still runs is told to end
	return errors.Join(err, <-failed)
}
