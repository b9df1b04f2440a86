package crm

import (
	"fmt"

	"canopy/models"
	"canopy/models/predicate"
)

// checkStage says which of a stage's criteria and required fields cannot be asked of a deal.
func checkStage(b *batch, w *writing) ([]models.Error, error) {
	_, wrong := readStage(b.registry, b.options.Calendar, w.after)
	return wrong, nil
}

// forgetStages makes later commands of the batch read the stages anew.
func forgetStages(b *batch, _ *models.Record, _ []models.FieldChange) error {
	b.stages = nil
	return nil
}

// stageList is what moves and default stages need, read once a batch.
type stageList struct {
	pipeline uint64                   // oldest active pipeline; 0 where there is none
	first    map[uint64]uint64        // pipeline → its open stage of lowest order
	byNumber map[uint64]*stageRules   // deleted stages are in none of them
	of       map[uint64][]*stageRules // pipeline → its stages in order
}

func (b *batch) stageList() (*stageList, error) {
	if b.stages != nil {
		return b.stages, nil
	}
	list := &stageList{first: map[uint64]uint64{}, byNumber: map[uint64]*stageRules{}, of: map[uint64][]*stageRules{}}
	sort, err := predicate.ParseSort(b.registry.Object("stage"), "rank")
	if err != nil {
		return nil, err
	}
	stages, err := b.store.List(b.ctx, Listing{Object: "stage", Sort: sort, Limit: maxStages})
	if err != nil {
		return nil, err
	}
	for _, r := range stages {
		s, wrong := readStage(b.registry, b.options.Calendar, r.Get)
		if err := models.Gather(wrong); err != nil {
			s.broken = models.Errorf(models.Precondition, "the stage %q asks for something that no longer exists: %v", s.name, err).
				WithRemedy("Ask an administrator to mend the stage's criteria.")
		}
		s.number = r.Number
		list.byNumber[s.number], list.of[s.pipeline] = s, append(list.of[s.pipeline], s)
		if s.status == "open" && list.first[s.pipeline] == 0 {
			list.first[s.pipeline] = s.number
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

func checkPipeline(b *batch, w *writing) ([]models.Error, error) {
	text, _ := w.after("stagnation_policy").(string)
	_, err := ParsePolicy(b.registry.Object(dealObject), text)
	if said, ok := err.(*models.Error); ok { //nolint:errorlint // ParsePolicy returns it unwrapped
		return []models.Error{*said}, nil
	}
	return nil, err
}

// deriveDealContact makes the key that lets a person have one part in a deal.
func deriveDealContact(_ *batch, w *writing) error {
	deal, contact := numberOf(w.after("deal")), numberOf(w.after("contact"))
	if deal == 0 || contact == 0 {
		return nil // check says that they are required
	}
	w.set("key", fmt.Sprintf("deal_%d/contact_%d", deal, contact))
	return nil
}
