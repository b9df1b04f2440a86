package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"canopy/models"
	"canopy/models/predicate"
)

// Origin is what a link and a browser say about where somebody came from.
type Origin struct {
	Source      string `json:"source,omitempty"`
	Medium      string `json:"medium,omitempty"`
	Campaign    string `json:"campaign,omitempty"`
	Term        string `json:"term,omitempty"`
	Content     string `json:"content,omitempty"`
	Referrer    string `json:"referrer,omitempty"`
	LandingPage string `json:"landing_page,omitempty"`
}

// Submission is a form as somebody sent it.
type Submission struct {
	Answers map[string]string
	Asked   []FormField // the questions that were put
	Visit   Origin
	Spam    string // why it is taken for spam; blank where it is not
	Earlier uint64 // an earlier submission of the same browser, by its own signed word; 0 for none
}

// Submitted says what became of a submission. Wrong names the fields that must be corrected, where it was refused.
type Submitted struct {
	Number uint64
	State  string // accepted, pending, spam, refused
	Wrong  error
}

// kept is how a submission's answers are stored.
type kept struct {
	Answers map[string]string `json:"answers"`
	Visit   Origin            `json:"visit"`
	Earlier uint64            `json:"earlier,omitempty"`
}

// FormBySlug finds a form by its address part. One that is not there and one that is not active are the same to visitors.
func (e *Engine) FormBySlug(ctx context.Context, slug string) (*Form, error) {
	gone := models.Errorf(models.NotFound, "there is no form at this address").WithRemedy("Look at the address again.")
	if !slugForm.MatchString(slug) {
		return nil, gone
	}
	found, err := e.store.FindByText(ctx, "form", e.Registry().Object("form").Field("slug"), []string{slug})
	if err != nil {
		return nil, err
	}
	if len(found[slug]) == 0 {
		return nil, gone
	}
	records, err := e.store.Load(ctx, "form", found[slug], false)
	if err != nil {
		return nil, err
	}
	r := records[found[slug][0]]
	if r == nil || r.Deleted || r.Get("active") != true {
		return nil, gone
	}
	return ReadForm(e.Registry().Object(leadObject), r)
}

// Submit takes a form. Whatever comes is kept as it came; what is well becomes a lead, fills the open lead of the same address, or is
// told to the owner of the contact who sent it. link makes the address that confirms a submission, for forms with double opt-in.
func (e *Engine) Submit(ctx context.Context, f *Form, s Submission, link func(submission uint64) (string, error)) (Submitted, error) {
	sets, wrong := f.ReadAnswers(e.Registry().Object(leadObject), s.Asked, s.Answers, "")
	out := Submitted{State: "accepted"}
	reason := ""
	switch {
	case s.Spam != "":
		out.State, reason = "spam", s.Spam
	case wrong != nil:
		out.State, out.Wrong, reason = "refused", wrong, wrong.Error()
	case f.DoubleOptIn && emailOf(sets) != "":
		out.State = "pending"
	}
	err := e.capture(ctx, f, func(b *batch) error {
		record, err := b.keepSubmission(f, s, out.State, reason, emailOf(sets))
		if err != nil {
			return err
		}
		out.Number = record.Number
		switch out.State {
		case "accepted":
			return b.accept(f, record, sets, s.Visit, s.Earlier)
		case "pending":
			return b.askConfirmation(f, record, emailOf(sets), link)
		}
		return nil
	})
	var said *models.Error
	if !errors.As(err, &said) || said.Code == models.Internal || out.State != "accepted" {
		return out, err
	}
	// What it asked for could not be written, and nothing was: it is kept as refused, so that somebody can look.
	out.State, out.Wrong = "refused", said
	err = e.capture(ctx, f, func(b *batch) error {
		record, err := b.keepSubmission(f, s, out.State, said.Error(), "")
		if err == nil {
			out.Number = record.Number
		}
		return err
	})
	return out, err
}

// capture works in one transaction that holds the form, so that two submissions of one address do not both make a lead.
func (e *Engine) capture(ctx context.Context, f *Form, work func(b *batch) error) error {
	return e.store.Run(ctx, Interactive, func(ctx context.Context) error {
		if _, err := e.store.Load(ctx, "form", []uint64{f.Number}, true); err != nil {
			return err
		}
		b := e.newBatch(ctx, models.System())
		if err := work(b); err != nil {
			return err
		}
		return b.rollUpAll()
	})
}

