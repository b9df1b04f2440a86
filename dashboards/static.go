package dashboards

import (
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// serveFile answers with a built file of the web. A path that names no file and has no dot is a page of the application, which
// index.html draws; one with a dot is a file that is not there.
func (s *Server) serveFile(c *fiber.Ctx) error {
	if s.parts.Files == nil {
		return fiber.ErrNotFound
	}
	name := strings.TrimPrefix(path.Clean("/"+c.Path()), "/")
	accept := c.Get(fiber.HeaderAcceptEncoding)
	if name == "" {
		name = "index.html"
	}
	file := s.parts.Files.Find(name, accept)
	if file == nil && !strings.Contains(path.Base(name), ".") {
		file = s.parts.Files.Find("index.html", accept)
	}
	if file == nil {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	c.Set(fiber.HeaderETag, file.ETag)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if file.Immutable {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	if sameTag(c.Get(fiber.HeaderIfNoneMatch), file.ETag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, file.ContentType)
	if file.Encoding != "" {
		c.Set(fiber.HeaderContentEncoding, file.Encoding)
	}
	c.Response().SetBodyRaw(file.Body) // never changes, so it is sent as it stands
	return nil
}

// sameTag compares weakly, as If-None-Match wants it.
func sameTag(wanted, tag string) bool {
	for each := range strings.SplitSeq(wanted, ",") {
		each = strings.TrimSpace(each)
		if each == "*" || strings.TrimPrefix(each, "W/") == strings.TrimPrefix(tag, "W/") && each != "" {
			return true
		}
	}
	return false
}
