package demo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/demo"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

// until is a Wednesday at noon, so that the running week is half over.
var until = time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)

func seed(t *testing.T, engine *crm.Engine, c demo.Config) demo.Report {
	t.Helper()
	report, err := demo.Seed(context.Background(), engine, c)
	if err != nil {
		t.Fatal(err)
	}
	if report.Refused > 0 {
		t.Fatalf("%d commands were refused, the first: %v", report.Refused, report.First)
	}
	return report
}

// list gives all records of an object.
func list(t *testing.T, engine *crm.Engine, object string) []*models.Record {
	t.Helper()
	var all []*models.Record
	q := crm.Query{Object: object, Limit: crm.MaxPage}
	for {
		page, err := engine.List(context.Background(), models.System(), q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Records...)
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			return all
		}
	}
}

func TestTheDemoCompanyIsWritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		db := storetest.Open(t, c)
		engine := storetest.Engine(t, db, nil)
		seed(t, engine, demo.Config{Seed: 7, Contacts: 200, Weeks: 20, Until: until})
		for object, n := range map[string]int{"contact": 200, "user": 24, "territory": 4, "product": 8, "pipeline": 2, "stage": 10} {
			if got := len(list(t, engine, object)); got != n {
				t.Errorf("%d records of %s, not %d", got, object, n)
			}
		}
		for _, object := range []string{"account", "lead", "touch", "deal", "deal_line", "deal_contact", "activity", "task", "quote", "quote_line", "order", "order_line", "subscription", "ticket", "appointment", "campaign", "price_book_entry", "target", "team"} {
			if len(list(t, engine, object)) == 0 {
				t.Errorf("there is no %s", object)
			}
		}
	})
}

// dump writes a workspace down without its numbers: a line a record, references by title, in a fixed order.
func dump(t *testing.T, engine *crm.Engine) []string {
	t.Helper()
	records := map[string][]*models.Record{}
	title := map[string]map[uint64]any{}
	for _, o := range engine.Registry().Objects() {
		records[o.Name] = list(t, engine, o.Name)
		title[o.Name] = map[uint64]any{}
		for _, r := range records[o.Name] {
			title[o.Name][r.Number] = r.Get(o.Title)
		}
	}
	var lines []string
	for _, o := range engine.Registry().Objects() {
		for _, r := range records[o.Name] {
			line := fmt.Sprintf("%s v%d %s", o.Name, r.Version, r.HappenedAt.UTC().Format(time.RFC3339))
			for _, f := range o.Fields {
				v := r.Get(f.Name)
				if n, ok := v.(uint64); ok && f.Kind == models.Reference {
					v = title[f.To][n]
				}
				if at, ok := v.(time.Time); ok {
					v = at.UTC().Format(time.RFC3339)
				}
				if v != nil && f.Name != "key" { // some keys are made of numbers
					line += fmt.Sprintf(" %s=%v", f.Name, v)
				}
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

func compare(t *testing.T, what string, a, b []string) {
	t.Helper()
	if len(a) != len(b) {
		t.Errorf("%s: %d records and %d", what, len(a), len(b))
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s: record %d differs:\n%s\n%s", what, i, a[i], b[i])
		}
	}
}

var little = demo.Config{Seed: 3, Contacts: 120, Weeks: 10, Until: until}

func TestTheSameSeedGivesTheSameCompanyAlsoAfterBeingCutOff(t *testing.T) {
	t.Parallel()
	whole := storetest.Engine(t, storetest.Open(t, store.Config{Path: t.TempDir() + "/whole.db"}), nil)
	first := seed(t, whole, little)
	wanted := dump(t, whole)
	storetest.Each(t, func(t *testing.T, c store.Config) {
		engine := storetest.Engine(t, storetest.Open(t, c), nil)
		cut := little
		written := 0
		for written = 0; ; written++ { // each try is cut off a chunk later
			ctx, stop := context.WithCancel(context.Background())
			chunks := 0
			cut.Progress = func(demo.Progress) {
				if chunks++; chunks == written+2 {
					stop()
				}
			}
			_, err := demo.Seed(ctx, engine, cut)
			ended := ctx.Err() == nil
			stop()
			if ended {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("a run that was cut off ended with %v", err)
			}
		}
		if written < 3 {
			t.Errorf("cut off %d times: too few to mean anything", written)
		}
		compare(t, "cut off and whole", dump(t, engine), wanted)
		if again := seed(t, engine, little); again.Written != 0 {
			t.Errorf("a run over a finished company wrote %d commands", again.Written)
		}
		compare(t, "run again", dump(t, engine), wanted)
	})
	other := little
	other.Seed++
	another := storetest.Engine(t, storetest.Open(t, store.Config{Path: t.TempDir() + "/other.db"}), nil)
	if second := seed(t, another, other); second.Written == first.Written {
		t.Error("another seed wrote as many commands: it may be the same company")
	}
}

func TestCompaniesOutOfRangeAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []demo.Config{{Contacts: 10, Weeks: 20}, {Contacts: 100, Weeks: 1}, {Contacts: 2_000_000, Weeks: 20}, {Contacts: 100, Weeks: 1000}} {
		if c.Validate() == nil {
			t.Errorf("%d contacts over %d weeks are not refused", c.Contacts, c.Weeks)
		}
	}
}
