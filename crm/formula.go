package crm

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// Work is how far the formulas of an approved change request have come: how many records of its object were looked at, and how
// many of them could not be given a value.
type Work struct {
	Request uint64
	Object  string
	Cursor  string // where to go on; blank at the start
	Done    int64
	Refused int64
	Problem string // why the last one refused has no value
	Over    bool
}

// Registrar keeps the changes of the registry and the work that follows from them.
type Registrar interface {
	// Registry is the description of objects in force.
	Registry() *models.Registry
	// Adopt grows the registry in the transaction of ctx; check may refuse what it would become.
	Adopt(ctx context.Context, d models.Definition, request uint64, check func(*models.Registry) error) (*models.Registry, error)
	// BeginWork notes that a request's formulas are to be computed.
	BeginWork(ctx context.Context, request uint64, object string) error
	// OpenWork lists work that is not over, oldest first.
	OpenWork(ctx context.Context) ([]Work, error)
	// WorkOf gives a request's work; nil where it has none. Inside a transaction it is held against other processes.
	WorkOf(ctx context.Context, request uint64) (*Work, error)
	// SaveWork keeps how far it has come.
	SaveWork(ctx context.Context, w Work) error
}

// formulaChunk is how many records one bulk transaction computes: well under 50 ms.
const formulaChunk = 100

// formulaPause is how often work that another process left is looked for.
const formulaPause = 2 * time.Second

// ComputeFormulas gives existing records the values of formulas that were approved, until ctx ends. Each chunk is one bulk transaction that
// also keeps how far it came, so that a killed process, or another one, goes on where the last commit left it.
func (e *Engine) ComputeFormulas(ctx context.Context, log *slog.Logger) error {
	ticker := time.NewTicker(formulaPause)
	defer ticker.Stop()
	for {
		if err := e.computeAll(ctx); err != nil && ctx.Err() == nil {
			log.Warn("formulas of existing records: trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-e.formulas:
		}
	}
}

func (e *Engine) computeAll(ctx context.Context) error {
	open, err := e.store.OpenWork(ctx)
	if err != nil {
		return err
	}
	for _, w := range open {
		for over := false; !over; {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it is gone on with at the next start
			}
			if over, err = e.computeChunk(ctx, w.Request); err != nil {
				return err
			}
		}
	}
	return nil
}

// computeChunk computes the next records of a request, and closes the request behind the last.
func (e *Engine) computeChunk(ctx context.Context, request uint64) (over bool, err error) {
	err = e.store.Run(ctx, Bulk, func(ctx context.Context) error {
		over = true
		w, err := e.store.WorkOf(ctx, request)
		if err != nil || w == nil || w.Over {
			return err
		}
		object, err := e.Registry().Need(w.Object)
		if err != nil {
			return err
		}
		order, err := predicate.ParseSort(object, "")
		if err != nil {
			return err
		}
		records, err := e.store.List(ctx, Listing{Object: w.Object, Sort: order, Cursor: w.Cursor, Limit: formulaChunk})
		if err != nil {
			return err
		}
		if err := e.recompute(ctx, w, records); err != nil {
			return err
		}
		if over = len(records) < formulaChunk; over {
			w.Over = true
			if err := e.closeRequest(ctx, request); err != nil {
				return err
			}
		} else {
			w.Cursor = order.CursorOf(records[len(records)-1])
		}
		return e.store.SaveWork(ctx, *w)
	})
	return over, err
}

// recompute writes what formulas make of records as they stand. One whose formula cannot be evaluated keeps no value and is counted.
// Nothing else of a record is looked at: what its rules ask for today is asked for when somebody changes it.
func (e *Engine) recompute(ctx context.Context, w *Work, records []*models.Record) error {
	b := e.newBatch(ctx, models.System())
	if b.broken != nil {
		return b.broken
	}
	numbers := make([]uint64, len(records))
	for i, r := range records {
		numbers[i] = r.Number
	}
	if err := b.lock(w.Object, numbers); err != nil {
		return err
	}
	for _, number := range numbers {
		w.Done++
		r := b.locked[RecordKey{w.Object, number}]
		if r == nil || r.Deleted {
			continue
		}
		next := make([]models.Value, len(r.Object.Fields))
		copy(next, r.Values)
		var said *models.Error
		if err := b.rules[w.Object].compute(next); errors.As(err, &said) {
			w.Refused, w.Problem = w.Refused+1, r.ID()+": "+said.Error()
			continue
		} else if err != nil {
			return err
		}
		c := models.Command{Op: models.Update, Object: w.Object, Number: number, Cause: causeFormula}
		changed := difference(r.Object, r.Values, next)
		if len(changed) == 0 {
			continue
		}
		if _, err := b.commit(r, &c, models.Updated, later(b.now, r.HappenedAt), changed, next, false); err != nil {
			return err
		}
	}
	return nil
}

// closeRequest says that all is done.
func (e *Engine) closeRequest(ctx context.Context, request uint64) error {
	object := e.Registry().Object(requestObject)
	_, err := e.Do(ctx, models.System(), models.Command{Op: models.Update, Object: requestObject, Number: request, Cause: causeFormula, Sets: setsOf(object, map[string]models.Value{"state": requestLive})})
	if models.CodeOf(err) == models.NotFound { // somebody has deleted the request; what it asked for stays
		return nil
	}
	return err
}

// WorkOf tells how far a request's formulas are computed; one without formulas is over. What could not be computed is named only to
// readers who see every record.
func (e *Engine) WorkOf(ctx context.Context, reader models.Reader, request uint64) (Work, error) {
	if _, err := e.Get(ctx, reader, requestObject, request, models.Cutoff{}); err != nil {
		return Work{}, err
	}
	w, err := e.store.WorkOf(ctx, request)
	if err != nil || w == nil {
		return Work{Request: request, Over: true}, err
	}
	if !reader.SeesAll() {
		w.Problem, w.Done, w.Refused = "", 0, 0
	}
	return *w, nil
}
