package metrics

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"canopy/models"
)

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
	version, err := s.version(ctx, room, reporting)
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
