package crm

import (
	"strings"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

const leadObject = "lead"

// responseMinutes is the working time until the first response is due where no assignment rule says another.
const responseMinutes = 240

// leadDerived are the fields of a lead that follow from the others.
var leadDerived = map[string]bool{"title": true, "record_state": true, "missing": true, "assigned_at": true, "accepted_at": true}

// unnamedLead names a lead of whom nothing is known that could name it.
const unnamedLead = "Unnamed lead"

// deriveLead gives a lead its title, says whether the record is active and what it lacks, and notes when it came to its owner and
// when sales took it.
func deriveLead(_ *batch, w *writing) error {
	var instant models.Value = w.at
	if w.unknown {
		instant = nil
	}
	w.set("title", unnamedLead)
	for _, name := range []string{"phone", "email", "name"} {
		if v := w.after(name); v != nil {
			w.set("title", v)
		}
	}
	missing := missingOfLead(w)
	w.set("record_state", "active")
	w.set("missing", nil)
	if len(missing) > 0 {
		w.set("record_state", "incomplete")
		w.set("missing", strings.Join(missing, ", "))
	}
	switch {
	case w.after("owner") == nil:
		w.set("assigned_at", nil)
	case w.changes("owner"):
		w.set("assigned_at", instant)
	}
	status := w.after("status")
	if status != "rejected" {
		w.set("rejection_reason", nil)
	}
	if status != "converted" {
		for _, name := range []string{"converted_at", "converted_contact", "converted_account", "converted_deal"} {
			w.set(name, nil)
		}
	}
	switch status {
	case "working", "qualified", "converted":
		if w.after("accepted_at") == nil && w.changes("status") {
			w.set("accepted_at", instant)
		}
	default:
		w.set("accepted_at", nil)
	}
	return nil
}

// missingOfLead lists what a lead lacks to be active, in words.
func missingOfLead(w *writing) []string {
	var missing []string
	if w.after("name") == nil {
		missing = append(missing, "name")
	}
	if w.after("email") == nil && w.after("phone") == nil {
		missing = append(missing, "e-mail or phone")
	}
	if w.after("source") == nil {
		missing = append(missing, "source")
	}
	return missing
}

// completeLead brings the language to small letters, finds the territory by rule, and starts the clock to respond for an owner who
// was set by hand.
func completeLead(b *batch, w *writing) error {
	if language, ok := w.after("language").(string); ok {
		w.set("language", strings.ToLower(language))
	}
	place := w.object.Field("territory").Index()
	if !w.given[place] {
		name, err := b.territoryOf(w.next)
		if err != nil {
			return err
		}
		if name != "" {
			w.next[place] = name
			w.given[place] = true // the owner's own territory does not take its place
		}
	}
	due := w.object.Field("response_due_at").Index()
	if w.after("owner") == nil || !w.changes("owner") || w.given[due] || w.after("first_response_at") != nil || !b.isFresh(w.at) || len(missingOfLead(w)) > 0 {
		return nil
	}
	hours, err := b.hours(0)
	if err != nil {
		return err
	}
	if at, ok := hours.After(w.at, responseMinutes*time.Minute); ok {
		w.next[due] = at
	}
	return nil
}

// checkLead asks a reason of a rejection, and keeps conversion to the one way that writes all of it.
func checkLead(_ *batch, w *writing) ([]models.Error, error) {
	var wrong []models.Error
	status := w.after("status")
	if status == "rejected" && w.after("rejection_reason") == nil {
		wrong = append(wrong, *models.FieldError("rejection_reason", "Rejection reason is required").WithRemedy("Say why sales did not take the lead."))
	}
	if status == "converted" && w.after("converted_contact") == nil {
		wrong = append(wrong, *models.FieldError("status", "a lead becomes converted by converting it").WithRemedy("POST /api/v1/leads/{id}/convert, or use Convert on the lead's page."))
	}
	if w.before("status") == "converted" && status != "converted" && !isUndo(w.cause) {
		wrong = append(wrong, *models.FieldError("status", "this lead has been converted").WithRemedy("Work with its contact, or undo the conversion."))
	}
	return wrong, nil
}

// afterLead assigns leads that have become active and keeps handoffs in step with what became of the lead.
func afterLead(b *batch, r *models.Record, changed []models.FieldChange) error {
	if r.Deleted {
		return b.dropHandoffs(r)
	}
	if isUndo(b.cause) {
		return nil
	}
	if err := b.assignNew(r, changed); err != nil {
		return err
	}
	if err := b.handoverLead(r, changed); err != nil {
		return err
	}
	if !moved(changed, "status") {
		return nil
	}
	if err := b.settleHandoffs(r); err != nil || byImport(b.cause) {
		return err
	}
	for _, object := range []string{"contact", "account"} {
		if err := b.enterStage(object, number(r, "converted_"+object), r.HappenedAt); err != nil {
			return err
		}
	}
	return nil
}

// awaits tells whether a lead stands before sales has taken or refused it.
func awaits(r *models.Record) bool { s := r.Get("status"); return s == "new" || s == "mql" }

// openLeads is the filter of leads that a person has to work on.
func (b *batch) openLeads(owner uint64) *predicate.Node {
	return predicate.And(
		predicate.Compare(b.field(leadObject, "owner"), predicate.Eq, owner),
		predicate.Compare(b.field(leadObject, "status"), predicate.In, "new", "mql", "working"),
	)
}

// afterActivity notes the first response to a lead: the first call, mail or meeting of somebody on our side.
func afterActivity(b *batch, r *models.Record, _ []models.FieldChange) error {
	lead := number(r, leadObject)
	if lead == 0 || r.Deleted || r.Get("owner") == nil || isUndo(b.cause) {
		return nil
	}
	switch r.Get("type") {
	case "call", "email", "meeting":
	default:
		return nil
	}
	l, err := b.record(leadObject, lead)
	if err != nil || l == nil || l.Deleted {
		return err
	}
	done, ok := r.Get("done_at").(time.Time)
	if !ok {
		done = r.HappenedAt
	}
	if first, ok := l.Get("first_response_at").(time.Time); ok && !done.Before(first) {
		return nil
	}
	if done.After(b.now) { // a meeting that is planned is no response yet
		return nil
	}
	return b.amendBy("response", l, r.HappenedAt, map[string]models.Value{"first_response_at": done})
}