// Confirm accepts a submission whose sender followed the link. A second visit of the link changes nothing.
func (e *Engine) Confirm(ctx context.Context, submission uint64) (*Form, error) {
	found, err := e.store.Load(ctx, "form_submission", []uint64{submission}, false)
	if err != nil {
		return nil, err
	}
	gone := models.Errorf(models.NotFound, "this submission is gone").WithRemedy("Fill the form in again.")
	if found[submission] == nil || found[submission].Deleted {
		return nil, gone
	}
	forms, err := e.store.Load(ctx, "form", []uint64{number(found[submission], "form")}, false)
	if err != nil {
		return nil, err
	}
	record := forms[number(found[submission], "form")]
	if record == nil || record.Deleted {
		return nil, gone
	}
	f, err := ReadForm(e.Registry().Object(leadObject), record)
	if err != nil {
		return nil, err
	}
	return f, e.capture(ctx, f, func(b *batch) error {
		r, err := b.record("form_submission", submission)
		if err != nil || r.Get("state") != "pending" {
			return err
		}
		var was kept
		if err := json.Unmarshal([]byte(text(r, "values")), &was); err != nil {
			return fmt.Errorf("read a submission: %w", err)
		}
		sets, err := f.ReadAnswers(b.registry.Object(leadObject), nil, was.Answers, "")
		if err != nil {
			return err
		}
		if _, err := b.execute(b.submissionUpdate(f, r, map[string]models.Value{"state": "accepted", "confirmed_at": b.now})); err != nil {
			return err
		}
		return b.accept(f, r, sets, was.Visit, was.Earlier)
	})
}

// maxAnswer bounds one answer as it is kept.
const maxAnswer = 5000

func (b *batch) keepSubmission(f *Form, s Submission, state, reason, email string) (*models.Record, error) {
	was := kept{Answers: map[string]string{}, Visit: s.Visit, Earlier: s.Earlier}
	for _, q := range f.Fields {
		if answer := strings.ToValidUTF8(strings.ReplaceAll(s.Answers[q.Field], "\x00", ""), "\uFFFD"); answer != "" {
			if runes := []rune(answer); len(runes) > maxAnswer {
				answer = string(runes[:maxAnswer])
			}
			was.Answers[q.Field] = answer
		}
	}
	encoded, err := json.Marshal(was)
	if err != nil {
		return nil, err
	}
	values := map[string]models.Value{
		"summary": cut(f.Name + ", " + b.now.In(b.options.Calendar.Zone).Format("2 January 2006 15:04")), "form": f.Number, "at": b.now, "state": state, "values": string(encoded),
	}
	if reason != "" {
		values["reason"] = cut(reason)
	}
	if email != "" {
		values["email"] = email
	}
	outcome, err := b.execute(&models.Command{Op: models.Create, Object: "form_submission", Cause: f.cause(), Sets: setsOf(b.registry.Object("form_submission"), values)})
	return outcome.Record, err
}

func (f *Form) cause() string { return fmt.Sprintf("form:%d", f.Number) }

func (b *batch) submissionUpdate(f *Form, r *models.Record, values map[string]models.Value) *models.Command {
	return &models.Command{Op: models.Update, Object: "form_submission", Number: r.Number, Cause: f.cause(), Sets: setsOf(r.Object, values)}
}

func emailOf(sets []models.Set) string {
	for _, set := range sets {
		if set.Field.Name == "email" {
			email, _ := set.Value.(string)
			return email
		}
	}
	return ""
}

// accept makes of a submission what it asks for, and ties submission and visit to it.
func (b *batch) accept(f *Form, submission *models.Record, sets []models.Set, v Origin, earlier uint64) error {
	lead, contact, err := b.sender(emailOf(sets), earlier)
	if err != nil {
		return err
	}
	tie := map[string]models.Value{}
	switch {
	case lead != nil:
		if err := b.fill(f, lead, sets); err != nil {
			return err
		}
		tie[leadObject] = lead.Number
	case contact != nil:
		tie["contact"] = contact.Number
		if err := b.tellOwner(f, contact); err != nil {
			return err
		}
	default:
		values := map[string]models.Value{"source": f.Source}
		if f.Campaign != 0 {
			values["campaign"] = f.Campaign
		}
		if f.Owner != 0 {
			values["owner"] = f.Owner
		}
		for _, set := range sets {
			values[set.Field.Name] = set.Value
		}
		outcome, err := b.execute(&models.Command{Op: models.Create, Object: leadObject, Cause: f.cause(), Sets: setsOf(b.registry.Object(leadObject), values)})
		if err != nil {
			return err
		}
		tie[leadObject] = outcome.Record.Number
	}
	touch := map[string]models.Value{"at": submission.Get("at")}
	for name, s := range map[string]string{
		"source": v.Source, "medium": v.Medium, "campaign_name": v.Campaign, "term": v.Term, "content": v.Content, "referrer": v.Referrer, "landing_page": v.LandingPage,
	} {
		if s = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")); s != "" {
			touch[name] = cut(s)
		}
	}
	for name, n := range tie {
		touch[name] = n
	}
	outcome, err := b.execute(&models.Command{Op: models.Create, Object: touchObject, Cause: f.cause(), Sets: setsOf(b.registry.Object(touchObject), touch)})
	if err != nil {
		return err
	}
	tie["touch"] = outcome.Record.Number
	_, err = b.execute(b.submissionUpdate(f, submission, tie))
	return err
}

