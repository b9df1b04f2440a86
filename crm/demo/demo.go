package demo

import (
	"context"
	"fmt"
	"time"

	"canopy/crm"
	"canopy/models"
)

// Config says which company is made.
type Config struct {
	Seed     uint64
	Contacts int // people known by the end; everything else grows with them
	Weeks    int // length of the history, ending with the week that holds Until
	Until    time.Time
	// Progress is told after each chunk; nil for nobody.
	Progress func(Progress)
}

// Progress is how far a company has come.
type Progress struct {
	Week    int // that the writing has reached, from 1
	Written int // commands so far, those of an earlier run included
}

// Default is the company that an analysis can learn from: 20,000 people over 104 weeks.
func Default(until time.Time) Config {
	return Config{Seed: 1, Contacts: 20_000, Weeks: 104, Until: until}
}

// Validate tells what is out of range.
func (c Config) Validate() error {
	var wrong []models.Error
	if c.Contacts < 50 || c.Contacts > 1_000_000 {
		wrong = append(wrong, *models.FieldError("contacts", "%d is not between 50 and 1,000,000", c.Contacts))
	}
	if c.Weeks < 4 || c.Weeks > 260 {
		wrong = append(wrong, *models.FieldError("weeks", "%d is not between 4 and 260", c.Weeks))
	}
	return models.Gather(wrong)
}

// Engine is what the company is written through.
type Engine interface {
	Bulk(ctx context.Context, fn func(ctx context.Context) error) error
	Do(ctx context.Context, reader models.Reader, command models.Command) (models.Outcome, error)
	Batch(ctx context.Context, reader models.Reader, commands []models.Command) ([]models.Result, error)
	FindByText(ctx context.Context, reader models.Reader, object, field string, values []string) (map[string][]uint64, error)
	List(ctx context.Context, reader models.Reader, q crm.Query) (crm.Page, error)
	Registry() *models.Registry
	Calendar() models.Calendar
	Currency() string
}

// Report is what became of a run.
type Report struct {
	Truths  *Truths
	Chunks  int // transactions that this run wrote; those of an earlier run are passed over
	Written int // commands that this run wrote
	// Refused are commands that the engine refused because somebody else had changed or deleted what they were about; First
	// says why the first one was.
	Refused int
	First   error
}

// TruthsOf gives what drives a company, without making it.
func TruthsOf(c Config, calendar models.Calendar) (*Truths, error) {
	c.Until = c.Until.UTC().Truncate(time.Second)
	return plan(c, calendar), c.Validate()
}

// ahead is how many chunks the simulation may be ahead of the writing.
const ahead = 4

// Seed simulates the company and writes it, in chunks of one transaction each. The simulation runs beside the writing and
// keeps only what is alive in the company and a few chunks. A run that was cut off is finished by the next one with the same
// configuration: the first command of each chunk carries an idempotency key, so a chunk that was written is passed over
// whole, and records that later chunks refer to are found by their keys.
func Seed(ctx context.Context, engine Engine, c Config) (Report, error) {
	truths, err := TruthsOf(c, engine.Calendar())
	if err != nil {
		return Report{}, err
	}
	c.Until = c.Until.UTC().Truncate(time.Second)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := newWriter(engine, c)
	report := Report{Truths: truths}
	if err := w.findAdministrator(ctx); err != nil {
		return report, err
	}
	chunks := make(chan []moment, ahead)
	go func() {
		defer close(chunks)
		simulate(ctx, engine, c, truths, chunks)
	}()
	for list := range chunks {
		if err := w.write(ctx, list); err != nil {
			return w.report(report), fmt.Errorf("write the demo company: %w", err)
		}
		if c.Progress != nil {
			c.Progress(Progress{Week: w.weekOf(list), Written: w.passed})
		}
	}
	return w.report(report), ctx.Err()
}

// chunkSize is how many moments go into one transaction. It is part of what makes a run repeatable.
const chunkSize = 200

// simulate sends the company's moments in the order in which they are written down.
func simulate(ctx context.Context, engine Engine, c Config, truths *Truths, chunks chan<- []moment) {
	list := make([]moment, 0, chunkSize)
	send := func() {
		select {
		case chunks <- list:
		case <-ctx.Done():
		}
		list = make([]moment, 0, chunkSize)
	}
	company := newCompany(engine, c, truths, func(m moment) {
		if list = append(list, m); len(list) == chunkSize {
			send()
		}
	})
	company.live(func() bool { return ctx.Err() != nil })
	if len(list) > 0 && ctx.Err() == nil {
		send()
	}
}

// AdministratorEmail is the address of the user who administers the demo company: the workspace's first administrator.
const AdministratorEmail = crm.AdministratorEmail
