package crm

import (
	"strings"
	"time"

	"canopy/models"
)

// ownByDefault makes people the owners of what they create by hand; imports and rules leave the owner as given.
func (b *batch) ownByDefault(object *models.Object, c *models.Command, next []models.Value, given map[int]bool) {
	owner := object.Field(object.Scope.Owner)
	if owner == nil || b.reader.User == 0 || given[owner.Index()] || strings.ContainsRune(c.Cause, ':') {
		return
	}
	next[owner.Index()] = b.reader.User
}

// complete fills what rules give: values that follow a reference, the stage's consequences, formulas.
// given are the indexes of fields that the caller set; previous is nil for a new record.
func (b *batch) complete(object *models.Object, previous, next []models.Value, given map[int]bool, at time.Time, unknown bool) error {
	if object.Name == dealObject {
		if err := b.enterDefaultStage(object, next); err != nil {
			return err
		}
	}
	if err := b.follow(object, previous, next, given); err != nil {
		return err
	}
	return b.derive(object, previous, next, at, unknown)
}

// follow copies values over a reference that was set or changed, where the caller gave none.
func (b *batch) follow(object *models.Object, previous, next []models.Value, given map[int]bool) error {
	for _, f := range b.rules[object.Name].following {
		link := f.link.Index()
		number, ok := next[link].(uint64)
		if !ok || given[f.field.Index()] {
			continue
		}
		if link < len(previous) && models.ValuesEqual(previous[link], next[link]) {
			continue
		}
		over, err := b.record(f.link.To, number)
		if err != nil {
			return err
		}
		if over != nil {
			next[f.field.Index()] = over.Get(f.over)
		}
	}
	return nil
}

// derive computes the fields that are functions of the record before and after and of the instant. Folding a history
// runs it again for each step, so it may read nothing else.
func (b *batch) derive(object *models.Object, previous, next []models.Value, at time.Time, unknown bool) error {
	if object.Name == dealObject {
		if err := b.deriveDeal(object, previous, next, at, unknown); err != nil {
			return err
		}
	}
	return b.rules[object.Name].compute(next)
}
