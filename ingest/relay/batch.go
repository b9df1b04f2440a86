package relay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"canopy/models"
)

// batch is the changes of a range of positions, decoded into one table per object.
type batch struct {
	models.RelayBatch
	frozen   bool // it is written down already
	tables   map[string]*table
	registry *models.Registry // of the tables' layout
	bytes    int              // of the images
	first    time.Time        // recorded_at of the first change
	unknown  uint64
}

// rowError names the log row that the relay cannot take over: an inconsistency within Canopy, never a caller's fault.
type rowError struct {
	position uint64
	err      error
}

func (e *rowError) Error() string {
	return fmt.Sprintf("the change at position %d cannot be taken over: %v", e.position, e.err)
}

func (e *rowError) Unwrap() error { return e.err }

// errFull ends the reading of a batch that has enough bytes.
var errFull = errors.New("batch is full")

// objects lists the tables with rows by object name, in the one order in which they are sent.
func (b *batch) objects() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(b.tables)), func(name string) bool { return b.tables[name].rows == 0 })
}

// reset empties the batch for re-use under a registry; tables of another layout are thrown away.
func (b *batch) reset(r *models.Registry) {
	if b.registry != r || b.tables == nil {
		b.registry, b.tables = r, map[string]*table{}
	}
	for _, t := range b.tables {
		t.reset()
	}
	b.RelayBatch, b.frozen, b.bytes, b.unknown, b.first = models.RelayBatch{}, false, 0, 0, time.Time{}
}

// add appends one row; it must be the one after the last.
func (b *batch) add(r *models.LogRow) error {
	if r.Position != b.Through+1 {
		return &rowError{b.Through + 1, fmt.Errorf("the log goes on with position %d instead", r.Position)}
	}
	t := b.tables[r.Object]
	if t == nil {
		o := b.registry.Object(r.Object)
		if o == nil {
			return &rowError{r.Position, fmt.Errorf("the registry has no object %q", r.Object)}
		}
		t = newTable(o)
		b.tables[r.Object] = t
	}
	if err := t.add(r); err != nil {
		return &rowError{r.Position, fmt.Errorf("image of %s %d: %w", r.Object, r.Number, err)}
	}
	if b.first.IsZero() {
		b.first = r.RecordedAt
	}
	b.Through = r.Position
	b.bytes += len(r.Image)
	return nil
}

// fill reads the changes after a position into b: up to through, or fewer where exact is false and the bytes or an unreadable row
// say so. A row that cannot be read is an error only where it is the first; else the batch ends before it, so that nothing that is
// well waits behind it.
func (r *Relay) fill(ctx context.Context, b *batch, after, through uint64, exact bool) error {
	registry := r.config.Registry()
	for try := 1; ; try++ {
		err := r.read(ctx, b, registry, after, through, exact)
		var row *rowError
		isRow := errors.As(err, &row)
		if (b.unknown > 0 || isRow) && try == 1 {
			// A field or object that came a moment ago: ask the registry again before giving it up.
			if r.config.Refresh != nil {
				if err := r.config.Refresh(ctx); err != nil {
					return fmt.Errorf("ask for a newer registry: %w", err)
				}
			}
			if newer := r.config.Registry(); newer != registry {
				registry = newer
				continue
			}
		}
		if isRow && !exact && row.position > after+1 && row.position <= through {
			through = row.position - 1
			continue
		}
		if b.unknown > 0 {
			r.config.Logger.Warn("images name fields that the registry does not have; they are passed over",
				"values", b.unknown, "after", after, "through", b.Through)
		}
		return err
	}
}

func (r *Relay) read(ctx context.Context, b *batch, registry *models.Registry, after, through uint64, exact bool) error {
	b.reset(registry)
	b.After, b.Through = after, after
	err := r.config.Feed.Each(ctx, after, through, func(row *models.LogRow) error {
		if err := b.add(row); err != nil {
			return err
		}
		if !exact && b.bytes >= r.config.BatchBytes {
			return errFull
		}
		return nil
	})
	for _, t := range b.tables {
		b.unknown += t.unknown
	}
	switch {
	case errors.Is(err, errFull):
		return nil
	case err != nil:
		return fmt.Errorf("read the change log after position %d: %w", after, err)
	case b.Through != through:
		return &rowError{b.Through + 1, fmt.Errorf("the log ends before position %d", through)}
	}
	return nil
}
