// Package importer brings files into records: CSV and Parquet, by a mapping, through the same commands as everybody's writes.
//
// An import is a job that is kept in the store. Its progress is written in the transaction of the rows that it counts, so that a process
// killed at any moment goes on, at the next start, exactly where the last commit left it. Undo is such a job, too.
package importer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"canopy/models"
)

// Config is what the service stands on.
type Config struct {
	Commands  Commands
	Jobs      Jobs
	Undo      Undo
	Registry  func() *models.Registry // as it is now
	Workspace Workspace
	Directory string           // of the data; files go to its folder "imports"
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: slog.Default
	// ReaderOf gives a user's rights as they are today, for an import that goes on after a restart. nil: those of its start.
	ReaderOf func(ctx context.Context, user uint64) (models.Reader, error)
}

// Service runs imports one after the other, in the order in which they were asked for, so that a file may rely on the one before it.
// It is safe for concurrent use.
type Service struct {
	c     Config
	files *files

	mu      sync.Mutex
	mine    map[int64]int64 // imports that this process works on, by the generation under which it does; on PostgreSQL there may be others
	running map[int64]context.CancelFunc
	changed chan struct{} // closed at each change of any import, and made anew
	wake    chan struct{} // has room for one
	stop    context.CancelFunc
	done    chan struct{}
}

// New gives a service. Nothing runs before Recover.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Workspace.Zone == nil {
		c.Workspace.Zone = time.UTC
	}
	return &Service{
		c: c, files: &files{directory: filepath.Join(c.Directory, "imports")},
		mine: map[int64]int64{}, running: map[int64]context.CancelFunc{}, changed: make(chan struct{}), wake: make(chan struct{}, 1),
	}
}

// Recover takes over the imports that an earlier process left and starts to work. It is called once; ctx ends the work like Close.
func (s *Service) Recover(ctx context.Context) error {
	if err := s.files.sweep(ctx, s.c.Jobs); err != nil {
		return err
	}
	active, err := s.c.Jobs.Active(ctx)
	if err != nil {
		return err
	}
	for _, i := range active {
		if !i.Undo && !s.files.has(i.SHA256) {
			s.c.Log.Warn("an import waits for the process that has its file", "import", i.ID)
			continue
		}
		taken, err := s.c.Jobs.Change(ctx, i.ID, func(*models.Import) error { return nil }) // fences off whoever worked on it
		if err != nil {
			return err
		}
		s.claim(taken)
	}
	ctx, stop := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done != nil {
		stop()
		return errors.New("importer: recovered twice")
	}
	s.stop, s.done = stop, make(chan struct{})
	go s.work(ctx)
	return nil
}

// Close ends the running chunk and waits for it. Imports go on at the next Recover.
func (s *Service) Close() {
	s.mu.Lock()
	stop, done := s.stop, s.done
	s.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}

// File is a file to import.
type File struct {
	Name string // as a person knows it
	Body io.Reader
}

// Start stores a file and asks for its import. An empty mapping is proposed from the file. Everything that is wrong with file or mapping
// as a whole is said now; what is wrong with rows is found while they are read. With dryRun nothing is written but what would be refused.
func (s *Service) Start(ctx context.Context, reader models.Reader, file File, mapping string, dryRun bool) (models.Import, error) {
	if !reader.MayWrite(models.Editor) {
		return models.Import{}, models.Errorf(models.Forbidden, "importing needs the role editor").WithRemedy("Ask an administrator for the right.")
	}
	hash, size, census, err := s.files.store(ctx, file.Body)
	if err != nil {
		return models.Import{}, err
	}
	defer s.files.release(hash)
	detected, err := detect(s.files.path(hash), census)
	if err != nil {
		return models.Import{}, err
	}
	if mapping == "" {
		if mapping, err = s.proposeStored(s.files.path(hash), detected); err != nil {
			return models.Import{}, err
		}
	}
	i := &models.Import{
		FileName: filepath.Base(filepath.ToSlash(file.Name)), State: models.ImportWaiting, DryRun: dryRun, BytesTotal: size, CreatedAt: s.c.Now().UTC().Truncate(time.Millisecond),
		Mapping: mapping, SHA256: hash, Reader: reader, Pass: 1, Notes: []models.ImportNote{},
	}
	if err := s.check(i, detected); err != nil {
		return models.Import{}, err
	}
	if err := s.c.Jobs.Add(ctx, i); err != nil {
		return models.Import{}, err
	}
	s.claim(i)
	s.notify()
	added, err := s.c.Jobs.Get(ctx, i.ID)
	if err != nil {
		return models.Import{}, err
	}
	return *added, nil
}

// check compiles an import's mapping once, so that what is wrong with it is told before any row is read, and completes the import.
func (s *Service) check(i *models.Import, detected form) error {
	m, err := ParseMapping(i.Mapping)
	if err != nil {
		return err
	}
	f, err := detected.with(m.File)
	if err != nil {
		return err
	}
	src, err := openSource(s.files.path(i.SHA256), f)
	if err != nil {
		return err
	}
	f.Header = src.header()
	p, err := compile(m, src.header(), src.typed, s.c.Registry(), s.c.Workspace)
	if total := src.total(); total >= 0 {
		i.RowsTotal = &total
	}
	if err = errors.Join(err, src.close()); err != nil {
		return err
	}
	if err := p.mayWrite(i.Reader); err != nil {
		return err
	}
	i.Format = f.encode()
	i.Object = p.records[len(p.records)-1].object.Name
	return nil
}

