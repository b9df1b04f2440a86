package dashboards

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"canopy/crm"
	"canopy/models"

	"github.com/gofiber/fiber/v2"
)

const (
	formsPath = "/f"
	maxForm   = 64 << 10 // bytes of one submission
	// fillTime is how long a person needs at least; what comes sooner is asked to be sent again.
	fillTime = 2 * time.Second
	// formLasts is how long an opened form can be sent.
	formLasts = 24 * time.Hour
	// confirmLasts is how long a confirmation can be followed.
	confirmLasts = 72 * time.Hour
	// visitorLasts is how long a browser is known again.
	visitorLasts = 180 * 24 * time.Hour
	// visitorCookie holds what this browser has answered before, signed. Forms work without it.
	visitorCookie = "canopy_visitor"
	// trapField is asked of nobody; programs fill it in.
	trapField = "fax_number"
)

// opened is the signed word of an opened form: when, and what was asked.
type opened struct {
	At    int64    `json:"t"` // milliseconds
	Asked []string `json:"a"`
}

// visitor is the signed word about a browser: its last submission, and which questions it has answered. Never what it answered.
type visitor struct {
	Submission uint64   `json:"s"`
	Answered   []string `json:"a"`
}

// publicRoutes are what people without an account reach: forms and webhooks. They stand before the routes that ask for credentials.
func (s *Server) publicRoutes() {
	s.formLimit = newLimiter(10, 20*time.Second, s.config.Now)
	s.formFlood = newLimiter(600, 100*time.Millisecond, s.config.Now)
	s.hookLimit = newLimiter(600, 50*time.Millisecond, s.config.Now)
	s.app.Get(formsPath+"/:slug/confirm", s.confirmForm)
	s.app.Get(formsPath+"/:slug.js", s.embedForm)
	s.app.Get(formsPath+"/:slug", s.showForm)
	s.app.Post(formsPath+"/:slug", s.takeForm)
	s.app.Options(formsPath+"/:slug", s.preflight)
	s.app.Post(hooksPath+"/:slug", s.takeHook)
}

// signFor gives the signer, or says that this server has none.
func (s *Server) signer() (*crm.Signer, error) {
	if s.parts.Signer == nil {
		return nil, models.Errorf(models.Unavailable, "forms are not available on this server")
	}
	return s.parts.Signer, nil
}

func (s *Server) visitorOf(c *fiber.Ctx, f *crm.Form) (v visitor, answered map[string]bool) {
	signer, err := s.signer()
	if err != nil || c.Cookies(visitorCookie) == "" || signer.Open("visitor", c.Cookies(visitorCookie), &v) != nil {
		return visitor{}, nil
	}
	answered = map[string]bool{}
	for _, q := range f.Fields {
		if slices.Contains(v.Answered, q.Field) {
			answered[q.Field] = true
		}
	}
	return v, answered
}

func (s *Server) showForm(c *fiber.Ctx) error {
	f, err := s.parts.Records.FormBySlug(c.UserContext(), c.Params("slug"))
	if err != nil {
		return s.noForm(c, err)
	}
	_, answered := s.visitorOf(c, f)
	hidden := map[string]string{"landing_page": c.Query("page", c.BaseURL()+c.Path()), "referrer": c.Query("ref", c.Get(fiber.HeaderReferer))}
	for _, name := range visitFields {
		if v := c.Query(name); v != "" {
			hidden[name] = v
		}
	}
	return s.openForm(c, f, fiber.StatusOK, f.Ask(answered), hidden, nil, "", nil)
}

// openForm shows the questions. token is the word of an opened form that is shown again; blank opens it now.
func (s *Server) openForm(c *fiber.Ctx, f *crm.Form, status int, ask []crm.FormField, hidden, answers map[string]string, token string, wrong error) error {
	if len(ask) == 0 {
		return s.sendForm(c, f, status, formPage{Message: "Thank you: you have answered everything that we ask."})
	}
	if token == "" {
		signer, err := s.signer()
		if err != nil {
			return s.noForm(c, err)
		}
		word := opened{At: s.config.Now().UnixMilli()}
		for _, q := range ask {
			word.Asked = append(word.Asked, q.Field)
		}
		if token, err = signer.Sign("form:"+f.Slug, word, formLasts); err != nil {
			return s.noForm(c, err)
		}
	}
	page := formPage{Hidden: []formHidden{{"form_token", token}}}
	for _, name := range visitFields {
		if v := hidden[name]; v != "" {
			page.Hidden = append(page.Hidden, formHidden{name, clip(v)})
		}
	}
	var beside map[string]string
	page.Wrong, beside = faultsOf(wrong, ask)
	page.Fields = s.questionsOf(ask, answers, beside)
	return s.sendForm(c, f, status, page)
}

