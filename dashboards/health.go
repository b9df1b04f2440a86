package dashboards

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"canopy/models"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
)

// Readiness says whether Canopy can work, and what is missing.
type Readiness struct {
	Ready  bool        `json:"ready"`
	Checks []CheckMade `json:"checks"`
}

// CheckMade is how one check went.
type CheckMade struct {
	Name   string `json:"name"`
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
}

// checkTimeout bounds all checks together.
const checkTimeout = 3 * time.Second

func (s *Server) healthRoutes() {
	s.app.Get("/healthz", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.JSON(map[string]string{"status": "alive"})
	})
	s.app.Get("/readyz", func(c *fiber.Ctx) error {
		ready := s.ready(c.UserContext())
		if !ready.Ready {
			c.Status(http.StatusServiceUnavailable)
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.JSON(ready)
	})
	metrics := adaptor.HTTPHandler(s.telemetry.handler())
	s.app.Get("/metrics", func(c *fiber.Ctx) error {
		if err := s.mayScrape(c); err != nil {
			return s.fail(c, err)
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		return metrics(c)
	})
}

// ready makes all checks at once.
func (s *Server) ready(ctx context.Context) Readiness {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	out := Readiness{Ready: true, Checks: make([]CheckMade, len(s.parts.Checks))}
	var group sync.WaitGroup
	for i, check := range s.parts.Checks {
		group.Go(func() { out.Checks[i] = s.check(ctx, check) })
	}
	group.Wait()
	for _, made := range out.Checks {
		out.Ready = out.Ready && made.Ready
	}
	return out
}

func (s *Server) check(ctx context.Context, check Check) CheckMade {
	done := make(chan error, 1) // a check that does not heed its deadline is not waited for
	go func() { done <- check.Ready(ctx) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	made := CheckMade{Name: check.Name, Ready: err == nil}
	if err == nil {
		return made
	}
	var said *models.Error
	if made.Reason = "it does not answer"; errors.As(err, &said) && said.Code != models.Internal {
		made.Reason = said.Message
	}
	s.log.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.String("check", check.Name), slog.String("error", err.Error()))
	return made
}

// mayScrape lets programs on the same machine read the metrics, and administrators from anywhere. A request that came
// through a proxy on this machine, or by a name that is not this machine's own, is not from this machine.
func (s *Server) mayScrape(c *fiber.Ctx) error {
	if local(c) {
		return nil
	}
	r := requestOf(c.UserContext())
	if err := s.identify(c, r); err != nil {
		return err
	}
	if !r.reader.Role.AtLeast(models.Administrator) {
		return models.Errorf(models.Forbidden, "the metrics are for administrators")
	}
	return nil
}

func local(c *fiber.Ctx) bool {
	for _, header := range []string{fiber.HeaderXForwardedFor, fiber.HeaderForwarded, "X-Real-Ip", fiber.HeaderVia} {
		if c.Get(header) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddr(c.Context().RemoteIP().String())
	return err == nil && peer.Unmap().IsLoopback() && localName(string(c.Request().Header.Host()))
}

func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && address.IsLoopback()
}
