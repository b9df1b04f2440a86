package export_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/dashboards/export"
	"canopy/ingest/importer"
	"canopy/models"

	"github.com/apache/arrow/go/v15/parquet/file"
)

// office is a store whose exports and imports run.
type office struct {
	testing.TB
	db      *store.DB
	engine  *crm.Engine
	jobs    *job.Service
	exports *export.Service
	imports *importer.Service
}

type bulkCommands struct{ *crm.Engine }

func (b bulkCommands) RunBulk(ctx context.Context, fn func(ctx context.Context) error) error {
	return b.Bulk(ctx, fn)
}

func newOffice(t *testing.T, c store.Config) *office {
	t.Helper()
	o := &office{TB: t, db: storetest.Open(t, c)}
	o.engine = storetest.Engine(t, o.db, nil)
	o.jobs = job.New(job.Config{Store: o.db.Jobs()})
	o.exports = &export.Service{Engine: o.engine, Jobs: o.jobs, Files: o.db.Jobs(), Directory: t.TempDir(), Now: time.Now}
	place, err := export.Place(o.exports.Directory)
	if err != nil {
		t.Fatal(err)
	}
	o.jobs.AddLane(job.Lane{Kind: models.ExportJob, Place: place, Worker: o.exports, Lease: o.db.NewLease("exports", "test", time.Minute)})
	o.imports = importer.New(importer.Config{
		Commands: bulkCommands{o.engine}, Jobs: o.db.Imports(), Undo: &job.Undoing{Traces: o.db.Traces(), Commands: o.engine},
		Registry: o.engine.Registry, Directory: t.TempDir(), Workspace: importer.Workspace{Zone: time.UTC, Currency: "USD"},
	})
	if err := errors.Join(o.jobs.Recover(context.Background()), o.imports.Recover(context.Background())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.imports.Close)
	t.Cleanup(o.jobs.Close)
	return o
}

func (o *office) make(object string, pairs ...any) uint64 {
	o.Helper()
	c := models.Command{Op: models.Create, Object: object, Cause: "demo"}
	for i := 0; i < len(pairs); i += 2 {
		f := o.engine.Registry().Object(object).Field(pairs[i].(string))
		v, err := f.Normal(pairs[i+1])
		if err != nil {
			o.Fatalf("%s: %v", f.Name, err)
		}
		c.Sets = append(c.Sets, models.Set{Field: f, Value: v})
	}
	outcome, err := o.engine.Do(context.Background(), models.System(), c)
	if err != nil {
		o.Fatal(err)
	}
	return outcome.Record.Number
}

