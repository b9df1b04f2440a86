package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"canopy/crm"
	"canopy/crm/demo"
	"canopy/models"
)

// demoCommand fills an empty workspace.
type demoCommand struct {
	Config   `embed:""`
	Seed     uint64 `default:"1" help:"Another seed gives another company."`
	Contacts int    `default:"20000" help:"How many people the company knows in the end; everything else grows with them."`
	Weeks    int    `default:"104" help:"How many weeks of history."`
	Truths   bool   `help:"Print what drives the company in this data directory, and make nothing."`
}

// Run seeds, goes on with a seeding that was cut off, or says that the workspace is not empty.
func (c *demoCommand) Run(ctx context.Context, s *streams) error {
	if c.Truths {
		return printTruths(c.Data, s.out)
	}
	return withRecords(ctx, &c.Config, s, func(ctx context.Context, p *parts) error {
		config := demo.Config{Seed: c.Seed, Contacts: c.Contacts, Weeks: c.Weeks, Until: time.Now()}
		seeded, err := p.seedDemo(ctx, config, s.out)
		if err == nil && seeded == nil {
			return models.Errorf(models.Conflict, "the workspace in %s has records of its own", c.Data).
				WithRemedy("The demo fills empty workspaces only: name another data directory (--data).")
		}
		return err
	})
}

// truthsFile lies in the data directory and says what drives the demo company.
const truthsFile = "demo-truths.json"

func printTruths(data string, out io.Writer) error {
	text, err := os.ReadFile(filepath.Join(data, truthsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return models.Errorf(models.NotFound, "there is no demo company in %s", data).WithRemedy("Make one with canopy demo, or name its data directory (--data).")
	}
	if err != nil {
		return fmt.Errorf("read the demo company's truths: %w", err)
	}
	_, err = out.Write(text)
	return err
}

// demoSetting keeps which company is being made, so that a seeding that was cut off goes on with the same one, and then that it is done.
const demoSetting = "demo.company"

const demoDone = "done"

// demoBegun is the setting's value while the company is being made.
type demoBegun struct {
	Seed     uint64    `json:"seed"`
	Contacts int       `json:"contacts"`
	Weeks    int       `json:"weeks"`
	Until    time.Time `json:"until"`
}

// seedDemo fills the workspace if it holds no deals, or goes on with a seeding that was cut off, whatever size is asked for now. It gives
// nil where the workspace holds a company already.
func (p *parts) seedDemo(ctx context.Context, c demo.Config, out io.Writer) (*demo.Truths, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	begun, err := p.records.FindByText(ctx, models.System(), "setting", "key", []string{demoSetting})
	if err != nil {
		return nil, err
	}
	if numbers := begun[demoSetting]; len(numbers) > 0 {
		r, err := p.records.Get(ctx, models.System(), "setting", numbers[0], models.Cutoff{})
		if err != nil {
			return nil, err
		}
		value, _ := r.Get("value").(string)
		if value == demoDone {
			return nil, nil
		}
		var was demoBegun
		if err := json.Unmarshal([]byte(value), &was); err != nil {
			return nil, fmt.Errorf("read the setting %s: %w", demoSetting, err)
		}
		c.Seed, c.Contacts, c.Weeks, c.Until = was.Seed, was.Contacts, was.Weeks, was.Until
		return p.finishDemo(ctx, c, numbers[0], out)
	}
	page, err := p.records.List(ctx, models.System(), crm.Query{Object: "deal", Limit: 1, WithDeleted: true})
	if err != nil || page.Count > 0 {
		return nil, err
	}
	c.Until = c.Until.UTC().Truncate(time.Second)
	value, err := json.Marshal(demoBegun{c.Seed, c.Contacts, c.Weeks, c.Until})
	if err != nil {
		return nil, err
	}
	object := p.records.Registry().Object("setting")
	outcome, err := p.records.Do(ctx, models.System(), models.Command{Op: models.Create, Object: object.Name, Cause: demo.Cause, Sets: []models.Set{
		{Field: object.Field("key"), Value: demoSetting}, {Field: object.Field("value"), Value: string(value)},
	}})
	if err != nil {
		return nil, err
	}
	return p.finishDemo(ctx, c, outcome.Record.Number, out)
}

// finishDemo writes the company and its truths, and notes that it is done.
func (p *parts) finishDemo(ctx context.Context, c demo.Config, setting uint64, out io.Writer) (*demo.Truths, error) {
	started := time.Now()
	shown := 0
	c.Progress = func(at demo.Progress) {
		if at.Week != shown {
			shown = at.Week
			fmt.Fprintf(out, "\rmaking the demo company: week %d of %d, %d records and changes ", at.Week, c.Weeks, at.Written)
		}
	}
	report, err := demo.Seed(ctx, p.records, c)
	fmt.Fprintln(out)
	if ctx.Err() != nil {
		fmt.Fprintln(out, "Stopped. The same command goes on from here.")
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if report.Refused > 0 {
		p.log.Warn("parts of the demo company were refused, as their records have been changed meanwhile", "commands", report.Refused, "first", report.First)
	}
	fmt.Fprintf(out, "wrote %d records and changes in %.1f s\n", report.Written, time.Since(started).Seconds())
	if err := p.writeTruths(report.Truths); err != nil {
		return nil, err
	}
	value := p.records.Registry().Object("setting").Field("value")
	_, err = p.records.Do(ctx, models.System(), models.Command{Op: models.Update, Object: "setting", Number: setting, Cause: demo.Cause, Sets: []models.Set{{Field: value, Value: demoDone}}})
	return report.Truths, err
}

func (p *parts) writeTruths(t *demo.Truths) error {
	text, err := t.Write()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.config.Data, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(p.config.Data, truthsFile), text, 0o600); err != nil {
		return fmt.Errorf("write the demo company's truths: %w", err)
	}
	return nil
}

// introduce lets one person of each kind sign in with the administrator's password, and says who they are. A password that is not
// known here (it was set before) stays the administrator's alone.
func (p *parts) introduce(ctx context.Context, t *demo.Truths, password string, out io.Writer) error {
	if password == "" {
		return nil
	}
	fmt.Fprintln(out, "\nPeople of the demo company, who sign in with the administrator's password:")
	for _, who := range t.SignIns() {
		user, err := p.userByEmail(ctx, who.Email)
		if err != nil {
			return fmt.Errorf("introduce %s: %w", who.Email, err)
		}
		if err := p.access.SetPassword(ctx, models.System(), user, password); err != nil {
			return fmt.Errorf("introduce %s: %w", who.Email, err)
		}
		fmt.Fprintf(out, "  %-34s %s\n", who.Email, who.As)
	}
	return nil
}
