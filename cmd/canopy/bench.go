package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"canopy/models"
)

// benchCommand measures Canopy. Machines differ and are shared, so what counts is the ratio, taken in the same run.
type benchCommand struct {
	Config `embed:""`
	Only   []string `help:"Run only these benchmarks (by the beginning of their names)."`
	Repeat int      `default:"3" help:"How often each is measured; the median is told."`
	Small  bool     `help:"A hundredth of the data: to see that the benchmarks run."`
	// A million and more takes minutes to fill.
	Contacts int `default:"100000" help:"How many contacts the workplace has; accounts and deals follow."`
}

// measurement is one measured value beside what it is held against.
type measurement struct {
	name  string
	value float64
	unit  string
	ratio float64 // to the limit or rival
	of    string  // what the ratio is to, and which way is good
}

// benchmark measures once; the same benchmark gives the same names in the same order each time.
type benchmark struct {
	name string
	once bool // filling takes so long that it is measured once, from many samples
	run  func(ctx context.Context, c *benchCommand) ([]measurement, error)
}

// Run prints one line a value: name, value, unit, ratio and what it is the ratio to.
func (c *benchCommand) Run(ctx context.Context, s *streams) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Repeat < 1 {
		return models.FieldError("repeat", "%d is not a number of measurements", c.Repeat)
	}
	for _, b := range benchmarks {
		if len(c.Only) > 0 && !slices.ContainsFunc(c.Only, func(prefix string) bool { return strings.HasPrefix(b.name, prefix) }) {
			continue
		}
		if err := c.measure(ctx, s, b); err != nil {
			return fmt.Errorf("benchmark %s: %w", b.name, err)
		}
	}
	return nil
}

func (c *benchCommand) measure(ctx context.Context, s *streams, b benchmark) error {
	var runs [][]measurement
	repeat := c.Repeat
	if b.once {
		repeat = 1
	}
	for range repeat {
		m, err := b.run(ctx, c)
		if err != nil {
			return err
		}
		runs = append(runs, m)
	}
	for i := range runs[0] {
		slices.SortFunc(runs, func(x, y []measurement) int {
			switch {
			case x[i].ratio < y[i].ratio:
				return -1
			case x[i].ratio > y[i].ratio:
				return 1
			}
			return 0
		})
		m := runs[len(runs)/2][i]
		fmt.Fprintf(s.out, "%-28s %12.4g %-10s %8.3f  %s\n", m.name, m.value, m.unit, m.ratio, m.of)
	}
	return nil
}

// size is n, or a hundredth of it for a small run.
func (c *benchCommand) size(n int) int {
	if c.Small {
		return max(n/100, 1)
	}
	return n
}

// scratch is a directory for one measurement.
func scratch() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "canopy-bench-")
	return dir, func() { os.RemoveAll(dir) }, err
}

// benchmarks is everything that is measured, in the order of the results table.
var benchmarks = []benchmark{
	{name: "start", run: benchStart},
	{name: "records", run: benchRecords},
	{name: "workplace", once: true, run: benchWorkplace},
	{name: "import", run: benchImport},
	{name: "export", run: benchExport},
	{name: "relay", run: benchRelay},
	{name: "kpi", run: benchWeek},
}
