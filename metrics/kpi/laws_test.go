package kpi

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"canopy/models"
)

// checkLaws holds for every result: children rebuild their parent's contribution to the cent, the bridge leads from before to now,
// the series ends with this week, and what is undefined says why.
func checkLaws(t *testing.T, r *Result) {
	t.Helper()
	cents := func(x float64) int64 { return int64(math.Round(x * 100)) }
	sums, parents := map[string]int64{}, map[string]bool{}
	for _, n := range r.Nodes {
		if n.Parent != nil && n.Contribution != nil {
			sums[*n.Parent] += cents(*n.Contribution)
			parents[*n.Parent] = true
		}
	}
	for _, n := range r.Nodes {
		if parents[n.ID] && sums[n.ID] != cents(*n.Contribution) {
			t.Errorf("%s: the children contribute %d cents, it says %v", n.ID, sums[n.ID], *n.Contribution)
		}
		if n.Now == nil && n.Reason == "" || n.Before == nil && n.BeforeReason == "" {
			t.Errorf("%s: undefined without a reason", n.ID)
		}
		if len(n.Series) != 13 || n.Series[12].WeekOf != r.Week.Of {
			t.Errorf("%s: the series does not end with this week", n.ID)
		}
		if last := n.Series[12].Value; (last == nil) != (n.Now == nil) || last != nil && *last != *n.Now {
			t.Errorf("%s: the series ends with another value", n.ID)
		}
		if n.Drill.Object == "" || n.Drill.Filter == nil {
			t.Errorf("%s: nothing to drill into", n.ID)
		}
	}
	root := r.Nodes[0]
	if root.Contribution != nil {
		if cents(*root.Now)-cents(*root.Before) != cents(*root.Contribution) {
			t.Errorf("the root changes by %v, its contribution is %v", *root.Now-*root.Before, *root.Contribution)
		}
		var bridge int64
		for _, b := range r.Bridge {
			bridge += cents(b.Contribution)
		}
		if bridge != cents(*root.Contribution) {
			t.Errorf("the bridge adds up to %d cents, the change is %v", bridge, *root.Contribution)
		}
	}
	if len(r.Edges) != len(r.Nodes)-1 {
		t.Errorf("%d edges between %d nodes", len(r.Edges), len(r.Nodes))
	}
}

// The laws on 2,000 random sets of rows, with empty weeks, weeks without won deals, deals without amounts and other currencies,
// negative amounts, more branches than are drawn, all three comparisons and random targets.
func TestLawsOnRandomRows(t *testing.T) {
	t.Parallel()
	_, trees := standardTrees(t)
	week := models.NewDate(2017, 6, 26)
	for seed := range uint64(2_000) {
		r := rand.New(rand.NewPCG(seed, 99))
		var rows []Row
		branches := 1 + r.IntN(16)
		for _, w := range NeededWeeks(week) {
			for b := range branches {
				if r.IntN(4) == 0 {
					continue
				}
				row := Row{Week: w, Branch: fmt.Sprintf("b%02d", b), Currency: "USD", DecidedCount: int64(1 + r.IntN(30))}
				if b == 3 {
					row.Branch = ""
				}
				if r.IntN(6) == 0 {
					row.Currency = []string{"", "EUR"}[r.IntN(2)]
				}
				row.WonCount = int64(r.IntN(int(row.DecidedCount) + 1))
				if row.WonCount > 0 && row.Currency != "" {
					row.WonValue = 100 * int64(r.IntN(5_000_000)-200_000)
					row.WonListValue = 100 * int64(r.IntN(6_000_000)-200_000)
				}
				if row.WonCount > 0 && row.Currency == "" {
					row.WonWithoutAmountCount = row.WonCount
				}
				rows = append(rows, row)
			}
		}
		from := week.AddDays(-7 * (1 + r.IntN(60)))
		p := Params{Tree: trees[0], Split: trees[0].Splits[r.IntN(3)], Week: week, Currency: "USD", DataFrom: &from,
			Compare:  []Compare{Previous, LastYear, ToTarget}[r.IntN(3)],
			Calendar: models.Calendar{Zone: time.UTC, WeekStart: time.Monday},
			AsOf:     AsOf{ToldAt: week.AddDays(r.IntN(10)).Time(time.UTC), Watermark: week.AddDays(9).Time(time.UTC)}}
		for i, node := range []string{"won_revenue", "decided_deals", "win_rate", "avg_won_value", "list_value", "net_price_realised", "decided_deals.region=b01"} {
			if r.IntN(2) == 0 {
				p.Targets = append(p.Targets, Target{Number: uint64(i), Node: node, Value: int64(1 + r.IntN(10_000_000)), FromOn: week.AddDays(-70)})
			}
		}
		result, err := Compute(rows, p)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		checkLaws(t, result)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