// mayWrite asks for the rights that a plan needs as a whole, before its rows are refused one by one.
func (p *plan) mayWrite(reader models.Reader) error {
	need := func(o *models.Object) error {
		if reader.MayWrite(o.WriteBy) {
			return nil
		}
		return models.Errorf(models.Forbidden, "this mapping writes %s, which needs the role %s", o.Plural, o.WriteBy).WithRemedy("Ask an administrator to import the file.")
	}
	if p.past && !reader.MayWrite(models.Administrator) {
		return models.Errorf(models.Forbidden, "this mapping is historical: its deals pass over what stages ask for, which needs an administrator").
			WithRemedy("Ask an administrator to import the file, or take historical out of the mapping.")
	}
	for _, e := range p.ensure {
		if err := need(e.object); err != nil {
			return err
		}
	}
	for _, r := range p.records {
		if err := need(r.object); err != nil {
			return err
		}
	}
	return nil
}

// MaxListed is how many imports List gives at most.
const MaxListed = 500

// List gives imports, newest first: administrators see all, others their own.
func (s *Service) List(ctx context.Context, reader models.Reader, limit int) ([]models.Import, error) {
	if limit < 1 || limit > MaxListed {
		return nil, models.FieldError("limit", "%d is not between 1 and %d", limit, MaxListed)
	}
	user := reader.User
	if seesEverybodys(reader) {
		user = 0
	} else if user == 0 {
		return []models.Import{}, nil
	}
	found, err := s.c.Jobs.List(ctx, user, limit)
	if err != nil {
		return nil, err
	}
	list := make([]models.Import, len(found))
	for n, i := range found {
		list[n] = *i
	}
	return list, nil
}

func seesEverybodys(reader models.Reader) bool {
	return reader.Role.AtLeast(models.Administrator)
}

// Get gives one import. Somebody else's is not found, except by administrators.
func (s *Service) Get(ctx context.Context, reader models.Reader, id int64) (models.Import, error) {
	i, err := s.c.Jobs.Get(ctx, id)
	if err != nil {
		return models.Import{}, err
	}
	if i == nil || !owns(reader, i) {
		return models.Import{}, errNoImport(id)
	}
	return *i, nil
}

func owns(reader models.Reader, i *models.Import) bool {
	return seesEverybodys(reader) || reader.User != 0 && reader.User == i.Reader.User
}

func errNoImport(id int64) error {
	return models.Errorf(models.NotFound, "there is no import %d", id)
}

// Cancel stops an import or an undo after the chunk that is being written. What was written stays; Resume goes on, Undo takes it back.
func (s *Service) Cancel(ctx context.Context, reader models.Reader, id int64) (models.Import, error) {
	return s.change(ctx, reader, id, func(i *models.Import) error {
		if !i.State.Active() {
			return models.Errorf(models.Conflict, "import %d is %s; there is nothing to cancel", id, i.State)
		}
		i.State = models.ImportCancelled
		return nil
	})
}

// Resume goes on with a cancelled or failed import (or undo) after its last written row.
func (s *Service) Resume(ctx context.Context, reader models.Reader, id int64) (models.Import, error) {
	return s.change(ctx, reader, id, func(i *models.Import) error {
		if i.State != models.ImportCancelled && i.State != models.ImportFailed {
			return models.Errorf(models.Conflict, "import %d is %s; only a cancelled or failed one is resumed", id, i.State)
		}
		i.State, i.Error = models.ImportWaiting, ""
		if i.Undo {
			i.State = models.ImportUndoing
		}
		i.FinishedAt = nil
		return nil
	})
}

// Undo takes back all that an import wrote, newest first: records that it made are deleted as of the instant at which they came to be,
// records that it changed get their old values back as of the instants of the changes. What others have worked with since is kept and listed.
func (s *Service) Undo(ctx context.Context, reader models.Reader, id int64) (models.Import, error) {
	return s.change(ctx, reader, id, func(i *models.Import) error {
		switch {
		case i.DryRun:
			return models.Errorf(models.Conflict, "import %d was a dry run; it wrote nothing", id)
		case i.State.Active():
			return models.Errorf(models.Conflict, "import %d is %s", id, i.State).WithRemedy("Cancel it first, or wait until it has ended.")
		case i.State == models.ImportUndone:
			return models.Errorf(models.Conflict, "import %d is undone already", id)
		}
		i.State, i.Undo, i.Error, i.Undoer, i.FinishedAt = models.ImportUndoing, true, "", reader, nil
		return nil
	})
}

func (s *Service) change(ctx context.Context, reader models.Reader, id int64, fn func(*models.Import) error) (models.Import, error) {
	if !reader.MayWrite(models.Editor) {
		return models.Import{}, models.Errorf(models.Forbidden, "this needs the role editor").WithRemedy("Ask an administrator for the right.")
	}
	i, err := s.c.Jobs.Change(ctx, id, func(i *models.Import) error {
		if !owns(reader, i) {
			return errNoImport(id)
		}
		return fn(i)
	})
	if err != nil {
		return models.Import{}, err
	}
	if i == nil {
		return models.Import{}, errNoImport(id)
	}
	s.mu.Lock()
	if cancel := s.running[id]; cancel != nil {
		cancel()
	}
	s.mine[id] = i.Generation
	s.mu.Unlock()
	s.notify()
	return *i, nil
}

func (s *Service) claim(i *models.Import) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mine[i.ID] = i.Generation
}

// Wait gives an import once it no longer waits or works, or when ctx ends.
func (s *Service) Wait(ctx context.Context, id int64) (models.Import, error) {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		i, err := s.c.Jobs.Get(ctx, id)
		switch {
		case err != nil:
			return models.Import{}, err
		case i == nil:
			return models.Import{}, errNoImport(id)
		case !i.State.Active():
			return *i, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return *i, ctx.Err()
		}
	}
}

// notify tells whoever waits that some import has changed, and the worker that there may be work.
func (s *Service) notify() {
	s.mu.Lock()
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
