package crm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"canopy/models"
)

// clockSkew is how far ahead of this machine's clock a stated instant may lie.
const clockSkew = 2 * time.Minute

const maxCause = 200

// execute runs one command. A models.Error other than internal refuses it and leaves nothing written.
func (b *batch) execute(c *models.Command) (models.Outcome, error) {
	object, err := b.registry.Need(c.Object)
	if err != nil {
		return models.Outcome{}, err
	}
	if err := b.mayWrite(object); err != nil {
		return models.Outcome{}, err
	}
	b.cause = c.Cause
	if len(c.Cause) > maxCause {
		return models.Outcome{}, models.FieldError("cause", "longer than %d characters", maxCause)
	}
	if c.IdempotencyKey == "" {
		return b.perform(object, c)
	}
	outcome, done, err := b.repeated(object, c)
	if err != nil || done {
		return outcome, err
	}
	if outcome, err = b.perform(object, c); err != nil {
		return outcome, err
	}
	return outcome, b.store.Remember(b.ctx, b.reader.User, c.IdempotencyKey, Remembered{
		Object: c.Object, Number: outcome.Record.Number, Change: outcome.Change, Fingerprint: fingerprint(object, c),
	})
}

func (b *batch) mayWrite(object *models.Object) error {
	if b.reader.MayWrite(object.WriteBy) {
		return nil
	}
	return models.Errorf(models.Forbidden, "writing %s needs the role %s", strings.ToLower(object.Plural), object.WriteBy).
		WithRemedy("Ask an administrator for the right.")
}

// repeated finds the first outcome of an idempotency key.
func (b *batch) repeated(object *models.Object, c *models.Command) (models.Outcome, bool, error) {
	if len(c.IdempotencyKey) > maxCause {
		return models.Outcome{}, false, models.FieldError("idempotency_key", "longer than %d characters", maxCause)
	}
	first, err := b.store.Remembered(b.ctx, b.reader.User, c.IdempotencyKey)
	if err != nil || first == nil {
		return models.Outcome{}, false, err
	}
	if first.Fingerprint != fingerprint(object, c) {
		return models.Outcome{}, false, (&models.Error{Code: models.Conflict, Field: "idempotency_key", Message: "this key was used for another request"}).
			WithRemedy("Use a new key for a new request.")
	}
	r, err := b.record(first.Object, first.Number)
	if err != nil {
		return models.Outcome{}, false, err
	}
	if r == nil {
		return models.Outcome{}, false, notFound(object, first.Number)
	}
	seen, err := b.visible(r) // rights are today's, also for what one wrote oneself
	if err != nil {
		return models.Outcome{}, false, err
	}
	if !seen {
		return models.Outcome{}, false, notFound(object, first.Number)
	}
	return models.Outcome{Record: r, Change: first.Change, Repeated: true}, true, nil
}

