package num

import "math"

// Op says how a node is made of its children.
type Op uint8

// The operations. Input has no children.
const (
	Input   Op = iota
	Sum        // Σ ±child
	Product    // Π child, at most MaxFactors
	Ratio      // first child / second child
	Mean       // Σ share·child: each child is the rate of one segment, its volumes give its share
)

// MaxFactors bounds a product: Shapley's mean over all orders costs 2^factors.
const MaxFactors = 8

// Node is one node of a tree of identities, at two points of comparison. Nodes are listed parents first; node 0 is the root.
type Node struct {
	Parent   int  // index of an earlier node; ignored for the root
	Op       Op   // how its children make it
	Negative bool // its parent, a sum, subtracts it
	// Before and Now are the values of an Input; NaN where undefined. Other nodes are made of their children and these are not read.
	Before, Now float64
	// VolumeBefore and VolumeNow weigh a child of a Mean (≥ 0): its share is its volume over the volumes of all segments.
	VolumeBefore, VolumeNow float64
}

// Part is what one node does to the root's change.
type Part struct {
	// Before and Now are the values that the split uses: an input undefined on one side has taken the other side's value
	// (on both sides: zero), every other node is rebuilt from its children.
	Before, Now float64
	Borrowed    bool    // a side was undefined and took the other side's value
	Weight      float64 // k: change of the root per unit of change of this node
	// Contribution is the node's share of the root's change, in the root's unit. The children of a node add up to it.
	Contribution float64
	// Mix and Rate split the contribution of a segment of a Mean: its share moved, its rate moved. Zero elsewhere.
	Mix, Rate float64
}

// Contributions splits the change of the root over all nodes, exactly and without a remainder:
//
//	k(root) = 1,  contribution(n) = k(n)·(now(n) − before(n))
//	sum      k(child) = ±k
//	product  k(child) = k · mean over all orders in which the factors could have changed of Π other factors   (Shapley)
//	ratio    k(a) = k · mean(1/b),  k(b) = −k · mean(a) / (b0·b1)
//	mean     k(rate) = k · mean(share),  mix = k · (share1 − share0) · (mean(rate) − mean(total))
//
// Zeros and minus signs need no special case. A ratio whose denominator is zero on one side is undefined there, takes the other
// side's value and passes no weight on. The result has one part a node, in the same order. nodes is not changed.
// Source: L. S. Shapley, A value for n-person games (1953); for two factors it is the midpoint rule of Bennet (1920).
// Panics when a node's parent is not listed before it, a ratio has not two children or a product more than MaxFactors.
func Contributions(nodes []Node) []Part {
	parts := make([]Part, len(nodes))
	children := make([][]int, len(nodes))
	for i := 1; i < len(nodes); i++ {
		if nodes[i].Parent < 0 || nodes[i].Parent >= i {
			panic("num: a node's parent is listed before it")
		}
		children[nodes[i].Parent] = append(children[nodes[i].Parent], i)
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		fill(nodes, parts, children[i], i)
	}
	if len(parts) > 0 {
		parts[0].Weight = 1
		parts[0].Contribution = parts[0].Now - parts[0].Before
	}
	for i := range nodes {
		pass(nodes, parts, children[i], i)
	}
	return parts
}

