package metrics

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"canopy/metrics/kpi"
	"canopy/models"
	"canopy/warehouse"

	"golang.org/x/sync/singleflight"
)

// Config is what a Service stands on. Zero times take the defaults named.
type Config struct {
	Warehouse *warehouse.Warehouse
	Registry  *models.Registry
	Store     Store
	Relay     Relay
	Reporting func() models.Reporting // how the workspace tells its numbers now
	Now       func() time.Time        // nil: the clock
	Logger    *slog.Logger
	// Sole says that no other process works on the same store (SQLite): runs that a killed process left are taken up at once.
	Sole     bool
	Debounce time.Duration // how long changes gather before touched weeks are computed; 500 ms
	Lease    time.Duration // how long a run stays with a worker that says nothing; 2 minutes
}

// Service computes the rooms and tells what they found. It is safe for concurrent use.
type Service struct {
	config  Config
	log     *slog.Logger
	tree    *kpi.Room
	rooms   []Room
	worker  string
	wake    chan struct{} // something may be to do
	changed chan struct{} // the relay moved
	flights singleflight.Group
	cache   *cache

	mu      sync.Mutex
	cancels map[int64]context.CancelFunc // of the runs that this process works on
	pauses  map[string]pause             // of rooms whose last try failed
	settled chan struct{}                // closed and renewed whenever a run ends or a room moves; tests and WaitFor look at it
}

// pause is how long a room rests after a failure.
type pause struct {
	until time.Time
	next  time.Duration
}

// New makes the rooms. It starts nothing: see Serve.
func New(config Config) (*Service, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Debounce <= 0 {
		config.Debounce = 500 * time.Millisecond
	}
	if config.Lease <= 0 {
		config.Lease = 2 * time.Minute
	}
	name := make([]byte, 8)
	if _, err := rand.Read(name); err != nil {
		return nil, fmt.Errorf("name the worker: %w", err)
	}
	s := &Service{config: config, log: config.Logger, worker: hex.EncodeToString(name), wake: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		cache: newCache(256), cancels: map[int64]context.CancelFunc{}, pauses: map[string]pause{}, settled: make(chan struct{})}
	var err error
	s.tree, s.rooms, err = rooms(&kpi.Loader{Warehouse: config.Warehouse, Registry: config.Registry})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Rooms lists all rooms.
func (s *Service) Rooms() []Room { return slices.Clone(s.rooms) }

func (s *Service) room(name string) (Room, error) {
	var known []string
	for _, r := range s.rooms {
		if r.Name() == name {
			return r, nil
		}
		known = append(known, r.Name())
	}
	return nil, models.FieldError("room", "there is no room %q", name).WithRemedy(fmt.Sprintf("The rooms are %v.", known))
}

// version is the room's, hashed once for each way of telling.
func (s *Service) version(ctx context.Context, room Room, reporting models.Reporting) (string, error) {
	key := strings.Join([]string{"version", room.Name(), reporting.Calendar.Zone.String(), reporting.Calendar.WeekStart.String(), reporting.Currency}, "|")
	return once(ctx, s, key, func(context.Context) (string, error) { return room.Version(reporting) })
}

// Advanced tells that the relay moved; it never blocks. Touched weeks are computed soon.
func (s *Service) Advanced() { signal(s.changed) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Runs lists runs, newest first.
func (s *Service) Runs(ctx context.Context, f models.RunFilter) ([]models.Run, error) {
	return s.config.Store.List(ctx, f)
}

// Run gives one run; not_found where there is none.
func (s *Service) Run(ctx context.Context, id int64) (models.Run, error) {
	return s.config.Store.Get(ctx, id)
}

// maxBackfill bounds a back-fill: twenty years of weeks.
const maxBackfill = 20 * 53

// Backfill computes the weeks from one first day to another (exclusive) again. It gives the run, which waits for its turn.
func (s *Service) Backfill(ctx context.Context, reader models.Reader, name string, from, to models.Date) (models.Run, error) {
	room, err := s.room(name)
	if err != nil {
		return models.Run{}, err
	}
	reporting := s.config.Reporting()
	var errs []models.Error
	for _, bound := range []struct {
		name string
		of   models.Date
	}{{"from", from}, {"to", to}} {
		if _, err := reporting.Calendar.Week(bound.of); err != nil {
			var told *models.Error
			if errors.As(err, &told) {
				told.Field = bound.name
				told.Remedy = fmt.Sprintf("Give %s=%s.", bound.name, reporting.Calendar.WeekOf(bound.of.Time(reporting.Calendar.Zone)))
				errs = append(errs, *told)
			}
		}
	}
	switch {
	case len(errs) > 0:
	case to <= from:
		errs = append(errs, *models.FieldError("to", "the range is empty").WithRemedy("to is the first day after the last week."))
	case int(to-from)/7 > maxBackfill:
		errs = append(errs, *models.FieldError("to", "a back-fill has at most %d weeks", maxBackfill).WithRemedy("Ask for a shorter range."))
	case from.Time(reporting.Calendar.Zone).After(s.config.Now()):
		errs = append(errs, *models.FieldError("from", "the range lies in the future").WithRemedy("Ask for weeks that have begun."))
	}
	if err := models.Gather(errs); err != nil {
		return models.Run{}, err
	}
	version, err := s.version(ctx, room, reporting)
	if err != nil {
		return models.Run{}, err
	}
	run := models.Run{Room: name, Definition: version, Position: s.config.Relay.Status(ctx).Position, Cause: models.CauseBackfill,
		Status: models.RunWaiting, By: reader.User, CreatedAt: s.config.Now().UTC()}
	for week := from; week < to; week = week.AddDays(7) {
		run.Weeks = append(run.Weeks, week)
	}
	if run.Params, err = paramsOf(reporting); err != nil {
		return models.Run{}, err
	}
	if err := s.config.Store.Add(ctx, &run); err != nil {
		return models.Run{}, err
	}
	signal(s.wake)
	return run, nil
}

// Cancel ends a run that is not over. What it has stored so far stays.
func (s *Service) Cancel(ctx context.Context, _ models.Reader, id int64) (models.Run, error) {
	run, err := s.config.Store.Cancel(ctx, id, s.config.Now().UTC())
	if err != nil {
		return models.Run{}, err
	}
	s.mu.Lock()
	if cancel := s.cancels[id]; cancel != nil {
		cancel()
	}
	s.mu.Unlock()
	s.settle()
	return run, nil
}

// settle wakes those who wait for a run or a room.
func (s *Service) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.settled)
	s.settled = make(chan struct{})
}

func (s *Service) settling() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settled
}

// WaitFor returns when every room tells at least the position, or with ctx's error. Serve must be running.
func (s *Service) WaitFor(ctx context.Context, position uint64) error {
	for {
		settling := s.settling()
		behind := false
		for _, room := range s.rooms {
			state, err := s.config.Store.State(ctx, room.Name())
			if err != nil {
				return err
			}
			version, err := s.version(ctx, room, s.config.Reporting())
			if err != nil {
				return err
			}
			behind = behind || state.Position < position || state.Definition != version
		}
		if !behind {
			return nil
		}
		select {
		case <-settling:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
