package dashboards

import (
	"bytes"
	_ "embed" // the form's page
	"html/template"
	"net/url"
	"strings"

	"canopy/crm"
	"canopy/models"

	"github.com/gofiber/fiber/v2"
)

//go:embed form.html
var formHTML string

var formTemplate = template.Must(template.New("form").Parse(formHTML))

// formPage is what the page of a form shows.
type formPage struct {
	Language, Title, Intro, Slug string
	Message                      string // instead of the questions
	Wrong                        []formFault
	Fields                       []formQuestion
	Hidden                       []formHidden
}

type formFault struct{ ID, Text string }

type formHidden struct{ Name, Value string }

type formQuestion struct {
	ID, Name, Type, Label, Help, Value, Wrong, Complete string
	Required                                            bool
	Options                                             []models.Option
}

// inputTypes are the kinds of field as a browser asks them; text where a kind is not named.
var inputTypes = map[models.Kind]string{
	models.LongText: "textarea", models.Email: "email", models.Phone: "tel", models.URL: "url", models.Picklist: "select",
	models.DateKind: "date", models.Boolean: "checkbox", models.Number: "text", models.Country: "text",
}

// completes are the browser's own words for what it may fill in.
var completes = map[string]string{"name": "name", "email": "email", "phone": "tel", "company": "organization", "job_title": "organization-title", "country": "country"}

// visitFields are the hidden fields that carry where somebody came from.
var visitFields = []string{"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer", "landing_page"}

// questionsOf draws questions with what was answered and what is wrong with it.
func (s *Server) questionsOf(ask []crm.FormField, answers map[string]string, wrong map[string]string) []formQuestion {
	lead := s.parts.Records.Registry().Object("lead")
	list := make([]formQuestion, 0, len(ask))
	for _, q := range ask {
		f := lead.Field(q.Field)
		each := formQuestion{
			ID: "q-" + q.Field, Name: q.Field, Type: inputTypes[f.Kind], Label: q.Label, Help: q.Help, Value: answers[q.Field], Wrong: wrong[q.Field],
			Complete: completes[q.Field], Required: q.Required,
		}
		if each.Type == "" {
			each.Type = "text"
		}
		if each.Complete == "" {
			each.Complete = "on"
		}
		for _, option := range f.Options {
			if !option.Retired {
				each.Options = append(each.Options, option)
			}
		}
		list = append(list, each)
	}
	return list
}

// sendForm writes a form's page with the headers that let allowed sites show it.
func (s *Server) sendForm(c *fiber.Ctx, f *crm.Form, status int, page formPage) error {
	page.Language, _, _ = strings.Cut(s.config.Locale, "-")
	page.Title, page.Slug, page.Intro = f.Name, f.Slug, f.Intro
	var b bytes.Buffer
	if err := formTemplate.Execute(&b, page); err != nil {
		return s.fail(c, err)
	}
	s.allowSites(c, f)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	c.Status(status)
	return c.Send(b.Bytes())
}

// allowSites narrows the page to what it needs and lets the form's own sites frame it.
func (s *Server) allowSites(c *fiber.Ctx, f *crm.Form) {
	goes := "'self'"
	if u, err := url.Parse(f.Redirect); err == nil && f.Redirect != "" {
		goes += " " + u.Scheme + "://" + u.Host // browsers ask the policy again where the answer leads elsewhere
	}
	frames := "'self'"
	if len(f.Origins) > 0 {
		frames += " " + strings.Join(f.Origins, " ")
	}
	c.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action "+goes+"; frame-ancestors "+frames)
	c.Response().Header.Del(fiber.HeaderXFrameOptions)
}

// faultsOf turns an error into words beside the fields, and the rest above them.
func faultsOf(err error, ask []crm.FormField) (list []formFault, beside map[string]string) {
	beside = map[string]string{}
	asked := map[string]bool{}
	for _, q := range ask {
		asked[q.Field] = true
	}
	for _, fault := range faultList(err) {
		text := fault.Message
		if fault.Remedy != "" {
			text = strings.TrimSuffix(text, ".") + ". " + fault.Remedy
		}
		if asked[fault.Field] {
			beside[fault.Field] = text
			list = append(list, formFault{ID: "q-" + fault.Field, Text: text})
		} else {
			list = append(list, formFault{Text: text})
		}
	}
	return list, beside
}

func faultList(err error) []models.Error {
	said, ok := err.(*models.Error) //nolint:errorlint // of Gather
	if !ok || said == nil {
		return nil
	}
	if len(said.Details) > 0 {
		return said.Details
	}
	return []models.Error{*said}
}
