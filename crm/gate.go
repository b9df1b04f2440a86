package crm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// The gate is what lets a deal go from stage to stage. It stands in the record engine, so every path meets it:
//
//	going on (to a later stage, or to won)   the exit criteria of the stage left, the entry criteria of the stage entered, both of every open
//	                                         stage between; and the required fields of all stages up to the one entered
//	coming to be                             the same, from before the first stage
//	into another pipeline                    the same, from before the first stage of that pipeline
//	going back to an earlier open stage      nothing: it has been there, or was let past it
//	to lost                                  lost's own entry criteria and required fields
//	re-opening                               as from the open stage out of which it was closed (closed_from), so that lost is no way round
//	staying                                  a field that this stage or an earlier one requires is not emptied
//
// What is judged are the deal's values as of the instant of the move, by what the stages ask for today: nobody gets past a stage by
// dating a move to before it was strict. A back-dated change may not leave a later move without what it asks for, either. Deals that stand in a stage
// when it becomes stricter stay there. An undo that puts a former state back is let through.

// unmet lists what a write of a deal lacks. prior is the state before it, nil for a new deal. Each error is a precondition with its field and remedy.
func (b *batch) unmet(prior, next []models.Value, number uint64) ([]models.Error, error) {
	object := b.registry.Object(dealObject)
	w := &writing{object: object, previous: prior, next: next, number: number}
	if !w.changes("stage") && !w.changes("pipeline") && !empties(object, prior, next) {
		return nil, nil
	}
	all, err := b.stageList()
	if err != nil {
		return nil, err
	}
	to := all.byNumber[numberOf(w.after("stage"))]
	if to == nil {
		return nil, nil // check says what is wrong with the stage
	}
	stages := all.of[to.pipeline]
	for _, s := range stages {
		if s.broken != nil {
			return nil, s.broken
		}
	}
	if !w.changes("stage") {
		return lacking(to, stages, prior, next), nil
	}
	from := all.byNumber[numberOf(w.before("stage"))]
	if from != nil && from.status != "open" {
		from = all.byNumber[numberOf(w.before("closed_from"))]
	}
	if from != nil && from.pipeline != to.pipeline {
		from = nil
	}
	var asked []criterion
	switch {
	case to.status == "lost":
		asked = to.entry
	case to.status == "open" && from != nil && from.rank >= to.rank:
		return lacking(to, stages, prior, next), nil
	default:
		asked = onTheWay(from, to, stages)
	}
	wrong, err := b.ask(asked, next, number, to)
	if err != nil {
		return nil, err
	}
	return append(wrong, lacking(to, stages, nil, next)...), nil
}

func numberOf(v models.Value) uint64 { n, _ := v.(uint64); return n }

// empties tells whether a write takes away a value that was there.
func empties(object *models.Object, prior, next []models.Value) bool {
	for i := range object.Fields {
		if i < len(prior) && prior[i] != nil && next[i] == nil {
			return true
		}
	}
	return false
}

// onTheWay gathers the criteria between two stages, in order; from is nil for a deal that was in none.
func onTheWay(from, to *stageRules, stages []*stageRules) []criterion {
	var asked []criterion
	if from != nil {
		asked = append(asked, from.exit...)
	}
	for _, s := range stages {
		passed := s.status == "open" && s != from && s != to && (from == nil || s.rank > from.rank) && (s.rank < to.rank || to.status == "won")
		if passed {
			asked = append(append(asked, s.entry...), s.exit...)
		}
	}
	return append(asked, to.entry...)
}

// ask tells which criteria do not hold, each once.
func (b *batch) ask(asked []criterion, next []models.Value, number uint64, to *stageRules) ([]models.Error, error) {
	var wrong []models.Error
	var failed error
	related := func(object string, number uint64) ([]models.Value, bool) {
		r, err := b.record(object, number)
		if err != nil {
			failed = err
		}
		if r == nil || r.Deleted {
			return nil, false
		}
		return r.Values, true
	}
	for i := range asked {
		c := &asked[i]
		if c.where.Match(next, predicate.Meta{Number: number}, related) || slices.ContainsFunc(wrong, func(e models.Error) bool { return e.Message == c.text }) {
			continue
		}
		remedy := c.help
		if remedy == "" {
			remedy = fmt.Sprintf("Make it so before the deal goes to %s.", to.name)
		}
		wrong = append(wrong, models.Error{Code: models.Precondition, Field: c.field, Message: c.text, Remedy: remedy})
	}
	return wrong, failed
}

// lacking lists required fields that are empty: those of the stage and, but for lost, of all stages before it. With prior, only those that the write empties.
func lacking(to *stageRules, stages []*stageRules, prior, next []models.Value) []models.Error {
	var wrong []models.Error
	seen := map[string]bool{}
	for _, s := range stages {
		binds := s == to || to.status != "lost" && s.status != "lost" && (s.rank <= to.rank || to.status == "won" && s.status == "open")
		if !binds {
			continue
		}
		for _, f := range s.required {
			i := f.Index()
			kept := prior != nil // what was empty before may stay so
			if i < len(prior) {
				kept = prior[i] == nil
			}
			if seen[f.Name] || kept || i < len(next) && next[i] != nil {
				continue
			}
			seen[f.Name] = true
			wrong = append(wrong, models.Error{Code: models.Precondition, Field: f.Name, Message: fmt.Sprintf("%s is required from the stage %s on", f.Label, s.name), Remedy: "Fill in " + f.Label + "."})
		}
	}
	return wrong
}

