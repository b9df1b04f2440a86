package crm

import (
	"encoding/json"
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

// Policy is what a pipeline does about deals in which nothing happens. Days count from the last sign of life.
type Policy struct {
	NudgeAfterDays    int    `json:"nudge_after_days"`    // the owner gets a task; a stage's age limit takes its place there
	ReengageAfterDays int    `json:"reengage_after_days"` // the deal goes on the re-engage list
	CloseAfterDays    int    `json:"close_after_days"`    // the deal is closed
	Then              string `json:"then"`                // lost, or nurture: lost with a task to take it up again
	Reason            string `json:"reason"`              // lost reason; no_decision where blank
	NurtureDays       int    `json:"nurture_days"`        // after which a nurtured deal is taken up again; 90 where 0
}

// ParsePolicy reads a stagnation policy; blank text is nil. The steps come one after another, and there is at least a day between them.
func ParsePolicy(deal *models.Object, text string) (*Policy, error) {
	if text == "" {
		return nil, nil
	}
	p := &Policy{Reason: "no_decision", NurtureDays: 90}
	if err := json.Unmarshal([]byte(text), p); err != nil {
		return nil, models.FieldError("stagnation_policy", "not a policy: %v", err).
			WithRemedy(`Write it as {"nudge_after_days":14,"reengage_after_days":28,"close_after_days":60,"then":"lost","reason":"no_decision"}.`)
	}
	wrong := func(format string, args ...any) (*Policy, error) {
		return nil, models.FieldError("stagnation_policy", format, args...).WithRemedy("Say 1 ≤ nudge_after_days < reengage_after_days < close_after_days ≤ 3650.")
	}
	switch {
	case p.NudgeAfterDays < 1:
		return wrong("nudge_after_days is %d", p.NudgeAfterDays)
	case p.ReengageAfterDays <= p.NudgeAfterDays:
		return wrong("reengage_after_days (%d) does not come after nudge_after_days (%d)", p.ReengageAfterDays, p.NudgeAfterDays)
	case p.CloseAfterDays <= p.ReengageAfterDays || p.CloseAfterDays > 3650:
		return wrong("close_after_days (%d) does not come after reengage_after_days (%d)", p.CloseAfterDays, p.ReengageAfterDays)
	case p.Then != "lost" && p.Then != "nurture":
		return nil, models.FieldError("stagnation_policy", "then is %q", p.Then).WithRemedy("Say lost or nurture.")
	case !deal.Field("lost_reason").HasOption(p.Reason):
		return nil, models.FieldError("stagnation_policy", "reason %q is no lost reason", p.Reason).WithRemedy("Use one of the deal's lost reasons.")
	case p.NurtureDays < 1 || p.NurtureDays > 3650:
		return nil, models.FieldError("stagnation_policy", "nurture_days is %d", p.NurtureDays).WithRemedy("Say 1 to 3650 days.")
	}
	return p, nil
}

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
