package num

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// near allows the last bits only: tolerance 1e-12 of size.
func near(a, b, size float64) bool { return math.Abs(a-b) <= 1e-12*math.Max(size, 1e-300) }

// Worked by hand. 2·3 → 4·5 changes by 14; the midpoint rule gives (3+5)/2·2 = 8 and (2+4)/2·2 = 6.
func TestProductOfTwoIsTheMidpointRule(t *testing.T) {
	t.Parallel()
	parts := Contributions([]Node{{Op: Product}, {Before: 2, Now: 4}, {Before: 3, Now: 5}})
	if parts[0].Contribution != 14 || parts[1].Contribution != 8 || parts[2].Contribution != 6 {
		t.Fatalf("got %+v", parts)
	}
}

// Worked by hand over the six orders. 1·2·3 → 2·4·9 changes by 66.
// Factor 1: orders give others' product 2·3 (first, twice), 4·3, 2·9, 4·9 (last, twice): (6+6+12+18+36+36)/6 = 19, times 1.
// Factor 2: 1·3 twice, 2·3, 1·9, 2·9 twice: (3+3+6+9+18+18)/6 = 9.5, times 2 = 19. Factor 3: (2+2+4+4+8+8)/6 = 28/6, times 6 = 28.
func TestProductOfThreeIsTheMeanOverSixOrders(t *testing.T) {
	t.Parallel()
	parts := Contributions([]Node{{Op: Product}, {Before: 1, Now: 2}, {Before: 2, Now: 4}, {Before: 3, Now: 9}})
	want := []float64{66, 19, 19, 28}
	for i := range want {
		if !near(parts[i].Contribution, want[i], 66) {
			t.Errorf("part %d: got %v, want %v", i, parts[i].Contribution, want[i])
		}
	}
}

// Worked by hand. 6/3 → 8/2 changes by 2: a gives 2·(1/3+1/2)/2 = 5/6, b gives −(−1)·7/6 = 7/6.
func TestRatio(t *testing.T) {
	t.Parallel()
	parts := Contributions([]Node{{Op: Ratio}, {Before: 6, Now: 8}, {Before: 3, Now: 2}})
	if !near(parts[1].Contribution, 5.0/6, 2) || !near(parts[2].Contribution, 7.0/6, 2) || parts[0].Contribution != 2 {
		t.Fatalf("got %+v", parts)
	}
}

// Worked by hand. Two segments, rates .5 and .2, volumes 10 and 30 → 20 and 20, the first rate → .6.
// Total .275 → .4. Shares .25/.75 → .5/.5. Mean total .3375.
// First: mix .25·(.55−.3375) = .053125, rate .1·.375 = .0375. Second: mix −.25·(.2−.3375) = .034375. Sum .125.
func TestMeanSplitsMixAndRate(t *testing.T) {
	t.Parallel()
	parts := Contributions([]Node{
		{Op: Mean},
		{Before: .5, Now: .6, VolumeBefore: 10, VolumeNow: 20},
		{Before: .2, Now: .2, VolumeBefore: 30, VolumeNow: 20},
	})
	if !near(parts[0].Contribution, .125, 1) || !near(parts[1].Mix, .053125, 1) || !near(parts[1].Rate, .0375, 1) ||
		!near(parts[2].Mix, .034375, 1) || parts[2].Rate != 0 {
		t.Fatalf("got %+v", parts)
	}
}

// A week without decided deals: count 10 → 0, rate .5 → undefined, value 100 → undefined. All of −500 is the count's.
func TestUndefinedFactorTakesTheOtherSide(t *testing.T) {
	t.Parallel()
	parts := Contributions([]Node{{Op: Product}, {Before: 10, Now: 0}, {Before: .5, Now: math.NaN()}, {Before: 100, Now: math.NaN()}})
	if parts[0].Contribution != -500 || parts[1].Contribution != -500 || parts[2].Contribution != 0 || parts[3].Contribution != 0 {
		t.Fatalf("got %+v", parts)
	}
	if parts[1].Borrowed || !parts[2].Borrowed || !parts[3].Borrowed {
		t.Fatalf("borrowed: %+v", parts)
	}
}

