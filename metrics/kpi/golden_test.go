package kpi

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"canopy/models"

	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"
)

// golden is one case of testdata: why it is right, the changes, the parameters, the rows that SQL must bring, and the result that
// Compute must give from those rows.
type golden struct {
	name     string
	params   Params
	cutoff   models.Cutoff
	changes  []map[string]string
	products []map[string]string
	rows     []Row
	targets  []Target
	result   []string
}

type goldenParams struct {
	Zone           string    `yaml:"zone"`
	WeekStart      string    `yaml:"week_start"`
	Week           string    `yaml:"week"`
	Compare        Compare   `yaml:"compare"`
	Split          string    `yaml:"split"`
	Currency       string    `yaml:"currency"`
	ToldAt         time.Time `yaml:"told_at"`
	Watermark      time.Time `yaml:"watermark"`
	DataFrom       string    `yaml:"data_from"`
	Position       uint64    `yaml:"position"`
	HappenedBefore time.Time `yaml:"happened_before"`
}

func standardTrees(t testing.TB) (*models.Registry, []*Tree) {
	t.Helper()
	registry, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	trees, err := Trees(registry)
	if err != nil {
		t.Fatal(err)
	}
	return registry, trees
}

// goldens reads every case of testdata.
func goldens(t *testing.T) []*golden {
	t.Helper()
	_, trees := standardTrees(t)
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var all []*golden
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		g, err := readGolden(strings.TrimSuffix(filepath.Base(path), ".txtar"), text, trees[0])
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, g)
	}
	return all
}