// sender finds who sent a form: whom an earlier submission of the same browser belongs to, else an open lead of the address, else its contact.
func (b *batch) sender(email string, earlier uint64) (lead, contact *models.Record, err error) {
	if earlier != 0 {
		before, err := b.record("form_submission", earlier)
		if err != nil {
			return nil, nil, err
		}
		if before != nil && !before.Deleted && before.Get("state") == "accepted" && (email == "" || before.Get("email") == email) {
			if lead, err = b.alive(leadObject, number(before, leadObject)); err != nil || lead != nil && !over(lead) {
				return lead, nil, err
			}
			if lead != nil && number(lead, "converted_contact") != 0 {
				contact, err = b.alive("contact", number(lead, "converted_contact"))
				return nil, contact, err
			}
			if contact, err = b.alive("contact", number(before, "contact")); err != nil || contact != nil {
				return nil, contact, err
			}
		}
	}
	if email == "" {
		return nil, nil, nil
	}
	open, err := b.query(leadObject, predicate.And(
		predicate.Compare(b.field(leadObject, "email"), predicate.Eq, email),
		predicate.Compare(b.field(leadObject, "status"), predicate.NotIn, "rejected", "converted"),
	), "", 1)
	if err != nil || len(open) > 0 {
		if len(open) > 0 {
			lead = open[0]
		}
		return lead, nil, err
	}
	known, err := b.query("contact", predicate.Compare(b.field("contact", "email"), predicate.Eq, email), "", 1)
	if err != nil || len(known) == 0 {
		return nil, nil, err
	}
	return nil, known[0], nil
}

func over(lead *models.Record) bool {
	return lead.Get("status") == "rejected" || lead.Get("status") == "converted"
}

func (b *batch) alive(object string, n uint64) (*models.Record, error) {
	if n == 0 {
		return nil, nil
	}
	r, err := b.record(object, n)
	if err != nil || r == nil || r.Deleted {
		return nil, err
	}
	return r, nil
}

// fill gives a lead the answers that it lacks; what is there stays.
func (b *batch) fill(f *Form, lead *models.Record, sets []models.Set) error {
	var lacks []models.Set
	for _, set := range sets {
		if lead.Get(set.Field.Name) == nil {
			lacks = append(lacks, set)
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	_, err := b.execute(&models.Command{Op: models.Update, Object: leadObject, Number: lead.Number, Cause: f.cause(), Sets: lacks})
	return err
}

// tellOwner asks the owner of a contact to look at what the contact sent.
func (b *batch) tellOwner(f *Form, contact *models.Record) error {
	values := map[string]models.Value{
		"subject": cut(fmt.Sprintf("%s sent the form %s", text(contact, "name"), f.Name)), "contact": contact.Number,
		"due_on": models.DateOf(b.now, b.options.Calendar.Zone),
	}
	if owner := number(contact, "owner"); owner != 0 {
		values["owner"] = owner
	}
	if account := number(contact, "account"); account != 0 {
		values["account"] = account
	}
	_, err := b.execute(&models.Command{Op: models.Create, Object: "task", Cause: f.cause(), Sets: setsOf(b.registry.Object("task"), values)})
	return err
}

// askConfirmation keeps the message that asks to confirm an address. It is kept and not sent: sending mail is not connected.
func (b *batch) askConfirmation(f *Form, submission *models.Record, email string, link func(uint64) (string, error)) error {
	address, err := link(submission.Number)
	if err != nil {
		return err
	}
	values := map[string]models.Value{
		"subject": cut("Please confirm: " + f.Name), "to": email, "kept_at": b.now, "submission": submission.Number,
		"body": "You, or somebody who knows your address, filled in “" + f.Name + "”. If it was you, please open this address within three days:\n\n" + address + "\n\nIf it was not, nothing more happens.",
	}
	_, err = b.execute(&models.Command{Op: models.Create, Object: "outbox_message", Cause: f.cause(), Sets: setsOf(b.registry.Object("outbox_message"), values)})
	return err
}
