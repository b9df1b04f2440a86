package asof

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"canopy/metrics/roomtest"
	"canopy/models"
	"canopy/models/predicate"
	"canopy/models/require"
	"canopy/warehouse"
	"canopy/warehouse/enginetest"

	"github.com/shopspring/decimal"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func history(t *testing.T, w *warehouse.Warehouse) (*History, *models.Registry) {
	t.Helper()
	registry := roomtest.Registry(t, "deal", "user")
	return &History{Warehouse: w, Registry: func() *models.Registry { return registry },
		Calendar: func() models.Calendar { return models.Calendar{Zone: time.UTC, WeekStart: time.Monday} },
		Position: func(context.Context) uint64 { return 1_000_000 }}, registry
}

func exec(t *testing.T, w *warehouse.Warehouse, text string) {
	t.Helper()
	if err := w.Exec(t.Context(), warehouse.Query{Name: "insert", SQL: text}); err != nil {
		t.Fatal(err)
	}
}

const dealHead = `insert into deal_log (number, position, happened_at, recorded_at, version, kind, is_deleted, name, status, territory, owner, amount, amount_currency, expected_close_on) values `

// Counts and sums by group, in two currencies, with empty values, now and as of two cut-offs, cut to the reader.
func TestAggregate(t *testing.T) {
	t.Parallel()
	w := roomtest.Warehouse(t, "deal", "user")
	h, registry := history(t, w)
	exec(t, w, dealHead+`
(1, 1, '2017-01-01', '2017-01-01', 1, 'created', 0, 'A', 'open', 'West', 7, 10.50, 'USD', '2017-02-01'),
(2, 2, '2017-01-02', '2017-01-02', 1, 'created', 0, 'B', 'open', null, 7, 20, 'EUR', null),
(3, 3, '2017-01-03', '2017-01-03', 1, 'created', 0, 'C', 'open', 'West', 8, null, null, null),
(4, 4, '2017-01-04', '2017-01-04', 1, 'created', 0, 'D', 'won', 'West', 8, 5, 'JPY', null),
(1, 5, '2017-02-01', '2017-02-01', 2, 'updated', 0, 'A', 'won', 'West', 7, 11.25, 'USD', '2017-02-01'),
(3, 6, '2017-02-02', '2017-02-02', 2, 'deleted', 1, 'C', 'open', 'West', 8, null, null, null)`)
	deal := registry.Object("deal")
	all := models.Reader{User: 1, Role: models.Viewer, Scope: models.ScopeAll}
	own := models.Reader{User: 7, Role: models.Viewer, Scope: models.ScopeOwner}
	for _, c := range []struct {
		name   string
		reader models.Reader
		group  string
		where  *predicate.Node
		cutoff models.Cutoff
		want   string
	}{
		{"now by status", all, "status", nil, models.Cutoff{},
			"open 1 map[amount:[{20.00 EUR}]]; won 2 map[amount:[{5 JPY} {11.25 USD}]]; total 3 map[amount:[{20.00 EUR} {5 JPY} {11.25 USD}]]"},
		{"before February", all, "status", nil, models.Cutoff{HappenedBefore: time.Date(2017, 2, 1, 0, 0, 0, 0, time.UTC)},
			"open 3 map[amount:[{20.00 EUR} {10.50 USD}]]; won 1 map[amount:[{5 JPY}]]; total 4 map[amount:[{20.00 EUR} {5 JPY} {10.50 USD}]]"},
		{"as known at position 2", all, "territory", nil, models.Cutoff{Position: 2},
			" 1 map[amount:[{20.00 EUR}]]; West 1 map[amount:[{10.50 USD}]]; total 2 map[amount:[{20.00 EUR} {10.50 USD}]]"},
		{"own rows by owner", own, "owner", nil, models.Cutoff{}, "user_7 2 map[amount:[{20.00 EUR} {11.25 USD}]]; total 2 map[amount:[{20.00 EUR} {11.25 USD}]]"},
		{"filtered to nothing", all, "status", predicate.Compare(deal.Field("name"), predicate.Eq, "Z"), models.Cutoff{}, "total 0 map[amount:[]]"},
		{"by date, no value at all", all, "expected_close_on", predicate.Compare(deal.Field("status"), predicate.Eq, "open"), models.Cutoff{Position: 3, HappenedBefore: time.Date(2017, 1, 4, 0, 0, 0, 0, time.UTC)},
			" 2 map[amount:[{20.00 EUR}]]; 2017-02-01 1 map[amount:[{10.50 USD}]]; total 3 map[amount:[{20.00 EUR} {10.50 USD}]]"},
		{"no reader", models.Reader{}, "status", nil, models.Cutoff{}, "total 0 map[amount:[]]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := h.Aggregate(t.Context(), c.reader, AggregateQuery{Object: deal, GroupBy: deal.Field(c.group), Sums: []*models.Field{deal.Field("amount")}, Where: c.where, Cutoff: c.cutoff})
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, g := range got.Groups {
				text += fmt.Sprintf("%s %d %v; ", g.Key, g.Count, g.Sums)
			}
			text += fmt.Sprintf("total %d %v", got.Total.Count, got.Total.Sums)
			if text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
	if _, err := h.Aggregate(t.Context(), all, AggregateQuery{Object: deal, GroupBy: deal.Field("amount")}); models.CodeOf(err) != models.Invalid {
		t.Errorf("grouped by money: %v", err)
	}
	if _, err := h.Aggregate(t.Context(), all, AggregateQuery{Object: deal, Sums: []*models.Field{deal.Field("name")}}); models.CodeOf(err) != models.Invalid {
		t.Errorf("a sum of text: %v", err)
	}
}

// Pages of a list as of the past: values of every kind come back as they were, sorted, in pages that neither repeat nor miss.
func TestList(t *testing.T) {
	t.Parallel()
	w := roomtest.Warehouse(t, "deal", "user")
	h, registry := history(t, w)
	deal := registry.Object("deal")
	exec(t, w, dealHead+`
(1, 1, '2017-01-01', '2017-01-05 10:00:00', 1, 'created', 0, 'A', 'open', 'West', 7, 10.50, 'USD', '2017-02-01'),
(2, 2, '2017-01-02', '2017-01-05', 1, 'created', 0, 'B', 'open', null, 7, 20, 'USD', null),
(3, 3, '2017-01-03', '2017-01-05', 1, 'created', 0, 'C', 'open', 'West', 8, null, null, null),
(1, 4, '2017-02-01', '2017-02-01', 2, 'updated', 0, 'A2', 'won', 'West', 7, 99, 'USD', '2017-02-01')`)
	all := models.Reader{User: 1, Role: models.Viewer, Scope: models.ScopeAll}
	query := ListQuery{Object: deal, Sort: "-amount", Limit: 2, Cutoff: models.Cutoff{HappenedBefore: time.Date(2017, 2, 1, 0, 0, 0, 0, time.UTC)}}
	first, err := h.List(t.Context(), all, query)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Records) != 2 || first.Records[0].Number != 2 || first.Count != 3 || first.Capped || first.NextCursor == "" || first.Position != 1_000_000 {
		t.Fatalf("first page: %+v", first)
	}
	a := first.Records[1]
	if a.Get("name") != "A" || a.Get("amount") != (models.Money{Minor: 1050, Currency: "USD"}) || a.Get("owner") != uint64(7) || a.Get("status") != "open" ||
		a.Get("expected_close_on") != models.NewDate(2017, 2, 1) || a.Get("territory") != "West" || a.Get("lost_reason") != nil || a.Version != 1 ||
		!a.HappenedAt.Equal(time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)) || !a.CreatedAt.Equal(time.Date(2017, 1, 5, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("the record came back as %+v", a)
	}
	query.Cursor = first.NextCursor
	second, err := h.List(t.Context(), all, query)
	if err != nil || len(second.Records) != 1 || second.Records[0].Number != 3 || second.NextCursor != "" {
		t.Errorf("second page: %+v, %v", second, err)
	}
	for _, wrong := range []ListQuery{{Object: deal, Cursor: "o1"}, {Object: deal, Cursor: "xp"}, {Object: deal, Limit: 1000}, {Object: deal, Sort: "weather"}} {
		if _, err := h.List(t.Context(), all, wrong); models.CodeOf(err) != models.Invalid {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	none, err := h.List(t.Context(), models.Reader{User: 9, Role: models.Viewer, Scope: models.ScopeOwner}, ListQuery{Object: deal, Cutoff: models.Cutoff{Position: 3}})
	if err != nil || len(none.Records) != 0 || none.Count != 0 {
		t.Errorf("another's rows: %+v, %v", none, err)
	}
}

// The pipeline of a real company at the end of 2017-06-30. The numbers are those of pipeline_reference.json, made by an independent program:
// 1,686 deals open, 4,216,807 at list prices.
func TestRealPipelineAsOfMidYear(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(require.SharedData(t), "crm_sales_opportunities")
	w := roomtest.Warehouse(t, "deal", "user")
	h, registry := history(t, w)
	prices := map[string]string{}
	for _, line := range lines(t, folder, "products.csv") {
		prices[line["product"]] = line["sales_price"]
	}
	batch, err := w.Conn().PrepareBatch(t.Context(), "insert into deal_log (number, position, happened_at, recorded_at, version, kind, happened_unknown, is_deleted, status, list_value, list_value_currency)")
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Close() //nolint:errcheck // sent below
	position := uint64(0)
	imported := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	currency := "USD"
	put := func(number int, at time.Time, unknown bool, status, product string) {
		if product == "GTXPro" {
			product = "GTX Pro"
		}
		list, err := decimal.NewFromString(prices[product])
		if err != nil {
			t.Fatal(err)
		}
		position++
		if err := batch.Append(uint64(number), position, at, imported, uint64(1), "created", unknown, uint8(0), &status, &list, &currency); err != nil { //nolint:gosec // counts lines
			t.Fatal(err)
		}
	}
	for i, line := range lines(t, folder, "sales_pipeline.csv") {
		if line["engage_date"] == "" { // Prospecting: nobody knows since when
			put(i+1, imported, true, "open", line["product"])
			continue
		}
		put(i+1, day(t, line["engage_date"]), false, "open", line["product"])
		switch line["deal_stage"] {
		case "Won":
			put(i+1, day(t, line["close_date"]), false, "won", line["product"])
		case "Lost":
			put(i+1, day(t, line["close_date"]), false, "lost", line["product"])
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	deal := registry.Object("deal")
	got, err := h.Aggregate(t.Context(), models.System(), AggregateQuery{Object: deal, GroupBy: deal.Field("status"), Sums: []*models.Field{deal.Field("list_value")},
		Cutoff: models.Cutoff{HappenedBefore: time.Date(2017, 7, 1, 0, 0, 0, 0, time.UTC)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range got.Groups {
		if g.Key == "open" && g.Count == 1686 && fmt.Sprint(g.Sums["list_value"]) == "[{4216807.00 USD}]" {
			return
		}
	}
	t.Errorf("got %+v, want 1,686 open deals with 4,216,807", got.Groups)
}

func lines(t *testing.T, folder, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, name)) //nolint:gosec // the shared data
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for _, record := range records[1:] {
		line := map[string]string{}
		for i, column := range records[0] {
			line[column] = record[i]
		}
		all = append(all, line)
	}
	return all
}

func day(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := models.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d.Time(time.UTC)
}
