package predicate_test

import (
	"encoding/json"
	"slices"
	"time"

	"canopy/models"
	"canopy/models/predicate"

	"pgregory.net/rapid"
)

// asked is a random question: a predicate as JSON, the calendar it is read by, and a reader whose scope cuts the rows too.
type asked struct {
	text     string
	calendar models.Calendar
	reader   models.Reader
}

func (w *world) questions() *rapid.Generator[asked] {
	return rapid.Custom(func(t *rapid.T) asked {
		c := models.Calendar{Zone: zone(rapid.SampledFrom(zones).Draw(t, "zone")), WeekStart: time.Weekday(rapid.IntRange(0, 6).Draw(t, "week start"))}
		node := w.node(t, w.thing, c, 4, true)
		text, err := json.Marshal(node)
		if err != nil {
			t.Fatal(err)
		}
		return asked{string(text), c, readers().Draw(t, "reader")}
	})
}

// bind reads a question as a server would.
func (w *world) bind(t interface{ Fatalf(string, ...any) }, q asked) *predicate.Bound {
	node, err := predicate.Parse([]byte(q.text))
	if err != nil {
		t.Fatalf("parse %s: %v", q.text, err)
	}
	bound, err := node.Bind(w.registry, w.thing, q.calendar)
	if err != nil {
		t.Fatalf("bind %s: %v", q.text, err)
	}
	return predicate.All(bound, predicate.Scope(w.registry, w.thing, q.reader))
}

func (w *world) node(t *rapid.T, o *models.Object, c models.Calendar, depth int, own bool) *predicate.Node {
	form := rapid.IntRange(0, 9).Draw(t, "form")
	if depth == 0 {
		form = 9
	}
	switch {
	case form < 2:
		return predicate.And(w.nodes(t, o, c, depth, own)...)
	case form < 5:
		return predicate.Or(w.nodes(t, o, c, depth, own)...)
	case form < 7:
		return predicate.Negate(w.node(t, o, c, depth-1, own))
	}
	return w.leaf(t, o, c, depth, own)
}

func (w *world) nodes(t *rapid.T, o *models.Object, c models.Calendar, depth int, own bool) []*predicate.Node {
	nodes := make([]*predicate.Node, rapid.IntRange(0, 3).Draw(t, "children"))
	for i := range nodes {
		nodes[i] = w.node(t, o, c, depth-1, own)
	}
	return nodes
}

func (w *world) leaf(t *rapid.T, o *models.Object, c models.Calendar, depth int, own bool) *predicate.Node {
	if rapid.IntRange(0, 7).Draw(t, "meta") == 0 {
		return metaLeaf(t, o, own)
	}
	f := rapid.SampledFrom(o.Fields).Draw(t, "field")
	op := rapid.SampledFrom(predicate.OpsOf(f.Kind)).Draw(t, "op")
	if depth == 0 && op == predicate.Related {
		op = predicate.NotEmpty
	}
	switch op {
	case predicate.IsEmpty, predicate.NotEmpty:
		return predicate.Compare(f, op)
	case predicate.Related:
		var where *predicate.Node
		if target := w.registry.Object(f.To); target.Name == "thing" || target.Name == "holder" {
			where = w.node(t, target, c, depth-1, false)
		}
		if where == nil || rapid.Bool().Draw(t, "anybody") {
			return predicate.RelatedTo(f, nil)
		}
		return predicate.RelatedTo(f, where)
	case predicate.Has:
		return predicate.Compare(f, op, pickOf(f).Draw(t, "pick"))
	case predicate.HasAny:
		return predicate.Compare(f, op, rapid.SliceOfN(pickOf(f), 1, 3).Draw(t, "picks")...)
	case predicate.On:
		return predicate.Compare(f, op, dates.Draw(t, "day"))
	case predicate.InWeek:
		d := dates.Draw(t, "day")
		return predicate.Compare(f, op, d.AddDays(-((int(d.Weekday()) - int(c.WeekStart) + 7) % 7)))
	}
	values := valueOf(f)
	if f.Kind == models.Instant && rapid.Bool().Draw(t, "as day") {
		values = any1(dates)
	}
	if op == predicate.In || op == predicate.NotIn {
		return predicate.Compare(f, op, rapid.SliceOfN(values, 1, 4).Draw(t, "values")...)
	}
	return predicate.Compare(f, op, values.Draw(t, "value"))
}

func pickOf(f *models.Field) *rapid.Generator[models.Value] {
	names := make([]string, len(f.Options))
	for i, option := range f.Options {
		names[i] = option.Value
	}
	return pick(names...)
}

// metaLeaf asks for a column that every record has; of referred records only the number is known.
func metaLeaf(t *rapid.T, o *models.Object, own bool) *predicate.Node {
	if !own || rapid.Bool().Draw(t, "by id") {
		return predicate.IsID(o, rapid.SliceOfN(rapid.Uint64Range(1, 30), 1, 5).Draw(t, "numbers")...)
	}
	f := rapid.SampledFrom([]*models.Field{
		{Name: "version", Kind: models.Number}, {Name: "created_at", Kind: models.Instant},
		{Name: "updated_at", Kind: models.Instant}, {Name: "happened_at", Kind: models.Instant},
	}).Draw(t, "meta field")
	ops := slices.DeleteFunc(slices.Clone(predicate.OpsOf(f.Kind)), func(op predicate.Op) bool {
		return op == predicate.InWeek || op == predicate.In || op == predicate.NotIn
	})
	op := rapid.SampledFrom(ops).Draw(t, "op")
	switch {
	case op == predicate.IsEmpty || op == predicate.NotEmpty:
		return predicate.Compare(f, op)
	case f.Kind == models.Number:
		return predicate.Compare(f, op, rapid.Int64Range(-1, 6).Draw(t, "version"))
	case op == predicate.On || rapid.Bool().Draw(t, "as day"):
		return predicate.Compare(f, op, dates.Draw(t, "day"))
	}
	return predicate.Compare(f, op, instants.Draw(t, "instant"))
}

// readers draws readers of every scope, mostly of all rows so that filters have something to choose from.
func readers() *rapid.Generator[models.Reader] {
	return rapid.Custom(func(t *rapid.T) models.Reader {
		r := models.Reader{
			User:        rapid.Uint64Range(0, 4).Draw(t, "user"),
			Role:        rapid.SampledFrom([]models.Role{models.Viewer, models.Editor, models.Administrator}).Draw(t, "role"),
			Teams:       rapid.SliceOfN(rapid.Uint64Range(1, 4), 0, 2).Draw(t, "teams"),
			Territories: rapid.SliceOfN(rapid.SampledFrom([]string{"north", "North", "süd", "a", ","}), 0, 2).Draw(t, "territories"),
			Campaigns:   rapid.SliceOfN(rapid.Uint64Range(1, 3), 0, 2).Draw(t, "campaigns"),
			Scope:       models.ScopeAll,
		}
		if rapid.Bool().Draw(t, "scoped") {
			r.Scope = rapid.SampledFrom([]models.ScopeKind{models.ScopeOwner, models.ScopeTeam, models.ScopeTerritory, models.ScopeCampaign}).Draw(t, "scope")
		}
		return r
	})
}
