package job

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"canopy/models"
)

// Store keeps jobs; crm/store fulfils it for SQLite and PostgreSQL.
type Store interface {
	Add(ctx context.Context, j *models.Job) error // sets Number and ID
	Get(ctx context.Context, number int64) (*models.Job, error)
	List(ctx context.Context, user uint64, kind models.JobKind, limit int) ([]*models.Job, error) // user 0: everybody's; kind empty: all
	Active(ctx context.Context, kind models.JobKind, place string) ([]*models.Job, error)         // waiting, running and undoing, oldest first
	// Change lets fn change a job under a new generation, so that whoever worked on it stops; nil where there is none.
	Change(ctx context.Context, number int64, fn func(*models.Job) error) (*models.Job, error)
	// Save writes progress; mine is false, and nothing is written, where somebody has taken the job over.
	Save(ctx context.Context, j *models.Job) (mine bool, err error)
	Records
}

// Records keeps what a bulk edit is to write, and what it did not write.
type Records interface {
	Freeze(ctx context.Context, number int64, records []uint64) error
	Frozen(ctx context.Context, number, place int64, limit int) ([]uint64, error)
	Unfreeze(ctx context.Context, number int64) error
	Refuse(ctx context.Context, number int64, refusals []models.JobRefusal) error
	Refusals(ctx context.Context, number int64, fn func(models.JobRefusal) error) error
	LastSequence(ctx context.Context) (int64, error)
}

// Lease is the right to do the jobs of one kind, which one process has at a time.
type Lease interface {
	Take(ctx context.Context) (bool, error)
	Release(ctx context.Context) error
}

// Worker does the jobs of one kind.
type Worker interface {
	// Work carries a job on from where it stands, and its undo, until it is done. It saves as it goes.
	Work(ctx context.Context, t *Task) error
	// Tidy drops what is not needed any more. It is called at the start and then from time to time.
	Tidy(ctx context.Context) error
}

// Lane is a kind of job with who does it: its jobs run one after another, beside those of other lanes.
type Lane struct {
	Kind   models.JobKind
	Place  string // only jobs of this place; see models.Job
	Worker Worker
	Lease  Lease
}

// Config is what the service stands on.
type Config struct {
	Store Store
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: slog.Default
	// ReaderOf gives a user's rights as they are today.
	ReaderOf func(ctx context.Context, user uint64) (models.Reader, error)
}

// Service runs jobs. It is safe for concurrent use.
type Service struct {
	c     Config
	lanes []Lane

	mu      sync.Mutex
	running map[int64]context.CancelFunc
	changed signal // each change of any job
	wanted  signal // there may be work
	stop    context.CancelFunc
	working sync.WaitGroup
}

// New gives a service without lanes. Nothing runs before Recover.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Service{c: c, running: map[int64]context.CancelFunc{}}
}

// AddLane lets a worker do the jobs of a kind. It is called before Recover.
func (s *Service) AddLane(l Lane) { s.lanes = append(s.lanes, l) }

// Recover starts to work; jobs that an earlier process left go on. It is called once; ctx ends the work like Close.
func (s *Service) Recover(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		stop()
		return errors.New("job: recovered twice")
	}
	s.stop = stop
	for i := range s.lanes {
		s.working.Go(func() { s.work(ctx, &s.lanes[i]) })
	}
	return nil
}

// Close ends the running chunks and waits for them. Jobs go on at the next Recover.
func (s *Service) Close() {
	s.mu.Lock()
	stop := s.stop
	s.mu.Unlock()
	if stop != nil {
		stop()
		s.working.Wait()
	}
}

// Add keeps a new job in the name of a reader and lets it run.
func (s *Service) Add(ctx context.Context, reader models.Reader, j *models.Job) (models.Job, error) {
	j.State, j.Reader, j.CreatedAt, j.Notes = models.JobWaiting, reader, s.now(), []models.JobNote{}
	for _, l := range s.lanes {
		if l.Kind == j.Kind {
			j.Place = l.Place
		}
	}
	if err := s.mayWait(ctx, reader, j.Kind); err != nil {
		return models.Job{}, err
	}
	if err := s.c.Store.Add(ctx, j); err != nil {
		return models.Job{}, err
	}
	s.wanted.notify()
	return s.Get(ctx, reader, j.Number)
}

// maxWaiting bounds how many jobs of one kind a user may have waiting.
const maxWaiting = 20

func (s *Service) mayWait(ctx context.Context, reader models.Reader, kind models.JobKind) error {
	if reader.User == 0 {
		return nil
	}
	list, err := s.c.Store.List(ctx, reader.User, kind, 2*maxWaiting)
	if err != nil {
		return err
	}
	waiting := 0
	for _, j := range list {
		if j.State.Active() {
			waiting++
		}
	}
	if waiting < maxWaiting {
		return nil
	}
	return models.Errorf(models.Exhausted, "%d of your jobs are waiting or at work", waiting).WithRemedy("Wait until one has ended, or cancel one.")
}

func (s *Service) now() time.Time { return s.c.Now().UTC().Truncate(time.Millisecond) }

// List gives jobs, newest first: administrators see all, others their own. Kind may be empty for all.
func (s *Service) List(ctx context.Context, reader models.Reader, kind models.JobKind, limit int) ([]models.Job, error) {
	user := reader.User
	if seesEverybodys(reader) {
		user = 0
	} else if user == 0 {
		return nil, nil
	}
	found, err := s.c.Store.List(ctx, user, kind, limit)
	if err != nil {
		return nil, err
	}
	list := make([]models.Job, len(found))
	for n, j := range found {
		list[n] = s.told(reader, j)
	}
	return list, nil
}

func seesEverybodys(reader models.Reader) bool { return reader.Role.AtLeast(models.Administrator) }

