package metrics

import (
	"context"
	"time"

	"canopy/models"
)

// Store keeps runs and their results; it is fulfilled by the transactional store.
type Store interface {
	Add(ctx context.Context, r *models.Run) error
	Get(ctx context.Context, id int64) (models.Run, error)
	List(ctx context.Context, f models.RunFilter) ([]models.Run, error)
	Claim(ctx context.Context, worker string, now, until time.Time) (*models.Run, error)
	Save(ctx context.Context, worker string, r *models.Run, until time.Time, results []models.RunResult, state *models.RoomState) (mine bool, err error)
	Release(ctx context.Context, worker string) error
	Cancel(ctx context.Context, id int64, now time.Time) (models.Run, error)
	StoredWeeks(ctx context.Context, run int64) ([]models.Date, error)
	Results(ctx context.Context, room, subject, definition string, from, to models.Date) ([]models.RunResult, error)
	FirstWeek(ctx context.Context, room, subject, definition string) (*models.Date, error)
	State(ctx context.Context, room string) (models.RoomState, error)
	Move(ctx context.Context, state models.RoomState) error
	// LastChange is the position of the last change of any of the objects.
	LastChange(ctx context.Context, objects ...string) (uint64, error)
}

// Relay tells what of the change log stands in the warehouse.
type Relay interface {
	Status(ctx context.Context) models.RelayStatus
}
