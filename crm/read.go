package crm

import (
	"context"
	"encoding/json"
	"slices"
	"sort"
	"strings"

	"canopy/models"
	"canopy/models/predicate"
)

// CountCap is where counting stops: a list says "10,000+" beyond it.
const CountCap = 10_000

// MaxPage is the largest page of a list.
const MaxPage = 1000

// Query asks for a page of records.
type Query struct {
	Object      string
	Where       *predicate.Node // nil: all
	Sort        string          // "-amount,name"; blank: by number
	Limit       int             // 1…MaxPage; 0: 50
	Cursor      string          // NextCursor of the page before
	WithDeleted bool
}

// Page is one page of records. Count counts all records of the query, at most CountCap; Capped says that there are more. Where counting
// would have taken too long, Count is as many as are known to be there, and Unknown says so.
type Page struct {
	Unknown    bool
	Records    []*models.Record
	NextCursor string // blank on the last page
	Count      int
	Capped     bool
}

// Bind checks a filter against an object and joins the reader's row scope to it.
func (e *Engine) Bind(reader models.Reader, object *models.Object, where *predicate.Node) (*predicate.Bound, error) {
	scope := predicate.Scope(e.Registry(), object, reader)
	if where == nil {
		return scope, nil
	}
	bound, err := where.Bind(e.Registry(), object, e.options.Calendar)
	if err != nil {
		return nil, err
	}
	return predicate.All(scope, predicate.Visible(e.Registry(), bound, reader)), nil
}

// List gives the page of records that the reader may see.
func (e *Engine) List(ctx context.Context, reader models.Reader, q Query) (Page, error) {
	object, err := e.Registry().Need(q.Object)
	if err != nil {
		return Page{}, err
	}
	if q.Limit == 0 {
		q.Limit = 50
	}
	if q.Limit < 1 || q.Limit > MaxPage {
		return Page{}, models.FieldError("limit", "%d is not between 1 and %d", q.Limit, MaxPage)
	}
	where, err := e.Bind(reader, object, q.Where)
	if err != nil {
		return Page{}, err
	}
	order, err := predicate.ParseSort(object, q.Sort)
	if err != nil {
		return Page{}, err
	}
	records, err := e.store.List(ctx, Listing{Object: q.Object, Where: where, Sort: order, Cursor: q.Cursor, Limit: q.Limit + 1, WithDeleted: q.WithDeleted})
	if err != nil {
		return Page{}, err
	}
	page := Page{Records: records}
	if len(records) > q.Limit {
		page.Records = records[:q.Limit]
		page.NextCursor = order.CursorOf(page.Records[q.Limit-1])
	}
	if q.Cursor == "" && page.NextCursor == "" {
		page.Count = len(page.Records)
		return page, nil
	}
	var known bool
	page.Count, known, err = e.store.CountSoon(ctx, q.Object, where, q.WithDeleted, CountCap)
	switch {
	case err != nil:
		return Page{}, err
	case !known:
		page.Count, page.Capped, page.Unknown = len(page.Records), true, true
	case page.Count > CountCap:
		page.Count, page.Capped = CountCap, true
	}
	return page, nil
}

// Get reads one record, now or as of a cutoff. A record that the reader may not see today is not found, also in its past.
// A deleted record is given with Deleted set.
func (e *Engine) Get(ctx context.Context, reader models.Reader, object string, number uint64, cutoff models.Cutoff) (*models.Record, error) {
	o, err := e.Registry().Need(object)
	if err != nil {
		return nil, err
	}
	found, err := e.Records(ctx, reader, object, []uint64{number})
	if err != nil {
		return nil, err
	}
	r := found[number]
	if r == nil {
		return nil, notFound(o, number)
	}
	if cutoff.IsZero() {
		return r, nil
	}
	history, err := e.store.History(ctx, object, number)
	if err != nil {
		return nil, err
	}
	past := asOf(history, cutoff)
	if past == nil {
		return nil, notFound(o, number)
	}
	return &models.Record{
		Object: o, Number: number, Version: past.Version, CreatedAt: r.CreatedAt, UpdatedAt: past.RecordedAt,
		HappenedAt: past.HappenedAt, Deleted: past.Deleted, Values: past.Image,
	}, nil
}

