package kpi

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

const goodTree = `
name: small
label: Small
object: deal
root: total
splits: [{name: region, label: Region, field: territory}]
nodes:
  - {name: total, label: Total, unit: money, better: up, value: won_value, deals: won, product: [n, mean], definition: Total.}
  - {name: n, label: N, unit: count, better: up, value: won, deals: won, definition: Won.}
  - {name: mean, label: Mean, unit: money, better: up, value: won_value / won, deals: won, definition: Mean.}
`

// Each wrong file is refused with an error that names the tree, the node, and what to do.
func TestWrongTreesAreRefused(t *testing.T) {
	t.Parallel()
	registry, _ := standardTrees(t)
	if _, err := ParseTree([]byte(goodTree), registry); err != nil {
		t.Fatalf("the good tree: %v", err)
	}
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(goodTree) }
	for _, c := range []struct{ name, text, says string }{
		{"unknown member", edit("unit: count", "colour: red, unit: count"), `tree small, node n: unknown member "colour"`},
		{"unknown field", edit("field: territory", "field: weather"), `the split region names "weather"`},
		{"split over a number", edit("field: territory", "field: amount"), "a money"},
		{"unknown object", edit("object: deal", "object: whale"), `there is no object "whale"`},
		{"unknown measure", edit("won_value / won,", "won_value / lunch,"), `node mean: value: "lunch" is no measure`},
		{"cycle", edit("value: won, deals", "value: won, sum: [mean], deals", "value: won_value / won, deals", "value: won_value / won, sum: [n], deals", "product: [n, mean], ", ""),
			"node n: it hangs in a cycle: n → mean → n"},
		{"cycle over the root", edit("value: won, deals", "value: won, sum: [total], deals"), "its child total is the root: a cycle"},
		{"missing child", edit("[n, mean]", "[n, mean, luck]"), `node total: its child "luck" is no node`},
		{"two parents", edit("value: won_value / won, deals", "value: won_value / won, sum: [n], deals"), "node n: it has two parents, total and mean"},
		{"no parent", edit("[n, mean]", "[n]"), "no branch leads from the root to it"},
		{"twice", edit("name: mean,", "name: n,"), "node n: it stands in the file twice"},
		{"missing root", edit("root: total", "root: top"), "node top: the root is no node"},
		{"unit of a product", edit("name: n, label: N, unit: count", "name: n, label: N, unit: money", "value: won, deals", "value: won_value, deals"),
			"node total: its unit is money, but the product of n (money), mean (money) gives a thing without a unit"},
		{"unit of a value", edit("unit: money, better: up, value: won_value / won", "unit: share, better: up, value: won_value / won"),
			`node mean: its unit is share, but "won_value / won" is a money`},
		{"two ways", edit("product: [n, mean]", "product: [n], sum: [mean]"), "node total: it is made in 2 ways"},
		{"nothing", edit("value: won, deals", "deals"), "node n: it has neither a value nor children"},
		{"minus in a product", edit("[n, mean]", "[n, -mean]"), "only a sum may subtract its child mean"},
		{"better", edit("name: n, label: N, unit: count, better: up", "name: n, label: N, unit: count, better: left"), `node n: better: is "left"`},
		{"ratios do not add up", edit("value: won_value / won, deals: won", "value: won_value / won, sum_over: split, deals: won"), "do not add up"},
		{"no definition", edit("definition: Won.", "definition: ''"), "node n: it has no label or no definition"},
		{"not YAML", "name: [", "tree without a name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseTree([]byte(c.text), registry)
			var told *models.Error
			if !errors.As(err, &told) || told.Code != models.Invalid || !strings.Contains(told.Message, c.says) || told.Remedy == "" {
				t.Errorf("got %v, want it to say %q", err, c.says)
			}
			if c.name != "not YAML" && !strings.Contains(told.Message, "tree small") {
				t.Errorf("the tree is not named: %v", err)
			}
		})
	}
}

// A tree whose arithmetic is well-formed but not true of the data is refused when it meets the data.
func TestFalseIdentityIsRefused(t *testing.T) {
	t.Parallel()
	registry, _ := standardTrees(t)
	tree, err := ParseTree([]byte(strings.Replace(goodTree, "value: won, deals: won", "value: decided, deals: decided", 1)), registry)
	if err != nil {
		t.Fatal(err)
	}
	week := models.NewDate(2017, 6, 26)
	_, err = Compute([]Row{{Week: week, Currency: "USD", DecidedCount: 10, WonCount: 5, WonValue: 50_0000, WonListValue: 50_0000}}, testParams(tree, week))
	if err == nil || !strings.Contains(err.Error(), "tree small, node total: its value is 50 in the week of 2017-06-26, but its children make 100") ||
		models.CodeOf(err) != models.Invalid {
		t.Errorf("got %v", err)
	}
}

func testParams(tree *Tree, week models.Date) Params {
	from := week.AddDays(-700)
	return Params{Tree: tree, Split: tree.Splits[0], Week: week, Compare: Previous, Currency: "USD", DataFrom: &from,
		Calendar: models.Calendar{Zone: time.UTC, WeekStart: time.Monday},
		AsOf:     AsOf{ToldAt: week.AddDays(8).Time(time.UTC), Watermark: week.AddDays(8).Time(time.UTC)}}
}

