package importer_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/ingest/importer"
	"canopy/models"
)

// synthetic gives a file of n deals.
func synthetic(t *testing.T, n int) string {
	t.Helper()
	var b bytes.Buffer
	if err := importer.WriteDeals(&b, n, 7); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// faulty breaks off at chosen calls: before a transaction, within it, or after its commit, as a process dies.
type faulty struct {
	importer.Commands
	mu    sync.Mutex
	left  int // calls until the fault
	place int // 0 before the transaction, 1 within it, 2 after the commit
	fault func() error
}

var errInjected = errors.New("injected")

// due counts a call and tells whether the fault is now.
func (f *faulty) due() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left--
	return f.left == 0
}

func (f *faulty) RunBulk(ctx context.Context, fn func(ctx context.Context) error) error {
	if !f.due() {
		return f.Commands.RunBulk(ctx, fn)
	}
	switch f.place {
	case 0:
		return f.fault()
	case 1:
		return f.Commands.RunBulk(ctx, func(ctx context.Context) error { return errors.Join(fn(ctx), f.fault()) })
	}
	return errors.Join(f.Commands.RunBulk(ctx, fn), f.fault())
}

// An import that is broken off again and again, at any place of a chunk, ends with the same records and changes as one that is not.
func TestImportsGoOnWhereTheyWereBrokenOff(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		const rows = 1200
		random := rand.New(rand.NewPCG(3, 4))
		w := newWorkplace(t, c)
		file := strings.Replace(synthetic(t, rows), "\n", "\nS99999999,,,,nowhere,Open,,,1,\n", 1) // and a row to refuse
		breaks := 0
		var id int64
		for {
			ctx, kill := context.WithCancel(context.Background())
			w.commands = &faulty{Commands: engineCommands{w.engine}, left: 1 + random.IntN(8), place: random.IntN(3), fault: func() error { kill(); return context.Canceled }}
			service := importer.New(importer.Config{Commands: w.commands, Jobs: w.db.Imports(), Undo: &job.Undoing{Traces: w.db.Traces(), Commands: w.commands}, Registry: w.engine.Registry, Directory: w.directory})
			if err := service.Recover(ctx); err != nil {
				t.Fatal(err)
			}
			if id == 0 {
				i, err := service.Start(context.Background(), models.System(), importer.File{Name: "deals.csv", Body: strings.NewReader(file)}, importer.SyntheticMapping, false)
				if err != nil {
					t.Fatal(err)
				}
				id = i.ID
			}
			i, err := service.Wait(ctx, id)
			service.Close()
			kill()
			if err == nil {
				if i.State != models.ImportDone || i.RowsRead != rows+1 || i.Created != rows || i.Refused != 1 || i.Updated != 0 || i.Unchanged != 0 {
					t.Errorf("%+v", i)
				}
				break
			}
			breaks++
		}
		if breaks < 4 {
			t.Errorf("broken off %d times only", breaks)
		}
		w.start()
		w.checkSynthetic(t, id, rows)
		if lines := strings.Count(w.refused(id), "\n"); lines != 2 {
			t.Errorf("%d lines of refused rows", lines)
		}
	})
}

// checkSynthetic looks at each deal and change of a synthetic import.
func (w *workplace) checkSynthetic(t *testing.T, id int64, rows int) {
	t.Helper()
	deals := w.all("deal")
	seen := map[string]bool{}
	decided := 0
	for _, d := range deals {
		seen[d.Get("external_id").(string)] = true
		if d.Get("status") != "open" {
			decided++
		}
	}
	if len(deals) != rows || len(seen) != rows {
		t.Errorf("%d deals, %d keys, want %d", len(deals), len(seen), rows)
	}
	var numbers []uint64
	for n := range uint64(rows) * 2 {
		numbers = append(numbers, n+1)
	}
	histories, err := w.db.Imports().Histories(context.Background(), "deal", numbers)
	if err != nil {
		t.Fatal(err)
	}
	changes := 0
	for _, h := range histories {
		changes += len(h.Changes)
		for _, c := range h.Changes {
			if c.Cause != fmt.Sprintf("import:%d", id) {
				t.Fatalf("a change of %q", c.Cause)
			}
		}
	}
	if len(histories) != rows || changes != rows+decided {
		t.Errorf("%d histories with %d changes, want %d with %d", len(histories), changes, rows, rows+decided)
	}
}

