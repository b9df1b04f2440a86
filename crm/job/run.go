package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"canopy/models"
)

// errFenced ends work on a job that somebody else has changed: cancelled, resumed or taken over.
var errFenced = errors.New("job: it is no longer this worker's")

const (
	pollEvery  = 2 * time.Second // how often jobs and leases of other processes are looked for
	renewEvery = 3 * time.Second // how often a lease is renewed while a job runs; leases last several times as long
	tidyEvery  = time.Hour
)

// LeaseLasts is how long a lane's lease lasts without renewal.
const LeaseLasts = 15 * time.Second

// work runs a lane's jobs, oldest first, until ctx ends.
func (s *Service) work(ctx context.Context, l *Lane) {
	defer func() {
		if err := l.Lease.Release(context.WithoutCancel(ctx)); err != nil {
			s.c.Log.Warn("release the lease of jobs", "kind", l.Kind, "error", err)
		}
	}()
	tidied := time.Time{}
	for ctx.Err() == nil {
		wanted := s.wanted.wait()
		next, err := s.next(ctx, l)
		if err != nil && ctx.Err() == nil {
			s.c.Log.Error("look for jobs", "kind", l.Kind, "error", err)
		}
		if next != nil {
			s.perform(ctx, l, next)
			continue
		}
		if s.c.Now().Sub(tidied) >= tidyEvery {
			tidied = s.c.Now()
			if err := l.Worker.Tidy(ctx); err != nil && ctx.Err() == nil {
				s.c.Log.Warn("tidy after jobs", "kind", l.Kind, "error", err)
			}
		}
		again := time.NewTimer(pollEvery)
		select {
		case <-wanted:
		case <-again.C:
		case <-ctx.Done():
		}
		again.Stop()
	}
}

// next takes the oldest active job of the lane if this process holds its lease; nil where there is none.
func (s *Service) next(ctx context.Context, l *Lane) (*models.Job, error) {
	active, err := s.c.Store.Active(ctx, l.Kind, l.Place)
	if err != nil || len(active) == 0 {
		return nil, err
	}
	held, err := l.Lease.Take(ctx)
	if err != nil || !held {
		return nil, err
	}
	j, err := s.c.Store.Change(ctx, active[0].Number, func(j *models.Job) error { // fences off whoever worked on it
		if j.State == models.JobWaiting {
			j.State = models.JobRunning
		}
		return nil
	})
	if err != nil || j == nil || !j.State.Active() {
		return nil, err
	}
	return j, nil
}

// Task is one job at work.
type Task struct {
	Job *models.Job
	s   *Service
}

// Reader gives the rights in whose name the job is done, as they are now.
func (t *Task) Reader(ctx context.Context) (models.Reader, error) {
	if t.Job.Undo {
		return t.s.today(ctx, t.Job.Undoer)
	}
	return t.s.today(ctx, t.Job.Reader)
}

// Save writes progress, in the transaction of ctx if there is one. It fails where the job is no longer this worker's.
func (t *Task) Save(ctx context.Context, j *models.Job) error {
	mine, err := t.s.c.Store.Save(ctx, j)
	if err == nil && !mine {
		return errFenced
	}
	return err
}

// Saved tells whoever waits that the job has moved on.
func (t *Task) Saved(j models.Job) {
	*t.Job = j
	t.s.changed.notify()
}

// Now is the service's clock, in UTC to the millisecond.
func (t *Task) Now() time.Time { return t.s.now() }

// perform works on one job until it is done, cancelled, failed or ctx ends, and writes down which.
func (s *Service) perform(ctx context.Context, l *Lane, j *models.Job) {
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.running[j.Number] = cancel
	s.mu.Unlock()
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		s.renew(own, l, cancel)
	}()
	s.changed.notify()
	err := l.Worker.Work(own, &Task{Job: j, s: s})
	outside := own.Err() != nil // changed from outside, or the lease was lost: what is true is already written
	cancel()
	<-renewed
	s.mu.Lock()
	delete(s.running, j.Number)
	s.mu.Unlock()
	defer s.changed.notify()
	if err == nil || errors.Is(err, errFenced) || outside {
		return
	}
	j.State, j.Error = models.JobFailed, "something went wrong inside Canopy; what is done is kept, and resuming goes on after it"
	var said *models.Error
	if errors.As(err, &said) && said.Code != models.Internal {
		if j.Error = said.Error(); said.Remedy != "" {
			j.Error += ". " + said.Remedy
		}
	} else {
		s.c.Log.Error("job failed", "job", j.ID, "error", err)
	}
	now := s.now()
	j.FinishedAt = &now
	if _, err := s.c.Store.Save(ctx, j); err != nil {
		s.c.Log.Error("write down a failed job", "job", j.ID, "error", err)
	}
}

// renew keeps the lane's lease while ctx lasts, and ends the work where another process has it.
func (s *Service) renew(ctx context.Context, l *Lane, cancel context.CancelFunc) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held, err := l.Lease.Take(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.c.Log.Warn("renew the lease of jobs", "kind", l.Kind, "error", err) // saves are fenced by the generation anyway
		case !held:
			cancel()
			return
		}
	}
}

// A chunk is the records of one transaction. Other people's writes wait behind it, so it is kept under chunkLimit: its size follows what the
// chunk before it took, aiming at chunkAim.
const (
	chunkLimit = 50 * time.Millisecond
	chunkAim   = 30 * time.Millisecond
	firstChunk = 16
	maxChunk   = 2000
)

// nextSize gives the number of records for the next chunk after one of n (of at most size) took as long as it did.
func nextSize(n, size int, took time.Duration) int {
	if n < size && took < chunkLimit {
		return size
	}
	aimed := int(float64(n) * float64(chunkAim) / float64(max(took, time.Millisecond)))
	return min(max(aimed, n/4, 1), n*2, maxChunk)
}

// retries is how often a chunk is tried again after an error that may pass, with growing pauses.
const retries = 5

// passing tells whether an error may be gone at the next try: other writers were faster, or a connection was lost.
func passing(err error) bool {
	var said *models.Error
	return !errors.As(err, &said) || said.Code == models.Internal || said.Code == models.Unavailable || said.Code == models.Conflict
}

// retrying tries fn again after errors that may pass (a lost connection, a serialization failure): not after what a person must see to.
func retrying(ctx context.Context, fn func() error) error {
	pause := 50 * time.Millisecond
	for try := 1; ; try++ {
		err := fn()
		if err == nil || errors.Is(err, errFenced) || ctx.Err() != nil || try == retries || !passing(err) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("wait before another try: %w", err)
		}
		pause *= 4
	}
}
