package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"canopy/crm"
	"canopy/crm/demo"
	"canopy/models"
)

// demoCommand fills an empty workspace.
type demoCommand struct {
	Config `embed:""`
	Seed   uint64 `default:"1" help:"Another seed gives another company."`
	Deals  int    `default:"2000" help:"How many deals."`
	Weeks  int    `default:"104" help:"How many weeks of history."`
}

// Run seeds, or says that the workspace is not empty.
func (c *demoCommand) Run(ctx context.Context, s *streams) error {
	return withRecords(ctx, &c.Config, s, func(ctx context.Context, p *parts) error {
		config := demo.Default(time.Now())
		config.Seed, config.Deals, config.Weeks = c.Seed, c.Deals, c.Weeks
		seeded, err := p.seedDemo(ctx, config, s.out)
		if err == nil && !seeded {
			return models.Errorf(models.Conflict, "the workspace in %s has records of its own", c.Data).
				WithRemedy("The demo fills empty workspaces only: name another data directory (--data).")
		}
		return err
	})
}

// demoUntil is the setting that keeps the instant at which the demo's history ends, so that a seeding that was cut off
// goes on with the same history.
const demoUntil = "demo.until"

// seedDemo fills the workspace if it holds no deals, or goes on with a seeding that was cut off; seeded is false where it
// holds a company already.
func (p *parts) seedDemo(ctx context.Context, c demo.Config, out io.Writer) (seeded bool, err error) {
	c.Until = c.Until.UTC().Truncate(time.Second)
	object := p.records.Registry().Object("setting")
	begun, err := p.records.FindByText(ctx, models.System(), "setting", "key", []string{demoUntil})
	if err != nil {
		return false, err
	}
	if numbers := begun[demoUntil]; len(numbers) > 0 {
		r, err := p.records.Get(ctx, models.System(), "setting", numbers[0], models.Cutoff{})
		if err != nil {
			return false, err
		}
		value, _ := r.Get("value").(string)
		until, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return false, nil //nolint:nilerr // "done": the company is there
		}
		c.Until = until
		return true, p.finishDemo(ctx, c, numbers[0], out)
	}
	page, err := p.records.List(ctx, models.System(), crm.Query{Object: "deal", Limit: 1, WithDeleted: true})
	if err != nil || page.Count > 0 {
		return false, err
	}
	outcome, err := p.records.Do(ctx, models.System(), models.Command{Op: models.Create, Object: "setting", Cause: "demo", Sets: []models.Set{
		{Field: object.Field("key"), Value: demoUntil}, {Field: object.Field("value"), Value: c.Until.Format(time.RFC3339)},
	}})
	if err != nil {
		return false, err
	}
	return true, p.finishDemo(ctx, c, outcome.Record.Number, out)
}

func (p *parts) finishDemo(ctx context.Context, c demo.Config, setting uint64, out io.Writer) error {
	started := time.Now()
	c.Progress = func(done, total int) { fmt.Fprintf(out, "\rmaking the demo company: %3d %%", 100*done/total) }
	n, err := demo.Seed(ctx, p.records, c)
	fmt.Fprintln(out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "wrote %d changes in %.1f s\n", n, time.Since(started).Seconds())
	value := p.records.Registry().Object("setting").Field("value")
	_, err = p.records.Do(ctx, models.System(), models.Command{Op: models.Update, Object: "setting", Number: setting, Cause: "demo", Sets: []models.Set{{Field: value, Value: "done"}}})
	return err
}
