package crm

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"canopy/models"
	"canopy/models/predicate"
)

// MaxHits is the largest number of hits of one object that a search gives.
const MaxHits = 50

// SearchQuery asks for records by what a person types: words of names, e-mail addresses, telephone numbers, domains, keys, public ids.
type SearchQuery struct {
	Text    string
	Objects []string // nil: all
	Limit   int      // of each object, 1…MaxHits; 0: 5
}

// Hits are the records of one object that match, best first; equally good ones by number. More tells that there are or may be others.
type Hits struct {
	Object *models.Object
	Hits   []Hit
	More   bool
}

// Hit is one record that matches.
type Hit struct {
	Record   *models.Record
	Title    string // blank where the record has none
	Subtitle string // what tells it from its namesakes; may be blank
	Matched  string // the field that matched; "id" for a public id
	class    models.MatchClass
}

// Search finds the live records that the reader may see. Objects with the better best hit come first, equally good ones in the order of
// searchOrder.
func (e *Engine) Search(ctx context.Context, reader models.Reader, q SearchQuery) ([]Hits, error) {
	if q.Limit == 0 {
		q.Limit = 5
	}
	if q.Limit < 1 || q.Limit > MaxHits {
		return nil, models.FieldError("limit", "%d is not between 1 and %d", q.Limit, MaxHits)
	}
	parsed, err := models.ParseSearch(q.Text)
	if err != nil {
		return nil, err
	}
	objects := e.Registry().Objects()
	if len(q.Objects) > 0 {
		objects = nil
		for _, name := range q.Objects {
			o, err := e.Registry().Need(name)
			if err != nil {
				return nil, models.FieldError("objects", "there is no object %q", name).WithRemedy("GET /api/v1/objects lists them.")
			}
			objects = append(objects, o)
		}
	}
	var groups []Hits
	for _, o := range objects {
		hits, err := e.searchObject(ctx, reader, o, parsed, q.Limit)
		if err != nil {
			return nil, err
		}
		if len(hits.Hits) > 0 {
			groups = append(groups, hits)
		}
	}
	slices.SortStableFunc(groups, func(x, y Hits) int {
		return cmp.Or(cmp.Compare(x.Hits[0].class, y.Hits[0].class), cmp.Compare(searchPlace(x.Object), searchPlace(y.Object)), strings.Compare(x.Object.Name, y.Object.Name))
	})
	return groups, e.tellHits(ctx, reader, groups)
}

// searchOrder is in which order people look for things; what is not named comes behind, by name.
var searchOrder = []string{"contact", "account", "deal", "lead", "ticket"}

func searchPlace(o *models.Object) int {
	if i := slices.Index(searchOrder, o.Name); i >= 0 {
		return i
	}
	return len(searchOrder)
}

func (e *Engine) searchObject(ctx context.Context, reader models.Reader, o *models.Object, q models.SearchQuery, limit int) (Hits, error) {
	hits := Hits{Object: o}
	scope := predicate.Scope(e.Registry(), o, reader)
	if scope.IsNothing() {
		return hits, nil
	}
	met := map[uint64]bool{}
	if number := q.ID(o); number != 0 {
		found, err := e.Records(ctx, reader, o.Name, []uint64{number})
		if err != nil {
			return hits, err
		}
		if r := found[number]; r != nil && !r.Deleted {
			met[number] = true
			hits.Hits = append(hits.Hits, Hit{Record: r, Matched: "id", class: models.MatchID})
		}
	}
	if len(o.SearchFields()) == 0 {
		return hits, nil
	}
	conditions := q.Conditions()
	look := func(condition models.Match) (complete bool, err error) {
		found, complete, err := e.store.Search(ctx, o.Name, condition, scope, limit+1+len(met))
		for _, r := range found {
			class, field := q.Rank(o, r.Values)
			if met[r.Number] || class == models.MatchNothing {
				continue
			}
			met[r.Number] = true
			hits.Hits = append(hits.Hits, Hit{Record: r, Matched: field.Name, class: class})
		}
		return complete, err
	}
	all, err := look(models.Match{Any: conditions[:]})
	if err != nil {
		return hits, err
	}
	for i := 0; !all && i < len(conditions); i++ { // too many to rank all of them: the better classes first
		better := 0
		for _, h := range hits.Hits {
			if h.class < models.MatchExact+models.MatchClass(i) {
				better++
			}
		}
		if better > limit {
			break
		}
		if _, err := look(conditions[i]); err != nil {
			return hits, err
		}
	}
	hits.More = !all
	slices.SortStableFunc(hits.Hits, func(x, y Hit) int {
		return cmp.Or(cmp.Compare(x.class, y.class), cmp.Compare(x.Record.Number, y.Record.Number))
	})
	if len(hits.Hits) > limit {
		hits.Hits, hits.More = hits.Hits[:limit], true
	}
	return hits, nil
}

// tellHits gives each hit its title and subtitle: the record that it belongs to, and what matched or how to reach it.
func (e *Engine) tellHits(ctx context.Context, reader models.Reader, groups []Hits) error {
	var keys []RecordKey
	for _, g := range groups {
		if link := belongsTo(g.Object); link != nil {
			for _, h := range g.Hits {
				if n, ok := h.Record.Get(link.Name).(uint64); ok {
					keys = append(keys, RecordKey{link.To, n})
				}
			}
		}
	}
	titles, err := e.TitlesOf(ctx, reader, keys)
	if err != nil {
		return err
	}
	for _, g := range groups {
		link := belongsTo(g.Object)
		for i := range g.Hits {
			h := &g.Hits[i]
			h.Title, _ = h.Record.Get(g.Object.Title).(string)
			var parts []string
			if link != nil {
				if n, ok := h.Record.Get(link.Name).(uint64); ok {
					parts = append(parts, titles[e.Registry().Object(link.To).ID(n)])
				}
			}
			h.Subtitle = strings.Join(slices.DeleteFunc(append(parts, telling(h)), func(s string) bool { return s == "" }), " · ")
		}
	}
	return nil
}

// belongsTo is the reference on whose record's timeline the object appears first; nil where there is none.
func belongsTo(o *models.Object) *models.Field {
	if len(o.TimelineOf) == 0 {
		return nil
	}
	return o.Field(o.TimelineOf[0])
}

// telling is the value that matched, or else the first searched one beside the title.
func telling(h *Hit) string {
	if h.Matched != "id" && h.Matched != h.Record.Object.Title {
		text, _ := h.Record.Get(h.Matched).(string)
		return text
	}
	for _, f := range h.Record.Object.SearchFields()[min(1, len(h.Record.Object.SearchFields())):] {
		if text, _ := h.Record.Get(f.Name).(string); text != "" && f.Name != h.Record.Object.Title {
			return text
		}
	}
	return ""
}
