package crm

import (
	"canopy/models"
	"canopy/models/predicate"
)

const dealObject = "deal"

// dealDerived are the fields of a deal that follow from its stages over time; no caller writes them.
var dealDerived = map[string]bool{"status": true, "stage_entered_at": true, "opened_at": true, "closed_at": true}

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
// entering won or lost and emptied on re-opening, as is the lost reason where the deal is not lost.
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
	return nil
}

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

// stageList is what default stages need, read once a batch.
type stageList struct {
	pipeline uint64            // oldest active pipeline; 0 where there is none
	first    map[uint64]uint64 // pipeline → its open stage of lowest order
}

func (b *batch) stageList() (*stageList, error) {
	if b.stages != nil {
		return b.stages, nil
	}
	list := &stageList{first: map[uint64]uint64{}}
	sort, err := predicate.ParseSort(b.registry.Object("stage"), "-rank")
	if err != nil {
		return nil, err
	}
	stages, err := b.store.List(b.ctx, Listing{Object: "stage", Sort: sort, Limit: maxStages})
	if err != nil {
		return nil, err
	}
	for _, s := range stages {
		if pipeline, ok := s.Get("pipeline").(uint64); ok && s.Get("status") == "open" {
			list.first[pipeline] = s.Number // the last one in falling order is the first stage
		}
	}
	sort, err = predicate.ParseSort(b.registry.Object("pipeline"), "")
	if err != nil {
		return nil, err
	}
	pipelines, err := b.store.List(b.ctx, Listing{Object: "pipeline", Sort: sort, Limit: maxStages})
	if err != nil {
		return nil, err
	}
	for _, p := range pipelines {
		if p.Get("active") == true && list.first[p.Number] != 0 && (list.pipeline == 0 || p.Number < list.pipeline) {
			list.pipeline = p.Number
		}
	}
	b.stages = list
	return list, nil
}

// maxStages bounds how many stages and pipelines a workspace may sensibly have.
const maxStages = 1000
