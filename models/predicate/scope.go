package predicate

import (
	"slices"

	"canopy/models"
)

// maxWays bounds how many references one row's visibility may be borrowed over.
const maxWays = 4

// Scope is the predicate that cuts an object's rows to a reader: nil where the reader sees all of them, Nothing where none.
//
// A row is seen under the kind of the reader's scope:
//
//	owner      the row's owner is the reader
//	team       its team is one of the reader's, or its owner is the reader
//	territory  its territory is one of the reader's, or its owner is the reader
//	campaign   its campaign is one of the reader's; nothing else opens it
//
// or, for objects with via references, where the record behind the first of them that is not empty may be seen under its own object's
// scope. Under campaign scope an object with a campaign field is decided by that field alone, one without by its via
// references alone, and objects that everybody may read lend nothing: isolation is not opened by a shared record.
// Shared objects are seen by everybody with a role, those for administrators by administrators only. Rows of personal objects are seen by
// their owner and, where the field of scope.open is true, by everybody with a role; the reader's kind of scope plays no part.
func Scope(registry *models.Registry, object *models.Object, reader models.Reader) *Bound {
	if !reader.Role.AtLeast(models.Viewer) {
		return Nothing()
	}
	return (&scoper{registry, reader}).visible(object, nil)
}

type scoper struct {
	registry *models.Registry
	reader   models.Reader
}

// visible cuts object's rows; way is the objects that were passed on the way to it.
func (s *scoper) visible(object *models.Object, way []string) *Bound {
	switch {
	case object.Visibility == models.Shared && len(way) > 0 && s.reader.Scope == models.ScopeCampaign:
		return Nothing()
	case object.Visibility == models.Shared:
		return nil
	case object.Visibility == models.Personal && s.reader.SeesPersonal():
		return nil
	case object.Visibility == models.Personal && len(way) > 0 && s.reader.Scope == models.ScopeCampaign:
		return Nothing()
	case object.Visibility == models.Personal:
		return Any(s.own(object), s.open(object))
	case object.Visibility == models.AdminOnly && s.reader.Role == models.Administrator:
		return nil
	case object.Visibility == models.AdminOnly:
		return Nothing()
	}
	scope := object.Scope
	switch s.reader.Scope {
	case models.ScopeAll:
		return nil
	case models.ScopeOwner:
		return Any(s.own(object), s.via(object, way))
	case models.ScopeTeam:
		return Any(s.own(object), s.numbers(object, scope.Team, s.reader.Teams), s.via(object, way))
	case models.ScopeTerritory:
		return Any(s.own(object), s.texts(object, scope.Territory, s.reader.Territories), s.via(object, way))
	case models.ScopeCampaign:
		if scope.Campaign != "" {
			return s.numbers(object, scope.Campaign, s.reader.Campaigns)
		}
		return s.via(object, way)
	}
	return Nothing() // a scope that this program does not know opens nothing
}

func (s *scoper) own(object *models.Object) *Bound {
	return s.numbers(object, object.Scope.Owner, []uint64{s.reader.User})
}

// open holds where the row is open to everybody.
func (s *scoper) open(object *models.Object) *Bound {
	field := object.Field(object.Scope.Open)
	if field == nil || field.Kind != models.Boolean {
		return Nothing()
	}
	return leaf{object: object, column: field}.bound(equal, true)
}

// numbers holds where a reference points to one of the wanted records; 0 is none.
func (s *scoper) numbers(object *models.Object, name string, wanted []uint64) *Bound {
	field := object.Field(name)
	if field == nil || field.Kind != models.Reference {
		return Nothing()
	}
	var values []models.Value
	for _, number := range wanted {
		if number != 0 {
			values = append(values, number)
		}
	}
	return leaf{object: object, column: field}.among(values...)
}

// texts holds where a text or picklist field is one of the wanted, or a multi_pick has one of them.
func (s *scoper) texts(object *models.Object, name string, wanted []string) *Bound {
	field := object.Field(name)
	if field == nil {
		return Nothing()
	}
	var values []models.Value
	for _, text := range wanted {
		if text != "" {
			values = append(values, text)
		}
	}
	l := leaf{object: object, column: field}
	switch {
	case len(values) == 0:
		return Nothing()
	case field.Kind == models.MultiPick:
		return l.bound(hasAny, values...)
	case isText(field.Kind):
		return l.among(values...)
	}
	return Nothing()
}

// via borrows the visibility of the record behind the first reference that is not empty. An object that was passed already lends its
// own fields only, so that circles end.
func (s *scoper) via(object *models.Object, way []string) *Bound {
	if len(way) >= maxWays || slices.Contains(way, object.Name) {
		return Nothing()
	}
	way = append(slices.Clone(way), object.Name)
	var ways, before []*Bound // before: the references so far are empty
	for _, name := range object.Scope.Via {
		l := leaf{object: object, column: object.Field(name)}
		if l.column == nil || l.column.Kind != models.Reference {
			continue
		}
		l.target = s.registry.Object(l.column.To)
		if l.where = s.visible(l.target, way); !l.where.IsNothing() {
			ways = append(ways, All(append(slices.Clone(before), l.bound(related))...))
		}
		before = append(before, l.bound(empty))
	}
	return Any(ways...)
}
