package num

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Worked by hand: thirds of 100 give 34, 33, 33, the first third winning the tie.
func TestRoundToLargestRemainder(t *testing.T) {
	t.Parallel()
	third := 100.0 / 3
	for _, c := range []struct {
		name  string
		exact []float64
		total int64
		want  []int64
	}{
		{"thirds", []float64{third, third, third}, 100, []int64{34, 33, 33}},
		{"minus thirds", []float64{-third, -third, -third}, -100, []int64{-34, -33, -33}},
		{"largest remainder wins", []float64{1.4, 2.45, 6.15}, 10, []int64{1, 3, 6}},
		{"zero stays zero", []float64{0, 0.4, 0.4}, 1, []int64{0, 1, 0}},
		{"halves of both signs", []float64{.5, -.5}, 0, []int64{0, 0}},
		{"nothing", nil, 7, []int64{}},
		{"only zeros give way to a rest", []float64{0, 0}, 3, []int64{3, 0}},
		{"far away", []float64{1, 1}, 7, []int64{4, 3}},
	} {
		if got := RoundTo(c.exact, c.total); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// On random trees the rounded children add up to their rounded parent exactly, and no number moves by more than one step a level.
func TestRoundedChildrenAddUpToTheCent(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5_000) {
		r := rand.New(rand.NewPCG(seed, 7))
		nodes := randomTree(r, 1+r.IntN(4))
		for i := range nodes { // segments with children of their own keep their mix: not a tree of the room
			if nodes[i].Op == Mean {
				nodes[i].Op = Sum
			}
		}
		parts := Contributions(nodes)
		total := int64(math.Round(parts[0].Contribution / 0.01))
		if math.Abs(parts[0].Contribution) > 1e12 {
			continue // beyond the whole numbers that a float holds with cents
		}
		rounded := RoundParts(nodes, parts, 0.01, total)
		sums := make([]int64, len(nodes))
		inner := make([]bool, len(nodes))
		for i := 1; i < len(nodes); i++ {
			sums[nodes[i].Parent] += rounded[i]
			inner[nodes[i].Parent] = true
		}
		for i := range nodes {
			if inner[i] && sums[i] != rounded[i] {
				t.Fatalf("seed %d node %d: children add up to %d, the node is %d", seed, i, sums[i], rounded[i])
			}
		}
	}
}

func TestMedianAndScaledMAD(t *testing.T) {
	t.Parallel()
	if !math.IsNaN(Median(nil)) || !math.IsNaN(ScaledMAD(nil)) {
		t.Error("none has no median")
	}
	// R 4: median(c(1,1,2,2,4,6,9)) = 2, mad(c(1,1,2,2,4,6,9)) = 1.4826; median(c(4,1,3,2)) = 2.5.
	xs := []float64{6, 1, 2, 9, 2, 4, 1}
	if Median(xs) != 2 || math.Abs(ScaledMAD(xs)-1.4826) > 1e-4 || Median([]float64{4, 1, 3, 2}) != 2.5 || ScaledMAD([]float64{5, 5, 5}) != 0 {
		t.Errorf("median %v, mad %v", Median(xs), ScaledMAD(xs))
	}
	if !slices.Equal(xs, []float64{6, 1, 2, 9, 2, 4, 1}) {
		t.Error("the argument was changed")
	}
}