func owns(reader models.Reader, j *models.Job) bool {
	return seesEverybodys(reader) || reader.User != 0 && reader.User == j.Reader.User
}

// told completes a job with what the reader may ask of it.
func (s *Service) told(reader models.Reader, j *models.Job) models.Job {
	t := *j
	t.Actions = []models.JobAction{}
	if t.Refused+t.Kept > 0 {
		t.RefusedURL = "/api/v1/jobs/" + t.ID + "/refused.csv"
	}
	if t.Undo { // what is shown is how far the undo has come
		t.Done, t.Total = t.Undone+t.Kept, nil
		if t.UndoTotal > 0 {
			total := t.UndoTotal
			t.Total = &total
		}
	}
	if t.File != nil {
		file := *t.File
		if s.now().Before(file.ExpiresAt) {
			file.URL = "/api/v1/exports/" + t.ID + "/file"
		}
		t.File = &file
	}
	if !owns(reader, j) || reader.ReadOnly || j.Kind == models.BulkJob && !reader.MayWrite(models.Editor) {
		return t
	}
	for _, a := range []models.JobAction{models.CancelJob, models.ResumeJob, models.UndoJob} {
		if may(&t, a) == nil {
			t.Actions = append(t.Actions, a)
		}
	}
	return t
}

// Get gives one job. Somebody else's is not found, except by administrators.
func (s *Service) Get(ctx context.Context, reader models.Reader, number int64) (models.Job, error) {
	j, err := s.c.Store.Get(ctx, number)
	if err != nil {
		return models.Job{}, err
	}
	if j == nil || !owns(reader, j) {
		return models.Job{}, errNoJob(number)
	}
	return s.told(reader, j), nil
}

func errNoJob(number int64) error {
	return models.Errorf(models.NotFound, "there is no job %d", number)
}

// may says why an action cannot be asked of a job as it stands; nil where it can.
func may(j *models.Job, a models.JobAction) error {
	switch a {
	case models.CancelJob:
		if !j.State.Active() {
			return models.Errorf(models.Conflict, "%s is %s; there is nothing to cancel", j.ID, j.State)
		}
	case models.ResumeJob:
		if j.State != models.JobCancelled && j.State != models.JobFailed {
			return models.Errorf(models.Conflict, "%s is %s; only a cancelled or failed one is resumed", j.ID, j.State)
		}
	case models.UndoJob:
		switch {
		case j.Kind != models.BulkJob:
			return models.Errorf(models.Conflict, "%s changed nothing that could be undone", j.ID)
		case j.DryRun:
			return models.Errorf(models.Conflict, "%s was a dry run; it wrote nothing", j.ID)
		case j.State.Active():
			return models.Errorf(models.Conflict, "%s is %s", j.ID, j.State).WithRemedy("Cancel it first, or wait until it has ended.")
		case j.State == models.JobUndone:
			return models.Errorf(models.Conflict, "%s is undone already", j.ID)
		}
	}
	return nil
}

// Do cancels a job after the chunk that is being written, resumes a cancelled or failed one after its last written record, or takes back
// what it wrote.
func (s *Service) Do(ctx context.Context, reader models.Reader, number int64, a models.JobAction) (models.Job, error) {
	j, err := s.c.Store.Change(ctx, number, func(j *models.Job) error {
		if !owns(reader, j) {
			return errNoJob(number)
		}
		if j.Kind == models.BulkJob && !reader.MayWrite(models.Editor) || reader.ReadOnly {
			return models.Errorf(models.Forbidden, "this needs the role editor").WithRemedy("Ask an administrator for the right.")
		}
		if err := may(j, a); err != nil {
			return err
		}
		switch a {
		case models.CancelJob:
			j.State = models.JobCancelled
		case models.ResumeJob:
			j.State, j.Error, j.FinishedAt = models.JobWaiting, "", nil
			if j.Undo {
				j.State = models.JobUndoing
			}
		case models.UndoJob:
			j.State, j.Undo, j.Error, j.Undoer, j.FinishedAt = models.JobUndoing, true, "", reader, nil
		}
		return nil
	})
	if err != nil {
		return models.Job{}, err
	}
	if j == nil {
		return models.Job{}, errNoJob(number)
	}
	s.mu.Lock()
	if cancel := s.running[number]; cancel != nil {
		cancel()
	}
	s.mu.Unlock()
	s.changed.notify()
	s.wanted.notify()
	return s.told(reader, j), nil
}

// Refused writes the records that a job did not write, and those that its undo kept, as CSV.
func (s *Service) Refused(ctx context.Context, reader models.Reader, number int64, w io.Writer) error {
	if _, err := s.Get(ctx, reader, number); err != nil {
		return err
	}
	return writeRefusals(ctx, s.c.Store, number, w)
}

// Wait gives a job once it no longer waits or works, or when ctx ends.
func (s *Service) Wait(ctx context.Context, number int64) (models.Job, error) {
	for {
		changed := s.changed.wait()
		j, err := s.Get(ctx, models.System(), number)
		if err != nil || !j.State.Active() {
			return j, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return j, ctx.Err()
		}
	}
}

// signal wakes everybody who waits.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// wait gives a channel that is closed at the next notify.
func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

// today gives a reader's rights as they are now.
func (s *Service) today(ctx context.Context, then models.Reader) (models.Reader, error) {
	if then.User == 0 || s.c.ReaderOf == nil {
		return then, nil
	}
	now, err := s.c.ReaderOf(ctx, then.User)
	if models.CodeOf(err) == models.Unauthenticated {
		return now, models.Errorf(models.Forbidden, "%s, in whose name this is done, may no longer sign in", then.Name).
			WithRemedy("Let somebody else do it.")
	}
	now.ReadOnly = then.ReadOnly
	return now, err
}