// asOf picks the change whose image is the state up to both cut-offs; nil where the record was not there yet.
func asOf(history []models.Change, cutoff models.Cutoff) *models.Change {
	var state *models.Change
	for i := range history {
		c := &history[i]
		if !cutoff.HappenedBefore.IsZero() && !c.HappenedAt.Before(cutoff.HappenedBefore) {
			continue
		}
		if cutoff.Position != 0 && (c.Position == 0 || c.Position > cutoff.Position) {
			continue
		}
		if state == nil || !c.HappenedAt.Before(state.HappenedAt) { // equal instants: the later position
			state = c
		}
	}
	return state
}

// Records reads records by number; those that the reader may not see are missing in the map.
func (e *Engine) Records(ctx context.Context, reader models.Reader, object string, numbers []uint64) (map[uint64]*models.Record, error) {
	if _, err := e.Registry().Need(object); err != nil {
		return nil, err
	}
	found, err := e.store.Load(ctx, object, unique(numbers), false)
	if err != nil {
		return nil, err
	}
	b := e.newBatch(ctx, reader)
	for number, r := range found {
		seen, err := b.visible(r)
		if err != nil {
			return nil, err
		}
		if !seen {
			delete(found, number)
		}
	}
	return found, nil
}

// FindByText finds live, visible records by a text-like field: value → numbers, at most two a value.
func (e *Engine) FindByText(ctx context.Context, reader models.Reader, object, field string, values []string) (map[string][]uint64, error) {
	o, err := e.Registry().Need(object)
	if err != nil {
		return nil, err
	}
	f := o.Field(field)
	if f == nil {
		return nil, models.FieldError(field, "%s has no such field", o.Name)
	}
	found, err := e.store.FindByText(ctx, object, f, values)
	if err != nil || reader.SeesAllOf(o) {
		return found, err
	}
	var numbers []uint64
	for _, list := range found {
		numbers = append(numbers, list...)
	}
	visible, err := e.Records(ctx, reader, object, numbers)
	if err != nil {
		return nil, err
	}
	for value, list := range found {
		kept := list[:0]
		for _, n := range list {
			if visible[n] != nil {
				kept = append(kept, n)
			}
		}
		if found[value] = kept; len(kept) == 0 {
			delete(found, value)
		}
	}
	return found, nil
}

// Titles names the records that the given values refer to: "user_12" → "Moses Frase". Records that the reader may not
// see have no title.
func (e *Engine) Titles(ctx context.Context, reader models.Reader, records []*models.Record) (map[string]string, error) {
	wanted := map[string][]uint64{}
	for _, r := range records {
		for i, f := range r.Object.Fields {
			if i < len(r.Values) && f.Kind == models.Reference {
				if n, ok := r.Values[i].(uint64); ok {
					wanted[f.To] = append(wanted[f.To], n)
				}
			}
		}
	}
	return e.titles(ctx, reader, wanted)
}

// TitlesOf names records by object and number, as Titles does.
func (e *Engine) TitlesOf(ctx context.Context, reader models.Reader, keys []RecordKey) (map[string]string, error) {
	wanted := map[string][]uint64{}
	for _, k := range keys {
		wanted[k.Object] = append(wanted[k.Object], k.Number)
	}
	return e.titles(ctx, reader, wanted)
}

func (e *Engine) titles(ctx context.Context, reader models.Reader, wanted map[string][]uint64) (map[string]string, error) {
	titles := map[string]string{}
	for name, numbers := range wanted {
		found, err := e.Records(ctx, reader, name, numbers)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if title, ok := r.Get(r.Object.Title).(string); ok {
				titles[r.ID()] = title
			}
		}
	}
	return titles, nil
}

