package crm

import (
	"context"

	"canopy/models"
)

// Reassign gives a lead to somebody else: to a person by name, or, for to 0, to whomever the rules choose besides the one who has it.
// The reason stays on the lead.
func (e *Engine) Reassign(ctx context.Context, reader models.Reader, lead, to uint64, cause string) (*models.Record, error) {
	var out *models.Record
	err := e.store.Run(ctx, Interactive, func(ctx context.Context) error {
		b := e.newBatch(ctx, reader)
		object := b.registry.Object(leadObject)
		if err := b.mayWrite(object); err != nil {
			return err
		}
		r, err := b.existing(object, &models.Command{Op: models.Update, Object: leadObject, Number: lead})
		if err != nil {
			return err
		}
		if r.Get("record_state") != "active" {
			return models.Errorf(models.Invalid, "an incomplete lead is given to nobody: it lacks %s", text(r, "missing")).WithRemedy("Fill in what is missing.")
		}
		if r.Get("status") == "converted" || r.Get("status") == "rejected" {
			return models.Errorf(models.Invalid, "this lead is %s", r.Get("status")).WithRemedy("Leads are given away while they are new or being worked on.")
		}
		if to != 0 {
			sets := setsOf(object, map[string]models.Value{"owner": to, "assignment_reason": cut("given by " + reader.Name), "assignment_explanation": nil})
			outcome, err := b.execute(&models.Command{Op: models.Update, Object: leadObject, Number: lead, Cause: cause, Sets: sets})
			out = outcome.Record
			return err
		}
		d, err := b.decide(r, number(r, "owner"))
		if err != nil {
			return err
		}
		if d.User == 0 {
			return models.Errorf(models.Conflict, "the rules find nobody else for this lead").WithRemedy("Choose a person, or look at the assignment rules.")
		}
		out = r
		return b.assign(r, d, "assignment")
	})
	return out, err
}