// clip bounds what a link or browser says of itself.
func clip(text string) string {
	if runes := []rune(text); len(runes) > 500 {
		return string(runes[:500])
	}
	return text
}

// noForm says calmly, as a page, why there is no form.
func (s *Server) noForm(c *fiber.Ctx, err error) error {
	p := s.problemOf(c.UserContext(), err)
	s.discard(c)
	text := strings.ToUpper(p.Detail[:1]) + p.Detail[1:] + ". " + p.Remedy
	return s.sendForm(c, &crm.Form{Name: "Form"}, p.Status, formPage{Message: strings.TrimSpace(text)})
}

func (s *Server) takeForm(c *fiber.Ctx) error {
	ctx := c.UserContext()
	f, err := s.parts.Records.FormBySlug(ctx, c.Params("slug"))
	if err != nil {
		return s.noForm(c, err)
	}
	if err := s.allowOrigin(c, f); err != nil {
		return s.noForm(c, err)
	}
	if _, ok := s.formFlood.take(f.Slug); !ok {
		return s.noForm(c, tooOften())
	}
	if _, ok := s.formLimit.take(requestOf(ctx).address + " " + f.Slug); !ok {
		return s.noForm(c, tooOften())
	}
	body, err := s.bounded(c, maxForm)
	if err != nil {
		return s.noForm(c, err)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return s.noForm(c, models.Errorf(models.Invalid, "this is no form").WithRemedy("Open the page and fill it in."))
	}
	return s.submitForm(c, f, values)
}

func tooOften() error {
	return models.Errorf(models.Exhausted, "this form was sent too often").WithRemedy("Please wait a minute and send it again.")
}

func (s *Server) submitForm(c *fiber.Ctx, f *crm.Form, values url.Values) error {
	signer, err := s.signer()
	if err != nil {
		return s.noForm(c, err)
	}
	answers, hidden := map[string]string{}, map[string]string{}
	for _, q := range f.Fields {
		answers[q.Field] = values.Get(q.Field)
	}
	for _, name := range visitFields {
		hidden[name] = clip(values.Get(name))
	}
	known, answered := s.visitorOf(c, f)
	token := values.Get("form_token")
	var word opened
	if err := signer.Open("form:"+f.Slug, token, &word); err != nil {
		stale := models.Errorf(models.Invalid, "this page had been open for too long").WithRemedy("Please send it again.")
		return s.openForm(c, f, fiber.StatusUnprocessableEntity, f.Ask(answered), hidden, answers, "", stale)
	}
	ask := askedOf(f, word)
	if s.config.Now().Sub(time.UnixMilli(word.At)) < fillTime {
		quick := models.Errorf(models.Invalid, "that was quicker than people write").WithRemedy("Please press Send once more.")
		return s.openForm(c, f, fiber.StatusUnprocessableEntity, ask, hidden, answers, token, quick)
	}
	submission := crm.Submission{Answers: answers, Asked: ask, Earlier: known.Submission, Visit: crm.Origin{
		Source: hidden["utm_source"], Medium: hidden["utm_medium"], Campaign: hidden["utm_campaign"], Term: hidden["utm_term"], Content: hidden["utm_content"],
		Referrer: hidden["referrer"], LandingPage: hidden["landing_page"],
	}}
	if values.Get(trapField) != "" {
		submission.Spam = "the field that people do not see was filled in"
	}
	done, err := s.parts.Records.Submit(c.UserContext(), f, submission, func(n uint64) (string, error) { return s.confirmLink(c, f, n) })
	if err != nil {
		return s.noForm(c, err)
	}
	if done.State == "refused" {
		return s.openForm(c, f, fiber.StatusUnprocessableEntity, ask, hidden, answers, token, done.Wrong)
	}
	if done.State != "spam" {
		s.knowAgain(c, signer, known, done.Number, answers)
	}
	return s.thank(c, f, done.State)
}

// askedOf gives the questions that an opened form put.
func askedOf(f *crm.Form, word opened) []crm.FormField {
	var ask []crm.FormField
	for _, q := range f.Fields {
		if slices.Contains(word.Asked, q.Field) {
			ask = append(ask, q)
		}
	}
	return ask
}

