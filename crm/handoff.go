package crm

import (
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

const handoffObject = "handoff"

// The kinds of handoff.
const (
	marketingToSales = "marketing_to_sales"
	salesToSuccess   = "sales_to_success"
)

// kickoffTime is the working time within which a won deal's kickoff is due.
const kickoffTime = 40 * time.Hour

var handoffDerived = map[string]bool{"decided_at": true}

// completeHandoff names a handoff, takes the campaign from its lead, and starts its clock.
func completeHandoff(b *batch, w *writing) error {
	if w.after("requested_at") == nil {
		w.set("requested_at", w.at)
	}
	summary := map[models.Value]string{marketingToSales: "Marketing to sales", salesToSuccess: "Sales to success"}[w.after("kind_of")]
	for _, name := range []string{leadObject, dealObject, "account"} {
		n, ok := w.after(name).(uint64)
		if !ok {
			continue
		}
		r, err := b.record(name, n)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		summary += ": " + text(r, r.Object.Title)
		if name == leadObject && w.after("campaign") == nil {
			w.set("campaign", r.Get("campaign"))
		}
		break
	}
	w.set("summary", cut(summary))
	if w.after("due_at") != nil || w.previous != nil {
		return nil
	}
	hours, err := b.hours(0)
	if err != nil {
		return err
	}
	clock := kickoffTime
	if w.after("kind_of") == marketingToSales {
		clock = responseMinutes * time.Minute
	}
	from, _ := w.after("requested_at").(time.Time)
	if due, ok := hours.After(from, clock); ok {
		w.set("due_at", due)
	}
	return nil
}

// deriveHandoff notes when a handoff was decided.
func deriveHandoff(_ *batch, w *writing) error {
	switch w.after("state") {
	case "open", "expired":
		w.set("decided_at", nil)
	default:
		if w.changes("state") && w.before("decided_at") == nil {
			w.set("decided_at", w.at)
		}
	}
	if w.after("state") != "rejected" {
		w.set("reason", nil)
	}
	return nil
}

// checkHandoff asks for a reason of every rejection, and for something that is handed over.
func checkHandoff(_ *batch, w *writing) ([]models.Error, error) {
	var wrong []models.Error
	if w.after("state") == "rejected" && w.after("reason") == nil {
		wrong = append(wrong, *models.FieldError("reason", "Reason is required").WithRemedy("Say why it was not taken; the campaign learns from it."))
	}
	if w.after(leadObject) == nil && w.after(dealObject) == nil && w.after("account") == nil {
		wrong = append(wrong, *models.FieldError("lead", "a handoff is of a lead, a deal or an account").WithRemedy("Name one of them."))
	}
	before, after := w.before("state"), w.after("state")
	if before == "rejected" && after != "rejected" || before == "done" && after != "done" {
		wrong = append(wrong, *models.FieldError("state", "this handoff has been decided").WithRemedy("Make a new handoff."))
	}
	if after == "done" && w.after("kind_of") != salesToSuccess {
		wrong = append(wrong, *models.FieldError("state", "only a handoff to success ends with a kickoff").WithRemedy("Accept or reject it."))
	}
	return wrong, nil
}

// afterHandoff brings the lead along when its handoff is accepted or rejected.
func afterHandoff(b *batch, r *models.Record, changed []models.FieldChange) error {
	n := number(r, leadObject)
	if n == 0 || r.Deleted || !moved(changed, "state") || isUndo(b.cause) {
		return nil
	}
	lead, err := b.record(leadObject, n)
	if err != nil || lead == nil || lead.Deleted || !awaits(lead) {
		return err
	}
	switch r.Get("state") {
	case "accepted":
		return b.amendBy("handoff", lead, r.HappenedAt, map[string]models.Value{"status": "working"})
	case "rejected":
		return b.amendBy("handoff", lead, r.HappenedAt, map[string]models.Value{"status": "rejected", "rejection_reason": r.Get("reason")})
	}
	return nil
}

// openHandoffs finds the handoffs that still wait, of one lead or deal.
func (b *batch) openHandoffs(by string, n uint64) ([]*models.Record, error) {
	return b.query(handoffObject, predicate.And(
		predicate.Compare(b.field(handoffObject, by), predicate.Eq, n),
		predicate.Compare(b.field(handoffObject, "state"), predicate.Eq, "open"),
	), "", maxRules)
}

// handoverLead starts the clock to accept when an active lead that nobody has taken yet gets an owner, or becomes marketing
// qualified. People who make themselves a lead hand it over to nobody.
func (b *batch) handoverLead(r *models.Record, changed []models.FieldChange) error {
	owner := number(r, "owner")
	qualified := moved(changed, "status") && r.Get("status") == "mql"
	if owner == 0 || owner == b.reader.User || r.Get("record_state") != "active" || !awaits(r) || !b.isFresh(r.HappenedAt) || !moved(changed, "owner") && !qualified {
		return nil
	}
	waiting, err := b.openHandoffs(leadObject, r.Number)
	if err != nil {
		return err
	}
	for _, h := range waiting {
		if number(h, "to") == owner {
			return nil
		}
		if err := b.amendBy("handoff", h, r.HappenedAt, map[string]models.Value{"state": "expired"}); err != nil {
			return err
		}
	}
	values := map[string]models.Value{"kind_of": marketingToSales, leadObject: r.Number, "campaign": r.Get("campaign"), "to": owner, "requested_at": r.HappenedAt, "due_at": r.Get("response_due_at")}
	_, err = b.makeBy("handoff", handoffObject, r.HappenedAt, values)
	return err
}

// dropHandoffs stops the clocks of a lead that is gone.
func (b *batch) dropHandoffs(r *models.Record) error {
	waiting, err := b.openHandoffs(leadObject, r.Number)
	if err != nil {
		return err
	}
	for _, h := range waiting {
		if err := b.amendBy("handoff", h, r.HappenedAt, map[string]models.Value{"state": "expired"}); err != nil {
			return err
		}
	}
	return nil
}

// settleHandoffs decides the waiting handoffs of a lead that was taken, rejected or converted otherwise.
func (b *batch) settleHandoffs(r *models.Record) error {
	if awaits(r) {
		return nil
	}
	waiting, err := b.openHandoffs(leadObject, r.Number)
	if err != nil {
		return err
	}
	for _, h := range waiting {
		values := map[string]models.Value{"state": "accepted"}
		if r.Get("status") == "rejected" {
			values = map[string]models.Value{"state": "rejected", "reason": r.Get("rejection_reason")}
		}
		if err := b.amendBy("handoff", h, r.HappenedAt, values); err != nil {
			return err
		}
	}
	return nil
}

// handoverDeal starts the kickoff clock of a deal that has just been won, and stops it where the deal is opened again.
func (b *batch) handoverDeal(r *models.Record, changed []models.FieldChange) error {
	if !moved(changed, "status") || !b.isFresh(r.HappenedAt) || byImport(b.cause) {
		return nil
	}
	waiting, err := b.openHandoffs(dealObject, r.Number)
	if err != nil {
		return err
	}
	if r.Get("status") != "won" {
		for _, h := range waiting {
			if err := b.amendBy("handoff", h, r.HappenedAt, map[string]models.Value{"state": "expired"}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(waiting) > 0 {
		return nil
	}
	_, err = b.makeBy("handoff", handoffObject, r.HappenedAt, map[string]models.Value{
		"kind_of": salesToSuccess, dealObject: r.Number, "account": r.Get("account"), "campaign": r.Get("campaign"), "from": r.Get("owner"),
		"requested_at": r.HappenedAt,
	})
	return err
}
