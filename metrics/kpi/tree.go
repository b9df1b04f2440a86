package kpi

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"canopy/models"

	"go.yaml.in/yaml/v3"
)

// Unit is what a node's value counts.
type Unit string

// The units. Money is in the reporting currency, major units; a share is 1 for all.
const (
	Money Unit = "money"
	Count Unit = "count"
	Share Unit = "share"
)

// Op says how a node is made of its children.
type Op string

// The operations. Input has no children.
const (
	Input   Op = "input"
	Sum     Op = "sum"
	Product Op = "product"
	Ratio   Op = "ratio"
	Mean    Op = "mean"
)

// Tree is one tree of identities, checked: no cycle, no second parent, units that fit, every node reached from the root.
type Tree struct {
	Name   string
	Label  string
	Object *models.Object
	Root   *Node
	Splits []*Split
	Nodes  []*Node // the root first, each node before its children, children in the order of the file
	byName map[string]*Node
}

// Node is one node of a tree.
type Node struct {
	Name       string
	Label      string
	ShortLabel string // Label where the file gives none
	Unit       Unit
	Better     string      // up or down
	Value      *Expression // nil: made of its children only
	Deals      string      // population that a drill-down opens: won or decided
	Base       string      // measure whose smallness makes the node's change uncertain; empty where there is none
	Op         Op
	Over       bool   // the children are the branches of the chosen split
	Terms      []Term // the children of the other operations
	Branch     BranchLabels
	Formula    string
	Definition string
}

// Term is one child of a node; a sum may subtract it.
type Term struct {
	Node     *Node
	Negative bool
}

// BranchLabels name the branches of a split: {value} stands for the branch.
type BranchLabels struct {
	Label      string `yaml:"label"`
	ShortLabel string `yaml:"short_label"`
}

// Split is a dimension over which a node may be cut: a field of the tree's object, or a field over one of its references.
type Split struct {
	Name  string
	Label string
	Over  *models.Field // the reference; nil where the field is the object's own
	Field *models.Field
}

// NodeOf finds a node by name; nil where there is none.
func (t *Tree) NodeOf(name string) *Node { return t.byName[name] }

// Split finds a split by name; "" is the first. An unknown one is invalid and names those that there are.
func (t *Tree) Split(name string) (*Split, error) {
	if name == "" {
		return t.Splits[0], nil
	}
	var known []string
	for _, s := range t.Splits {
		if s.Name == name {
			return s, nil
		}
		known = append(known, s.Name)
	}
	return nil, models.FieldError("split", "%q is no split of the tree %s", name, t.Name).WithRemedy("Ask for one of " + strings.Join(known, ", ") + ".")
}

//go:embed trees/*.yaml
var treeFiles embed.FS

// Trees reads the trees that ship with Canopy, in the order of their names.
func Trees(registry *models.Registry) ([]*Tree, error) {
	paths, err := fs.Glob(treeFiles, "trees/*.yaml")
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	trees := make([]*Tree, 0, len(paths))
	for _, path := range paths {
		text, err := treeFiles.ReadFile(path)
		if err != nil {
			return nil, err
		}
		tree, err := ParseTree(text, registry)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		trees = append(trees, tree)
	}
	return trees, nil
}

// The forms of a tree's file.
type treeFile struct {
	Name   string      `yaml:"name"`
	Label  string      `yaml:"label"`
	Object string      `yaml:"object"`
	Root   string      `yaml:"root"`
	Splits []splitFile `yaml:"splits"`
	Nodes  []nodeFile  `yaml:"nodes"`
}

type splitFile struct {
	Name  string `yaml:"name"`
	Label string `yaml:"label"`
	Field string `yaml:"field"`
}

type nodeFile struct {
	Name       string       `yaml:"name"`
	Label      string       `yaml:"label"`
	ShortLabel string       `yaml:"short_label"`
	Unit       Unit         `yaml:"unit"`
	Better     string       `yaml:"better"`
	Value      string       `yaml:"value"`
	Deals      string       `yaml:"deals"`
	Base       string       `yaml:"base"`
	Sum        []string     `yaml:"sum"`
	Product    []string     `yaml:"product"`
	Ratio      []string     `yaml:"ratio"`
	SumOver    string       `yaml:"sum_over"`
	MeanOver   string       `yaml:"mean_over"`
	Branch     BranchLabels `yaml:"branch"`
	Formula    string       `yaml:"formula"`
	Definition string       `yaml:"definition"`
}

// ParseTree reads and checks one tree. Every error is a models.Error that names the tree, the node and what to do about it.
func ParseTree(text []byte, registry *models.Registry) (*Tree, error) {
	var file treeFile
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, readError(text, err)
	}
	return build(&file, registry)
}

// readError tells where a file is no tree. An unknown member is looked for by hand, so that the message can name its node.
func readError(text []byte, cause error) error {
	var loose struct {
		Name  string `yaml:"name"`
		Nodes []map[string]any
	}
	var shape *yaml.TypeError
	if errors.As(cause, &shape) && yaml.Unmarshal(text, &loose) == nil {
		for _, node := range loose.Nodes {
			names := make([]string, 0, len(node))
			for name := range node {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				if !slices.Contains(nodeMembers, name) {
					return treeError(loose.Name, fmt.Sprint(node["name"]), "unknown member %q", name).
						WithRemedy("A node has " + strings.Join(nodeMembers, ", ") + ".")
				}
			}
		}
	}
	return treeError(loose.Name, "", "%s", strings.TrimPrefix(cause.Error(), "yaml: ")).
		WithRemedy("Correct the file at the line named; definition.md has the rules.")
}

var nodeMembers = []string{"name", "label", "short_label", "unit", "better", "value", "deals", "base", "sum", "product", "ratio",
	"sum_over", "mean_over", "branch", "formula", "definition"}

// treeError builds the one kind of error that this file gives: invalid, with tree and node named.
func treeError(tree, node, format string, args ...any) *models.Error {
	place := "tree " + tree
	if tree == "" {
		place = "tree without a name"
	}
	if node != "" {
		place += ", node " + node
	}
	e := models.Errorf(models.Invalid, "%s", place+": "+fmt.Sprintf(format, args...))
	e.Field = tree
	return e
}