// gate judges a write of a deal. What an override passes over is noted in the batch, to be kept once the deal is written.
func (b *batch) gate(w *writing) ([]models.Error, error) {
	if w.ungated {
		return nil, nil
	}
	wrong, err := b.unmet(w.stood, w.next, w.number)
	if err != nil || len(wrong) == 0 {
		return nil, err
	}
	if isUndo(w.cause) {
		former, err := b.wasSo(w)
		if err != nil || former {
			return nil, err
		}
	}
	return b.passOver(w, wrong)
}

// passOver lets unmet criteria go where the command carries a reason and its reader may; else it gives them back.
func (b *batch) passOver(w *writing, wrong []models.Error) ([]models.Error, error) {
	if w.override == "" {
		return wrong, nil
	}
	all, err := b.stageList()
	if err != nil {
		return nil, err
	}
	to := all.byNumber[numberOf(w.after("stage"))]
	if b.reader.Role.AtLeast(models.Administrator) || to != nil && to.editors && b.reader.Role.AtLeast(models.Editor) {
		b.passed = append(b.passed, wrong...)
		return nil, nil
	}
	refusal := models.Errorf(models.Forbidden, "passing over what a stage asks for needs an administrator").WithRemedy("Meet what the stage asks for, or ask an administrator.")
	refusal.Field, refusal.Details = "override", wrong
	return nil, refusal
}

// wasSo tells whether a deal stood in the stage before: what an undo may put back.
func (b *batch) wasSo(w *writing) (bool, error) {
	if w.number == 0 {
		return false, nil
	}
	history, err := b.store.History(b.ctx, dealObject, w.number)
	if err != nil {
		return false, err
	}
	stage := w.after("stage")
	return slices.ContainsFunc(history, func(c models.Change) bool { return valueOf(w.object, c.Image, "stage") == stage }), nil
}

// gateLater judges what a back-dated change does to later moves: what they lacked before they may lack, and nothing more.
// Both lists of states are of the same steps from place on; the new one has one more at place.
func (b *batch) gateLater(w *writing, before, after []state, steps []step, place int) error {
	if w.object.Name != dealObject || w.ungated || isUndo(w.cause) {
		return nil
	}
	var wrong []models.Error
	for n := place; n < len(before); n++ {
		if steps[n].undo {
			continue
		}
		var prior []models.Value
		if n > 0 {
			prior = before[n-1].values
		}
		was, err := b.unmet(prior, before[n].values, w.number)
		if err != nil {
			return err
		}
		is, err := b.unmet(after[n].values, after[n+1].values, w.number)
		if err != nil {
			return err
		}
		for _, e := range is {
			known := func(x models.Error) bool { return x.Message == e.Message }
			if !slices.ContainsFunc(was, known) && !slices.ContainsFunc(wrong, known) {
				e.Message += " (on " + before[n].at.Format(models.DateLayout) + ", by this change)"
				wrong = append(wrong, e)
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	wrong, err := b.passOver(w, wrong)
	if err != nil || len(wrong) == 0 {
		return err
	}
	return refusedByStage(wrong, "a later move of the deal would lack what its stage asks for")
}

// refusedByStage is the one error of the gate: a precondition with one detail for each criterion and field.
func refusedByStage(wrong []models.Error, message string) *models.Error {
	return &models.Error{Code: models.Precondition, Field: "stage", Message: message, Remedy: "Meet what is asked for, and move the deal again.", Details: wrong}
}

// keepOverride writes down what a command passed over, on the deal's timeline and in the same transaction.
func (b *batch) keepOverride(r *models.Record, c *models.Command, at time.Time) error {
	if len(b.passed) == 0 {
		return nil
	}
	object := b.registry.Object("stage_override")
	texts := make([]string, len(b.passed))
	for i, e := range b.passed {
		texts[i] = e.Message
	}
	b.passed = nil
	sets := []models.Set{
		{Field: object.Field("reason"), Value: c.Override}, {Field: object.Field("deal"), Value: r.Number}, {Field: object.Field("stage"), Value: r.Get("stage")},
		{Field: object.Field("unmet"), Value: strings.Join(texts, "\n")}, {Field: object.Field("at"), Value: at},
	}
	if b.reader.User != 0 {
		sets = append(sets, models.Set{Field: object.Field("by"), Value: b.reader.User})
	}
	// It is written by whoever passed over the stage, and under the command's own cause, so that an undo of the import takes it back, too.
	keeper := *b
	keeper.reader = models.Reader{User: b.reader.User, Name: b.reader.Name, Role: models.Administrator, Scope: models.ScopeAll}
	_, err := keeper.execute(&models.Command{Op: models.Create, Object: object.Name, Sets: sets, HappenedAt: at, Cause: c.Cause})
	if err != nil {
		return fmt.Errorf("keep a stage override of %s: %w", r.ID(), err)
	}
	return nil
}

// checkOverride looks at the reason before anything is written.
func checkOverride(c *models.Command) error {
	switch n := len([]rune(strings.TrimSpace(c.Override))); {
	case c.Override == "":
		return nil
	case c.Object != dealObject:
		return models.FieldError("override", "only a deal has stages to pass over").WithRemedy("Leave override out.")
	case n < 3 || n > 500:
		return models.FieldError("override", "the reason has %d characters, wanted are 3 to 500", n).WithRemedy("Say in a sentence why the stage is passed over.")
	}
	return nil
}
