package demo

import (
	"context"
	"fmt"
	"sort"
	"time"

	"canopy/models"
)

// Config says which company is made.
type Config struct {
	Seed  uint64
	Deals int // deals over all weeks; other records grow with it
	Weeks int // length of the history, ending with the week that holds Until
	Until time.Time
	// Progress is told after each chunk; nil for nobody.
	Progress func(done, total int)
}

// Default is the company that a first start shows: 2,000 deals over 104 weeks.
func Default(until time.Time) Config {
	return Config{Seed: 1, Deals: 2000, Weeks: 104, Until: until}
}

func (c Config) validate() error {
	switch {
	case c.Deals < 1 || c.Deals > 250_000:
		return models.FieldError("deals", "%d is not between 1 and 250,000", c.Deals)
	case c.Weeks < 1 || c.Weeks > 520:
		return models.FieldError("weeks", "%d is not between 1 and 520", c.Weeks)
	}
	return nil
}

// Engine is what the demo writes through.
type Engine interface {
	Bulk(ctx context.Context, fn func(ctx context.Context) error) error
	Batch(ctx context.Context, reader models.Reader, commands []models.Command) ([]models.Result, error)
	Registry() *models.Registry
	Calendar() models.Calendar
	Currency() string
}

// moment is one thing that happens: a command that may need the numbers of records made before it.
type moment struct {
	at    time.Time
	order int    // breaks ties: the order in which moments were thought of
	makes string // the key under which the record that it creates is known; blank for a change of an existing one
	build func(known map[string]uint64) models.Command
}

// chunk is how many moments go into one transaction: about 25 ms of writing.
const chunk = 100

// Seed writes the company. Each command carries an idempotency key made of seed and place, so that a run that was cut off
// goes on where it stopped when it is started again with the same configuration. It gives the number of commands.
func Seed(ctx context.Context, engine Engine, c Config) (int, error) {
	if err := c.validate(); err != nil {
		return 0, err
	}
	moments := newCompany(engine, c).moments()
	sort.SliceStable(moments, func(i, j int) bool {
		if !moments[i].at.Equal(moments[j].at) {
			return moments[i].at.Before(moments[j].at)
		}
		return moments[i].order < moments[j].order
	})
	known := map[string]uint64{}
	for start := 0; start < len(moments); start += chunk {
		end := min(start+chunk, len(moments))
		err := engine.Bulk(ctx, func(ctx context.Context) error {
			return write(ctx, engine, c.Seed, start, moments[start:end], known)
		})
		if err != nil {
			return start, fmt.Errorf("write the demo company: %w", err)
		}
		if c.Progress != nil {
			c.Progress(end, len(moments))
		}
	}
	return len(moments), nil
}

// write runs moments one after another and notes the numbers of what they make; a second try notes them anew.
func write(ctx context.Context, engine Engine, seed uint64, first int, moments []moment, known map[string]uint64) error {
	for i, m := range moments {
		command := m.build(known)
		command.HappenedAt, command.Cause = m.at, fmt.Sprintf("demo:%d", seed)
		command.IdempotencyKey = fmt.Sprintf("demo:%d:%d", seed, first+i)
		results, err := engine.Batch(ctx, models.System(), []models.Command{command})
		if err != nil {
			return err
		}
		if results[0].Err != nil {
			return fmt.Errorf("%s of %s: %w", command.Op, command.Object, results[0].Err)
		}
		if m.makes != "" {
			known[m.makes] = results[0].Record.Number
		}
	}
	return nil
}
