package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"canopy/models"
)

func (f form) encode() string {
	text, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("importer: %v", err)) // plain texts always marshal
	}
	return string(text)
}

// work runs what waits, oldest first, until ctx ends.
func (s *Service) work(ctx context.Context) {
	defer close(s.done)
	for ctx.Err() == nil {
		next, err := s.next(ctx)
		if err != nil && ctx.Err() == nil {
			s.c.Log.Error("look for imports", "error", err)
		}
		if next == nil {
			var again <-chan time.Time
			if err != nil {
				again = time.After(time.Second)
			}
			select {
			case <-s.wake:
			case <-again:
			case <-ctx.Done():
			}
			continue
		}
		s.perform(ctx, next)
	}
}

// next is the oldest import that is active and this process's own; nil where there is none.
func (s *Service) next(ctx context.Context) (*models.Import, error) {
	active, err := s.c.Jobs.Active(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range active {
		if generation, ok := s.mine[i.ID]; ok && generation == i.Generation {
			return i, nil
		}
	}
	return nil, nil
}

// errFenced ends work on an import that somebody else has changed: cancelled, resumed or taken over.
var errFenced = errors.New("importer: the import is no longer this worker's")

// perform works on one import until it is done, cancelled, failed or ctx ends, and writes down which.
func (s *Service) perform(ctx context.Context, i *models.Import) {
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.running[i.ID] = cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.running, i.ID)
		s.mu.Unlock()
		s.notify()
	}()
	err := s.attempt(own, i)
	switch {
	case err == nil, errors.Is(err, errFenced):
		return
	case ctx.Err() != nil: // the process ends: the import goes on at the next start
		return
	case own.Err() != nil: // changed from outside; the change is already written
		return
	}
	i.State, i.Error = models.ImportFailed, "something went wrong inside Canopy; the rows so far are kept, and resuming goes on after them"
	var said *models.Error
	if errors.As(err, &said) && said.Code != models.Internal {
		i.Error = said.Error()
		if said.Remedy != "" {
			i.Error += ". " + said.Remedy
		}
	} else {
		s.c.Log.Error("import failed", "import", i.ID, "error", err)
	}
	now := s.c.Now().UTC().Truncate(time.Millisecond)
	i.FinishedAt = &now
	if _, err := s.c.Jobs.Save(ctx, i); err != nil {
		s.c.Log.Error("write down a failed import", "import", i.ID, "error", err)
	}
}

// attempt runs an import or its undo from where it stands.
func (s *Service) attempt(ctx context.Context, i *models.Import) error {
	if i.Undo {
		reader, err := s.today(ctx, i.Undoer)
		if err != nil {
			return err
		}
		u := &undo{s: s, i: i, reader: reader, size: firstChunk}
		return u.run(ctx)
	}
	reader, err := s.today(ctx, i.Reader)
	if err != nil {
		return err
	}
	if i.State != models.ImportRunning {
		i.State = models.ImportRunning
		if err := s.save(ctx, i); err != nil {
			return err
		}
	}
	j, err := s.open(i, reader)
	if err != nil {
		return err
	}
	if err := j.run(ctx); err != nil {
		return err
	}
	if err := s.files.drop(context.WithoutCancel(ctx), s.c.Jobs, i.SHA256); err != nil {
		s.c.Log.Warn("drop an imported file", "import", i.ID, "error", err)
	}
	return nil
}

// today gives a reader's rights as they are now.
func (s *Service) today(ctx context.Context, then models.Reader) (models.Reader, error) {
	if then.User == 0 || s.c.ReaderOf == nil {
		return then, nil
	}
	now, err := s.c.ReaderOf(ctx, then.User)
	if models.CodeOf(err) == models.Unauthenticated {
		return now, models.Errorf(models.Forbidden, "%s, in whose name this is done, may no longer sign in", then.Name).
			WithRemedy("Let somebody else import the file again; rows that are there already stay unchanged.")
	}
	if err != nil {
		return now, fmt.Errorf("read the rights of the user who started the import: %w", err)
	}
	now.ReadOnly = then.ReadOnly
	return now, nil
}

// save writes progress and tells those who wait.
func (s *Service) save(ctx context.Context, i *models.Import) error {
	mine, err := s.c.Jobs.Save(ctx, i)
	if err != nil {
		return err
	}
	if !mine {
		return errFenced
	}
	s.notify()
	return nil
}

// open prepares a job: the stored file, its form, the plan.
func (s *Service) open(i *models.Import, reader models.Reader) (*job, error) {
	var f form
	if err := json.Unmarshal([]byte(i.Format), &f); err != nil {
		return nil, fmt.Errorf("read form of import %d: %w", i.ID, err)
	}
	m, err := ParseMapping(i.Mapping)
	if err != nil {
		return nil, err
	}
	path := s.files.path(i.SHA256)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, models.FieldError("file", "the stored copy of %s is gone from this machine", i.FileName).WithRemedy("Import the file again; rows that are there already stay unchanged.")
	}
	j := &job{s: s, i: i, reader: reader, size: firstChunk, path: path, form: f}
	src, err := openSource(path, f)
	if err != nil {
		return nil, err
	}
	j.plan, err = compile(m, src.header(), src.typed, s.c.Registry(), s.c.Workspace)
	if err = errors.Join(err, src.close()); err != nil {
		return nil, err
	}
	return j, j.plan.mayWrite(reader)
}