// knowAgain gives the browser a signed word of what it has answered, so that it is asked the next questions another time.
func (s *Server) knowAgain(c *fiber.Ctx, signer *crm.Signer, known visitor, submission uint64, answers map[string]string) {
	next := visitor{Submission: submission, Answered: known.Answered}
	for name, answer := range answers {
		if answer != "" && !slices.Contains(next.Answered, name) && len(next.Answered) < 60 {
			next.Answered = append(next.Answered, name)
		}
	}
	slices.Sort(next.Answered)
	word, err := signer.Sign("visitor", next, visitorLasts)
	if err != nil {
		return // the form was taken; the next visit is asked as the first one was
	}
	c.Cookie(&fiber.Cookie{
		Name: visitorCookie, Value: word, Path: formsPath, MaxAge: int(visitorLasts / time.Second), HTTPOnly: true, Secure: s.secureOrigin(), SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// thank says what happens next. Programs' submissions are thanked like people's.
func (s *Server) thank(c *fiber.Ctx, f *crm.Form, state string) error {
	if state == "pending" {
		return s.sendForm(c, f, fiber.StatusOK, formPage{Message: "Thank you. One step is left: your address has to be confirmed. You will get a link for that from our people."})
	}
	if f.Redirect != "" {
		s.allowSites(c, f)
		return c.Redirect(f.Redirect, fiber.StatusSeeOther)
	}
	message := f.Thanks
	if message == "" {
		message = "Thank you. We have received what you sent."
	}
	return s.sendForm(c, f, fiber.StatusOK, formPage{Message: message})
}

func (s *Server) confirmLink(c *fiber.Ctx, f *crm.Form, submission uint64) (string, error) {
	signer, err := s.signer()
	if err != nil {
		return "", err
	}
	word, err := signer.Sign("confirm:"+f.Slug, submission, confirmLasts)
	if err != nil {
		return "", err
	}
	base := c.BaseURL()
	if s.origin != nil {
		base = s.origin.Scheme + "://" + s.origin.Host
	}
	return fmt.Sprintf("%s%s/%s/confirm?word=%s", base, formsPath, f.Slug, url.QueryEscape(word)), nil
}

func (s *Server) confirmForm(c *fiber.Ctx) error {
	signer, err := s.signer()
	if err != nil {
		return s.noForm(c, err)
	}
	var submission uint64
	if err := signer.Open("confirm:"+c.Params("slug"), c.Query("word"), &submission); err != nil {
		return s.noForm(c, err)
	}
	f, err := s.parts.Records.Confirm(c.UserContext(), submission)
	if err != nil {
		return s.noForm(c, err)
	}
	return s.sendForm(c, f, fiber.StatusOK, formPage{Message: "Thank you: your address is confirmed."})
}

// allowOrigin lets a form be sent from Canopy's own pages and the form's sites, and from programs that name no site.
func (s *Server) allowOrigin(c *fiber.Ctx, f *crm.Form) error {
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" || s.ownOrigin(origin, c) {
		return nil
	}
	if slices.Contains(f.Origins, strings.ToLower(origin)) {
		c.Set(fiber.HeaderAccessControlAllowOrigin, origin)
		c.Set(fiber.HeaderVary, fiber.HeaderOrigin)
		c.Set("Cross-Origin-Resource-Policy", "cross-origin")
		return nil
	}
	return models.Errorf(models.Forbidden, "this site may not send the form").WithRemedy("An administrator adds it to the form's allowed sites.")
}

func (s *Server) preflight(c *fiber.Ctx) error {
	f, err := s.parts.Records.FormBySlug(c.UserContext(), c.Params("slug"))
	if err != nil {
		return s.noForm(c, err)
	}
	if err := s.allowOrigin(c, f); err != nil {
		return s.noForm(c, err)
	}
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, POST")
	c.Set(fiber.HeaderAccessControlAllowHeaders, fiber.HeaderContentType)
	return c.SendStatus(fiber.StatusNoContent)
}

// embedScript shows the form in a frame where the script stands, and tells it where the visitor came from.
const embedScript = `(function () {
  var at = document.currentScript, here = new URL(at.src), page = new URL(location.href), frame = document.createElement('iframe')
  var to = new URL(here.pathname.replace(/\.js$/, ''), here)
  page.searchParams.forEach(function (value, name) { if (/^utm_(source|medium|campaign|term|content)$/.test(name)) to.searchParams.set(name, value) })
  if (document.referrer) to.searchParams.set('ref', document.referrer)
  to.searchParams.set('page', page.origin + page.pathname)
  frame.src = to; frame.title = at.dataset.title || 'Form'; frame.loading = 'lazy'
  frame.style.cssText = 'width:100%;border:0;height:' + (at.dataset.height || '560px')
  at.parentNode.insertBefore(frame, at)
})()
`

func (s *Server) embedForm(c *fiber.Ctx) error {
	if _, err := s.parts.Records.FormBySlug(c.UserContext(), c.Params("slug")); err != nil {
		return s.noForm(c, err)
	}
	c.Set(fiber.HeaderContentType, "text/javascript; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return c.SendString(embedScript)
}
