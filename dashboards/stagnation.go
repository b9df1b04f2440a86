package dashboards

import (
	"context"
	"net/http"

	"canopy/models"
)

// StagnationPreview is what the stagnation policies would do today with the deals that the reader sees.
type StagnationPreview struct {
	Items []StaleDeal `json:"items"`
	Next  string      `json:"next,omitempty" doc:"Send it as after to go on; left out at the end"`
}

// StaleDeal is one deal with the step that is due.
type StaleDeal struct {
	Deal      Record `json:"deal"`
	Step      string `json:"step" enum:"nudge,reengage,lost,nurture,freshen" doc:"nudge: its owner gets a task; reengage: it goes on the re-engage list; lost: it is closed; nurture: it is closed, with a task to take it up again; freshen: somebody has worked on it since"`
	Why       string `json:"why"`
	TouchedAt string `json:"touched_at" format:"date-time" doc:"The last sign of life"`
	IdleDays  int    `json:"idle_days"`
	LimitDays int    `json:"limit_days"`
}

// StagnationRun is what one run of the policies did.
type StagnationRun struct {
	LookedAt  int      `json:"looked_at"`
	Nudged    int      `json:"nudged"`
	Reengaged int      `json:"reengaged"`
	Lost      int      `json:"lost"`
	Nurtured  int      `json:"nurtured"`
	Freshened int      `json:"freshened"`
	Refused   int      `json:"refused" doc:"Deals whose stage did not let them be closed"`
	Notes     []string `json:"notes" doc:"What was refused and why"`
}

type previewInput struct {
	After string `query:"after" maxLength:"80" doc:"next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (s *Server) stagnationRoutes() {
	handle(s, operation(http.MethodGet, "/stagnation/preview", "stagnation-preview", "selling", "What the stagnation policies would do today, and why; nothing is written"), s.stagnationPreview)
	run := operation(http.MethodPost, "/stagnation/runs", "run-stagnation", "selling", "Take the steps of the stagnation policies that are due today; a second run does nothing more")
	run.DefaultStatus = http.StatusOK
	handle(s, run, s.runStagnation)
}

func (s *Server) stagnationPreview(ctx context.Context, reader models.Reader, in *previewInput) (*body[StagnationPreview], error) {
	var after uint64
	if in.After != "" {
		var err error
		if after, err = models.ParseID("deal", in.After); err != nil {
			return nil, err
		}
	}
	list, next, err := s.parts.Records.Stagnation(ctx, reader, after, in.Limit)
	if err != nil {
		return nil, err
	}
	deals := make([]*models.Record, len(list))
	for i := range list {
		deals[i] = list[i].Deal
	}
	records, err := s.records(ctx, reader, deals)
	if err != nil {
		return nil, err
	}
	out := StagnationPreview{Items: make([]StaleDeal, len(list))}
	for i, d := range list {
		out.Items[i] = StaleDeal{Deal: records[i], Step: d.Step, Why: d.Why, TouchedAt: instantText(d.TouchedAt), IdleDays: d.IdleDays, LimitDays: d.LimitDays}
	}
	if next != 0 {
		out.Next = publicID("deal", next)
	}
	return &body[StagnationPreview]{out}, nil
}

func (s *Server) runStagnation(ctx context.Context, reader models.Reader, _ *none) (*body[StagnationRun], error) {
	if !reader.MayWrite(models.Administrator) {
		return nil, models.Errorf(models.Forbidden, "running the stagnation policies needs an administrator").WithRemedy("They run by themselves each morning.")
	}
	t, err := s.parts.Records.RunStagnation(ctx)
	if err != nil {
		return nil, err
	}
	notes := t.Notes
	if notes == nil {
		notes = []string{}
	}
	return &body[StagnationRun]{StagnationRun{t.LookedAt, t.Nudged, t.Reengaged, t.Lost, t.Nurtured, t.Freshened, t.Refused, notes}}, nil
}
