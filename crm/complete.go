package crm

import (
	"strings"

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

// complete fills what rules give: the noun's own values, values that follow a reference, what is derived, formulas.
func (b *batch) complete(w *writing) error {
	if fill := behaviours[w.object.Name].complete; fill != nil {
		if err := fill(b, w); err != nil {
			return err
		}
	}
	if err := b.follow(w); err != nil {
		return err
	}
	return b.derive(w)
}

// follow copies values over a reference that was set or changed, where the caller gave none.
func (b *batch) follow(w *writing) error {
	for _, f := range b.rules[w.object.Name].following {
		link := f.link.Index()
		number, ok := w.next[link].(uint64)
		if !ok || w.given[f.field.Index()] {
			continue
		}
		if link < len(w.previous) && models.ValuesEqual(w.previous[link], w.next[link]) {
			continue
		}
		over, err := b.record(f.link.To, number)
		if err != nil {
			return err
		}
		if over != nil {
			w.next[f.field.Index()] = over.Get(f.over)
		}
	}
	return nil
}

// derive computes the fields that are functions of the record before and after and of the instant. Folding a history
// runs it again for each step, so it may read nothing else.
func (b *batch) derive(w *writing) error {
	if derive := behaviours[w.object.Name].derive; derive != nil {
		if err := derive(b, w); err != nil {
			return err
		}
	}
	return b.rules[w.object.Name].compute(w.next)
}