// Errors that pass are tried again; one that stays fails the import, which can be resumed.
func TestErrorsOfTheStore(t *testing.T) {
	t.Parallel()
	for place, name := range []string{"before the transaction", "within it", "after the commit"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
			f := &faulty{Commands: engineCommands{w.engine}, left: 3, place: place, fault: func() error { return errInjected }}
			w.commands = f
			w.start()
			i := w.load("deals.csv", synthetic(t, 200), importer.SyntheticMapping)
			if i.Created != 200 || i.RowsRead != 200 || i.Unchanged != 0 {
				t.Errorf("%+v", i)
			}
			w.checkSynthetic(t, i.ID, 200)
			f.mu.Lock()
			f.left = 2
			f.mu.Unlock()
			if _, err := w.service.Undo(context.Background(), models.System(), i.ID); err != nil {
				t.Fatal(err)
			}
			if i = w.wait(i.ID); i.State != models.ImportUndone || i.Undone != i.UndoTotal || i.Conflicts != 0 || len(w.all("deal")) != 0 {
				t.Errorf("undone: %+v", i)
			}
		})
	}
	w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	w.start()
	broken := &always{Commands: engineCommands{w.engine}}
	w.service.Close()
	w.commands = broken
	w.start()
	broken.set(true)
	i, err := w.service.Start(context.Background(), models.System(), importer.File{Name: "y.csv", Body: strings.NewReader(bottlesHeader + "1,A,,1,03/04/2017,,\n")}, bottles, false)
	if err != nil {
		t.Fatal(err)
	}
	i, err = w.service.Wait(context.Background(), i.ID)
	if err != nil || i.State != models.ImportFailed || strings.Contains(i.Error, "injected") || i.Error == "" || i.FinishedAt == nil {
		t.Errorf("an error that stays: %+v (%v)", i, err)
	}
	broken.set(false)
	if _, err := w.service.Resume(context.Background(), models.System(), i.ID); err != nil {
		t.Fatal(err)
	}
	if i = w.wait(i.ID); i.State != models.ImportDone || i.Created != 1 || i.Error != "" {
		t.Errorf("resumed: %+v", i)
	}
}

type always struct {
	importer.Commands
	mu     sync.Mutex
	broken bool
}

func (a *always) set(broken bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken = broken
}

func (a *always) RunBulk(ctx context.Context, fn func(ctx context.Context) error) error {
	a.mu.Lock()
	broken := a.broken
	a.mu.Unlock()
	if broken {
		return errInjected
	}
	return a.Commands.RunBulk(ctx, fn)
}

// gate lets one RunBulk through for each token, so that a test decides when chunks are written.
type gate struct {
	importer.Commands
	tokens chan struct{}
}

func (g *gate) RunBulk(ctx context.Context, fn func(ctx context.Context) error) error {
	select {
	case <-g.tokens:
	case <-ctx.Done():
		return ctx.Err()
	}
	return g.Commands.RunBulk(ctx, fn)
}

func TestCancelAndResume(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		g := &gate{Commands: engineCommands{w.engine}, tokens: make(chan struct{}, 1000)}
		w.commands = g
		w.start()
		g.tokens <- struct{}{} // what must be there first
		g.tokens <- struct{}{} // one chunk
		i, err := w.service.Start(context.Background(), models.System(), importer.File{Name: "deals.csv", Body: strings.NewReader(synthetic(t, 300))}, importer.SyntheticMapping, false)
		if err != nil {
			t.Fatal(err)
		}
		for i.RowsRead == 0 {
			if i, err = w.service.Get(context.Background(), models.System(), i.ID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.service.Undo(context.Background(), models.System(), i.ID); models.CodeOf(err) != models.Conflict {
			t.Errorf("undo while it runs: %v", err)
		}
		if i, err = w.service.Cancel(context.Background(), models.System(), i.ID); err != nil || i.State != models.ImportCancelled || i.RowsRead == 300 {
			t.Fatalf("%+v (%v)", i, err)
		}
		if _, err := w.service.Cancel(context.Background(), models.System(), i.ID); models.CodeOf(err) != models.Conflict {
			t.Errorf("cancelled twice: %v", err)
		}
		for range 1000 - len(g.tokens) {
			g.tokens <- struct{}{}
		}
		if _, err := w.service.Resume(context.Background(), models.System(), i.ID); err != nil {
			t.Fatal(err)
		}
		if i = w.wait(i.ID); i.State != models.ImportDone || i.Created != 300 {
			t.Errorf("%+v", i)
		}
		w.checkSynthetic(t, i.ID, 300)
	})
}

