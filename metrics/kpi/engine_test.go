package kpi

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"canopy/metrics/roomtest"
	"canopy/models"
	"canopy/models/predicate"
	"canopy/warehouse"
	"canopy/warehouse/enginetest"

	"github.com/shopspring/decimal"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// openWarehouse makes a database of the test's own with the tables that the room reads.
func openWarehouse(t testing.TB) *warehouse.Warehouse {
	t.Helper()
	return roomtest.Warehouse(t, "deal", "product", "target", "user")
}

// insert writes the changes of a case into an object's log, through the feed into its present state.
func insert(t testing.TB, w *warehouse.Warehouse, table string, columns []string, changes []map[string]string) {
	t.Helper()
	if len(changes) == 0 {
		return
	}
	text := "insert into " + table + " (number, position, happened_at, recorded_at, kind, is_deleted"
	for _, c := range columns {
		text += ", " + c
	}
	batch, err := w.Conn().PrepareBatch(t.Context(), text+")")
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Close() //nolint:errcheck // sent below
	for _, change := range changes {
		row := []any{parsed(t, change["number"]), parsed(t, change["position"]), instant(t, change["happened_at"]), instant(t, change["happened_at"]),
			"updated", uint8(parsed(t, change["is_deleted"]))}
		for _, c := range columns {
			row = append(row, cell(t, c, change))
		}
		if err := batch.Append(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
}

var dealColumns = []string{"status", "closed_at", "territory", "product", "source", "amount", "amount_currency", "list_value", "list_value_currency"}

// cell reads one column of a case's change; blank is null.
func cell(t testing.TB, column string, change map[string]string) any {
	name := map[string]string{"amount_currency": "currency", "list_value_currency": "list_currency"}[column]
	if name == "" {
		name = column
	}
	text := change[name]
	switch column {
	case "closed_at":
		if text == "" {
			return (*time.Time)(nil)
		}
		at := instant(t, text)
		return &at
	case "product":
		if text == "" {
			return (*uint64)(nil)
		}
		n := parsed(t, text)
		return &n
	case "amount", "list_value":
		if text == "" {
			return (*decimal.Decimal)(nil)
		}
		d, err := decimal.NewFromString(text)
		if err != nil {
			t.Fatal(err)
		}
		return &d
	}
	if text == "" {
		return (*string)(nil)
	}
	return &text
}

func parsed(t testing.TB, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := models.ParseInstant(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The SQL stage: a case's changes on the real engine bring the case's rows, by both policies where no cut-off is set; the first week
// is found; and each drill-down opens exactly the deals of its number.
func TestGoldenSQL(t *testing.T) {
	t.Parallel()
	registry, _ := standardTrees(t)
	for _, g := range goldens(t) {
		if g.changes == nil {
			continue
		}
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			w := openWarehouse(t)
			insert(t, w, "deal_log", dealColumns, g.changes)
			insert(t, w, "product_log", []string{"series"}, g.products)
			loader := &Loader{Warehouse: w, Registry: registry}
			policies := []models.Cutoff{g.cutoff}
			if g.cutoff.IsZero() {
				policies = append(policies, models.Cutoff{Position: 1_000})
			}
			for _, cutoff := range policies {
				rows, err := loader.Rows(t.Context(), Question{Tree: g.params.Tree, Split: g.params.Split, Weeks: NeededWeeks(g.params.Week),
					Reporting: models.Reporting{Calendar: g.params.Calendar, Currency: g.params.Currency}, Cutoff: cutoff})
				if err != nil {
					t.Fatalf("sql stage: %v", err)
				}
				if have, want := fmt.Sprint(rows), fmt.Sprint(g.rows); have != want {
					t.Errorf("sql stage, cut-off %+v:\n got  %s\n want %s", cutoff, have, want)
				}
				from, err := loader.DataFrom(t.Context(), cutoff, g.params.Calendar)
				if err != nil {
					t.Fatalf("sql stage: %v", err)
				}
				if (from == nil) != (g.params.DataFrom == nil) || from != nil && *from != *g.params.DataFrom {
					t.Errorf("sql stage: data from %v, want %v", from, g.params.DataFrom)
				}
			}
			if g.cutoff.IsZero() {
				drillAll(t, g, w, registry)
			}
		})
	}
}

// drillAll counts the deals that every drill-down of a case opens.
func drillAll(t *testing.T, g *golden, w *warehouse.Warehouse, registry *models.Registry) {
	t.Helper()
	r, err := Compute(g.rows, g.params)
	if err != nil {
		t.Fatal(err)
	}
	var won, decided uint64
	for _, row := range g.rows {
		if row.Week == g.params.Week && (row.Currency == "" || row.Currency == g.params.Currency) {
			won += uint64(row.WonCount)
			decided += uint64(row.DecidedCount)
		}
	}
	for _, n := range r.Nodes {
		bound, err := n.Drill.Filter.Bind(registry, registry.Object("deal"), g.params.Calendar)
		if err != nil {
			t.Fatalf("drill of %s: %v", n.ID, err)
		}
		where, err := bound.Compile(predicate.ClickHouse, predicate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		count, err := warehouse.Value[uint64](t.Context(), w, warehouse.Query{Name: "drill " + n.ID, SQL: "select count() from staging_deal_now where " + where.Text, Params: where.Named})
		if err != nil {
			t.Fatal(err)
		}
		want := won
		switch {
		case n.Unit == Count && n.Now != nil:
			want = uint64(*n.Now)
		case n.ID == "win_rate":
			want = decided
		}
		if count != want {
			t.Errorf("the drill-down of %s opens %d deals, its number is of %d", n.ID, count, want)
		}
	}
}

// The weeks that late changes touch: both ends of a decision that moved, a deleted deal's, those of a product's deals, none of an open deal.
func TestTouchedWeeks(t *testing.T) {
	t.Parallel()
	registry, _ := standardTrees(t)
	w := openWarehouse(t)
	deal := func(number, position, happened, status, closed, product string) map[string]string {
		return map[string]string{"number": number, "position": position, "happened_at": happened, "status": status, "closed_at": closed, "product": product, "is_deleted": "0"}
	}
	insert(t, w, "deal_log", dealColumns, []map[string]string{
		deal("1", "1", "2017-06-27", "won", "2017-06-27", "1"),
		deal("2", "2", "2017-05-02", "lost", "2017-05-02", "2"),
		deal("3", "3", "2017-04-04", "open", "", ""),
		deal("1", "5", "2017-06-13", "won", "2017-06-13", "1"),
		deal("3", "6", "2017-04-05", "open", "", ""),
	})
	insert(t, w, "product_log", []string{"series"}, []map[string]string{
		{"number": "2", "position": "4", "happened_at": "2017-01-01", "series": "A", "is_deleted": "0"},
		{"number": "2", "position": "7", "happened_at": "2017-01-02", "series": "B", "is_deleted": "0"},
	})
	loader := &Loader{Warehouse: w, Registry: registry}
	calendar := models.Calendar{Zone: time.UTC, WeekStart: time.Monday}
	for _, c := range []struct {
		after, through uint64
		want           string
	}{
		{0, 7, "[2017-05-01 2017-06-12 2017-06-26]"},
		{4, 5, "[2017-06-12 2017-06-26]"},
		{5, 6, "[]"},
		{6, 7, "[2017-05-01]"},
		{7, 9, "[]"},
	} {
		weeks, err := loader.TouchedWeeks(t.Context(), c.after, c.through, calendar)
		if err != nil || fmt.Sprint(weeks) != c.want {
			t.Errorf("behind %d up to %d: got %v, %v, want %s", c.after, c.through, weeks, err, c.want)
		}
	}
	known, err := loader.KnownUntil(t.Context(), 3)
	if err != nil || known != instant(t, "2017-06-13") && known != instant(t, "2017-04-05") {
		t.Errorf("known until %v, %v", known, err)
	}
	if known, err = loader.KnownUntil(t.Context(), 6); err != nil || !known.IsZero() {
		t.Errorf("known until %v, %v", known, err)
	}
}

// A reader's scope cuts the rows, in the past by today's rights; nothing is asked for a reader who sees nothing.
func TestRowsAreCutToTheReader(t *testing.T) {
	t.Parallel()
	registry, trees := standardTrees(t)
	w := openWarehouse(t)
	deal := func(number, position, territory string) map[string]string {
		return map[string]string{"number": number, "position": position, "happened_at": "2017-06-27", "status": "won", "closed_at": "2017-06-27",
			"territory": territory, "amount": "10", "currency": "USD", "is_deleted": "0"}
	}
	insert(t, w, "deal_log", dealColumns, []map[string]string{deal("1", "1", "West"), deal("2", "2", "East"), deal("3", "3", "West"), deal("3", "4", "East")})
	loader := &Loader{Warehouse: w, Registry: registry}
	reader := models.Reader{User: 7, Role: models.Editor, Scope: models.ScopeTerritory, Territories: []string{"West"}}
	question := Question{Tree: trees[0], Split: trees[0].Splits[0], Weeks: NeededWeeks(models.NewDate(2017, 6, 26)),
		Reporting: models.Reporting{Calendar: models.Calendar{Zone: time.UTC, WeekStart: time.Monday}, Currency: "USD"},
		Scope:     predicate.Scope(registry, registry.Object("deal"), reader)}
	count := func() (n int64) {
		t.Helper()
		rows, err := loader.Rows(t.Context(), question)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			n += r.DecidedCount
		}
		return n
	}
	if n := count(); n != 1 {
		t.Errorf("the reader of West sees %d deals now, want 1", n)
	}
	question.Cutoff.Position = 3 // deal 3 was in West then, but is not the reader's today
	if n := count(); n != 1 {
		t.Errorf("the reader of West sees %d deals of the past, want 1", n)
	}
	question.Scope = nil
	if n := count(); n != 3 {
		t.Errorf("everybody's past has %d deals, want 3", n)
	}
	question.Scope = predicate.Scope(registry, registry.Object("deal"), models.Reader{})
	if n := count(); n != 0 {
		t.Errorf("nobody sees %d deals", n)
	}
}

// Targets come with their owners' names.
func TestTargetsAreLoaded(t *testing.T) {
	t.Parallel()
	registry, _ := standardTrees(t)
	w := openWarehouse(t)
	ctx := t.Context()
	for _, text := range []string{
		`insert into user_log (number, position, happened_at, recorded_at, kind, is_deleted, name) values (4, 1, '2017-01-01', '2017-01-01', 'created', 0, 'Ann')`,
		`insert into target_log (number, position, happened_at, recorded_at, kind, is_deleted, tree, node, value, from_on, to_on, owner) values
			(1, 2, '2017-01-01', '2017-01-01', 'created', 0, 'b2b_pipeline', 'won_revenue', 250000.5, '2017-01-02', null, 4),
			(2, 3, '2017-01-01', '2017-01-01', 'created', 0, 'b2b_pipeline', 'win_rate', 0.6, '2017-01-02', '2017-07-03', null),
			(3, 4, '2017-01-01', '2017-01-01', 'created', 0, 'another', 'win_rate', 0.6, '2017-01-02', null, null)`,
	} {
		if err := w.Exec(ctx, warehouse.Query{Name: "insert", SQL: text}); err != nil {
			t.Fatal(err)
		}
	}
	loader := &Loader{Warehouse: w, Registry: registry}
	for _, cutoff := range []models.Cutoff{{}, {Position: 99}} {
		targets, err := loader.Targets(ctx, "b2b_pipeline", cutoff)
		if err != nil {
			t.Fatal(err)
		}
		if len(targets) != 2 || targets[0].Value != 2_500_005_000 || targets[0].OwnerName != "Ann" || targets[0].Owner != 4 || targets[0].ToOn != nil ||
			targets[1].Value != 6000 || *targets[1].ToOn != models.NewDate(2017, 7, 3) || targets[1].Owner != 0 || targets[1].FromOn != models.NewDate(2017, 1, 2) {
			t.Errorf("got %+v", targets)
		}
	}
}
