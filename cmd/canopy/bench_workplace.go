package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"

	"canopy/crm"
	"canopy/ingest/importer"
	"canopy/models"
)

// workplace is a database full of records, on one of the two kinds of store.
type workplace struct {
	*parts
	kind     string // sqlite, postgres
	remove   func() error
	random   *rand.Rand
	contacts int
	team     uint64             // of a fifth of the records
	owners   []uint64           // of 0.5 % each
	out      []measurement      // so far
	small    map[string]float64 // medians at the first size
}

// benchWorkplace fills stores with contacts, a fifth as many accounts and half as many deals, and measures what people do there all day:
// on SQLite, and on PostgreSQL where --postgres-dsn names a server (in a database of its own, dropped at the end).
func benchWorkplace(ctx context.Context, c *benchCommand) ([]measurement, error) {
	kinds := []string{"sqlite"}
	if c.PostgresDSN != "" {
		kinds = append(kinds, "postgres")
	}
	var out []measurement
	for _, kind := range kinds {
		w, err := c.openWorkplace(ctx, kind)
		if err != nil {
			return nil, err
		}
		err = w.measure(ctx, c.size(c.Contacts))
		if err = errors.Join(err, w.db.Close(), w.remove()); err != nil {
			return nil, err
		}
		out = append(out, w.out...)
	}
	return out, nil
}

func (c *benchCommand) openWorkplace(ctx context.Context, kind string) (*workplace, error) {
	dir, remove, err := scratch()
	if err != nil {
		return nil, err
	}
	config := c.Config
	config.Data, config.PostgresDSN, config.LogLevel = dir, "", "error"
	w := &workplace{kind: kind, random: rand.New(rand.NewPCG(1, 2)), small: map[string]float64{}} //nolint:gosec // nothing secret
	w.remove = func() error { remove(); return nil }
	if kind == "postgres" {
		dsn, drop, err := freshDatabase(ctx, c.PostgresDSN)
		if err != nil {
			return nil, err
		}
		config.PostgresDSN = dsn
		w.remove = func() error { remove(); return drop() }
	}
	if w.parts, err = openRecords(ctx, &config, &streams{out: discard{}, err: os.Stderr}); err != nil {
		return nil, errors.Join(err, w.remove())
	}
	return w, nil
}

// freshDatabase makes a database beside the one that dsn names.
func freshDatabase(ctx context.Context, dsn string) (fresh string, drop func() error, err error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return "", nil, err
	}
	server, err := sql.Open("pgx", dsn)
	if err != nil {
		return "", nil, err
	}
	name := fmt.Sprintf("canopy_bench_%d", time.Now().UnixNano())
	if _, err := server.ExecContext(ctx, "create database "+name); err != nil {
		return "", nil, errors.Join(err, server.Close())
	}
	drop = func() error {
		_, err := server.ExecContext(context.WithoutCancel(ctx), "drop database "+name+" with (force)")
		return errors.Join(err, server.Close())
	}
	return fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s", config.Host, config.Port, config.User, config.Password, name), drop, nil
}

// measure fills the store in two steps and looks at it after each.
func (w *workplace) measure(ctx context.Context, contacts int) error {
	first := max(contacts/100, 100)
	if err := w.furnish(ctx); err != nil {
		return err
	}
	if _, err := w.fill(ctx, first); err != nil {
		return err
	}
	if err := w.reads(ctx, true); err != nil {
		return err
	}
	seconds, err := w.fill(ctx, contacts)
	if err != nil {
		return err
	}
	if err := w.importFigures(ctx, contacts-first, seconds); err != nil {
		return err
	}
	if err := w.reads(ctx, false); err != nil {
		return err
	}
	w.growth(float64(first), float64(contacts))
	if err := w.scopes(ctx); err != nil {
		return err
	}
	return w.writes(ctx)
}

func (w *workplace) tell(name string, value float64, unit string, ratio float64, of string) {
	w.out = append(w.out, measurement{name: "workplace." + w.kind + "." + name, value: value, unit: unit, ratio: ratio, of: of})
}

// growth holds the medians against those at the first size: nothing may grow faster than the logarithm of the number of records.
func (w *workplace) growth(first, now float64) {
	logarithm := math.Log(now) / math.Log(first)
	for _, name := range []string{"list", "search", "record"} {
		times := w.small[name+".now"] / w.small[name]
		w.tell(name+".growth", times, "times", times/logarithm, fmt.Sprintf("of log n, from %.0f to %.0f contacts (at most 1)", first, now))
	}
}

func (w *workplace) set(object, field string, v models.Value) models.Set {
	return models.Set{Field: w.records.Registry().Object(object).Field(field), Value: v}
}

func (w *workplace) create(ctx context.Context, object string, sets ...models.Set) (uint64, error) {
	o, err := w.records.Do(ctx, models.System(), models.Command{Op: models.Create, Object: object, Sets: sets})
	if err != nil {
		return 0, err
	}
	return o.Record.Number, nil
}

