package crm

import (
	"context"

	"canopy/models"
	"canopy/models/predicate"
)

// Scanner reads many records at once, for exports and bulk edits.
type Scanner interface {
	// Snapshot runs fn with a context in which every read sees one moment. Nothing may be written with it.
	Snapshot(ctx context.Context, fn func(ctx context.Context) error) error
	// Scan reads all records of a query in its order, size at a time, inside Snapshot. The batch is the callee's only until it returns.
	Scan(ctx context.Context, q Listing, size int, fn func([]*models.Record) error) error
	// Numbers reads the numbers of all live (or all deleted) records for which a predicate holds, in rising order, as of one moment.
	Numbers(ctx context.Context, object string, where *predicate.Bound, deleted bool, fn func(number uint64) error) error
	// Position gives the position of the log up to which a reader sees all changes; exact tells that he sees no other.
	Position(ctx context.Context) (position uint64, exact bool, err error)
	// Histories gives the whole histories of records, with images.
	Histories(ctx context.Context, object string, numbers []uint64) ([]models.TouchedRecord, error)
}

// Snapshot runs fn with a context in which every read of the engine sees the records as they stood at one moment, and tells the log's
// position at that moment.
func (e *Engine) Snapshot(ctx context.Context, fn func(ctx context.Context, position uint64, exact bool) error) error {
	return e.store.Snapshot(ctx, func(ctx context.Context) error {
		position, exact, err := e.store.Position(ctx)
		if err != nil {
			return err
		}
		return fn(ctx, position, exact)
	})
}

// Scan gives all records of a query that the reader may see, in its order, size at a time; the query's limit and cursor do not matter.
// It is called with the context of Snapshot. fn's slice is used again after it returns.
func (e *Engine) Scan(ctx context.Context, reader models.Reader, q Query, size int, fn func([]*models.Record) error) error {
	listing, err := e.listing(reader, q)
	if err != nil {
		return err
	}
	return e.store.Scan(ctx, listing, size, fn)
}

// CheckQuery says what is wrong with a query, as Scan would.
func (e *Engine) CheckQuery(reader models.Reader, q Query) error {
	_, err := e.listing(reader, q)
	return err
}

func (e *Engine) listing(reader models.Reader, q Query) (Listing, error) {
	object, err := e.Registry().Need(q.Object)
	if err != nil {
		return Listing{}, err
	}
	where, err := e.Bind(reader, object, q.Where)
	if err != nil {
		return Listing{}, err
	}
	order, err := predicate.ParseSort(object, q.Sort)
	return Listing{Object: q.Object, Where: where, Sort: order, WithDeleted: q.WithDeleted}, err
}

// CountAll counts all records of a query that the reader may see.
func (e *Engine) CountAll(ctx context.Context, reader models.Reader, q Query) (int64, error) {
	listing, err := e.listing(reader, q)
	if err != nil {
		return 0, err
	}
	const all = 1 << 40
	n, err := e.store.Count(ctx, q.Object, listing.Where, q.WithDeleted, all)
	return int64(n), err
}

// Numbers gives the numbers of all live records (or, with deleted, of all deleted ones) of a filter that the reader may see, in rising
// order and as of one moment, up to limit; more is a too_large error.
func (e *Engine) Numbers(ctx context.Context, reader models.Reader, object string, where *predicate.Node, deleted bool, limit int) ([]uint64, error) {
	listing, err := e.listing(reader, Query{Object: object, Where: where})
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	err = e.store.Numbers(ctx, object, listing.Where, deleted, func(n uint64) error {
		if len(numbers) == limit {
			return models.Errorf(models.TooLarge, "the filter finds more than %d records", limit).WithRemedy("Narrow the filter, and go in several steps.")
		}
		numbers = append(numbers, n)
		return nil
	})
	return numbers, err
}

// ScanAsOf is Scan of the past: the records that the reader may see today, in the order of their numbers, as they stood at the cut-off;
// those that were not there or were deleted then are left out. The filter is asked of the past, too.
func (e *Engine) ScanAsOf(ctx context.Context, reader models.Reader, q Query, cutoff models.Cutoff, size int, fn func([]*models.Record) error) error {
	object, err := e.Registry().Need(q.Object)
	if err != nil {
		return err
	}
	if q.Sort != "" {
		return models.FieldError("sort", "records of the past come in the order of their numbers").WithRemedy("Leave sort out.")
	}
	visible, err := e.listing(reader, Query{Object: q.Object, WithDeleted: true})
	if err != nil {
		return err
	}
	var filter *predicate.Bound
	if q.Where != nil {
		bound, err := q.Where.Bind(e.Registry(), object, e.options.Calendar)
		if err != nil {
			return err
		}
		filter = predicate.Visible(e.Registry(), bound, reader)
	}
	related := &pastRecords{e: e, ctx: ctx, cutoff: cutoff, known: map[RecordKey][]models.Value{}}
	return e.store.Scan(ctx, visible, size, func(today []*models.Record) error {
		past, err := e.past(ctx, today, cutoff)
		if err != nil {
			return err
		}
		kept := past[:0]
		for _, r := range past {
			if filter.Match(r.Values, predicate.MetaOf(r), related.values) {
				kept = append(kept, r)
			}
			if related.err != nil {
				return related.err
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return fn(kept)
	})
}

// past gives records as they stood at a cut-off; those that were not there are left out.
func (e *Engine) past(ctx context.Context, today []*models.Record, cutoff models.Cutoff) ([]*models.Record, error) {
	numbers := make([]uint64, len(today))
	for i, r := range today {
		numbers[i] = r.Number
	}
	histories, err := e.store.Histories(ctx, today[0].Object.Name, numbers)
	if err != nil {
		return nil, err
	}
	byNumber := make(map[uint64][]models.Change, len(histories))
	for _, h := range histories {
		byNumber[h.Number] = h.Changes
	}
	past := make([]*models.Record, 0, len(today))
	for _, r := range today {
		state := asOf(byNumber[r.Number], cutoff)
		if state == nil || state.Deleted {
			continue
		}
		past = append(past, &models.Record{
			Object: r.Object, Number: r.Number, Version: state.Version, CreatedAt: r.CreatedAt, UpdatedAt: state.RecordedAt, HappenedAt: state.HappenedAt, Values: state.Image,
		})
	}
	return past, nil
}

// pastRecords finds records that a filter looks at over references, as they stood at the cut-off.
type pastRecords struct {
	e      *Engine
	ctx    context.Context //nolint:containedctx // it lives within one call
	cutoff models.Cutoff
	known  map[RecordKey][]models.Value // nil: it was not there
	err    error
}

// maxKnown bounds how many records are remembered.
const maxKnown = 20_000

func (p *pastRecords) values(object string, number uint64) ([]models.Value, bool) {
	key := RecordKey{object, number}
	if values, ok := p.known[key]; ok {
		return values, values != nil
	}
	histories, err := p.e.store.Histories(p.ctx, object, []uint64{number})
	if err != nil {
		p.err = err
		return nil, false
	}
	if len(p.known) >= maxKnown {
		clear(p.known)
	}
	p.known[key] = nil
	if len(histories) == 1 {
		if state := asOf(histories[0].Changes, p.cutoff); state != nil && !state.Deleted {
			p.known[key] = state.Image
		}
	}
	return p.known[key], p.known[key] != nil
}