// export writes a file and gives its path and description.
func (o *office) export(r export.Request) (string, models.Job) {
	o.Helper()
	j, err := o.exports.Start(context.Background(), models.System(), r)
	if err != nil {
		o.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if j, err = o.jobs.Wait(ctx, j.Number); err != nil || j.State != models.JobDone {
		o.Fatalf("%+v: %v", j, err)
	}
	in, _, err := o.exports.Open(context.Background(), models.System(), j.Number)
	if err != nil {
		o.Fatal(err)
	}
	path := filepath.Join(o.TempDir(), j.File.Name)
	out, err := os.Create(path) //nolint:gosec // the test's own directory
	if err != nil {
		o.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		o.Fatal(err)
	}
	if err := errors.Join(in.Close(), out.Close()); err != nil {
		o.Fatal(err)
	}
	return path, j
}

func (o *office) load(path, mapping string) models.Import {
	o.Helper()
	in, err := os.Open(path) //nolint:gosec // the test's own directory
	if err != nil {
		o.Fatal(err)
	}
	defer in.Close() //nolint:errcheck // it is only read
	i, err := o.imports.Start(context.Background(), models.System(), importer.File{Name: filepath.Base(path), Body: in}, mapping, false)
	if err != nil {
		o.Fatalf("%s: %v", path, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if i, err = o.imports.Wait(ctx, i.ID); err != nil || i.State != models.ImportDone || i.Refused > 0 {
		var list strings.Builder
		_ = o.imports.Refused(context.Background(), models.System(), i.ID, &list)
		o.Fatalf("%+v: %v\n%s", i, err, list.String())
	}
	return i
}

// images are an object's records in the order of their names, without their numbers.
func (o *office) images(object string) string {
	o.Helper()
	var b strings.Builder
	err := o.engine.Snapshot(context.Background(), func(ctx context.Context, _ uint64, _ bool) error {
		return o.engine.Scan(ctx, models.System(), crm.Query{Object: object, Sort: "name"}, 100, func(list []*models.Record) error {
			for _, r := range list {
				fmt.Fprintf(&b, "%s\n", r.Object.AppendImage(nil, r.Values))
			}
			return nil
		})
	})
	if err != nil {
		o.Fatal(err)
	}
	return b.String()
}

var nasty = []string{
	"=1+1", "+sum", "-cmd|' /C calc'!A0", "@x", "'=quoted", "''-5", "'plain", "-12", "a,b", `say "so"`, "two\nlines", "Zoë Ünïcode 漢字 🌱", "semi;colon|pipe", "+49 30 123", "1e5", "true", "2023-03-15", "null", "'",
}

const accounts = `
blank: []
records:
  - object: account
    key: external_id
    fields:
      external_id: {from: external_id}
      name: {from: name}
      domain: {from: domain}
      sector: {from: sector}
      founded_in: {from: founded_in}
      annual_revenue: {template: "[{annual_revenue} {annual_revenue_currency}]"}
      employee_count: {from: employee_count}
      country: {from: country}
      address: {from: address}
      phone: {from: phone}
      website: {from: website}
      tags: {from: tags}
      type: {from: type}
      advocate: {from: advocate}
      parent: {from: parent_title, lookup: {by: name, missing: later}}
`

const subscriptions = `
records:
  - object: subscription
    key: external_id
    fields:
      external_id: {from: external_id}
      name: {from: name}
      status: {from: status}
      seats: {from: seats}
      mrr: {template: "[{mrr} {mrr_currency}]"}
      auto_renew: {from: auto_renew}
      started_on: {from: started_on}
      ended_on: {from: ended_on}
      account: {from: account_title, lookup: {by: name}}
`

// What is exported and imported into another workspace is the same there, in each format, whatever the texts hold.
func TestExportThenImportIsTheSame(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		from := newOffice(t, c)
		random := rand.New(rand.NewPCG(3, 5)) //nolint:gosec // a seeded test
		currencies := []string{"USD", "EUR", "JPY", "KWD"}
		var first uint64
		for i, text := range nasty {
			pairs := []any{
				"external_id", fmt.Sprint("X", i), "name", text, "sector", nasty[(i+7)%len(nasty)], "tags", [][]string{{"customer"}, {"partner", "customer"}, nil}[i%3], "advocate", i%2 == 0,
				"annual_revenue", models.Money{Minor: random.Int64N(1e12) - 5e11, Currency: currencies[i%4]},
			}
			if i%2 == 0 {
				pairs = append(pairs, "employee_count", random.Int64N(1e6), "founded_in", int64(1900+i), "country", "DE", "phone", "+493012345", "website", "https://example.com/?a=1&b=2",
					"address", models.Address{Line1: "1, \"High\" Street", City: "Köln", Country: "DE"})
			}
			if first != 0 {
				pairs = append(pairs, "parent", first)
			}
			n := from.make("account", pairs...)
			if first == 0 {
				first = n
			}
			day, err := models.ParseDate(fmt.Sprintf("20%02d-02-28", 10+i))
			if err != nil {
				t.Fatal(err)
			}
			from.make("subscription", "external_id", fmt.Sprint("S", i), "name", "Plan of "+text, "account", n, "mrr", models.Money{Minor: int64(i) * 101, Currency: currencies[i%4]}, "started_on", day, "seats", int64(i), "auto_renew", i%3 == 0)
		}
		for _, format := range []export.Format{export.CSV, export.Parquet, export.Arrow} {
			t.Run(string(format), func(t *testing.T) {
				to := newOffice(t, store.Config{Path: filepath.Join(t.TempDir(), "copy.db")})
				a, j := from.export(export.Request{Object: "account", Format: format})
				if j.Done != int64(len(nasty)) {
					t.Errorf("%+v", j)
				}
				s, _ := from.export(export.Request{Object: "subscription", Format: format})
				to.load(a, accounts)
				to.load(s, subscriptions)
				if got, want := to.images("account"), from.images("account"); got != want {
					t.Errorf("accounts:\n%s\nwant\n%s", got, want)
				}
				if got, want := to.subscriptions(), from.subscriptions(); got != want {
					t.Errorf("subscriptions:\n%s\nwant\n%s", got, want)
				}
			})
		}
	})
}

// subscriptions are named by what they refer to, not by its number.
func (o *office) subscriptions() string {
	path, _ := o.export(export.Request{Object: "subscription", Format: export.CSV, Sort: "name", Columns: []string{"external_id", "name", "status", "seats", "mrr", "auto_renew", "started_on", "account"}})
	text, err := os.ReadFile(path) //nolint:gosec // the test's own directory
	if err != nil {
		o.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		o.Fatal(err)
	}
	return fmt.Sprint(rows)
}

// A file says of which object it is and as of which position it stands; an export of the past holds the past, and what is out of scope is in none.
func TestAFileSaysWhenItStands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		o := newOffice(t, c)
		sequencer := o.db.NewSequencer(store.SequencerOptions{})
		step := func() uint64 {
			if _, err := sequencer.Step(context.Background()); err != nil {
				t.Fatal(err)
			}
			head, err := o.db.Head(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return head
		}
		n := o.make("account", "name", "Alder", "sector", "rail")
		o.make("account", "name", "Birch", "sector", "rail")
		then := step()
		object := o.engine.Registry().Object("account")
		for _, c := range []models.Command{
			{Op: models.Update, Number: n, Object: "account", Sets: []models.Set{{Field: object.Field("sector"), Value: "sea"}}},
			{Op: models.Create, Object: "account", Sets: []models.Set{{Field: object.Field("name"), Value: "Cedar"}}},
		} {
			if _, err := o.engine.Do(context.Background(), models.System(), c); err != nil {
				t.Fatal(err)
			}
		}
		now := step()
		read := func(r export.Request) string {
			path, j := o.export(r)
			if want := max(r.Cutoff.Position, 0); j.File.Position != now && j.File.Position != want || !j.File.Exact {
				t.Errorf("position %d of %+v", j.File.Position, r)
			}
			text, err := os.ReadFile(path) //nolint:gosec // the test's own directory
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		columns := []string{"name", "sector"}
		if got := read(export.Request{Object: "account", Columns: columns, Sort: "-name"}); got != "name,sector\r\nCedar,\r\nBirch,rail\r\nAlder,sea\r\n" {
			t.Errorf("now: %q", got)
		}
		if got := read(export.Request{Object: "account", Columns: columns, Cutoff: models.Cutoff{Position: then}}); got != "name,sector\r\nAlder,rail\r\nBirch,rail\r\n" {
			t.Errorf("then: %q", got)
		}
		path, _ := o.export(export.Request{Object: "account", Format: export.Parquet})
		p, err := file.OpenParquetFile(path, false)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close() //nolint:errcheck // it is only read
		about := p.MetaData().KeyValueMetadata()
		if v := about.FindValue("canopy.position"); v == nil || *v != fmt.Sprint(now) {
			t.Errorf("metadata %v", about)
		}
		if v := about.FindValue("canopy.object"); v == nil || *v != "account" {
			t.Errorf("metadata %v", about)
		}
	})
}
