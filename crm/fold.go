package crm

import (
	"slices"
	"strings"
	"time"

	"canopy/models"
)

// step is one change that somebody made, as folding needs it: restated images are consequences and no steps.
type step struct {
	at      time.Time
	unknown bool
	undo    bool // it takes back what another step of the same instant did
	sets    []models.Set
	deleted *bool
}

// state is a record as of an instant.
type state struct {
	at      time.Time
	values  []models.Value
	deleted bool
}

// backdate writes a change that happened before the record's latest image. The steps are folded again with the new one
// in its place; the change is appended with its image, and then, in happened order, restated images of the later
// instants that it affects. The last instant is always restated, so that the greatest position is the present.
func (b *batch) backdate(r *models.Record, c *models.Command, at time.Time) (models.Outcome, error) {
	object := r.Object
	history, err := b.store.History(b.ctx, object.Name, r.Number)
	if err != nil {
		return models.Outcome{}, err
	}
	steps := b.stepsOf(history)
	if len(steps) == 0 || at.Before(steps[0].at) {
		return models.Outcome{}, models.FieldError("happened_at", "%s lies before %s came to be", at.Format(models.InstantLayout), r.ID()).
			WithRemedy("State an instant from " + steps[0].at.Format(models.InstantLayout) + " on.")
	}
	place, _ := slices.BinarySearchFunc(steps, at, func(s step, t time.Time) int {
		if s.at.After(t) {
			return 1
		}
		return -1 // equal instants keep their order: the new step comes last of them
	})
	states, err := b.fold(object, steps[:place])
	if err != nil {
		return models.Outcome{}, err
	}
	before := states[len(states)-1]
	added, err := b.newStep(object, before, c, at)
	if err != nil {
		return models.Outcome{}, err
	}
	told, err := b.fold(object, steps)
	if err != nil {
		return models.Outcome{}, err
	}
	states, err = b.fold(object, slices.Insert(slices.Clone(steps), place, added))
	if err != nil {
		return models.Outcome{}, err
	}
	w := &writing{object: object, number: r.Number, next: states[place].values, cause: c.Cause, override: c.Override}
	if err := b.gateLater(w, told, states, steps, place); err != nil {
		return models.Outcome{}, err
	}
	return b.restate(r, c, before, states, effective(history), at)
}

// stepsOf picks what people did out of a history, in happened order (equal instants in the order of the log).
func (b *batch) stepsOf(history []models.Change) []step {
	steps := make([]step, 0, len(history))
	for i := range history {
		c := &history[i]
		if c.Kind == models.Restated {
			continue
		}
		s := step{at: c.HappenedAt, unknown: c.HappenedUnknown, undo: isUndo(c.Cause)}
		for _, f := range c.Fields {
			if isDerived(c.Object, f.Field) {
				continue
			}
			s.sets = append(s.sets, models.Set{Field: f.Field, Value: f.After})
		}
		if c.Kind == models.Deleted || c.Kind == models.Restored {
			deleted := c.Kind == models.Deleted
			s.deleted = &deleted
		}
		steps = append(steps, s)
	}
	slices.SortStableFunc(steps, func(x, y step) int { return x.at.Compare(y.at) })
	return steps
}

// isUndo tells whether a cause takes back what another change did at the same instant.
func isUndo(cause string) bool { return strings.HasPrefix(cause, "undo:") }

// fold plays steps in order and gives the state after each. What follows from an undo is derived from the state before its
// instant: a deal whose entering of a stage is taken back was never there.
func (b *batch) fold(object *models.Object, steps []step) ([]state, error) {
	states := make([]state, 0, len(steps))
	var previous, before state
	for n, s := range steps {
		if n == 0 || !s.at.Equal(steps[n-1].at) {
			before = previous
		}
		next := state{at: s.at, deleted: previous.deleted, values: make([]models.Value, len(object.Fields))}
		copy(next.values, previous.values)
		apply(next.values, s.sets)
		if s.deleted != nil {
			next.deleted = *s.deleted
		}
		from, unknown := previous.values, s.unknown
		if s.undo {
			from = before.values
			rewind(object, from, next.values)
			unknown = unknown || from == nil && steps[0].unknown // the creation's own instant
		}
		if err := b.derive(&writing{object: object, previous: from, next: next.values, at: s.at, unknown: unknown}); err != nil {
			return nil, err
		}
		states = append(states, next)
		previous = next
	}
	return states, nil
}

