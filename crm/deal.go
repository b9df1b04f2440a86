package crm

import "canopy/models"

const dealObject = "deal"

// dealDerived are the fields of a deal that follow from its stages and its plan over time; no caller writes them.
var dealDerived = map[string]bool{
	"status": true, "stage_entered_at": true, "opened_at": true, "closed_at": true,
	"closed_from": true, "forecast_category": true, "next_step_set_at": true,
}

// rewind puts what a noun derives back to how it was before an instant, so that it is derived anew.
func rewind(object *models.Object, before, next []models.Value) {
	for name := range behaviours[object.Name].derived {
		i := object.Field(name).Index()
		if next[i] = nil; i < len(before) {
			next[i] = before[i]
		}
	}
}

// deriveDeal keeps a deal's status and instants in step with its stage:
// status is the stage's; stage_entered_at moves when the stage does; opened_at is set at creation; closed_at is set on
// entering won or lost and emptied on re-opening, as is the lost reason where the deal is not lost and the win reason where it
// is not won. closed_from is the open stage that a closed deal comes from. forecast_category is the owner's call while the deal is open,
// else the stage's. next_step_set_at is when the next step or its day was last written down.
func deriveDeal(b *batch, w *writing) error {
	var instant models.Value = w.at
	if w.unknown {
		instant = nil
	}
	if w.previous == nil {
		w.set("opened_at", instant)
	}
	number, ok := w.after("stage").(uint64)
	if !ok {
		return nil // check says that the stage is required
	}
	stage, err := b.record("stage", number)
	if err != nil {
		return err
	}
	if stage == nil {
		return models.FieldError("stage", "there is no stage %q", b.registry.Object("stage").ID(number))
	}
	if w.after("pipeline") == nil {
		w.set("pipeline", stage.Get("pipeline"))
	}
	if w.after("pipeline") != stage.Get("pipeline") {
		return models.FieldError("stage", "the stage %q belongs to another pipeline", stage.Get("name")).
			WithRemedy("Send a stage of the deal's pipeline, or change both together.")
	}
	status := stage.Get("status")
	if w.changes("stage") {
		w.set("stage_entered_at", instant)
	}
	if w.previous == nil || w.before("status") != status {
		w.set("status", status)
		w.set("closed_at", nil)
		if status != "open" {
			w.set("closed_at", instant)
		}
	}
	if status != "lost" {
		w.set("lost_reason", nil)
	}
	if status != "won" {
		w.set("win_reason", nil)
	}
	switch {
	case status == "open":
		w.set("closed_from", nil)
	case w.before("status") == "open":
		w.set("closed_from", w.before("stage"))
	}
	w.set("forecast_category", stage.Get("forecast_category"))
	if call := w.after("forecast_call"); call != nil && status == "open" {
		w.set("forecast_category", call)
	}
	deriveNextStep(w, instant)
	return nil
}

func deriveNextStep(w *writing, instant models.Value) {
	if w.after("next_step") == nil && w.after("next_step_on") == nil {
		w.set("next_step_set_at", nil)
		return
	}
	if w.changes("next_step") || w.changes("next_step_on") {
		w.set("next_step_set_at", instant)
	}
}

// checkDeal asks the stages whether the deal may go where it is put.
func checkDeal(b *batch, w *writing) ([]models.Error, error) { return b.gate(w) }

// completeDeal puts a deal without a stage into the first open stage of its pipeline, and one without a pipeline
// into the oldest active pipeline.
func completeDeal(b *batch, w *writing) error { return b.enterDefaultStage(w.object, w.next) }

func (b *batch) enterDefaultStage(object *models.Object, next []models.Value) error {
	stage, pipeline := object.Field("stage").Index(), object.Field("pipeline").Index()
	if next[stage] != nil {
		return nil
	}
	stages, err := b.stageList()
	if err != nil {
		return err
	}
	if next[pipeline] == nil && stages.pipeline != 0 {
		next[pipeline] = stages.pipeline
	}
	if number, ok := next[pipeline].(uint64); ok && stages.first[number] != 0 {
		next[stage] = stages.first[number]
	}
	return nil
}