func readGolden(name string, text []byte, tree *Tree) (*golden, error) {
	g := &golden{name: name}
	archive := txtar.Parse(text)
	if len(strings.TrimSpace(string(archive.Comment))) < 80 {
		return nil, fmt.Errorf("it does not say why it is right")
	}
	for _, f := range archive.Files {
		var err error
		switch f.Name {
		case "params":
			err = g.readParams(f.Data, tree)
		case "changes":
			g.changes, err = table(f.Data)
		case "products":
			g.products, err = table(f.Data)
		case "rows":
			err = g.readRows(f.Data)
		case "targets":
			err = g.readTargets(f.Data)
		case "result":
			g.result = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
		default:
			err = fmt.Errorf("unknown section")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	g.params.Targets = g.targets
	return g, nil
}

func (g *golden) readParams(text []byte, tree *Tree) error {
	var in goldenParams
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&in); err != nil {
		return err
	}
	zone, err := time.LoadLocation(in.Zone)
	if err != nil {
		return err
	}
	starts := map[string]time.Weekday{"monday": time.Monday, "sunday": time.Sunday, "saturday": time.Saturday}
	start, ok := starts[in.WeekStart]
	if !ok {
		return fmt.Errorf("week_start %q", in.WeekStart)
	}
	week, err := models.ParseDate(in.Week)
	if err != nil {
		return err
	}
	split, err := tree.Split(in.Split)
	if err != nil {
		return err
	}
	if in.Watermark.IsZero() {
		in.Watermark = in.ToldAt
	}
	g.params = Params{Tree: tree, Split: split, Week: week, Compare: in.Compare, Currency: in.Currency,
		Calendar: models.Calendar{Zone: zone, WeekStart: start}, AsOf: AsOf{Position: 99, ToldAt: in.ToldAt, Watermark: in.Watermark}}
	g.cutoff = models.Cutoff{HappenedBefore: in.HappenedBefore, Position: in.Position}
	if in.DataFrom != "" {
		from, err := models.ParseDate(in.DataFrom)
		if err != nil {
			return err
		}
		g.params.DataFrom = &from
	}
	return nil
}

// table reads CSV with a head into one map a line.
func table(text []byte) ([]map[string]string, error) {
	reader := csv.NewReader(strings.NewReader(string(text)))
	reader.TrimLeadingSpace = true
	lines, err := reader.ReadAll()
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[strings.TrimSpace(name)] = strings.TrimSpace(line[i])
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (g *golden) readRows(text []byte) error {
	lines, err := table(text)
	if err != nil {
		return err
	}
	for _, line := range lines {
		week, err := models.ParseDate(line["week"])
		if err != nil {
			return err
		}
		r := Row{Week: week, Branch: line["branch"], Currency: line["currency"]}
		for _, number := range []struct {
			name  string
			into  *int64
			scale int
		}{{"decided", &r.DecidedCount, 0}, {"won", &r.WonCount, 0}, {"won_value", &r.WonValue, 4}, {"won_list_value", &r.WonListValue, 4},
			{"without_amount", &r.WonWithoutAmountCount, 0}} {
			if line[number.name] == "" {
				continue
			}
			if *number.into, err = models.ParseScaled(line[number.name], number.scale); err != nil {
				return err
			}
		}
		g.rows = append(g.rows, r)
	}
	return nil
}

func (g *golden) readTargets(text []byte) error {
	lines, err := table(text)
	if err != nil {
		return err
	}
	for i, line := range lines {
		t := Target{Number: uint64(i + 1), Node: line["node"]}
		if t.Value, err = models.ParseScaled(line["value"], 4); err != nil {
			return err
		}
		if t.FromOn, err = models.ParseDate(line["from_on"]); err != nil {
			return err
		}
		if line["to_on"] != "" {
			to, err := models.ParseDate(line["to_on"])
			if err != nil {
				return err
			}
			t.ToOn = &to
		}
		if line["owner"] != "" {
			t.Owner, t.OwnerName = uint64(i+1), line["owner"]
		}
		g.targets = append(g.targets, t)
	}
	return nil
}

// told writes a result in the lines of a case: nodes as "id now before contribution marks…", then what there is of the rest.
func told(r *Result) []string {
	number := func(x *float64) string {
		if x == nil {
			return "-"
		}
		return strconv.FormatFloat(*x, 'f', -1, 64)
	}
	var lines []string
	for _, n := range r.Nodes {
		line := fmt.Sprintf("%s %s %s %s", n.ID, number(n.Now), number(n.Before), number(n.Contribution))
		if n.SmallBase {
			line += " small"
		}
		if n.Target != nil {
			line += " target=" + number(n.Target)
		}
		if n.Owner != nil {
			line += " owner=" + n.Owner.Name
		}
		if n.Reason != "" {
			line += " now: " + n.Reason
		}
		if n.BeforeReason != "" {
			line += " before: " + n.BeforeReason
		}
		lines = append(lines, line)
	}
	lines = append(lines, fmt.Sprintf("week %d %s, %d days, complete %t, against %s", r.Week.Number, r.Week.Label, r.Week.DaysElapsed, r.Week.Complete, r.Compare.Label))
	lede := fmt.Sprintf("lede %s %s %s %s %s", number(r.Lede.Value), number(r.Lede.Before), number(r.Lede.Change), number(r.Lede.ChangeShare), number(r.Lede.TargetShare))
	for _, c := range []*Contributor{r.Lede.Push, r.Lede.Drag} {
		if c == nil {
			lede += " -"
			continue
		}
		lede += fmt.Sprintf(" %s%+g", c.Node, c.Contribution)
	}
	lines = append(lines, lede)
	if r.Provisional {
		lines = append(lines, "provisional: "+r.ProvisionalReason)
	}
	for _, w := range r.Warnings {
		lines = append(lines, "warning: "+w)
	}
	return lines
}

// The math stage: from a case's rows, in pure Go.
func TestGoldenMath(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			r, err := Compute(g.rows, g.params)
			if err != nil {
				t.Fatalf("math stage: %v", err)
			}
			got := told(r)
			for i := range max(len(got), len(g.result)) {
				var have, want string
				if i < len(got) {
					have = got[i]
				}
				if i < len(g.result) {
					want = g.result[i]
				}
				if have != want {
					t.Errorf("math stage, line %d:\n got  %s\n want %s", i+1, have, want)
				}
			}
			checkLaws(t, r)
			again, err := Compute(g.rows, g.params)
			if err != nil {
				t.Fatal(err)
			}
			first, _ := json.Marshal(r)
			second, _ := json.Marshal(again)
			if string(first) != string(second) {
				t.Error("math stage: the same rows gave other bytes")
			}
			if strings.Contains(string(first), "NaN") || strings.Contains(string(first), "Inf") {
				t.Error("math stage: a number is not finite")
			}
		})
	}
}