// A mean over the split: win rate by region, with its mix and rate effects. Worked by hand in num's TestMeanSplitsMixAndRate with the
// same numbers: .275 → .4 by mix .053125 and rate .0375 of the first, mix .034375 of the second.
func TestMeanOverSplit(t *testing.T) {
	t.Parallel()
	registry, _ := standardTrees(t)
	tree, err := ParseTree([]byte(`
name: rate
label: Rate
object: deal
root: win_rate
splits: [{name: region, label: Region, field: territory}]
nodes:
  - {name: win_rate, label: Win rate, unit: share, better: up, value: won / decided, deals: decided, mean_over: split, definition: Rate.,
     branch: {label: "{value} win rate", short_label: "{value}"}}
`), registry)
	if err != nil {
		t.Fatal(err)
	}
	week := models.NewDate(2017, 6, 26)
	row := func(back int, branch string, decided, won int64) Row {
		return Row{Week: week.AddDays(-7 * back), Branch: branch, DecidedCount: decided, WonCount: won}
	}
	r, err := Compute([]Row{row(1, "a", 20, 10), row(1, "b", 60, 12), row(0, "a", 40, 24), row(0, "b", 40, 8)}, testParams(tree, week))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		id                      string
		contribution, mix, rate float64
	}{{"win_rate", .125, 0, 0}, {"win_rate.region=b", .034375, .034375, 0}, {"win_rate.region=a", .090625, .053125, .0375}} {
		n := r.Nodes[i]
		if n.ID != want.id || *n.Contribution != want.contribution || i > 0 && (*n.Mix != want.mix || *n.Rate != want.rate) {
			t.Errorf("got %s %v", n.ID, *n.Contribution)
		}
	}
}

// A ratio and a difference of nodes without values of their own: (won − lost) / decided made of children.
func TestDerivedNodes(t *testing.T) {
	t.Parallel()
	registry, _ := standardTrees(t)
	tree, err := ParseTree([]byte(`
name: derived
label: Derived
object: deal
root: per_deal
splits: [{name: region, label: Region, field: territory}]
nodes:
  - {name: per_deal, label: Discount per deal, unit: money, better: down, deals: won, ratio: [discount, won], definition: Discount.}
  - {name: discount, label: Discount, unit: money, better: down, deals: won, sum: [listed, -sold], definition: List minus sold.}
  - {name: listed, label: Listed, unit: money, better: up, value: won_list_value, deals: won, definition: List.}
  - {name: sold, label: Sold, unit: money, better: up, value: won_value, deals: won, definition: Sold.}
  - {name: won, label: Won, unit: count, better: up, value: won, deals: won, definition: Won.}
`), registry)
	if err != nil {
		t.Fatal(err)
	}
	week := models.NewDate(2017, 6, 26)
	rows := []Row{
		{Week: week.AddDays(-7), Currency: "USD", DecidedCount: 4, WonCount: 4, WonValue: 80_0000, WonListValue: 100_0000},
		{Week: week, Currency: "USD", DecidedCount: 5, WonCount: 5, WonValue: 90_0000, WonListValue: 130_0000},
	}
	r, err := Compute(rows, testParams(tree, week))
	if err != nil {
		t.Fatal(err)
	}
	checkLaws(t, r)
	// By hand: 20/4 → 40/5, 5 → 8. k(discount) = (1/4+1/5)/2 = .225: +20 × .225 = 4.5 (listed +30 → 6.75, sold +10 → −2.25); won −30/20 = −1.5.
	want := map[string]float64{"per_deal": 3, "discount": 4.5, "listed": 6.75, "sold": -2.25, "won": -1.5}
	for _, n := range r.Nodes {
		if *n.Contribution != want[n.ID] {
			t.Errorf("%s contributes %v, want %v", n.ID, *n.Contribution, want[n.ID])
		}
	}
	rows[1].WonCount = 0
	r, err = Compute(rows, testParams(tree, week))
	if err != nil {
		t.Fatal(err)
	}
	if r.Nodes[0].Now != nil || r.Nodes[0].Reason != "Won is zero in this week" || r.Nodes[0].Contribution != nil || len(r.Bridge) != 0 {
		t.Errorf("an empty denominator: %+v", r.Nodes[0])
	}
}

// Every drill-down is a predicate that the registry accepts, and stays the same text.
func TestDrillsBind(t *testing.T) {
	t.Parallel()
	registry, trees := standardTrees(t)
	week := models.NewDate(2017, 6, 26)
	for _, split := range trees[0].Splits {
		p := testParams(trees[0], week)
		p.Split = split
		var rows []Row
		for b := range 15 {
			rows = append(rows, Row{Week: week, Branch: strings.Repeat("x", b), Currency: "USD", DecidedCount: int64(b + 1)})
		}
		rows = append(rows, Row{Week: week, Branch: "x", Currency: "EUR", DecidedCount: 3})
		r, err := Compute(rows, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range r.Nodes {
			text, err := json.Marshal(n.Drill.Filter)
			if err != nil {
				t.Fatal(err)
			}
			node, err := predicate.Parse(text)
			if err != nil {
				t.Fatalf("%s: %v", n.ID, err)
			}
			if split.Name == "source" && strings.Contains(n.ID, "source") {
				continue // x… are no options: only the shape is looked at
			}
			if _, err := node.Bind(registry, registry.Object("deal"), p.Calendar); err != nil {
				t.Errorf("%s: %s: %v", n.ID, text, err)
			}
		}
		if len(r.Warnings) != 1 || r.Warnings[0] != "3 decided deals of the week of 26 Jun 2017 are in EUR: left out, the tree is told in USD" {
			t.Errorf("warnings: %q", r.Warnings)
		}
	}
}