// furnish makes what the others need: five teams, 200 owners in them, a pipeline with three stages.
func (w *workplace) furnish(ctx context.Context) error {
	var teams []uint64
	for n := range 5 {
		team, err := w.create(ctx, "team", w.set("team", "name", fmt.Sprintf("Team %d", n+1)))
		if err != nil {
			return err
		}
		teams = append(teams, team)
	}
	w.team = teams[0]
	for n := range importer.ContactOwners {
		owner, err := w.create(ctx, "user", w.set("user", "name", fmt.Sprintf("Owner %d", n+1)), w.set("user", "team", teams[n%5]),
			w.set("user", "territory", fmt.Sprintf("Territory %d", n%20)), w.set("user", "scope", "owner"))
		if err != nil {
			return err
		}
		w.owners = append(w.owners, owner)
	}
	pipeline, err := w.create(ctx, "pipeline", w.set("pipeline", "name", "B2B"))
	if err != nil {
		return err
	}
	for n, status := range []string{"open", "won", "lost"} {
		_, err := w.create(ctx, "stage", w.set("stage", "key", "B2B/"+status), w.set("stage", "name", status), w.set("stage", "pipeline", pipeline),
			w.set("stage", "rank", int64(n+1)), w.set("stage", "status", status))
		if err != nil {
			return err
		}
	}
	return nil
}

// fill brings the store up to a number of contacts and gives how long importing them took.
func (w *workplace) fill(ctx context.Context, contacts int) (float64, error) {
	had := w.contacts
	w.contacts = contacts
	accounts := func(n int) int { return max(n/5, 1) }
	err := w.batches(ctx, accountsBefore(had), accounts(contacts), func(k int) models.Command {
		return models.Command{Op: models.Create, Object: "account", Cause: "import:0", Sets: []models.Set{
			w.set("account", "name", fmt.Sprintf("Company %d", k+1)), w.set("account", "domain", fmt.Sprintf("company%d.example", k+1)),
			w.set("account", "sector", []string{"Software", "Retail", "Health", "Energy"}[k%4]), w.set("account", "owner", w.owners[k%len(w.owners)]),
		}}
	})
	if err != nil {
		return 0, err
	}
	seconds, err := w.importContacts(ctx, contacts-had, accounts(contacts), uint64(contacts)) //nolint:gosec // a seed
	if err != nil {
		return 0, err
	}
	at := time.Now().Add(-time.Hour)
	err = w.batches(ctx, had/2, contacts/2, func(k int) models.Command {
		return models.Command{Op: models.Create, Object: "deal", Cause: "import:0", HappenedAt: at, Sets: []models.Set{
			w.set("deal", "name", fmt.Sprintf("Deal %d of %d", k+1, k%97)), w.set("deal", "external_id", fmt.Sprintf("X%09d", k*7_919_113%1_000_000_007)),
			w.set("deal", "stage", uint64(1)), w.set("deal", "account", uint64(k%accounts(contacts)+1)), w.set("deal", "owner", w.owners[k%len(w.owners)]), //nolint:gosec // small
			w.set("deal", "source", "inbound"), w.set("deal", "amount", models.Money{Minor: int64(w.random.IntN(1_000_000)), Currency: "USD"}),
		}}
	})
	if err != nil || w.kind == "sqlite" {
		return seconds, err
	}
	return seconds, w.analyze(ctx)
}

func accountsBefore(contacts int) int { return contacts / 5 }

// analyze does what PostgreSQL's own background work does within minutes.
func (w *workplace) analyze(ctx context.Context) error {
	server, err := sql.Open("pgx", w.config.PostgresDSN)
	if err != nil {
		return err
	}
	_, err = server.ExecContext(ctx, "vacuum analyze")
	return errors.Join(err, server.Close())
}

// batches runs the commands from one place to another in transactions of a thousand.
func (w *workplace) batches(ctx context.Context, from, to int, command func(k int) models.Command) error {
	const size = 1000
	for first := from; first < to; first += size {
		commands := make([]models.Command, 0, size)
		for k := first; k < min(first+size, to); k++ {
			commands = append(commands, command(k))
		}
		err := w.records.Run(ctx, crm.Bulk, func(ctx context.Context) error {
			results, err := w.records.Batch(ctx, models.System(), commands)
			if err != nil {
				return err
			}
			for i := range results {
				if results[i].Err != nil {
					return results[i].Err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// importContacts imports n contacts from a file and gives the seconds.
func (w *workplace) importContacts(ctx context.Context, n, accounts int, seed uint64) (float64, error) {
	path := filepath.Join(w.config.Data, "contacts.csv")
	if err := os.MkdirAll(w.config.Data, 0o700); err != nil {
		return 0, err
	}
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(f)
	if err := errors.Join(importer.WriteContacts(out, n, accounts, seed), out.Flush(), f.Close()); err != nil {
		return 0, err
	}
	service := w.newImporter()
	if err := service.Recover(ctx); err != nil {
		return 0, err
	}
	defer service.Close()
	started := time.Now()
	i, err := (&localImports{service}).start(ctx, path, importer.ContactsMapping, false)
	if err != nil {
		return 0, err
	}
	if i, err = service.Wait(ctx, i.ID); err != nil {
		return 0, err
	}
	if i.State != models.ImportDone || i.Refused > 0 {
		return 0, fmt.Errorf("the import ended as %s with %d refused rows: %s", i.State, i.Refused, i.Error)
	}
	return time.Since(started).Seconds(), nil
}
