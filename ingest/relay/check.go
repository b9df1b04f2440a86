package relay

import (
	"context"
	"fmt"

	"canopy/models"
)

const remedyRebuild = "Stop the server and run canopy rebuild: it makes the warehouse anew from the change log."

// check proves that the warehouse is the one that the progress speaks of: its last position lies where the last batches left it.
// A warehouse that is empty was thrown away on purpose and is filled again from the start, under a new incarnation; one that
// lacks rows or has too many is an error that only a rebuild mends.
func (a *attempt) check(ctx context.Context) error {
	least, most := a.progress.Acknowledged, a.progress.Acknowledged
	if a.progress.Frozen != nil {
		most = a.progress.Frozen.Through
	}
	last, err := a.config.Warehouse.LastPosition(ctx, a.fits)
	switch {
	case err != nil:
		return err
	case last == 0 && least > 0:
		a.config.Logger.Warn("the warehouse is empty: it is filled again from the log", "acknowledged", least)
		if err := a.renew(ctx, 0); err != nil {
			return err
		}
		a.show()
	case last < least:
		return models.Errorf(models.Internal, "the warehouse holds changes up to position %d, but %d were acknowledged: rows are missing", last, least).WithRemedy(remedyRebuild)
	case last > most:
		return models.Errorf(models.Internal, "the warehouse holds changes up to position %d, but was given only %d: it belongs to another log or to a later state of this one", last, most).WithRemedy(remedyRebuild)
	}
	a.confirm(a.progress.Acknowledged)
	a.update(func(s *models.RelayStatus) {
		if s.Head == s.Position {
			s.State, s.LastError = models.RelayCaughtUp, ""
		}
	})
	return nil
}

// Rebuild empties the warehouse's logs and present states and lets the relay fill them again from the first change, under a new
// incarnation. It interrupts a running relay for that moment. The new incarnation is written down first, so that a crash in
// between is noticed and Rebuild may be called again.
func (r *Relay) Rebuild(ctx context.Context) error {
	r.mu.Lock()
	if r.cancel != nil {
		r.cancel()
	}
	r.mu.Unlock()
	r.running.Lock()
	defer r.running.Unlock()
	a := &attempt{Relay: r}
	a.confirm(0)
	if err := a.renew(ctx, 0); err != nil {
		return err
	}
	if err := r.config.Warehouse.Empty(ctx, r.config.Registry()); err != nil {
		return fmt.Errorf("empty the warehouse: %w", err)
	}
	a.show()
	return nil
}

// Difference is one object whose changes differ between the log and the warehouse.
type Difference struct {
	Object string
	Log    Tally // of the transactional store
	Copy   Tally // of the warehouse
	// Present counts records in the cache of the present state that are not at their greatest position.
	Present uint64
}

// Tally is what is counted of an object's changes: how many rows, how many distinct positions, and a sum over position, number,
// version, instant and deletion of each row that changes when any of them does.
type Tally struct {
	Rows      uint64
	Positions uint64
	Sum       uint64
}

// Audit compares both stores up to the acknowledged position, change by change: nothing is missing, nothing stands twice, and the
// present state is at the greatest position of each record. No difference gives nil. It reads the whole log once.
func (r *Relay) Audit(ctx context.Context) ([]Difference, error) {
	progress, err := r.config.State.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the relay's progress: %w", err)
	}
	logged := map[string]Tally{}
	if progress.Acknowledged > 0 {
		err = r.config.Feed.Each(ctx, 0, progress.Acknowledged, func(row *models.LogRow) error {
			t := logged[row.Object]
			t.Rows, t.Positions, t.Sum = t.Rows+1, t.Positions+1, t.Sum+weigh(row)
			logged[row.Object] = t
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read the change log: %w", err)
		}
	}
	var differences []Difference
	for _, o := range r.config.Registry().Objects() {
		copied, err := r.config.Warehouse.Tally(ctx, o, progress.Acknowledged)
		if err != nil {
			return nil, err
		}
		d := Difference{Object: o.Name, Log: logged[o.Name], Present: copied.Stale,
			Copy: Tally{Rows: copied.Rows, Positions: copied.Positions, Sum: copied.Sum}}
		if d.Log != d.Copy || d.Present != 0 {
			differences = append(differences, d)
		}
	}
	return differences, nil
}

// weigh is the term of one row in Tally.Sum; audit_log.sql has the same. Products wrap at 2^64.
func weigh(r *models.LogRow) uint64 {
	happened := uint64(r.HappenedAt.UnixMilli()) // wraps on both sides alike
	version := uint64(r.Version)                 //nolint:gosec // counted from 1
	return (r.Position*1_000_003 + r.Number*10_007 + version*101 + uint64(bit(r.Deleted))) * (happened*2 + 1)
}
