package predicate_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"canopy/models"
	"canopy/models/predicate"
	"canopy/warehouse"
)

// analytic is a warehouse with the world's records: real logs, filled as the relay fills them, and asked through the real staging views.
type analytic struct {
	w    *warehouse.Warehouse
	live int // things that are not deleted
}

func openClickHouse(t testing.TB, w *world) *analytic {
	t.Helper()
	a := &analytic{openWarehouse(t), len(w.matches(nil))}
	ctx := context.Background()
	if err := a.w.EnsureObjects(ctx, w.registry); err != nil {
		t.Fatal(err)
	}
	for _, records := range [][]*models.Record{w.things, w.holders} {
		object := records[0].Object
		var columns, rows []string
		for _, c := range warehouse.LogColumns(object) {
			columns = append(columns, "`"+c.Name+"`")
		}
		for i, r := range records {
			rows = append(rows, logRow(r, uint64(i), "created", r.CreatedAt, false), logRow(r, uint64(i+len(records)), "updated", r.UpdatedAt, r.Deleted))
		}
		text := fmt.Sprintf("insert into `%s_log` (%s) values %s", object.Name, strings.Join(columns, ", "), strings.Join(rows, ", "))
		if err := a.w.Exec(ctx, warehouse.Query{Name: "fill " + object.Name, SQL: text, Settings: map[string]any{"max_query_size": 1 << 24}}); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// logRow writes one row of a log from integers as far as possible, so that no reading of dates or decimals by ClickHouse is trusted.
func logRow(r *models.Record, position uint64, kind string, recorded time.Time, deleted bool) string {
	cells := []string{
		fmt.Sprint(r.Number), literal(r.HappenedAt), fmt.Sprint(position + 1), literal(recorded), fmt.Sprint(r.Version),
		literal(kind), "false", "'system'", "0", "''", map[bool]string{false: "0", true: "1"}[deleted],
	}
	for i, f := range r.Object.Fields {
		v := r.Values[i]
		switch {
		case v == nil && f.Kind == models.MoneyKind:
			cells = append(cells, "null", "null")
		case v == nil && f.Kind == models.MultiPick:
			cells = append(cells, "[]")
		case f.Kind == models.Number || f.Kind == models.Formula:
			if v == nil {
				cells = append(cells, "null")
				continue
			}
			cells = append(cells, fmt.Sprintf("reinterpret(toInt64(%d), 'Decimal(18, %d)')", v, f.Scale))
		default:
			cells = append(cells, literal(v))
		}
	}
	return "(" + strings.Join(cells, ", ") + ")"
}

func literal(v models.Value) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case string:
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(x) + "'"
	case []string:
		quoted := make([]string, len(x))
		for i, s := range x {
			quoted[i] = literal(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case models.Money:
		scaled, _ := x.Decimal4()
		return fmt.Sprintf("reinterpret(toInt64(%d), 'Decimal(18, 4)'), %s", scaled, literal(x.Currency))
	case models.Date:
		return fmt.Sprintf("toDate32('1970-01-01') + toIntervalDay(%d)", int32(x))
	case time.Time:
		return fmt.Sprintf("fromUnixTimestamp64Milli(toInt64(%d), 'UTC')", x.UnixMilli())
	case models.Address, models.File:
		return literal(marshal(x))
	}
	return fmt.Sprint(v)
}

func (a *analytic) numbers(t interface{ Fatalf(string, ...any) }, from, condition string, params map[string]any) []uint64 {
	rows, err := warehouse.Rows[struct {
		Number uint64 `ch:"number"`
	}](context.Background(), a.w, warehouse.Query{Name: "property", SQL: "select number from " + from + " where " + condition + " order by number", Params: params})
	if err != nil {
		t.Fatalf("%s %v: %v", condition, params, err)
	}
	numbers := make([]uint64, len(rows))
	for i, row := range rows {
		numbers[i] = row.Number
	}
	return numbers
}

func (a *analytic) matches(t interface{ Fatalf(string, ...any) }, b *predicate.Bound) []uint64 {
	compiled, err := b.Compile(predicate.ClickHouse, predicate.Options{})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	found := a.numbers(t, "staging_thing_now", compiled.Text, compiled.Named)
	if len(compiled.Text)%4 == 0 { // a sample, since the past is slower
		a.checkPast(t, b, len(found))
	}
	return found
}

// checkPast asks for the opposite in the past, under other names: all that is not true is false.
func (a *analytic) checkPast(t interface{ Fatalf(string, ...any) }, b *predicate.Bound, found int) {
	view := func(object string) string {
		return warehouse.AsOfView(object) + "(happened_before = {before:DateTime64(3, 'UTC')}, position = {position:UInt64})"
	}
	past, err := b.Compile(predicate.ClickHouse, predicate.Options{Alias: "t", ParamPrefix: "filter_", FirstParam: 7, RelatedTable: view})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	params := map[string]any{"before": time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC), "position": warehouse.AllPositions}
	maps.Copy(params, past.Named)
	if others := a.numbers(t, view("thing")+" as t", "not ("+past.Text+")", params); found+len(others) != a.live {
		t.Fatalf("%s: of %d rows %d are true now, %d not then", past.Text, a.live, found, len(others))
	}
}

func TestClickHouseChoosesTheSameRowsAsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 11)
	checkAgreement(t, w, 1, openClickHouse(t, w).matches)
}

func TestClickHouseTakesTheLargest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 8)
	checkLargest(t, w, 250, openClickHouse(t, w).matches)
}