func TestUndefinedOnBothSidesAndEmpty(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	parts := Contributions([]Node{{Op: Product}, {Before: 0, Now: 0}, {Before: nan, Now: nan}})
	for i, p := range parts {
		if p.Contribution != 0 {
			t.Errorf("part %d: got %v, want 0", i, p.Contribution)
		}
	}
	if len(Contributions(nil)) != 0 {
		t.Error("nothing gives nothing")
	}
	// A ratio with an empty denominator passes no weight on and takes the other side's value.
	parts = Contributions([]Node{{Op: Sum}, {Op: Ratio, Parent: 0}, {Parent: 0, Before: 1, Now: 3}, {Parent: 1, Before: 4, Now: 5}, {Parent: 1, Before: 2, Now: 0}})
	if parts[0].Contribution != 2 || parts[1].Contribution != 0 || parts[3].Contribution != 0 || parts[4].Contribution != 0 || !parts[1].Borrowed {
		t.Errorf("empty denominator: %+v", parts)
	}
	// A segment that appears has no rate before: only its share moves the mean.
	parts = Contributions([]Node{{Op: Mean}, {Before: .5, Now: .5, VolumeBefore: 10, VolumeNow: 10}, {Before: nan, Now: .9, VolumeNow: 10}})
	if !near(parts[0].Contribution, .2, 1) || !near(parts[1].Contribution+parts[2].Contribution, .2, 1) || parts[2].Rate != 0 {
		t.Errorf("new segment: %+v", parts)
	}
}

// randomTree builds a tree of at most depth levels below the root with every operation, zeros, minus signs, undefined inputs
// and positive denominators.
func randomTree(r *rand.Rand, depth int) []Node {
	nodes := []Node{{}}
	type place struct{ index, depth int }
	open := []place{{0, depth}}
	for len(open) > 0 {
		at := open[0]
		open = open[1:]
		if at.depth == 0 || (at.index > 0 && r.IntN(4) == 0) {
			nodes[at.index].Op = Input
			nodes[at.index].Before, nodes[at.index].Now = randomValue(r), randomValue(r)
			continue
		}
		op := Op(1 + r.IntN(4))
		nodes[at.index].Op = op
		n := 1 + r.IntN(4)
		if op == Product && r.IntN(10) == 0 {
			n = 5 + r.IntN(4)
		}
		if op == Ratio {
			n = 2
		}
		for j := range n {
			child := Node{Parent: at.index}
			switch {
			case op == Sum:
				child.Negative = r.IntN(3) == 0
			case op == Mean:
				child.VolumeBefore, child.VolumeNow = float64(r.IntN(40)), float64(r.IntN(40))
			case op == Ratio && j == 1:
				child.Before, child.Now = 1+100*r.Float64(), 1+100*r.Float64()
				nodes = append(nodes, child)
				continue
			}
			nodes = append(nodes, child)
			open = append(open, place{len(nodes) - 1, at.depth - 1})
		}
	}
	return nodes
}

func randomValue(r *rand.Rand) float64 {
	switch r.IntN(10) {
	case 0:
		return 0
	case 1:
		return -100 * r.Float64()
	case 2:
		return math.NaN()
	}
	return 100 * r.Float64()
}

