package warehouse

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"canopy/models"
	canopysql "canopy/sql"
)

func TestMigrateAppliesEachStepOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	folder := fstest.MapFS{
		"00001_schema_step.sql": {Data: schemaStep(t)},
		"00002_one.sql":         {Data: []byte("create table if not exists one (x UInt8) engine = MergeTree order by x")},
	}
	ctx := t.Context()
	for range 2 {
		if err := w.migrate(ctx, folder); err != nil {
			t.Fatal(err)
		}
	}
	// A step that must not run twice would fail the second time; one added later runs alone.
	folder["00003_rows.sql"] = &fstest.MapFile{Data: []byte("insert into one values (1), (2)")}
	for range 2 {
		if err := w.migrate(ctx, folder); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := Value[uint64](ctx, w, Query{Name: "count", SQL: "select count() from one"}); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
	if n, err := Value[uint64](ctx, w, Query{Name: "count", SQL: "select count() from schema_step final"}); err != nil || n != 3 {
		t.Errorf("%d steps, %v", n, err)
	}

	older := fstest.MapFS{}
	maps.Copy(older, folder)
	delete(older, "00003_rows.sql")
	err := w.migrate(ctx, older)
	if models.CodeOf(err) != models.Precondition || !strings.Contains(err.Error(), "00003_rows.sql") {
		t.Errorf("a newer schema: %v", err)
	}
	changed := fstest.MapFS{}
	maps.Copy(changed, folder)
	changed["00002_one.sql"] = &fstest.MapFile{Data: []byte("create table if not exists one (x UInt16) engine = MergeTree order by x")}
	if err := w.migrate(ctx, changed); models.CodeOf(err) != models.Precondition || !strings.Contains(err.Error(), "00002_one.sql") {
		t.Errorf("a changed step: %v", err)
	}
}

