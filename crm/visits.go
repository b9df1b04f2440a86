package crm

import (
	"context"
	"slices"
	"time"

	"canopy/models"
)

// Visit is one stay of a deal in a stage.
type Visit struct {
	Stage     uint64
	EnteredAt time.Time // zero where the source knows no instant
	LeftAt    time.Time // zero while it is still there
	// Days is how long the stay was, or is up to now while the deal is open in it; nil where that is not known, and for a decided deal's last stage.
	Days *float64
}

// StageVisits gives a deal's stays in stages, in order, as the log tells them today: back-dated moves stand where they belong, and moves that were
// taken back are not there. The stay of a deleted deal ends with its deletion.
func (e *Engine) StageVisits(ctx context.Context, reader models.Reader, deal uint64) ([]Visit, error) {
	r, err := e.Get(ctx, reader, dealObject, deal, models.Cutoff{})
	if err != nil {
		return nil, err
	}
	history, err := e.store.History(ctx, dealObject, deal)
	if err != nil {
		return nil, err
	}
	return visits(r.Object, history, e.options.Now()), nil
}

func visits(object *models.Object, history []models.Change, now time.Time) []Visit {
	images := effective(history)
	states := make([]state, 0, len(images))
	for _, s := range images {
		states = append(states, s)
	}
	slices.SortFunc(states, func(x, y state) int { return x.at.Compare(y.at) })
	var list []Visit
	var open bool // the deal is in the last visit of the list
	for _, s := range states {
		stage := numberOf(valueOf(object, s.values, "stage"))
		last := len(list) - 1
		if open && (s.deleted || stage != list[last].Stage) {
			list[last].LeftAt, open = s.at, false
		}
		if s.deleted || open || stage == 0 {
			continue
		}
		entered, _ := valueOf(object, s.values, "stage_entered_at").(time.Time)
		if !entered.IsZero() { // not the derived instant: a deal that comes back from deletion enters anew
			entered = s.at
		}
		list, open = append(list, Visit{Stage: stage, EnteredAt: entered}), true
	}
	for i := range list {
		v := &list[i]
		until := v.LeftAt
		if until.IsZero() {
			if valueOf(object, states[len(states)-1].values, "status") != "open" {
				continue
			}
			until = now
		}
		if !v.EnteredAt.IsZero() {
			days := until.Sub(v.EnteredAt).Hours() / 24
			v.Days = &days
		}
	}
	return list
}
