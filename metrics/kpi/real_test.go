package kpi

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"canopy/models"
	"canopy/models/require"
)

// realPipeline reads the pipeline of a real company, with the product's name mended, as changes: each deal as it stands in the end.
func realPipeline(t *testing.T, folder string) (changes, products []map[string]string) {
	t.Helper()
	series, prices, numbers := map[string]string{}, map[string]string{}, map[string]string{}
	for i, line := range csvOf(t, folder, "products.csv") {
		numbers[line["product"]], series[line["product"]], prices[line["product"]] = strconv.Itoa(i+1), line["series"], line["sales_price"]
		products = append(products, map[string]string{"number": strconv.Itoa(i + 1), "position": strconv.Itoa(i + 1), "happened_at": "2016-01-01", "series": line["series"], "is_deleted": "0"})
	}
	regions := map[string]string{}
	for _, line := range csvOf(t, folder, "sales_teams.csv") {
		regions[line["sales_agent"]] = line["regional_office"]
	}
	for i, line := range csvOf(t, folder, "sales_pipeline.csv") {
		if line["product"] == "GTXPro" {
			line["product"] = "GTX Pro"
		}
		change := map[string]string{"number": strconv.Itoa(i + 1), "position": strconv.Itoa(i + 100), "happened_at": "2017-12-31", "is_deleted": "0",
			"territory": regions[line["sales_agent"]], "product": numbers[line["product"]], "amount": prices[line["product"]], "currency": "USD",
			"list_value": prices[line["product"]], "list_currency": "USD", "status": "open"}
		switch line["deal_stage"] {
		case "Won":
			change["status"], change["closed_at"], change["amount"] = "won", line["close_date"], line["close_value"]
		case "Lost":
			change["status"], change["closed_at"] = "lost", line["close_date"]
		}
		changes = append(changes, change)
	}
	return changes, products
}

func csvOf(t *testing.T, folder, name string) []map[string]string {
	t.Helper()
	text, err := os.Open(filepath.Join(folder, name)) //nolint:gosec // the shared data
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close() //nolint:errcheck // only read
	lines, err := csv.NewReader(text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		all = append(all, row)
	}
	return all
}

// The weeks of a real company add up to its year, as an independent program counted it (pipeline_reference.json, by_regional_office.csv,
// by_product.csv): 6,711 decided, 4,238 won, 10,005,534; and every week's contributions add up to its change, in every split and comparison,
// on two clocks.
func TestRealPipeline(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(require.SharedData(t), "crm_sales_opportunities")
	registry, trees := standardTrees(t)
	w := openWarehouse(t)
	changes, products := realPipeline(t, folder)
	insert(t, w, "deal_log", dealColumns, changes)
	insert(t, w, "product_log", []string{"series"}, products)
	loader := &Loader{Warehouse: w, Registry: registry}
	regions := map[string][2]float64{}
	for _, line := range csvOf(t, folder, "by_regional_office.csv") {
		closed, _ := strconv.ParseFloat(line["closed"], 64)
		revenue, _ := strconv.ParseFloat(line["revenue"], 64)
		regions[line["regional_office"]] = [2]float64{closed, revenue}
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, calendar := range []models.Calendar{{Zone: time.UTC, WeekStart: time.Monday}, {Zone: newYork, WeekStart: time.Sunday}} {
		from, err := loader.DataFrom(t.Context(), models.Cutoff{}, calendar)
		if err != nil || from == nil {
			t.Fatal(from, err)
		}
		var weeks []models.Date
		for week := *from; week <= models.NewDate(2017, 12, 31); week = week.AddDays(7) {
			weeks = append(weeks, week)
		}
		for _, split := range trees[0].Splits {
			rows, err := loader.Rows(t.Context(), Question{Tree: trees[0], Split: split, Weeks: weeks, Reporting: models.Reporting{Calendar: calendar, Currency: "USD"}})
			if err != nil {
				t.Fatal(err)
			}
			var all totals
			byBranch := map[string]*totals{}
			for i := range rows {
				all.add(&rows[i])
				if byBranch[rows[i].Branch] == nil {
					byBranch[rows[i].Branch] = &totals{}
				}
				byBranch[rows[i].Branch].add(&rows[i])
			}
			if all.decided != 6711 || all.won != 4238 || all.wonValue != 10_005_534*tenThousandths {
				t.Fatalf("by %s the weeks add up to %+v", split.Name, all)
			}
			if split.Name == "region" {
				for region, want := range regions {
					if got := byBranch[region]; got == nil || float64(got.decided) != want[0] || float64(got.wonValue)/tenThousandths != want[1] {
						t.Errorf("%s: %+v, want %v", region, got, want)
					}
				}
			}
			tellEveryWeek(t, rows, weeks, Params{Tree: trees[0], Split: split, Currency: "USD", Calendar: calendar, DataFrom: from,
				Targets: []Target{{Number: 1, Node: "won_revenue", Value: 250_000 * tenThousandths, FromOn: *from}},
				AsOf:    AsOf{ToldAt: time.Date(2018, 1, 3, 0, 0, 0, 0, time.UTC), Watermark: time.Date(2018, 1, 3, 0, 0, 0, 0, time.UTC)}})
		}
	}
}

// tellEveryWeek computes every week in every comparison and adds up the root's values.
func tellEveryWeek(t *testing.T, rows []Row, weeks []models.Date, p Params) {
	t.Helper()
	for _, p.Compare = range []Compare{Previous, LastYear, ToTarget} {
		sum := 0.0
		for _, p.Week = range weeks {
			r, err := Compute(rows, p)
			if err != nil {
				t.Fatalf("%s by %s against %s: %v", p.Week, p.Split.Name, p.Compare, err)
			}
			checkLaws(t, r)
			sum += *r.Nodes[0].Now
		}
		if math.Abs(sum-10_005_534) > 1e-6*10_005_534 {
			t.Errorf("the weeks' won revenue by %s adds up to %v", p.Split.Name, sum)
		}
	}
}

// ExampleCompute tells the lede of a week in one line.
func ExampleCompute() {
	registry, _ := models.Standard()
	trees, _ := Trees(registry)
	week := models.NewDate(2017, 6, 26)
	from := week.AddDays(-7)
	result, err := Compute([]Row{
		{Week: from, Branch: "West", Currency: "USD", DecidedCount: 30, WonCount: 15, WonValue: 1500_0000, WonListValue: 3000_0000},
		{Week: week, Branch: "West", Currency: "USD", DecidedCount: 40, WonCount: 24, WonValue: 3120_0000, WonListValue: 4992_0000},
	}, Params{Tree: trees[0], Split: trees[0].Splits[0], Week: week, Compare: Previous, Currency: "USD", DataFrom: &from,
		Calendar: models.Calendar{Zone: time.UTC, WeekStart: time.Monday}, AsOf: AsOf{ToldAt: week.AddDays(9).Time(time.UTC), Watermark: week.AddDays(9).Time(time.UTC)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, _ := json.Marshal(result.Bridge)
	fmt.Println(string(text))
	// Output: [{"node":"decided_deals.region=West","label":"West","contribution":635},{"node":"net_price_realised","label":"Net price","contribution":493},{"node":"win_rate","label":"Win rate","contribution":405},{"node":"list_value","label":"List value","contribution":87}]
}