// Two processes over one database: the one that starts later takes over, and the other one stops without writing anything twice.
func TestTheLaterProcessTakesOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorkplace(t, c)
		g := &gate{Commands: engineCommands{w.engine}, tokens: make(chan struct{}, 1000)}
		w.commands = g
		first := w.start()
		g.tokens <- struct{}{}
		g.tokens <- struct{}{}
		i, err := first.Start(context.Background(), models.System(), importer.File{Name: "deals.csv", Body: strings.NewReader(synthetic(t, 300))}, importer.SyntheticMapping, false)
		if err != nil {
			t.Fatal(err)
		}
		for i.RowsRead == 0 {
			if i, err = first.Get(context.Background(), models.System(), i.ID); err != nil {
				t.Fatal(err)
			}
		}
		w.commands = engineCommands{w.engine}
		w.start()
		for range 500 { // the first one goes on writing at the same time
			g.tokens <- struct{}{}
		}
		if i = w.wait(i.ID); i.State != models.ImportDone || i.Created != 300 || i.RowsRead != 300 {
			t.Errorf("%+v", i)
		}
		w.checkSynthetic(t, i.ID, 300)
	})
}

// An import that goes on after a restart has the rights that its user has then.
func TestRightsAreThoseOfToday(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	for today, want := range map[error]string{
		nil: "needs the role editor",
		models.Errorf(models.Unauthenticated, "no"): "Kim, in whose name this is done, may no longer sign in",
	} {
		service := importer.New(importer.Config{
			Commands: engineCommands{w.engine}, Jobs: w.db.Imports(), Undo: &job.Undoing{Traces: w.db.Traces(), Commands: w.commands}, Registry: w.engine.Registry, Directory: w.directory,
			ReaderOf: func(_ context.Context, user uint64) (models.Reader, error) {
				return models.Reader{User: user, Role: models.Viewer, Scope: models.ScopeAll}, today
			},
		})
		reader := models.Reader{User: 3, Name: "Kim", Role: models.Editor, Scope: models.ScopeAll}
		i, err := service.Start(context.Background(), reader, importer.File{Name: "x.csv", Body: strings.NewReader("name,sector,parent\nA,,\n")}, people, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := service.Recover(context.Background()); err != nil {
			t.Fatal(err)
		}
		i, err = service.Wait(context.Background(), i.ID)
		service.Close()
		if err != nil || i.State != models.ImportFailed || !strings.Contains(i.Error, want) {
			t.Errorf("%+v (%v)", i, err)
		}
	}
}

func TestTheQueueKeepsItsOrder(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, store.Config{Path: t.TempDir() + "/canopy.db"})
	g := &gate{Commands: engineCommands{w.engine}, tokens: make(chan struct{}, 1000)}
	w.commands = g
	w.start()
	accounts := "records: [{object: account, key: name, fields: {name: {from: name}}}]"
	contacts := "records: [{object: contact, fields: {name: {from: name}, account: {from: account, lookup: {by: name}}}}]"
	var last models.Import
	for _, f := range []struct{ text, mapping string }{{"name\nAcme\n", accounts}, {"name,account\nAda,Acme\n", contacts}} {
		var err error
		if last, err = w.service.Start(context.Background(), models.System(), importer.File{Name: "x", Body: strings.NewReader(f.text)}, f.mapping, false); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		g.tokens <- struct{}{}
	}
	if i := w.wait(last.ID); i.Created != 1 || i.Refused != 0 {
		t.Errorf("%+v", i)
	}
}

const childVariable = "CANOPY_TEST_IMPORT_CHILD"

