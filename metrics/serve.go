package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"canopy/models"

	"github.com/robfig/cron/v3"
)

// patience is how often a worker looks for runs that another one left.
const patience = 30 * time.Second

// Serve computes until ctx ends: what is scheduled, what changes touched, and what was asked for. A run that is cut off goes on at the
// next start with the weeks that it has not stored. It gives nil at ctx's end.
func (s *Service) Serve(ctx context.Context) error {
	if s.config.Sole {
		if err := s.config.Store.Release(ctx, ""); err != nil {
			return fmt.Errorf("take up the runs left behind: %w", err)
		}
	}
	timetable, err := s.timetable()
	if err != nil {
		return err
	}
	timetable.Start()
	defer func() {
		<-timetable.Stop().Done()
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := s.config.Store.Release(free, s.worker); err != nil {
			s.log.Warn("running runs are not given back", "error", err)
		}
	}()
	signal(s.changed)
	ticker := time.NewTicker(patience)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.changed:
			if !s.gather(ctx) {
				return nil
			}
			s.followAll(ctx)
		case <-s.wake:
		case <-ticker.C:
			s.followAll(ctx)
		}
		s.work(ctx)
	}
}

// gather lets changes come together for a moment, so that a burst is computed once.
func (s *Service) gather(ctx context.Context) bool {
	timer := time.NewTimer(s.config.Debounce)
	defer timer.Stop()
	select {
	case <-timer.C:
		select {
		case <-s.changed:
		default:
		}
		return true
	case <-ctx.Done():
		return false
	}
}

// timetable puts every room's schedule on the workspace's clock. A tick that finds the last one still running is skipped: it only
// asks for what changed, and one question is enough.
func (s *Service) timetable() (*cron.Cron, error) {
	table := cron.New(cron.WithLocation(s.config.Reporting().Calendar.Zone), cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	for _, room := range s.rooms {
		if _, err := table.AddFunc(room.Schedule(), func() { signal(s.changed) }); err != nil {
			return nil, fmt.Errorf("schedule of the room %s: %w", room.Name(), err)
		}
	}
	return table, nil
}

// followAll asks every room for the weeks that changed since it last told.
func (s *Service) followAll(ctx context.Context) {
	for _, room := range s.rooms {
		if s.rests(room.Name()) {
			continue
		}
		if err := s.follow(ctx, room); err != nil && ctx.Err() == nil {
			s.failed(room.Name(), "find what changed", err)
		}
	}
}

// follow makes a run of the weeks that changes behind the room's state touched, or moves the state where there are none.
func (s *Service) follow(ctx context.Context, room Room) error {
	reporting := s.config.Reporting()
	version, err := s.version(ctx, room, reporting)
	if err != nil {
		return err
	}
	status := s.config.Relay.Status(ctx)
	watermark := s.watermark(status)
	state, err := s.config.Store.State(ctx, room.Name())
	if err != nil {
		return err
	}
	after, cause := state.Position, models.CauseLate
	if state.Definition != version {
		after, cause = 0, models.CauseSchedule
	}
	if status.Position <= after && state.Definition == version {
		return nil
	}
	weeks, err := room.Touched(ctx, reporting, after, status.Position)
	if err != nil {
		return err
	}
	told := models.RoomState{Room: room.Name(), Definition: version, Position: status.Position, Watermark: watermark}
	if len(weeks) == 0 {
		err := s.config.Store.Move(ctx, told)
		s.settle()
		return err
	}
	run := models.Run{Room: room.Name(), Definition: version, Position: status.Position, Cause: cause, Status: models.RunWaiting, Weeks: weeks,
		Tracks: true, CreatedAt: watermark}
	if run.Params, err = paramsOf(reporting); err != nil {
		return err
	}
	err = s.config.Store.Add(ctx, &run)
	if models.CodeOf(err) == models.Conflict { // one is under way; its end asks again
		return nil
	}
	return err
}

// watermark is the instant up to which every recorded change stands in the warehouse.
func (s *Service) watermark(status models.RelayStatus) time.Time {
	now := s.config.Now().UTC()
	if status.LagChanges == 0 {
		return now
	}
	return now.Add(-time.Duration(status.LagSeconds * float64(time.Second)))
}

// runParams is what a run keeps of the workspace.
type runParams struct {
	Zone      string `json:"zone"`
	WeekStart string `json:"week_start"`
	Currency  string `json:"currency"`
}

func paramsOf(reporting models.Reporting) (json.RawMessage, error) {
	return json.Marshal(runParams{reporting.Calendar.Zone.String(), reporting.Calendar.WeekStart.String(), reporting.Currency})
}

// The rests after failures: the first, and the longest.
const (
	firstRest = time.Second
	longRest  = 5 * time.Minute
)

// failed says what went wrong and lets the room rest, longer each time.
func (s *Service) failed(room, what string, err error) {
	s.log.Error("a room is not up to date", "room", room, "doing", what, "error", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pauses[room]
	p.next = min(max(2*p.next, firstRest), longRest)
	p.until = s.config.Now().Add(p.next)
	s.pauses[room] = p
	time.AfterFunc(p.next, func() { signal(s.changed) })
}

func (s *Service) rests(room string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config.Now().Before(s.pauses[room].until)
}