// fingerprint tells one command from another under the same idempotency key.
func fingerprint(object *models.Object, c *models.Command) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %d %d %d\n", c.Op, object.Name, c.Number, c.Version, c.HappenedAt.UnixMilli())
	if c.Override != "" {
		fmt.Fprintf(h, "override %s\n", c.Override)
	}
	for _, set := range c.Sets {
		fmt.Fprintf(h, "%s=%s\n", set.Field.Name, set.Field.AppendJSON(nil, set.Value))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// perform executes a command and keeps what it was let past.
func (b *batch) perform(object *models.Object, c *models.Command) (models.Outcome, error) {
	if err := checkOverride(c); err != nil {
		return models.Outcome{}, err
	}
	b.passed = nil
	outcome, err := b.write(object, c)
	if err == nil && len(b.passed) > 0 {
		at := outcome.Record.HappenedAt
		if !c.HappenedAt.IsZero() && !c.HappenedUnknown {
			at = c.HappenedAt.UTC().Truncate(time.Millisecond)
		}
		err = b.keepOverride(outcome.Record, c, at)
	}
	return outcome, err
}

func (b *batch) write(object *models.Object, c *models.Command) (models.Outcome, error) {
	at, err := b.instantOf(c)
	if err != nil {
		return models.Outcome{}, err
	}
	if len(c.Sets) > 0 && (c.Op == models.Delete || c.Op == models.Restore) {
		return models.Outcome{}, models.FieldError("fields", "a record is deleted and restored as it is").WithRemedy("Leave fields out, and change them in a command of its own.")
	}
	if c.Op == models.Create {
		return b.create(object, c, at)
	}
	r, err := b.existing(object, c)
	if err != nil {
		return models.Outcome{}, err
	}
	if at.IsZero() {
		at = later(b.now, r.HappenedAt) // a clock that was set back does not back-date
	}
	switch c.Op {
	case models.Update:
	case models.Delete:
		if r.Deleted {
			return models.Outcome{Record: r}, nil
		}
	case models.Restore:
		if !r.Deleted {
			return models.Outcome{Record: r}, nil
		}
	default:
		return models.Outcome{}, models.FieldError("op", "%q is none of create, update, delete, restore", c.Op)
	}
	if at.Before(r.HappenedAt) || at.Equal(r.HappenedAt) && c.Op == models.Update && isUndo(c.Cause) {
		return b.backdate(r, c, at)
	}
	return b.amend(r, c, at)
}

// instantOf reads when the command happened; zero for "now".
func (b *batch) instantOf(c *models.Command) (time.Time, error) {
	if c.HappenedAt.IsZero() || c.HappenedUnknown {
		return time.Time{}, nil
	}
	at := c.HappenedAt.UTC().Truncate(time.Millisecond)
	if at.After(b.now.Add(clockSkew)) {
		return at, models.FieldError("happened_at", "%s lies in the future", at.Format(models.InstantLayout)).
			WithRemedy("State an instant that has passed, or leave it out for now.")
	}
	if at.Year() < 1900 {
		return at, models.FieldError("happened_at", "the year %d is out of range (1900 or later)", at.Year())
	}
	return at, nil
}

// existing finds the record that a command writes: there, visible, alive (or deleted, for Restore) and at the stated version.
func (b *batch) existing(object *models.Object, c *models.Command) (*models.Record, error) {
	key := RecordKey{object.Name, c.Number}
	if b.locked[key] == nil {
		if err := b.lock(object.Name, []uint64{c.Number}); err != nil {
			return nil, err
		}
	}
	r := b.locked[key]
	if r == nil {
		return nil, notFound(object, c.Number)
	}
	seen, err := b.visible(r)
	if err != nil {
		return nil, err
	}
	if !seen || (r.Deleted && c.Op == models.Update) {
		return nil, notFound(object, c.Number)
	}
	if err := b.ownsPersonal(r); err != nil {
		return nil, err
	}
	if c.Version != 0 && c.Version != r.Version {
		return nil, (&models.Error{Code: models.Precondition, Field: "version", Message: fmt.Sprintf("%s is at version %d, not %d", r.ID(), r.Version, c.Version)}).
			WithRemedy("Read the record again, look at what changed, and send your change with its version.")
	}
	return r, nil
}

func (b *batch) create(object *models.Object, c *models.Command, at time.Time) (models.Outcome, error) {
	if at.IsZero() {
		at = b.now
	}
	next := make([]models.Value, len(object.Fields))
	for i, v := range b.rules[object.Name].defaults {
		next[i] = v
	}
	given := apply(next, c.Sets)
	b.ownByDefault(object, c, next, given)
	w := &writing{object: object, next: next, given: given, at: at, unknown: c.HappenedUnknown, cause: c.Cause, override: c.Override}
	if err := b.complete(w); err != nil {
		return models.Outcome{}, err
	}
	if err := b.check(w); err != nil {
		return models.Outcome{}, err
	}
	r := &models.Record{Object: object, Version: 1, CreatedAt: b.now, UpdatedAt: b.now, HappenedAt: at, Values: next}
	if seen, err := b.visible(r); err != nil || !seen {
		return models.Outcome{}, orForbidden(err)
	}
	if err := b.store.Insert(b.ctx, r); err != nil {
		return models.Outcome{}, err
	}
	b.locked[RecordKey{object.Name, r.Number}] = r
	b.hold(r, nil)
	return b.append(r, c, models.Created, at, difference(object, nil, next), next, false)
}

func orForbidden(err error) error {
	if err != nil {
		return err
	}
	return models.Errorf(models.Forbidden, "the record would lie outside the rows that you may see").
		WithRemedy("Give it an owner, team, territory or campaign of yours.")
}

// amend writes a change at or after the record's latest image: the ordinary case.
func (b *batch) amend(r *models.Record, c *models.Command, at time.Time) (models.Outcome, error) {
	object := r.Object
	next := make([]models.Value, len(object.Fields))
	copy(next, r.Values)
	given := apply(next, c.Sets)
	w := &writing{object: object, number: r.Number, previous: r.Values, next: next, given: given, at: at, unknown: c.HappenedUnknown, cause: c.Cause, stood: r.Values, override: c.Override}
	if err := b.complete(w); err != nil {
		return models.Outcome{}, err
	}
	changed := difference(object, r.Values, next)
	kind, deleted := models.Updated, r.Deleted
	switch c.Op {
	case models.Delete:
		kind, deleted = models.Deleted, true
	case models.Restore:
		kind, deleted = models.Restored, false
	default:
		if len(changed) == 0 {
			return models.Outcome{Record: r}, nil
		}
	}
	if !deleted {
		if r.Deleted { // its unique values were free while it was deleted
			w.previous = nil
		}
		if err := b.check(w); err != nil {
			return models.Outcome{}, err
		}
	}
	return b.commit(r, c, kind, at, changed, next, deleted)
}

// commit writes a record's next values and appends their change.
func (b *batch) commit(r *models.Record, c *models.Command, kind models.ChangeKind, at time.Time, changed []models.FieldChange, next []models.Value, deleted bool) (models.Outcome, error) {
	updated := *r
	updated.Version, updated.UpdatedAt, updated.HappenedAt, updated.Values, updated.Deleted = r.Version+1, b.now, at, next, deleted
	if err := b.store.Update(b.ctx, r, &updated, fieldsOf(changed)); err != nil {
		return models.Outcome{}, err
	}
	before := *r
	*r = updated
	b.hold(r, &before)
	return b.append(r, c, kind, at, changed, next, deleted)
}

// append writes the change of a command and gives its outcome.
func (b *batch) append(r *models.Record, c *models.Command, kind models.ChangeKind, at time.Time, changed []models.FieldChange, image []models.Value, deleted bool) (models.Outcome, error) {
	seq, err := b.store.Append(b.ctx, &models.Change{
		Object: r.Object, Number: r.Number, Version: r.Version, Kind: kind, HappenedAt: at, HappenedUnknown: c.HappenedUnknown,
		RecordedAt: b.now, Actor: b.reader.Actor(), Cause: c.Cause, Fields: changed, Deleted: deleted, Image: image,
	})
	if err != nil {
		return models.Outcome{}, err
	}
	if err := b.keepFiles(changed); err != nil {
		return models.Outcome{}, err
	}
	if after := behaviours[r.Object.Name].after; after != nil && kind != models.Restated {
		if err := after(b, r, changed); err != nil {
			return models.Outcome{}, err
		}
	}
	return models.Outcome{Record: r, Change: seq}, nil
}

// apply puts sets into values and tells which fields were given.
func apply(values []models.Value, sets []models.Set) map[int]bool {
	given := make(map[int]bool, len(sets))
	for _, set := range sets {
		if set.Field.Index() >= len(values) {
			continue // history names a field that came since the batch began: appending will find out, and all is run again
		}
		values[set.Field.Index()] = set.Value
		given[set.Field.Index()] = true
	}
	return given
}

// difference lists the fields in which next differs from previous (nil: a record that was not there).
func difference(object *models.Object, previous, next []models.Value) []models.FieldChange {
	var changed []models.FieldChange
	for i, f := range object.Fields {
		var before models.Value
		if i < len(previous) {
			before = previous[i]
		}
		if !models.ValuesEqual(before, next[i]) {
			changed = append(changed, models.FieldChange{Field: f, Before: before, After: next[i]})
		}
	}
	return changed
}

func fieldsOf(changed []models.FieldChange) []*models.Field {
	fields := make([]*models.Field, len(changed))
	for i, c := range changed {
		fields[i] = c.Field
	}
	return fields
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