// The law of the KPI tree on 20,000 random trees: on every level the children rebuild the parent, and the leaves the root.
// The tolerance is 1e-12 of the gross movement (the sum of the leaves' absolute contributions and of the values that are
// subtracted): the sums are exact in real numbers, so that only the last bits of float64 are left.
func TestContributionsAddUpOnRandomTrees(t *testing.T) {
	t.Parallel()
	worst := 0.0
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 20170626))
		nodes := randomTree(r, 1+r.IntN(4))
		parts := Contributions(nodes)
		sums := make([]float64, len(nodes))
		hasChildren := make([]bool, len(nodes))
		leaves, gross := 0.0, math.Abs(parts[0].Before)+math.Abs(parts[0].Now)
		for i := len(nodes) - 1; i > 0; i-- {
			sums[nodes[i].Parent] += parts[i].Contribution
			hasChildren[nodes[i].Parent] = true
			gross += math.Abs(parts[i].Contribution)
			if nodes[nodes[i].Parent].Op != Mean && hasChildren[i] {
				continue
			}
			if !hasChildren[i] {
				leaves += parts[i].Contribution
			} else { // the mix of a segment with children of its own stays with the segment
				leaves += parts[i].Mix
			}
		}
		for i := range nodes {
			want := parts[i].Contribution
			if i > 0 && nodes[nodes[i].Parent].Op == Mean {
				want = parts[i].Rate
			}
			if !hasChildren[i] {
				continue
			}
			gap := math.Abs(sums[i]-want) / math.Max(gross, 1e-9)
			worst = math.Max(worst, gap)
			if !(gap < 1e-12) {
				t.Fatalf("seed %d node %d: children give %v, the node %v (gross %v)", seed, i, sums[i], want, gross)
			}
		}
		if gap := math.Abs(leaves-parts[0].Contribution) / math.Max(gross, 1e-9); !(gap < 1e-12) && hasChildren[0] {
			t.Fatalf("seed %d: leaves give %v, the root %v", seed, leaves, parts[0].Contribution)
		}
	}
	t.Logf("worst gap %.1e of gross movement", worst)
}

// Shapley by its definition: the mean over all permutations, one factor changed after the other.
func TestProductEqualsTheMeanOverAllPermutations(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 7; n++ {
		r := rand.New(rand.NewPCG(uint64(n), 1))
		nodes := []Node{{Op: Product}}
		for range n {
			nodes = append(nodes, Node{Before: randomFinite(r), Now: randomFinite(r)})
		}
		want, orders := make([]float64, n), 0.0
		permute(n, func(order []int) {
			orders++
			changed := make([]bool, n)
			last := productOf(nodes[1:], changed)
			for _, i := range order {
				changed[i] = true
				next := productOf(nodes[1:], changed)
				want[i] += next - last
				last = next
			}
		})
		parts := Contributions(nodes)
		for i := range n {
			size := 0.0
			for _, w := range want {
				size += math.Abs(w / orders)
			}
			if math.Abs(parts[i+1].Contribution-want[i]/orders) > 1e-9*size {
				t.Errorf("%d factors, factor %d: got %v, want %v", n, i, parts[i+1].Contribution, want[i]/orders)
			}
		}
	}
}

func randomFinite(r *rand.Rand) float64 { return float64(r.IntN(21)-10) / 2 }

func productOf(nodes []Node, changed []bool) float64 {
	product := 1.0
	for i, n := range nodes {
		if changed[i] {
			product *= n.Now
		} else {
			product *= n.Before
		}
	}
	return product
}

func permute(n int, visit func([]int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var walk func(int)
	walk = func(k int) {
		if k == n {
			visit(order)
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			walk(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	walk(0)
}

func TestWrongShapesPanic(t *testing.T) {
	t.Parallel()
	tooMany := []Node{{Op: Product}}
	for range MaxFactors + 1 {
		tooMany = append(tooMany, Node{})
	}
	for name, nodes := range map[string][]Node{
		"parent after child": {{Op: Sum}, {Parent: 2}, {Parent: 0}},
		"ratio of three":     {{Op: Ratio}, {}, {}, {}},
		"nine factors":       tooMany,
		"input with child":   {{}, {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			Contributions(nodes)
		})
	}
}

func ExampleContributions() {
	parts := Contributions([]Node{{Op: Product}, {Before: 40, Now: 50}, {Before: .5, Now: .4}})
	fmt.Printf("%.2f = %.2f %+.2f\n", parts[0].Contribution, parts[1].Contribution, parts[2].Contribution)
	// Output: 0.00 = 4.50 -4.50
}
