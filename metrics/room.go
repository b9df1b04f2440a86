// Package metrics runs the rooms: it knows what a room is and which there are (Rooms), when each is computed (schedule, changes
// that came late, a back-fill), keeps what came out, and serves it (Service).
package metrics

import (
	"context"

	"canopy/metrics/kpi"
	"canopy/models"
)

// Room is one analytic. All rooms have the same shape; house-style says which files belong to one.
type Room interface {
	Name() string
	// Schedule is a cron line on the workspace's clock.
	Schedule() string
	// Definition is the text that readers see.
	Definition() string
	// Version is a hash of all that stored results depend on beside the data. Results of another version are never told.
	Version(reporting models.Reporting) (string, error)
	// Touched lists the weeks (first days, ascending) whose results may have changed behind one position of the log up to another;
	// behind 0 it is every week that has any.
	Touched(ctx context.Context, reporting models.Reporting, after, through uint64) ([]models.Date, error)
	// Run computes the task's weeks and hands the results over week by week, all subjects of a week following one another. The same
	// data give the same bytes. It gives the number of rows that SQL brought.
	Run(ctx context.Context, task models.RunTask, emit func(models.RunResult) error) (rowsRead uint64, err error)
}

// Places says where a room's parts lie, from the top of the repository.
type Places struct {
	Package   string // metrics/<room>
	SQL       string // sql/metrics/<room>
	Dashboard string // dashboards/<room>.go
	Web       string // web/src/rooms/<room>
}

// Registered is every room with its places. A new room adds its line here and in Rooms.
func Registered() map[string]Places {
	return map[string]Places{
		"kpi": {Package: "metrics/kpi", SQL: "sql/metrics/kpi", Dashboard: "dashboards/kpi.go", Web: "web/src/rooms/review"},
	}
}

// rooms makes every room.
func rooms(loader *kpi.Loader) (tree *kpi.Room, all []Room, err error) {
	if tree, err = kpi.NewRoom(loader); err != nil {
		return nil, nil, err
	}
	return tree, []Room{tree}, nil
}
