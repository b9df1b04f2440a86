package predicate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"canopy/models"
	"canopy/models/predicate"

	"pgregory.net/rapid"
)

// sees says by the rules, record by record, whether a reader sees it: the other way to the answer of predicate.Scope.
func (w *world) sees(reader models.Reader, r *models.Record, way []string) bool {
	number := func(field string) uint64 { n, _ := r.Get(field).(uint64); return n }
	own := number("owner") != 0 && number("owner") == reader.User
	s := r.Object.Scope
	switch reader.Scope {
	case models.ScopeAll:
		return true
	case models.ScopeTeam:
		own = own || number(s.Team) != 0 && slices.Contains(reader.Teams, number(s.Team))
	case models.ScopeTerritory:
		switch v := r.Get(s.Territory).(type) {
		case string:
			own = own || slices.Contains(reader.Territories, v)
		case []string:
			own = own || slices.ContainsFunc(v, func(area string) bool { return slices.Contains(reader.Territories, area) })
		}
	case models.ScopeCampaign:
		own = s.Campaign != "" && number(s.Campaign) != 0 && slices.Contains(reader.Campaigns, number(s.Campaign))
		if s.Campaign != "" {
			return own
		}
	}
	if own || slices.Contains(way, r.Object.Name) {
		return own
	}
	for _, name := range s.Via {
		n := number(name)
		if n == 0 {
			continue
		}
		all := w.things
		if r.Object.Field(name).To == "holder" {
			all = w.holders
		}
		return n <= uint64(len(all)) && !all[n-1].Deleted && w.sees(reader, all[n-1], append(slices.Clone(way), r.Object.Name))
	}
	return false
}

func TestScopeShowsWhatTheRulesSay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	rapid.Check(t, func(t *rapid.T) {
		reader := readers().Draw(t, "reader")
		for _, r := range slices.Concat(w.things[:60], w.holders) {
			scope := predicate.Scope(w.registry, r.Object, reader)
			if found, wanted := scope.Match(r.Values, predicate.MetaOf(r), w.find), w.sees(reader, r, nil); found != wanted {
				t.Fatalf("%s with %v: scope %t, rules %t", r.ID(), r.Values, found, wanted)
			}
		}
	})
}

func TestScopeOfStandardObjects(t *testing.T) {
	t.Parallel()
	registry, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	text := func(object string, reader models.Reader) string {
		compiled, err := predicate.Scope(registry, registry.Object(object), reader).Compile(predicate.SQLite, predicate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return compiled.Text
	}
	mine := models.Reader{User: 7, Role: models.Editor, Scope: models.ScopeOwner, Teams: []uint64{1, 2}, Campaigns: []uint64{3}, Territories: []string{"West"}}
	with := func(kind models.ScopeKind, role models.Role) models.Reader {
		r := mine
		r.Scope, r.Role = kind, role
		return r
	}
	for _, c := range []struct {
		object string
		reader models.Reader
		want   string
	}{
		{"deal", models.Reader{}, "1 = 0"},
		{"product", models.Reader{}, "1 = 0"},
		{"product", models.Reader{Scope: models.ScopeAll}, "1 = 0"},
		{"deal", models.System(), "1 = 1"},
		{"setting", models.System(), "1 = 1"},
		{"setting", with(models.ScopeAll, models.Editor), "1 = 0"},
		{"product", with(models.ScopeOwner, models.Viewer), "1 = 1"},
		{"product", with(models.ScopeCampaign, models.Viewer), "1 = 1"},
		{"deal", with("galaxy", models.Editor), "1 = 0"},
		{"deal", mine, `("deal"."owner" is not null and "deal"."owner" = ?)`},
		{"deal", with(models.ScopeTeam, models.Editor), `(("deal"."owner" is not null and "deal"."owner" = ?) or ("deal"."team" is not null and "deal"."team" in (?, ?)))`},
		{"deal", with(models.ScopeTerritory, models.Editor), `(("deal"."owner" is not null and "deal"."owner" = ?) or ("deal"."territory" is not null and "deal"."territory" = ?))`},
		{"deal", with(models.ScopeCampaign, models.Editor), `("deal"."campaign" is not null and "deal"."campaign" = ?)`},
		{"view", models.System(), "1 = 1"},
		{"view", with(models.ScopeAll, models.Administrator), `(("view"."owner" is not null and "view"."owner" = ?) or ("view"."shared" is not null and "view"."shared" = ?))`},
		{"view", with(models.ScopeOwner, models.Viewer), `(("view"."owner" is not null and "view"."owner" = ?) or ("view"."shared" is not null and "view"."shared" = ?))`},
		{"view", with(models.ScopeCampaign, models.Editor), `(("view"."owner" is not null and "view"."owner" = ?) or ("view"."shared" is not null and "view"."shared" = ?))`},
		{"view", with(models.ScopeAll, ""), "1 = 0"},
		{"view_choice", with(models.ScopeAll, models.Administrator), `("view_choice"."owner" is not null and "view_choice"."owner" = ?)`},
		{"account", with(models.ScopeCampaign, models.Editor), "1 = 0"}, // no campaign field and no way to one
		{"deal_line", with(models.ScopeCampaign, models.Editor), `("deal_line"."deal" is not null and "deal_line"."deal" in (select "related_1"."number" from "deal" as "related_1" where "related_1"."deleted_at" is null and ("related_1"."campaign" is not null and "related_1"."campaign" = ?)))`},
	} {
		if got := text(c.object, c.reader); got != c.want {
			t.Errorf("%s for %s %s:\n got %s\nwant %s", c.object, c.reader.Role, c.reader.Scope, got, c.want)
		}
	}
	// An activity of a lead that belongs to no deal is seen with the lead; under isolation its contact and account lend nothing.
	activity := text("activity", with(models.ScopeCampaign, models.Editor))
	if !strings.Contains(activity, `"activity"."deal" is null and ("activity"."lead" is not null`) || strings.Contains(activity, `"activity"."contact"`) {
		t.Errorf("activity under campaign scope: %s", activity)
	}
}

func TestObjectsListsEverythingBehindReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	node, err := predicate.Parse([]byte(`{"or":[{"field":"parent","op":"related","where":{"field":"holder","op":"related"}},{"not":{"field":"owner","op":"related"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := node.Bind(w.registry, w.thing, models.Calendar{})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := json.Marshal(b.Objects()); string(got) != `["holder","person","thing"]` {
		t.Errorf("objects %s", got)
	}
}
