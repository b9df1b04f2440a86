package num

import (
	"math"
	"sort"
)

// RoundParts brings the contributions to whole steps (the minor unit of money) from the root down, so that on every level the
// children add up to their parent exactly. total is the root's change in steps; the other numbers are contribution / step,
// rounded to the nearest and then corrected by largest remainder. An exact zero stays zero unless nothing else can give way.
// The result has one number a node, in steps. Contributions must be finite, and the segments of a Mean leaves (their mix has no
// place below them); nothing is changed.
func RoundParts(nodes []Node, parts []Part, step float64, total int64) []int64 {
	rounded := make([]int64, len(nodes))
	if len(nodes) == 0 {
		return rounded
	}
	rounded[0] = total
	children := make([][]int, len(nodes))
	for i := 1; i < len(nodes); i++ {
		children[nodes[i].Parent] = append(children[nodes[i].Parent], i)
	}
	for i := range nodes {
		if len(children[i]) == 0 {
			continue
		}
		exact := make([]float64, len(children[i]))
		for j, c := range children[i] {
			exact[j] = parts[c].Contribution / step
		}
		for j, v := range RoundTo(exact, rounded[i]) {
			rounded[children[i][j]] = v
		}
	}
	return rounded
}

// RoundTo rounds exact to whole numbers that add up to total, by largest remainder: each is first rounded to the nearest,
// then those whose rounding went furthest the other way give way by one, ties to the larger rounded number, then to the earlier
// place. Remainders that differ by less than a millionth of a step are equal, so that the last bits of a float decide nothing.
// total may lie any distance from the sum. Empty input gives empty output. exact must be finite and is not changed.
func RoundTo(exact []float64, total int64) []int64 {
	rounded := make([]int64, len(exact))
	if len(exact) == 0 {
		return rounded
	}
	rest := total
	for i, x := range exact {
		rounded[i] = int64(math.RoundToEven(x))
		rest -= rounded[i]
	}
	if rest == 0 {
		return rounded
	}
	direction := int64(1)
	if rest < 0 {
		direction = -1
	}
	order := make([]int, 0, len(exact))
	for i, x := range exact {
		if x != 0 {
			order = append(order, i)
		}
	}
	if len(order) == 0 {
		order = append(order, 0)
	}
	short := func(i int) float64 { return math.Round(float64(direction) * (exact[i] - float64(rounded[i])) * 1e6) }
	size := func(i int) int64 { return max(rounded[i], -rounded[i]) }
	sort.SliceStable(order, func(a, b int) bool {
		x, y := short(order[a]), short(order[b])
		if x != y {
			return x > y
		}
		return size(order[a]) > size(order[b])
	})
	each := rest / int64(len(order))
	left := rest - each*int64(len(order))
	for place, i := range order {
		rounded[i] += each
		if int64(place) < direction*left {
			rounded[i] += direction
		}
	}
	return rounded
}