// newStep turns a command into a step on top of the state that it meets, with what follows from it.
func (b *batch) newStep(object *models.Object, before state, c *models.Command, at time.Time) (step, error) {
	s := step{at: at, unknown: c.HappenedUnknown, undo: isUndo(c.Cause)}
	next := make([]models.Value, len(object.Fields))
	copy(next, before.values)
	given := apply(next, c.Sets)
	w := &writing{object: object, number: c.Number, previous: before.values, next: next, given: given, at: at, unknown: c.HappenedUnknown, cause: c.Cause, stood: before.values, override: c.Override}
	if err := b.complete(w); err != nil {
		return s, err
	}
	deleted := c.Op == models.Delete
	if c.Op != models.Update {
		s.deleted = &deleted
	} else if err := b.check(w); err != nil {
		if !onlyConflicts(err) { // unique values are a question of the present, asked in restate
			return s, err
		}
	}
	for _, f := range difference(object, before.values, next) {
		if isDerived(object, f.Field) {
			continue
		}
		s.sets = append(s.sets, models.Set{Field: f.Field, Value: f.After})
	}
	return s, nil
}

func onlyConflicts(err error) bool {
	said, ok := err.(*models.Error) //nolint:errorlint // check returns Gather's error itself
	if !ok {
		return false
	}
	if len(said.Details) == 0 {
		return said.Code == models.Conflict
	}
	for _, d := range said.Details {
		if d.Code != models.Conflict {
			return false
		}
	}
	return true
}

// effective gives the image that stands at each instant of a history (in milliseconds): the one appended last.
func effective(history []models.Change) map[int64]state {
	images := make(map[int64]state, len(history))
	for i := range history {
		c := &history[i]
		images[c.HappenedAt.UnixMilli()] = state{at: c.HappenedAt, values: c.Image, deleted: c.Deleted}
	}
	return images
}

// restate appends the change and its consequences and brings the record's row to the last state.
func (b *batch) restate(r *models.Record, c *models.Command, before state, states []state, standing map[int64]state, at time.Time) (models.Outcome, error) {
	object := r.Object
	byInstant := make([]state, 0, len(states)) // the last state of each instant from at on
	for _, s := range states {
		if s.at.Before(at) {
			continue
		}
		if n := len(byInstant); n > 0 && byInstant[n-1].at.Equal(s.at) {
			byInstant[n-1] = s
			continue
		}
		byInstant = append(byInstant, s)
	}
	first, last := byInstant[0], byInstant[len(byInstant)-1]
	changed := difference(object, before.values, first.values)
	if len(changed) == 0 && before.deleted == first.deleted {
		return models.Outcome{Record: r}, nil
	}
	if !last.deleted {
		w := &writing{object: object, number: r.Number, previous: r.Values, next: last.values, at: last.at, cause: c.Cause, ungated: true}
		if err := b.check(w); err != nil {
			return models.Outcome{}, err
		}
	}
	updated := *r
	updated.Version, updated.UpdatedAt, updated.Values, updated.Deleted = r.Version+1, b.now, last.values, last.deleted
	if err := b.store.Update(b.ctx, r, &updated, fieldsOf(difference(object, r.Values, last.values))); err != nil {
		return models.Outcome{}, err
	}
	previous := *r
	*r = updated
	b.hold(r, &previous)
	kind := map[models.Op]models.ChangeKind{models.Update: models.Updated, models.Delete: models.Deleted, models.Restore: models.Restored}[c.Op]
	outcome, err := b.append(r, c, kind, at, changed, first.values, first.deleted)
	if err != nil {
		return outcome, err
	}
	for _, s := range byInstant[1:] {
		stood := standing[s.at.UnixMilli()]
		moved := difference(object, pad(stood.values, len(object.Fields)), s.values)
		if len(moved) == 0 && stood.deleted == s.deleted && !s.at.Equal(last.at) {
			continue
		}
		restated := models.Command{Cause: c.Cause}
		if _, err := b.append(r, &restated, models.Restated, s.at, moved, s.values, s.deleted); err != nil {
			return outcome, err
		}
	}
	return outcome, nil
}

func pad(values []models.Value, n int) []models.Value {
	if len(values) >= n {
		return values
	}
	return append(slices.Clone(values), make([]models.Value, n-len(values))...)
}
