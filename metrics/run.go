package metrics

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	version, err := room.Version(reporting)
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

// work does runs until none waits.
func (s *Service) work(ctx context.Context) {
	for ctx.Err() == nil {
		now := s.config.Now().UTC()
		run, err := s.config.Store.Claim(ctx, s.worker, now, now.Add(s.config.Lease))
		if err != nil {
			if ctx.Err() == nil {
				s.log.Error("no run could be claimed", "error", err)
			}
			return
		}
		if run == nil {
			return
		}
		again := s.do(ctx, run)
		s.settle()
		if !again {
			return
		}
		if run.Tracks && run.Status == models.RunDone {
			s.followAll(ctx) // what came while it ran
		}
	}
}

// do works on one run to its end. again is false where the next try should wait: ClickHouse is away, or the process ends.
func (s *Service) do(ctx context.Context, run *models.Run) (again bool) {
	working, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.cancels[run.ID] = cancel
	s.mu.Unlock()
	defer func() {
		cancel()
		s.mu.Lock()
		delete(s.cancels, run.ID)
		s.mu.Unlock()
	}()
	err := s.compute(working, run)
	switch {
	case err == nil, errors.Is(err, errNotMine):
		s.mu.Lock()
		delete(s.pauses, run.Room)
		s.mu.Unlock()
		return true
	case ctx.Err() != nil: // the process ends: Serve gives the runs back
		return false
	case working.Err() != nil: // cancelled here; the store knows
		return true
	case models.CodeOf(err) == models.Unavailable:
		s.failed(run.Room, "compute", err)
		if err := s.config.Store.Release(ctx, s.worker); err != nil {
			s.log.Error("a run is not given back", "run", run.ID, "error", err)
		}
		return false
	}
	s.failed(run.Room, "compute", err)
	run.Status, run.Error, run.FinishedAt = models.RunFailed, err.Error(), s.config.Now().UTC()
	if _, err := s.config.Store.Save(ctx, s.worker, run, time.Time{}, nil, nil); err != nil {
		s.log.Error("a failed run is not written down", "run", run.ID, "error", err)
	}
	return true
}

var errNotMine = errors.New("the run was cancelled or taken over")

// flushWeeks is how many weeks are stored in one transaction.
const flushWeeks = 8

// compute does the weeks of a run that are not stored yet and closes it.
func (s *Service) compute(ctx context.Context, run *models.Run) error {
	room, err := s.room(run.Room)
	if err != nil {
		return err
	}
	reporting := s.config.Reporting()
	version, err := room.Version(reporting)
	if err != nil {
		return err
	}
	if version != run.Definition {
		return models.Errorf(models.Precondition, "the definition changed from %s to %s since the run was asked for", run.Definition, version).
			WithRemedy("Ask for it again.")
	}
	stored, err := s.config.Store.StoredWeeks(ctx, run.ID)
	if err != nil {
		return err
	}
	weeks := slices.DeleteFunc(slices.Clone(run.Weeks), func(w models.Date) bool { return slices.Contains(stored, w) })
	run.Done = len(run.Weeks) - len(weeks)
	before, err := s.hashes(ctx, run, version, run.Weeks)
	if err != nil {
		return err
	}
	task := writer{Service: s, run: run, before: before, last: s.config.Now()}
	if len(weeks) > 0 {
		read, err := room.Run(ctx, models.RunTask{Weeks: weeks, Reporting: reporting}, func(r models.RunResult) error { return task.take(ctx, r) })
		run.RowsRead += read
		if err != nil {
			return err
		}
	}
	return task.close(ctx)
}

// hashes gives the stored hashes of a run's weeks by subject and week.
func (s *Service) hashes(ctx context.Context, run *models.Run, version string, weeks []models.Date) (map[string]string, error) {
	if len(weeks) == 0 {
		return nil, nil
	}
	results, err := s.config.Store.Results(ctx, run.Room, "", version, weeks[0], weeks[len(weeks)-1].AddDays(7))
	if err != nil {
		return nil, err
	}
	hashes := make(map[string]string, len(results))
	for _, r := range results {
		if slices.Contains(weeks, r.Week) {
			hashes[keyOf(r.Subject, r.Week)] = r.Hash
		}
	}
	return hashes, nil
}

func keyOf(subject string, week models.Date) string { return subject + " " + week.String() }

// writer stores what a run hands over, some weeks at a time.
type writer struct {
	*Service
	run     *models.Run
	before  map[string]string
	pending []models.RunResult
	week    models.Date // of the results last taken
	weeks   int         // whole weeks pending
	moved   bool        // the week has a subject with another result than before
	last    time.Time
}

// take gets one result. A week is whole when the next one begins.
func (w *writer) take(ctx context.Context, r models.RunResult) error {
	if r.Week != w.week && w.week != 0 {
		if err := w.turn(ctx); err != nil {
			return err
		}
	}
	w.week = r.Week
	r.Definition, r.Position, r.RunID = w.run.Definition, w.run.Position, w.run.ID
	if w.before[keyOf(r.Subject, r.Week)] != r.Hash {
		w.moved = true
	}
	w.pending = append(w.pending, r)
	return nil
}

// turn counts the week that just became whole and stores it with those before, where there are enough.
func (w *writer) turn(ctx context.Context) error {
	w.run.Done++
	w.weeks++
	if w.moved {
		w.run.Changed++
	}
	w.moved = false
	if w.weeks < flushWeeks {
		return nil
	}
	return w.flush(ctx, nil)
}

func (w *writer) flush(ctx context.Context, state *models.RoomState) error {
	now := w.config.Now()
	w.run.Duration += now.Sub(w.last)
	w.last = now
	until := time.Time{}
	if !w.run.Status.IsOver() {
		until = now.UTC().Add(w.config.Lease)
	}
	mine, err := w.config.Store.Save(ctx, w.worker, w.run, until, w.pending, state)
	if err != nil {
		return err
	}
	if !mine {
		return errNotMine
	}
	w.pending, w.weeks = nil, 0
	return nil
}

// close stores the last weeks and ends the run: with the hash over all its results, by subject and week.
func (w *writer) close(ctx context.Context) error {
	if w.week != 0 {
		if err := w.turn(ctx); err != nil {
			return err
		}
	}
	if len(w.pending) > 0 {
		if err := w.flush(ctx, nil); err != nil {
			return err
		}
	}
	hashes, err := w.hashes(ctx, w.run, w.run.Definition, w.run.Weeks)
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(hashes))
	for key := range hashes {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	sum := sha256.New()
	for _, key := range keys {
		fmt.Fprintf(sum, "%s %s\n", key, hashes[key])
	}
	w.run.OutputHash = hex.EncodeToString(sum.Sum(nil))
	w.run.Status, w.run.FinishedAt = models.RunDone, w.config.Now().UTC()
	var state *models.RoomState
	if w.run.Tracks {
		state = &models.RoomState{Room: w.run.Room, Definition: w.run.Definition, Position: w.run.Position, Watermark: w.run.CreatedAt}
	}
	return w.flush(ctx, state)
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
