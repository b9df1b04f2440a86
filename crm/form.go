package crm

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"canopy/models"
)

// FormField is one question of a form, in the order asked.
type FormField struct {
	Field string `json:"field"` // a lead's field
	Label string `json:"label,omitempty"`
	Help  string `json:"help,omitempty"`
	// Required questions must be answered before the form is taken.
	Required bool `json:"required,omitempty"`
	// Progressive questions are asked of people who have answered the others before, one visit after another.
	Progressive bool `json:"progressive,omitempty"`
}

// Form is a form ready to be asked: its record's settings, read and checked.
type Form struct {
	Number      uint64
	Version     int64
	Name        string
	Slug        string
	Intro       string
	Fields      []FormField
	Thanks      string   // said after a submission
	Redirect    string   // where to go instead; blank for none
	Origins     []string // other sites that may show or send the form: https://example.com
	DoubleOptIn bool
	Active      bool
	Source      string
	Campaign    uint64 // 0: none
	Owner       uint64 // 0: by the assignment rules
}

// maxFormFields bounds how much one form may ask.
const maxFormFields = 30

// askable are the kinds of field that a plain HTML form can ask.
var askable = map[models.Kind]bool{
	models.Text: true, models.LongText: true, models.Email: true, models.Phone: true, models.URL: true, models.Country: true,
	models.Picklist: true, models.Number: true, models.DateKind: true, models.Boolean: true,
}

// notAsked are fields of a lead that are Canopy's own business, whatever a form would like.
var notAsked = map[string]bool{
	"status": true, "source": true, "campaign": true, "owner": true, "team": true, "territory": true, "rejection_reason": true, "external_id": true,
}

var slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,60}$`)

// ReadForm reads a form's record. Errors name the record's fields; lead is the object that the questions fill.
func ReadForm(lead *models.Object, r *models.Record) (*Form, error) {
	f := &Form{
		Number: r.Number, Version: r.Version, Name: text(r, "name"), Slug: text(r, "slug"), Intro: text(r, "intro"),
		Thanks: text(r, "thanks"), Redirect: text(r, "redirect"), Source: text(r, "source"),
		Campaign: number(r, "campaign"), Owner: number(r, "owner"),
		DoubleOptIn: r.Get("double_opt_in") == true, Active: r.Get("active") == true,
	}
	var wrong []models.Error
	if !slugForm.MatchString(f.Slug) {
		wrong = append(wrong, *models.FieldError("slug", "%q is no address part", f.Slug).WithRemedy("Use small letters, digits and hyphens, as in contact-us."))
	}
	if problem := f.readFields(lead, text(r, "fields")); problem != nil {
		wrong = append(wrong, *problem)
	}
	for _, origin := range strings.Fields(strings.ReplaceAll(text(r, "allowed_origins"), ",", " ")) {
		u, err := url.Parse(origin)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.Trim(u.Path, "/") != "" || strings.ContainsAny(u.Host, "*;'\"") {
			wrong = append(wrong, *models.FieldError("allowed_origins", "%q is no origin", origin).WithRemedy("Write https://www.example.com, one a line."))
			break
		}
		f.Origins = append(f.Origins, strings.ToLower(u.Scheme+"://"+u.Host))
	}
	if f.Redirect != "" {
		if u, err := url.Parse(f.Redirect); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			wrong = append(wrong, *models.FieldError("redirect", "%q is no web address", f.Redirect).WithRemedy("Write the whole address with https://, or leave it out."))
		}
	}
	return f, models.Gather(wrong)
}

func (f *Form) readFields(lead *models.Object, list string) *models.Error {
	form := `Write [{"field":"email","label":"Work e-mail","required":true},{"field":"job_title","progressive":true}].`
	decoder := json.NewDecoder(bytes.NewReader([]byte(list)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f.Fields); err != nil {
		return models.FieldError("fields", "these are no questions in JSON").WithRemedy(form)
	}
	if len(f.Fields) == 0 || len(f.Fields) > maxFormFields {
		return models.FieldError("fields", "a form asks between 1 and %d questions", maxFormFields).WithRemedy(form)
	}
	asked := map[string]bool{}
	for i := range f.Fields {
		q := &f.Fields[i]
		field := lead.Field(q.Field)
		switch {
		case field == nil || field.ReadOnly || !askable[field.Kind] || notAsked[q.Field]:
			return models.FieldError("fields", "%q is no field of a lead that a form can ask", q.Field).WithRemedy("Ask for name, email, phone, company, country, job_title, interest or a text field of your own.")
		case asked[q.Field]:
			return models.FieldError("fields", "%q is asked twice", q.Field)
		case q.Required && q.Progressive:
			return models.FieldError("fields", "%q is required and progressive at once", q.Field).WithRemedy("Required questions are asked at the first visit.")
		}
		asked[q.Field] = true
		if q.Label == "" {
			q.Label = field.Label
		}
	}
	if f.DoubleOptIn && !asked["email"] {
		return models.FieldError("fields", "a double opt-in needs an e-mail address").WithRemedy("Ask for email, or leave double opt-in out.")
	}
	return nil
}

// stepFields is how many progressive questions are asked at once.
const stepFields = 3

// Ask gives the questions of a visit. answered are the fields that this browser has answered before, by its own signed word; nil for
// a first visit. A first visit is asked everything that is not progressive; later visits what is still open, required ones first.
func (f *Form) Ask(answered map[string]bool) []FormField {
	var ask []FormField
	if len(answered) == 0 {
		for _, q := range f.Fields {
			if !q.Progressive {
				ask = append(ask, q)
			}
		}
		if len(ask) > 0 {
			return ask
		}
	}
	for _, q := range f.Fields {
		if !answered[q.Field] && (q.Required || len(ask) < stepFields) {
			ask = append(ask, q)
		}
	}
	return ask
}

// ReadAnswers reads a submission's texts as sets of a lead's fields. asked are the questions that were put: of those the required
// ones must be answered; answers to other questions of the form are taken too. Errors name the fields, in words for a person.
func (f *Form) ReadAnswers(lead *models.Object, asked []FormField, answers map[string]string, country string) ([]models.Set, error) {
	var wrong []models.Error
	var sets []models.Set
	required := map[string]bool{}
	for _, q := range asked {
		required[q.Field] = q.Required
	}
	for _, q := range f.Fields {
		field := lead.Field(q.Field)
		given := strings.TrimSpace(answers[q.Field])
		if field.Kind == models.Boolean && given == "on" {
			given = "true"
		}
		if given == "" || field.Kind == models.Boolean && given == "false" && required[q.Field] {
			if required[q.Field] {
				wrong = append(wrong, *models.FieldError(q.Field, "%s is missing", q.Label).WithRemedy("Please fill it in."))
			}
			continue
		}
		v, err := field.ParseText(given, models.TextContext{Currency: "USD", Country: country})
		if err != nil {
			wrong = append(wrong, *models.FieldError(q.Field, "%s is %s", q.Label, strings.TrimPrefix(err.Error(), q.Field+": ")).WithRemedy("Please correct it."))
			continue
		}
		if v != nil {
			sets = append(sets, models.Set{Field: field, Value: v})
		}
	}
	return sets, models.Gather(wrong)
}

// text gives a text value of a record; blank where it is empty.
func text(r *models.Record, field string) string {
	s, _ := r.Get(field).(string)
	return s
}

// number gives the number that a reference points to; 0 where it is empty.
func number(r *models.Record, field string) uint64 {
	n, _ := r.Get(field).(uint64)
	return n
}
