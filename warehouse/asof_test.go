package warehouse

import (
	"strings"
	"testing"
	"time"

	"canopy/models"
)

// The log of three gems, worked by hand. Back-dated: position 4 turns gem 1 green as of the 5th, so position 5 restates its
// image of the 10th. Gem 2 is deleted and restored; gem 3 came with an import that was undone. At position 10 gem 1 gets a second
// image of the 10th, and that row stands twice, as if a token had been forgotten.
const gems = `
(1, '2020-01-01 00:00:00.000',  1, 1, 'created',  0, 'a', 'red'),
(1, '2020-01-10 00:00:00.000',  2, 2, 'updated',  0, 'b', 'red'),
(2, '2020-01-05 00:00:00.000',  3, 1, 'created',  0, 'x', 'blue'),
(1, '2020-01-05 00:00:00.000',  4, 3, 'updated',  0, 'a', 'green'),
(1, '2020-01-10 00:00:00.000',  5, 3, 'restated', 0, 'b', 'green'),
(2, '2020-01-20 00:00:00.000',  6, 2, 'deleted',  1, 'x', 'blue'),
(2, '2020-01-25 00:00:00.000',  7, 3, 'restored', 0, 'x', 'blue'),
(3, '2020-01-05 00:00:00.000',  8, 1, 'created',  0, 'y', 'grey'),
(3, '2020-01-30 00:00:00.000',  9, 2, 'deleted',  1, 'y', 'grey'),
(1, '2020-01-10 00:00:00.000', 10, 4, 'updated',  0, 'b', 'black')`

func TestStateInBothTimes(t *testing.T) {
	t.Parallel()
	w, ctx := open(t), t.Context()
	r := object(t, "gem", &models.Field{Name: "color", Kind: models.Text})
	if err := w.EnsureObjects(ctx, r); err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(gems), ",\n")
	rows = append(rows, rows[9])
	for _, row := range rows { // one part each, so that nothing is in order by accident
		sql := "insert into gem_log (number, happened_at, position, version, kind, is_deleted, name, color) values " + row
		if err := w.Exec(ctx, Query{Name: "insert", SQL: sql}); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(from, where string, params map[string]any) string {
		t.Helper()
		states, err := Rows[struct {
			State string `ch:"state"`
		}](ctx, w, Query{Name: "state", Params: params,
			SQL: "select toString(number) || ':' || assumeNotNull(name) || '/' || assumeNotNull(color) as state from " + from + " where " + where + " order by number"})
		if err != nil {
			t.Fatal(err)
		}
		list := make([]string, len(states))
		for i, s := range states {
			list[i] = s.State
		}
		return strings.Join(list, " ")
	}
	asOf := func(before string, position uint64, where string) string {
		at, err := time.Parse("2006-01-02T15:04:05.000", before)
		if err != nil {
			t.Fatal(err)
		}
		return ask("staging_gem_as_of(happened_before = {b:DateTime64(3, 'UTC')}, position = {p:UInt64})", where, map[string]any{"b": at, "p": position})
	}
	check := func(when string) {
		t.Helper()
		for _, c := range []struct {
			before   string
			position uint64
			want     string
		}{
			{"2020-01-01T00:00:00.000", AllPositions, ""}, // the cut is exclusive
			{"2020-01-01T00:00:00.001", AllPositions, "1:a/red"},
			{"2020-01-06T00:00:00.000", 3, "1:a/red 2:x/blue"},
			{"2020-01-06T00:00:00.000", 4, "1:a/green 2:x/blue"},
			{"2020-01-06T00:00:00.000", AllPositions, "1:a/green 2:x/blue 3:y/grey"},
			{"2020-01-11T00:00:00.000", 1, "1:a/red"},
			{"2020-01-11T00:00:00.000", 2, "1:b/red"},
			{"2020-01-11T00:00:00.000", 4, "1:b/red 2:x/blue"}, // the restated image is not known yet
			{"2020-01-11T00:00:00.000", 5, "1:b/green 2:x/blue"},
			{"2020-01-11T00:00:00.000", AllPositions, "1:b/black 2:x/blue 3:y/grey"},
			{"2020-01-21T00:00:00.000", AllPositions, "1:b/black 3:y/grey"},
			{"2020-01-26T00:00:00.000", AllPositions, "1:b/black 2:x/blue 3:y/grey"},
			{"2020-02-01T00:00:00.000", 8, "1:b/green 2:x/blue 3:y/grey"},
			{"2020-02-01T00:00:00.000", AllPositions, "1:b/black 2:x/blue"},
		} {
			if got := asOf(c.before, c.position, "1"); got != c.want {
				t.Errorf("%s: before %s up to %d: %s, not %s", when, c.before, c.position, got, c.want)
			}
		}
		// A filter sees the state, never an image that the state has replaced.
		if got := asOf("2020-01-11T00:00:00.000", 5, "color = 'red'"); got != "" {
			t.Errorf("%s: red: %s", when, got)
		}
		if got := ask("staging_gem_now", "1", nil); got != "1:b/black 2:x/blue" {
			t.Errorf("%s: now: %s", when, got)
		}
		if got := ask("staging_gem_now", "color in ('red', 'green', 'grey')", nil); got != "" {
			t.Errorf("%s: now, in old colours: %s", when, got)
		}
	}
	check("in eleven parts")
	for _, table := range []string{"gem_log", "gem"} {
		if err := w.Exec(ctx, Query{Name: "merge", SQL: "optimize table " + table + " final"}); err != nil {
			t.Fatal(err)
		}
	}
	check("merged")
	tally, err := w.Tally(ctx, r.Object("gem"), AllPositions)
	if err != nil || tally.Rows != 10 || tally.Positions != 10 || tally.Stale != 0 {
		t.Errorf("%+v, %v", tally, err)
	}
	if last, err := w.LastPosition(ctx, r); err != nil || last != 10 {
		t.Errorf("last position %d, %v", last, err)
	}
	// A cache that lost a row is found out.
	if err := w.Exec(ctx, Query{Name: "lose", SQL: "alter table gem delete where number = 1", Settings: map[string]any{"mutations_sync": 2}}); err != nil {
		t.Fatal(err)
	}
	if tally, err = w.Tally(ctx, r.Object("gem"), AllPositions); err != nil || tally.Stale != 1 {
		t.Errorf("%+v, %v", tally, err)
	}
	if err := w.Empty(ctx, r); err != nil {
		t.Fatal(err)
	}
	if last, err := w.LastPosition(ctx, r); err != nil || last != 0 {
		t.Errorf("last position of nothing %d, %v", last, err)
	}
}