// fill gives node i the two values that the split uses; its children have theirs.
func fill(nodes []Node, parts []Part, children []int, i int) {
	var before, now float64
	switch nodes[i].Op {
	case Input:
		if len(children) > 0 {
			panic("num: an input has no children")
		}
		before, now = nodes[i].Before, nodes[i].Now
	case Sum:
		before, now = 0, 0
		for _, c := range children {
			before += sign(nodes[c]) * parts[c].Before
			now += sign(nodes[c]) * parts[c].Now
		}
	case Product:
		if len(children) > MaxFactors {
			panic("num: too many factors")
		}
		before, now = 1, 1
		for _, c := range children {
			before *= parts[c].Before
			now *= parts[c].Now
		}
	case Ratio:
		if len(children) != 2 {
			panic("num: a ratio has two children")
		}
		a, b := parts[children[0]], parts[children[1]]
		before, now = divide(a.Before, b.Before), divide(a.Now, b.Now)
	case Mean:
		shares0, shares1 := shares(nodes, children)
		before, now = 0, 0
		for j, c := range children {
			before += float64(shares0[j] * parts[c].Before)
			now += float64(shares1[j] * parts[c].Now)
		}
	default:
		panic("num: unknown operation")
	}
	p := &parts[i]
	p.Borrowed = math.IsNaN(before) || math.IsNaN(now)
	switch {
	case math.IsNaN(before) && math.IsNaN(now):
		before, now = 0, 0
	case math.IsNaN(before):
		before = now
	case math.IsNaN(now):
		now = before
	}
	p.Before, p.Now = before, now
}

// pass hands the weight of node i on to its children.
func pass(nodes []Node, parts []Part, children []int, i int) {
	if len(children) == 0 {
		return
	}
	k := parts[i].Weight
	switch nodes[i].Op {
	case Sum:
		for _, c := range children {
			parts[c].Weight = k * sign(nodes[c])
		}
	case Product:
		for j, c := range children {
			parts[c].Weight = k * othersMean(parts, children, j)
		}
	case Ratio:
		a, b := parts[children[0]], parts[children[1]]
		if b.Before != 0 && b.Now != 0 {
			parts[children[0]].Weight = k * (1/b.Before + 1/b.Now) / 2
			parts[children[1]].Weight = -k * ((a.Before + a.Now) / 2) / (b.Before * b.Now)
		}
	case Mean:
		shares0, shares1 := shares(nodes, children)
		total := (parts[i].Before + parts[i].Now) / 2
		for j, c := range children {
			p := &parts[c]
			p.Weight = k * (shares0[j] + shares1[j]) / 2
			p.Mix = k * (shares1[j] - shares0[j]) * ((p.Before+p.Now)/2 - total)
			p.Rate = p.Weight * (p.Now - p.Before)
			p.Contribution = p.Mix + p.Rate
		}
		return
	}
	for _, c := range children {
		parts[c].Contribution = parts[c].Weight * (parts[c].Now - parts[c].Before)
	}
}

// othersMean is the mean, over all orders in which the factors could have changed, of the product of the factors other
// than factors[skip]: those that changed earlier stand at now, the others at before.
func othersMean(parts []Part, factors []int, skip int) float64 {
	n := len(factors)
	sum := 0.0
	for set := range 1 << n {
		if set&(1<<skip) != 0 {
			continue
		}
		product, changed := 1.0, 0
		for j, c := range factors {
			switch {
			case j == skip:
			case set&(1<<j) != 0:
				product *= parts[c].Now
				changed++
			default:
				product *= parts[c].Before
			}
		}
		sum += float64(product * (factorial[changed] * factorial[n-1-changed]))
	}
	return sum / factorial[n]
}

var factorial = [MaxFactors + 1]float64{1, 1, 2, 6, 24, 120, 720, 5040, 40320}

// shares gives each segment's share of the volume on both sides. A side without any volume takes the other side's shares;
// where both have none, all shares are zero.
func shares(nodes []Node, children []int) (before, now []float64) {
	before, now = make([]float64, len(children)), make([]float64, len(children))
	var total0, total1 float64
	for _, c := range children {
		total0 += nodes[c].VolumeBefore
		total1 += nodes[c].VolumeNow
	}
	for j, c := range children {
		if total0 != 0 {
			before[j] = nodes[c].VolumeBefore / total0
		}
		if total1 != 0 {
			now[j] = nodes[c].VolumeNow / total1
		}
	}
	switch {
	case total0 == 0:
		copy(before, now)
	case total1 == 0:
		copy(now, before)
	}
	return before, now
}

func sign(n Node) float64 {
	if n.Negative {
		return -1
	}
	return 1
}

// divide is a/b, NaN where b is zero.
func divide(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
