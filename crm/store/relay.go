package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"canopy/crm"
	"canopy/models"
)

// Relay keeps how far the change log stands in the warehouse, beside the log itself. Its writes are a row each and go before bulk
// work, so that an import does not hold up what it has already written.
type Relay struct{ db *DB }

// Relay gives the relay's durable state.
func (db *DB) Relay() *Relay { return &Relay{db} }

// Load gives the progress; the zero value before the first Renew.
func (r *Relay) Load(ctx context.Context) (models.RelayProgress, error) {
	var p models.RelayProgress
	var after, through sql.Null[uint64]
	err := r.db.queryRow(ctx, "select incarnation, batch, acknowledged, frozen_after, frozen_through from relay where id = 1").
		Scan(&p.Incarnation, &p.Batch, &p.Acknowledged, &after, &through)
	if errors.Is(err, sql.ErrNoRows) {
		return models.RelayProgress{}, nil
	}
	if err != nil {
		return models.RelayProgress{}, fmt.Errorf("read relay progress: %w", err)
	}
	if through.Valid {
		p.Frozen = &models.RelayBatch{Incarnation: p.Incarnation, Number: p.Batch, After: after.V, Through: through.V}
	}
	return p, nil
}

// Renew begins a new copy: batches count from 1 again and nothing is frozen.
func (r *Relay) Renew(ctx context.Context, incarnation string, acknowledged uint64) error {
	return r.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		_, err := r.db.exec(ctx, `insert into relay (id, incarnation, batch, acknowledged, frozen_after, frozen_through, updated_at)
    values (1, ?, 0, ?, null, null, ?)
    on conflict (id) do update set incarnation = excluded.incarnation, batch = 0, acknowledged = excluded.acknowledged,
        frozen_after = null, frozen_through = null, updated_at = excluded.updated_at`,
			incarnation, int64(acknowledged), r.db.d.instant(r.db.now())) //nolint:gosec // positions are under 2^63
		if err != nil {
			return fmt.Errorf("renew relay: %w", err)
		}
		return nil
	})
}

// Freeze writes down the batch that follows the last one; a conflict if it does not.
func (r *Relay) Freeze(ctx context.Context, b models.RelayBatch) error {
	return r.one(ctx, b, "another relay froze a batch meanwhile",
		`update relay set batch = ?, frozen_after = ?, frozen_through = ?, updated_at = ?
    where id = 1 and incarnation = ? and batch = ? and acknowledged = ? and frozen_through is null`,
		int64(b.Number), int64(b.After), int64(b.Through), r.db.d.instant(r.db.now()), b.Incarnation, int64(b.Number)-1, int64(b.After)) //nolint:gosec // under 2^63
}

// Acknowledge moves the position behind the frozen batch; a conflict if b is not the frozen one.
func (r *Relay) Acknowledge(ctx context.Context, b models.RelayBatch) error {
	return r.one(ctx, b, "another relay acknowledged it, or the copy was begun anew",
		`update relay set acknowledged = ?, frozen_after = null, frozen_through = null, updated_at = ?
    where id = 1 and incarnation = ? and batch = ? and frozen_after = ? and frozen_through = ?`,
		int64(b.Through), r.db.d.instant(r.db.now()), b.Incarnation, int64(b.Number), int64(b.After), int64(b.Through)) //nolint:gosec // under 2^63
}

// one runs an update that must change the one row.
func (r *Relay) one(ctx context.Context, b models.RelayBatch, otherwise, query string, args ...any) error {
	return r.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		result, err := r.db.exec(ctx, query, args...)
		if err != nil {
			return fmt.Errorf("write relay progress: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, models.Errorf(models.Conflict, "batch %d (positions %d to %d) is not the one that is due: %s",
				b.Number, b.After+1, b.Through, otherwise))
		}
		return nil
	})
}
