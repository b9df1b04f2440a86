package dashboards

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"canopy/models"

	"github.com/gofiber/fiber/v2"
)

// sessionCookie holds a session's secret. Scripts cannot read it, and other sites' pages cannot send it with a write.
const sessionCookie = "canopy_session"

// authenticate finds out who asks, before any route of the API. An Authorization header decides alone; without one the
// session cookie does. What neither names is answered with 401.
func (s *Server) authenticate(c *fiber.Ctx) error {
	r := requestOf(c.UserContext())
	c.Set(fiber.HeaderCacheControl, "no-store")
	if c.Get(fiber.HeaderAuthorization) == "" && !safeMethod(c.Method()) {
		if err := s.sameOrigin(c); err != nil {
			return s.fail(c, err)
		}
	}
	if c.Method() == fiber.MethodPost && c.Path() == sessionPath {
		return c.Next()
	}
	if err := s.identify(c, r); err != nil {
		if models.CodeOf(err) == models.Unauthenticated && c.Cookies(sessionCookie) != "" && c.Get(fiber.HeaderAuthorization) == "" {
			s.forgetCookie(c)
		}
		return s.fail(c, err)
	}
	if r.reader.ReadOnly && !safeMethod(c.Method()) {
		return s.fail(c, models.Errorf(models.Forbidden, "this token may only read").WithRemedy("Use a token that may write."))
	}
	return c.Next()
}

func (s *Server) identify(c *fiber.Ctx, r *request) (err error) {
	header := c.Get(fiber.HeaderAuthorization)
	if header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "bearer") {
			return models.Errorf(models.Unauthenticated, "this way of signing in is not known").WithRemedy("Send an API token as a bearer.")
		}
		r.reader, err = s.parts.Access.ByToken(c.UserContext(), strings.TrimSpace(token))
		return err
	}
	r.byCookie, r.credential = true, c.Cookies(sessionCookie)
	r.reader, err = s.parts.Access.BySession(c.UserContext(), r.credential)
	return err
}

func safeMethod(method string) bool {
	return method == fiber.MethodGet || method == fiber.MethodHead || method == fiber.MethodOptions
}

// sameOrigin refuses a write that another site's page sends with this browser's cookie. Browsers say where a request
// comes from in Sec-Fetch-Site and Origin; a request with a cookie must carry one of them, and both must agree with us.
// Programs use tokens, which no page of another site can send, and are not asked.
func (s *Server) sameOrigin(c *fiber.Ctx) error {
	foreign := models.Errorf(models.Forbidden, "this request comes from another site").
		WithRemedy("Send it from Canopy's own pages, or use an API token.")
	site, origin := c.Get("Sec-Fetch-Site"), c.Get(fiber.HeaderOrigin)
	if site != "" && site != "same-origin" && site != "none" {
		return foreign
	}
	if origin != "" && !s.ownOrigin(origin, c) {
		return foreign
	}
	if site == "" && origin == "" && c.Cookies(sessionCookie) != "" {
		return foreign
	}
	return nil
}

// ownOrigin tells whether an Origin header names this server: its public address, or the host that was asked.
func (s *Server) ownOrigin(origin string, c *fiber.Ctx) bool {
	if s.origin != nil && strings.EqualFold(origin, s.origin.Scheme+"://"+s.origin.Host) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, string(c.Request().Header.Host()))
}

// secureOrigin tells whether people reach this server over TLS.
func (s *Server) secureOrigin() bool { return s.origin != nil && s.origin.Scheme == "https" }

// forgetCookie takes a session's cookie back that stands for nobody any more.
func (s *Server) forgetCookie(c *fiber.Ctx) {
	cookie := s.cookie("", -1)
	c.Set(fiber.HeaderSetCookie, cookie.String())
}

// address is where a request comes from. Behind a trusted proxy it is the last address that the proxy wrote down itself:
// what stands before it in X-Forwarded-For is the client's own word.
func (s *Server) address(c *fiber.Ctx) string {
	peer, err := netip.ParseAddr(c.Context().RemoteIP().String())
	if err != nil {
		return c.IP()
	}
	if slices.ContainsFunc(s.config.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(peer.Unmap()) }) {
		hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
		if client, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1])); err == nil {
			return client.Unmap().String()
		}
	}
	return peer.Unmap().String()
}

// needRole refuses readers below a role.
func needRole(reader models.Reader, least models.Role, doing string) error {
	if reader.MayWrite(least) {
		return nil
	}
	return models.Errorf(models.Forbidden, "%s needs the role %s", doing, least).WithRemedy("Ask an administrator for the right.")
}
