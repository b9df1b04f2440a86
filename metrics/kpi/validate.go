package kpi

import (
	"regexp"
	"slices"
	"strings"

	"canopy/metrics/num"
	"canopy/models"
)

var nodeName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

// build makes the checked tree of a file.
func build(file *treeFile, registry *models.Registry) (*Tree, error) {
	t := &Tree{Name: file.Name, Label: file.Label, Object: registry.Object(file.Object), byName: map[string]*Node{}}
	switch {
	case !nodeName.MatchString(file.Name):
		return nil, treeError(file.Name, "", "a tree's name is snake_case, at most 48 characters").WithRemedy("Give name: in the file's first line.")
	case t.Object == nil:
		return nil, treeError(t.Name, "", "there is no object %q", file.Object).WithRemedy("Name an object of the registry in object:.")
	case len(file.Splits) == 0:
		return nil, treeError(t.Name, "", "it has no split").WithRemedy("Name at least one field in splits:.")
	}
	for _, s := range file.Splits {
		split, err := t.split(s, registry)
		if err != nil {
			return nil, err
		}
		t.Splits = append(t.Splits, split)
	}
	for i := range file.Nodes {
		n, err := t.node(&file.Nodes[i])
		if err != nil {
			return nil, err
		}
		t.byName[n.Name] = n
	}
	if t.Root = t.byName[file.Root]; t.Root == nil {
		return nil, treeError(t.Name, file.Root, "the root is no node of the file").WithRemedy("Add the node, or name another in root:.")
	}
	parents := map[string]string{}
	for i := range file.Nodes {
		if err := t.link(&file.Nodes[i], parents); err != nil {
			return nil, err
		}
	}
	if err := t.order(file); err != nil {
		return nil, err
	}
	for _, n := range t.Nodes {
		if err := t.checkUnits(n); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *Tree) split(s splitFile, registry *models.Registry) (*Split, error) {
	split := &Split{Name: s.Name, Label: s.Label}
	over, name, crosses := strings.Cut(s.Field, ".")
	if crosses {
		if split.Over = t.Object.Field(over); split.Over != nil && split.Over.Kind == models.Reference {
			split.Field = registry.Object(split.Over.To).Field(name)
		}
	} else {
		split.Field = t.Object.Field(s.Field)
	}
	switch {
	case !nodeName.MatchString(s.Name) || s.Label == "":
		return nil, treeError(t.Name, "", "the split %q needs a name and a label", s.Name).WithRemedy("Give both in splits:.")
	case slices.ContainsFunc(t.Splits, func(other *Split) bool { return other.Name == s.Name }):
		return nil, treeError(t.Name, "", "the split %q stands there twice", s.Name).WithRemedy("Take one of them out.")
	case split.Field == nil:
		return nil, treeError(t.Name, "", "the split %s names %q, which is no field of %s", s.Name, s.Field, t.Object.Name).
			WithRemedy("Name a text or picklist field, or one over a reference, as product.series.")
	case split.Field.Kind != models.Text && split.Field.Kind != models.Picklist:
		return nil, treeError(t.Name, "", "the split %s names %q, a %s", s.Name, s.Field, split.Field.Kind).
			WithRemedy("Name a text or picklist field.")
	}
	return split, nil
}

func (t *Tree) node(f *nodeFile) (*Node, error) {
	n := &Node{Name: f.Name, Label: f.Label, ShortLabel: f.ShortLabel, Unit: f.Unit, Better: f.Better, Deals: f.Deals, Base: f.Base,
		Op: Input, Branch: f.Branch, Formula: f.Formula, Definition: f.Definition}
	if n.ShortLabel == "" {
		n.ShortLabel = n.Label
	}
	switch {
	case !nodeName.MatchString(n.Name):
		return nil, treeError(t.Name, n.Name, "a node's name is snake_case, at most 48 characters").WithRemedy("Rename it.")
	case t.byName[n.Name] != nil:
		return nil, treeError(t.Name, n.Name, "it stands in the file twice").WithRemedy("Take one of them out.")
	case n.Label == "" || n.Definition == "":
		return nil, treeError(t.Name, n.Name, "it has no label or no definition").WithRemedy("Give label: and definition:, one sentence for the reader.")
	case n.Unit != Money && n.Unit != Count && n.Unit != Share:
		return nil, treeError(t.Name, n.Name, "unknown unit %q", n.Unit).WithRemedy("The units are money, count and share.")
	case n.Better != "up" && n.Better != "down":
		return nil, treeError(t.Name, n.Name, "better: is %q", n.Better).WithRemedy("Say up or down: the direction that is good.")
	case n.Deals != "won" && n.Deals != "decided":
		return nil, treeError(t.Name, n.Name, "deals: is %q", n.Deals).WithRemedy("Say won or decided: the deals that its drill-down opens.")
	}
	if f.Value != "" {
		value, err := parseExpression(f.Value)
		if err != nil {
			return nil, treeError(t.Name, n.Name, "value: %v", err).WithRemedy("Write a measure, or one over another; the measures are " + strings.Join(measureNames(), ", ") + ".")
		}
		if unit := value.unit(); unit != n.Unit {
			return nil, treeError(t.Name, n.Name, "its unit is %s, but %q is a %s", n.Unit, value, orNone(unit)).WithRemedy("Correct unit: or value:.")
		}
		n.Value = value
	}
	switch m := measures[n.Base]; {
	case n.Base == "" && n.Value != nil:
		n.Base = n.Value.base()
	case n.Base != "" && (m == nil || m.unit != Count):
		return nil, treeError(t.Name, n.Name, "base: %q is no measure that counts", n.Base).WithRemedy("Name decided or won.")
	}
	return n, nil
}

// link reads how a node is made of its children. A child has one parent; a second one would count its change twice.
func (t *Tree) link(f *nodeFile, parents map[string]string) error {
	n := t.byName[f.Name]
	given := 0
	for _, made := range []struct {
		op    Op
		terms []string
	}{{Sum, f.Sum}, {Product, f.Product}, {Ratio, f.Ratio}} {
		if len(made.terms) == 0 {
			continue
		}
		given++
		n.Op = made.op
		for _, name := range made.terms {
			term, negative := strings.CutPrefix(name, "-")
			if err := t.adopt(n, strings.TrimSpace(term), negative, parents); err != nil {
				return err
			}
		}
	}
	for _, over := range []struct {
		op    Op
		split string
	}{{Sum, f.SumOver}, {Mean, f.MeanOver}} {
		switch over.split {
		case "":
		case "split":
			given++
			n.Op, n.Over = over.op, true
		default:
			return treeError(t.Name, n.Name, "%s_over: is %q", over.op, over.split).WithRemedy("Write split: the reader chooses which one.")
		}
	}
	return t.checkForm(n, given)
}

func (t *Tree) adopt(n *Node, name string, negative bool, parents map[string]string) error {
	child := t.byName[name]
	switch {
	case child == nil:
		return treeError(t.Name, n.Name, "its child %q is no node of the file", name).WithRemedy("Add the node, or take the name out.")
	case negative && n.Op != Sum:
		return treeError(t.Name, n.Name, "only a sum may subtract its child %s", name).WithRemedy("Take the minus sign out.")
	case parents[name] != "":
		return treeError(t.Name, name, "it has two parents, %s and %s", parents[name], n.Name).
			WithRemedy("Keep it under one of them: under both its change would count twice.")
	case child == t.Root:
		return treeError(t.Name, n.Name, "its child %s is the root: a cycle", name).WithRemedy("Take the root out of its own branches.")
	}
	parents[name] = n.Name
	n.Terms = append(n.Terms, Term{Node: child, Negative: negative})
	return nil
}

func (t *Tree) checkForm(n *Node, given int) error {
	switch {
	case given > 1:
		return treeError(t.Name, n.Name, "it is made in %d ways", given).WithRemedy("Keep one of sum, product, ratio, sum_over, mean_over.")
	case n.Op == Input && n.Value == nil:
		return treeError(t.Name, n.Name, "it has neither a value nor children").WithRemedy("Give value:, or name its children.")
	case n.Op == Ratio && len(n.Terms) != 2:
		return treeError(t.Name, n.Name, "a ratio has two children, not %d", len(n.Terms)).WithRemedy("Write ratio: [above, below].")
	case n.Op == Product && len(n.Terms) > num.MaxFactors:
		return treeError(t.Name, n.Name, "a product has at most %d factors, not %d", num.MaxFactors, len(n.Terms)).
			WithRemedy("Group some of them under a node of their own.")
	case n.Over && n.Value == nil:
		return treeError(t.Name, n.Name, "a node over a split needs a value").WithRemedy("Give value:; each branch takes it over its own deals.")
	case n.Over && n.Op == Sum && n.Value.below != nil:
		return treeError(t.Name, n.Name, "branches of %q do not add up", n.Value).WithRemedy("Use mean_over: split for a ratio.")
	case n.Over && n.Op == Mean && (n.Value.below == nil || n.Value.below.unit != Count):
		return treeError(t.Name, n.Name, "a mean over a split is a measure over a count").WithRemedy("Write value: won / decided, for example.")
	case n.Over && (n.Branch.Label == "" || n.Branch.ShortLabel == ""):
		return treeError(t.Name, n.Name, "its branches have no label").WithRemedy(`Give branch: {label: "{value} …", short_label: "{value}"}.`)
	}
	return nil
}

// order walks the tree from its root. What it does not reach hangs in a cycle or nowhere.
func (t *Tree) order(file *treeFile) error {
	reached := map[*Node]bool{}
	var walk func(n *Node)
	walk = func(n *Node) {
		reached[n] = true
		t.Nodes = append(t.Nodes, n)
		for _, term := range n.Terms {
			walk(term.Node) // ends: every node has one parent and the root has none
		}
	}
	walk(t.Root)
	for i := range file.Nodes {
		n := t.byName[file.Nodes[i].Name]
		if reached[n] {
			continue
		}
		if cycle := t.cycleFrom(n); cycle != "" {
			return treeError(t.Name, n.Name, "it hangs in a cycle: %s", cycle).WithRemedy("Take one of these nodes out of the other's children.")
		}
		return treeError(t.Name, n.Name, "no branch leads from the root to it").WithRemedy("Name it among some node's children, or take it out.")
	}
	return nil
}

// cycleFrom names the cycle that n's branches lead into, or "".
func (t *Tree) cycleFrom(n *Node) string {
	var path []string
	var walk func(n *Node) bool
	walk = func(n *Node) bool {
		if i := slices.Index(path, n.Name); i >= 0 {
			path = append(path[i:], n.Name)
			return true
		}
		path = append(path, n.Name)
		for _, term := range n.Terms {
			if walk(term.Node) {
				return true
			}
		}
		path = path[:len(path)-1]
		return false
	}
	if walk(n) {
		return strings.Join(path, " → ")
	}
	return ""
}

// checkUnits tells whether the units of the children make the node's.
func (t *Tree) checkUnits(n *Node) error {
	units := make([]Unit, 0, len(n.Terms))
	names := make([]string, 0, len(n.Terms))
	for _, term := range n.Terms {
		units = append(units, term.Node.Unit)
		names = append(names, term.Node.Name+" ("+string(term.Node.Unit)+")")
	}
	made := n.Unit
	switch {
	case n.Over || n.Op == Input:
		return nil
	case n.Op == Sum:
		for _, unit := range units {
			if unit != n.Unit {
				made = unit
			}
		}
	case n.Op == Product:
		made = productUnit(units)
	case n.Op == Ratio:
		made = ratioUnit(units[0], units[1])
	}
	if made != n.Unit {
		return treeError(t.Name, n.Name, "its unit is %s, but the %s of %s gives a %s", n.Unit, n.Op, strings.Join(names, ", "), orNone(made)).
			WithRemedy("Money is count × share × money: correct a unit, or the children.")
	}
	return nil
}

func orNone(u Unit) string {
	if u == "" {
		return "thing without a unit"
	}
	return string(u)
}

// productUnit: money × anything without money is money, else a count × shares is a count, shares alone are a share; "" where
// money meets money or a count a count without money between (deals × deals).
func productUnit(units []Unit) Unit {
	var money, count int
	for _, unit := range units {
		switch unit {
		case Money:
			money++
		case Count:
			count++
		case Share:
		}
	}
	switch {
	case money > 1 || count > 1:
		return ""
	case money == 1:
		return Money
	case count == 1:
		return Count
	}
	return Share
}

// ratioUnit: like over like is a share, anything over a share keeps its unit, money per count is money; "" for the rest.
func ratioUnit(above, below Unit) Unit {
	switch {
	case above == below:
		return Share
	case below == Share:
		return above
	case above == Money && below == Count:
		return Money
	}
	return ""
}
