package relay

import (
	"context"

	"canopy/models"
)

// Feed is the change log as the relay reads it: sequenced changes only, immutable, positions from 1 without gaps.
type Feed interface {
	// Head is the greatest position; 0 for an empty log.
	Head(ctx context.Context) (uint64, error)
	// Each hands over the changes of a range (after < position ≤ through) in order. The row and its image belong to the callback
	// until it returns. An error of fn ends the reading and is returned as it is.
	Each(ctx context.Context, after, through uint64, fn func(*models.LogRow) error) error
	// Wait returns when the log may have grown past a position, or with ctx's error.
	Wait(ctx context.Context, after uint64) error
}

// State keeps the relay's progress where the log is kept, durably.
type State interface {
	// Load gives the zero Progress before the first Renew.
	Load(ctx context.Context) (models.RelayProgress, error)
	// Renew begins a copy under a new incarnation, of which everything up to acknowledged already stands. Nothing is frozen then.
	Renew(ctx context.Context, incarnation string, acknowledged uint64) error
	// Freeze writes down the next batch. It is a conflict when it is not the one after the last of the same incarnation, or another
	// one is still frozen: another relay was faster.
	Freeze(ctx context.Context, b models.RelayBatch) error
	// Acknowledge moves the position to the end of the frozen batch. It is a conflict when b is not the frozen one.
	Acknowledge(ctx context.Context, b models.RelayBatch) error
}