// Timeline gives the changes of a record and of the records that appear on its timeline, newest first by position.
// before is the position of the last change seen; 0 starts at the newest. Restated images are told as what they are. With only given, the
// changes are of these objects: of the record itself, too, only where its object is among them.
func (e *Engine) Timeline(ctx context.Context, reader models.Reader, object string, number, before uint64, limit int, only ...string) ([]models.Change, error) {
	if _, err := e.Get(ctx, reader, object, number, models.Cutoff{}); err != nil {
		return nil, err
	}
	wanted := func(name string) bool { return len(only) == 0 || slices.Contains(only, name) }
	var keys []RecordKey
	if wanted(object) {
		keys = append(keys, RecordKey{object, number})
	}
	for _, other := range e.Registry().Objects() {
		if !wanted(other.Name) {
			continue
		}
		for _, link := range other.TimelineOf {
			f := other.Field(link)
			if f.To != object {
				continue
			}
			where, err := e.Bind(reader, other, predicate.Compare(f, predicate.Eq, number))
			if err != nil {
				return nil, err
			}
			order, err := predicate.ParseSort(other, "-updated_at")
			if err != nil {
				return nil, err
			}
			records, err := e.store.List(ctx, Listing{Object: other.Name, Where: where, Sort: order, Limit: maxRelated, WithDeleted: true})
			if err != nil {
				return nil, err
			}
			for _, r := range records {
				keys = append(keys, RecordKey{other.Name, r.Number})
			}
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return e.store.Timeline(ctx, keys, before, limit)
}

// maxRelated bounds how many records of one object join a timeline: the latest ones.
const maxRelated = 500

// Changes gives the sequenced log after a position, in order: only changes of records that the reader may see today.
// next is the position to go on from; it moves on past changes that were left out.
func (e *Engine) Changes(ctx context.Context, reader models.Reader, after uint64, limit int) (changes []models.Change, next uint64, err error) {
	all, err := e.store.Changes(ctx, after, limit)
	if err != nil || len(all) == 0 {
		return nil, after, err
	}
	next = all[len(all)-1].Position
	seesAll := func(o *models.Object) bool {
		return reader.SeesAllOf(o) || o.Visibility == models.AdminOnly && reader.SeesAll() && reader.Role == models.Administrator
	}
	numbers := map[string][]uint64{}
	for i := range all {
		if seesAll(all[i].Object) {
			continue
		}
		numbers[all[i].Object.Name] = append(numbers[all[i].Object.Name], all[i].Number)
	}
	visible := map[string]map[uint64]*models.Record{}
	for object, list := range numbers {
		if visible[object], err = e.Records(ctx, reader, object, list); err != nil {
			return nil, after, err
		}
	}
	for i := range all {
		if seesAll(all[i].Object) || visible[all[i].Object.Name][all[i].Number] != nil {
			changes = append(changes, all[i])
		}
	}
	return changes, next, nil
}

// Patch reads JSON fields as sets, in field order. All unknown, read-only and malformed fields are named at once.
func (e *Engine) Patch(object *models.Object, fields map[string]json.RawMessage) ([]models.Set, error) {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	var wrong []models.Error
	sets := make([]models.Set, 0, len(fields))
	for _, name := range names {
		f := object.Field(name)
		switch {
		case f == nil:
			wrong = append(wrong, *models.FieldError(name, "%s has no such field", object.Name).WithRemedy("GET /api/v1/objects lists the fields."))
			continue
		case f.ReadOnly:
			wrong = append(wrong, *models.FieldError(name, "%s is written by rules only", f.Label).WithRemedy("Leave it out."))
			continue
		}
		v, err := f.ParseJSON(fields[name])
		if err != nil {
			wrong = append(wrong, *models.FieldError(name, "%s", strings.TrimPrefix(err.Error(), name+": ")))
			continue
		}
		sets = append(sets, models.Set{Field: f, Value: v})
	}
	if err := models.Gather(wrong); err != nil {
		return nil, err
	}
	sort.Slice(sets, func(i, j int) bool { return sets[i].Field.Index() < sets[j].Field.Index() })
	return sets, nil
}