func TestMain(m *testing.M) {
	if directory := os.Getenv(childVariable); directory != "" {
		if err := child(directory); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is a process that goes on with the imports of a data directory, says how far it is, and ends when they are done.
func child(directory string) error {
	registry, err := models.Standard()
	if err != nil {
		return err
	}
	db, err := store.Open(context.Background(), store.Config{Path: filepath.Join(directory, "canopy.db"), CountPatience: time.Minute}, registry)
	if err != nil {
		return err
	}
	engine, err := crm.New(db, crm.Options{Currency: "USD"})
	if err != nil {
		return err
	}
	service := importer.New(importer.Config{Commands: told{engineCommands{engine}}, Jobs: db.Imports(), Undo: &job.Undoing{Traces: db.Traces(), Commands: engine}, Registry: engine.Registry, Directory: directory})
	if err := service.Recover(context.Background()); err != nil {
		return err
	}
	i, err := service.Wait(context.Background(), 1)
	if err != nil || i.State != models.ImportDone && i.State != models.ImportUndone {
		return fmt.Errorf("%+v: %w", i, err)
	}
	service.Close()
	return db.Close()
}

// told writes a line before and after each transaction, so that the parent can choose its moment.
type told struct{ importer.Commands }

func (c told) RunBulk(ctx context.Context, fn func(ctx context.Context) error) error {
	fmt.Println("begin")
	defer fmt.Println("end")
	return c.Commands.RunBulk(ctx, func(ctx context.Context) error {
		fmt.Println("within")
		defer fmt.Println("about to commit")
		return fn(ctx)
	})
}

// killed runs the child until a random line and kills it there; true when the child ended by itself.
func killed(t *testing.T, directory string, lines int) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self)
	command.Env = append(os.Environ(), childVariable+"="+directory)
	var failure bytes.Buffer
	command.Stderr = &failure
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	for n := 0; scanner.Scan(); n++ {
		if n == lines {
			if err := command.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = command.Wait() // it says that it was killed
			return false
		}
	}
	if err := command.Wait(); err != nil {
		t.Fatalf("%v: %s", err, failure.String())
	}
	return true
}

// kill -9 at 20 random moments, by a real process, during the import and then during its undo.
func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	const rows = 2000
	directory := t.TempDir()
	random := rand.New(rand.NewPCG(20, 26))
	c := store.Config{Path: filepath.Join(directory, "canopy.db")}
	registry, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	prepare := func(fn func(*importer.Service)) { // asks for work without doing any
		db, err := store.Open(context.Background(), c, registry)
		if err != nil {
			t.Fatal(err)
		}
		engine, err := crm.New(db, crm.Options{Currency: "USD"})
		if err != nil {
			t.Fatal(err)
		}
		fn(importer.New(importer.Config{Commands: engineCommands{engine}, Jobs: db.Imports(), Undo: &job.Undoing{Traces: db.Traces(), Commands: engine}, Registry: engine.Registry, Directory: directory}))
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	run := func() int {
		kills := 0
		for {
			lines := random.IntN(20)
			if kills == 20 {
				lines = 1 << 30
			}
			if killed(t, directory, lines) {
				return kills
			}
			kills++
		}
	}
	prepare(func(s *importer.Service) {
		if _, err := s.Start(context.Background(), models.System(), importer.File{Name: "deals.csv", Body: strings.NewReader(synthetic(t, rows))}, importer.SyntheticMapping, false); err != nil {
			t.Fatal(err)
		}
	})
	kills := run()
	w := newWorkplace(t, c)
	w.directory = directory
	w.checkSynthetic(t, 1, rows)
	i, err := w.db.Imports().Get(context.Background(), 1)
	if err != nil || i.Created != rows || i.RowsRead != rows || i.Refused != 0 {
		t.Errorf("after %d kills: %+v (%v)", kills, i, err)
	}
	if _, err := os.Stat(filepath.Join(directory, "imports", i.SHA256)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the stored file is still there: %v", err)
	}
	prepare(func(s *importer.Service) {
		if _, err := s.Undo(context.Background(), models.System(), 1); err != nil {
			t.Fatal(err)
		}
	})
	undoKills := run()
	i, err = w.db.Imports().Get(context.Background(), 1)
	if err != nil || i.State != models.ImportUndone || i.Undone != i.UndoTotal || i.Conflicts != 0 {
		t.Errorf("undo after %d kills: %+v (%v)", undoKills, i, err)
	}
	for _, object := range []string{"deal", "account", "product", "user", "stage", "pipeline"} {
		if left := len(w.all(object)); left != 0 {
			t.Errorf("%d of %s are left", left, object)
		}
	}
	t.Logf("%d kills while importing, %d while undoing", kills, undoKills)
}
