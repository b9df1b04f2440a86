package predicate

import "canopy/models"

// Visible cuts a reader's filter to what the reader may see behind references: a record that is hidden from the reader is taken as none, so
// that nobody finds out by asking what a hidden record holds. A row's own visibility is Scope's.
func Visible(registry *models.Registry, b *Bound, reader models.Reader) *Bound {
	if b == nil || reader.SeesPersonal() {
		return b
	}
	switch b.form {
	case isNothing:
		return b
	case isNot:
		return Not(Visible(registry, b.children[0], reader))
	case isAnd, isOr:
		children := make([]*Bound, len(b.children))
		for i, child := range b.children {
			children[i] = Visible(registry, child, reader)
		}
		if b.form == isAnd {
			return All(children...)
		}
		return Any(children...)
	}
	if b.test != related {
		return b
	}
	l := b.leaf
	if l.where = All(Scope(registry, l.target, reader), Visible(registry, l.where, reader)); l.where.IsNothing() {
		return Nothing()
	}
	return l.bound(related)
}