func schemaStep(t *testing.T) []byte {
	t.Helper()
	steps, err := readSteps(canopysql.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	return []byte(steps[0].text)
}

func TestStepsAreNumberedWithoutGaps(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"00002_a.sql", "1_a.sql", "a.sql"} {
		if _, err := readSteps(fstest.MapFS{name: {}}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := readSteps(fstest.MapFS{}); err == nil {
		t.Error("no steps are taken")
	}
}

func TestEnsureObjectsMakesEverythingOnce(t *testing.T) {
	t.Parallel()
	w, r, ctx := open(t), standard(t), t.Context()
	if err := w.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.EnsureObjects(ctx, r); err != nil {
		t.Fatal(err)
	}
	stands, err := w.standing(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Objects() {
		for table, engine := range map[string]string{LogTable(o.Name): "ReplacingMergeTree", o.Name: "ReplacingMergeTree", o.Name + "_mv": "MaterializedView", NowView(o.Name): "View", AsOfView(o.Name): "View"} {
			s := stands[table]
			if s == nil {
				t.Errorf("%s is missing", table)
				continue
			}
			if s.engine != engine || s.comment == "" {
				t.Errorf("%s is a %s with the comment %q", table, s.engine, s.comment)
			}
			if engine != "View" { // parameterised views list no columns
				for _, c := range LogColumns(o) {
					if s.columns[c.Name] != c.Type {
						t.Errorf("%s.%s stands as %q, not %s", table, c.Name, s.columns[c.Name], c.Type)
					}
				}
			}
		}
	}
	// The second time nothing is made: every CREATE and ALTER would change a modification time.
	modified := func() string {
		rows, err := Rows[struct {
			Name string `ch:"name"`
			At   string `ch:"at"`
		}](ctx, w, Query{Name: "times", SQL: "select name, toString(metadata_modification_time) || ' ' || toString(uuid) as at from system.tables where database = currentDatabase() order by name"})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rows)
	}
	before := modified()
	if err := w.EnsureObjects(ctx, r); err != nil {
		t.Fatal(err)
	}
	if after := modified(); after != before {
		t.Errorf("tables changed:\n%s\n%s", before, after)
	}
}

// object makes a registry of one object with the given fields, its title first.
func object(t *testing.T, name string, fields ...*models.Field) *models.Registry {
	t.Helper()
	all := append([]*models.Field{{Name: "name", Kind: models.Text}}, fields...)
	r, err := models.NewRegistry([]*models.Object{{Name: name, Title: "name", Fields: all}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEnsureObjectsAddsFieldsAndKeepsRows(t *testing.T) {
	t.Parallel()
	w, ctx := open(t), t.Context()
	if err := w.EnsureObjects(ctx, object(t, "gem")); err != nil {
		t.Fatal(err)
	}
	insert := func(columns, values string) {
		t.Helper()
		sql := "insert into gem_log (number, happened_at, position, recorded_at, version, kind, actor_kind, cause, is_deleted, name" + columns + ") values " + values
		if err := w.Exec(ctx, Query{Name: "insert", SQL: sql}); err != nil {
			t.Fatal(err)
		}
	}
	insert("", "(1, '2020-01-01 00:00:00', 1, '2020-01-01 00:00:00', 1, 'created', 'user', 'api', 0, 'ruby')")
	// Names that are words of SQL, a field of every kind.
	wider := object(t, "gem", &models.Field{Name: "on", Kind: models.DateKind}, &models.Field{Name: "from", Kind: models.MoneyKind},
		&models.Field{Name: "select", Kind: models.MultiPick, Options: []models.Option{{Value: "a"}}}, &models.Field{Name: "final", Kind: models.Number, Scale: 3},
		&models.Field{Name: "to", Kind: models.Reference, To: "gem"}, &models.Field{Name: "format", Kind: models.Score}, &models.Field{Name: "null", Kind: models.Boolean},
		&models.Field{Name: "limit", Kind: models.Instant}, &models.Field{Name: "array", Kind: models.AddressOf}, &models.Field{Name: "cast", Kind: models.Picklist, Options: []models.Option{{Value: "a"}}})
	for range 2 {
		if err := w.EnsureObjects(ctx, wider); err != nil {
			t.Fatal(err)
		}
	}
	insert(", `from`, from_currency, `select`", "(2, '2020-01-02 00:00:00', 2, '2020-01-02 00:00:00', 1, 'created', 'user', 'api', 0, 'opal', 12.5, 'USD', ['a'])")
	type row struct {
		Number   uint64   `ch:"number"`
		Name     *string  `ch:"name"`
		From     *string  `ch:"amount"`
		Currency *string  `ch:"from_currency"`
		Select   []string `ch:"select"`
	}
	for _, view := range []string{"staging_gem_now", "staging_gem_as_of(happened_before = '2100-01-01 00:00:00', position = 10)"} {
		rows, err := Rows[row](ctx, w, Query{Name: "read", SQL: "select number, name, toString(`from`) as amount, from_currency, `select` from " + view + " order by number"})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 2 || *rows[0].Name != "ruby" || rows[0].From != nil || len(rows[0].Select) != 0 || *rows[1].From != "12.5" || *rows[1].Currency != "USD" || !slices.Equal(rows[1].Select, []string{"a"}) {
			t.Errorf("%s: %+v", view, rows)
		}
	}
	err := w.EnsureObjects(ctx, object(t, "gem", &models.Field{Name: "final", Kind: models.Number, Scale: 5}))
	if models.CodeOf(err) != models.Precondition || !strings.Contains(err.Error(), "gem_log.final stands as Nullable(Decimal(18, 3))") {
		t.Errorf("another type: %v", err)
	}
	// A field that was dropped keeps its column, and the views no longer show it.
	if err := w.EnsureObjects(ctx, object(t, "gem")); err != nil {
		t.Error(err)
	}
}

func TestTablesOfTwoObjectsNeverMeet(t *testing.T) {
	t.Parallel()
	make2 := func(a, b string) *models.Registry {
		r, err := models.NewRegistry([]*models.Object{
			{Name: a, Title: "name", Fields: []*models.Field{{Name: "name", Kind: models.Text}}},
			{Name: b, Title: "name", Fields: []*models.Field{{Name: "name", Kind: models.Text}}}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, pair := range [][2]string{{"gem", "gem_log"}, {"gem", "staging_gem_now"}, {"gem", "gem_mv"}, {"gem", "schema_step"}} {
		if err := CheckNames(make2(pair[0], pair[1])); models.CodeOf(err) != models.Invalid {
			t.Errorf("%v: %v", pair, err)
		}
	}
	if err := CheckNames(make2("gem", "gems")); err != nil {
		t.Error(err)
	}
}
