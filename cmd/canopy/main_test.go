package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"canopy/models"
	"canopy/models/require"
	"canopy/warehouse/engine"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == engine.ChildCommand {
		engine.Main(os.Args[2:])
	}
	code := m.Run()
	if built.directory != "" {
		os.RemoveAll(built.directory)
	}
	os.Exit(code)
}

// built is the program as production runs it, made once for all tests that start it: this test binary, with its race
// detector, would be ten times as slow.
var built struct {
	once      sync.Once
	directory string
	err       error
}

func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.directory, built.err = os.MkdirTemp("", "canopy-program-"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(built.directory, "canopy"), ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build canopy: %w\n%s", err, said)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.directory, "canopy")
}

// server is a canopy process on a data directory.
type server struct {
	*testing.T
	data    string
	program string
	library string
	cmd     *exec.Cmd
	log     *os.File
	*control
}

const testPassword = "correct horse battery"

// startServer starts the program on a free port and waits until it is ready.
func startServer(t *testing.T, data string, args ...string) *server {
	t.Helper()
	s := &server{T: t, data: data, library: require.Engine(t), program: program(t)}
	var err error
	if s.log, err = os.Create(filepath.Join(t.TempDir(), "server.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.log.Close() })
	s.start(args...)
	t.Cleanup(func() { s.end(syscall.SIGKILL) })
	return s
}

func (s *server) start(args ...string) {
	s.Helper()
	all := append([]string{"serve", "--data", s.data, "--listen", "127.0.0.1:0", "--engine-library", s.library, "--count-patience", "1m"}, args...)
	s.cmd = exec.Command(s.program, all...)
	s.cmd.Env = append(os.Environ(), "CANOPY_ADMIN_PASSWORD="+testPassword)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	os.Remove(controlPath(s.data)) //nolint:errcheck // a killed server leaves it behind; the new one writes its own
	if err := s.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.waitFor("the server to be ready", func() bool {
		c, err := running(context.Background(), s.data)
		if err != nil || c == nil {
			return false
		}
		s.control = c
		return s.status("/readyz") == http.StatusOK
	})
}

// end sends a signal and waits for the process to be gone.
func (s *server) end(signal syscall.Signal) {
	if s.cmd.ProcessState != nil {
		return
	}
	s.cmd.Process.Signal(signal) //nolint:errcheck // it may be gone already
	s.cmd.Wait()                 //nolint:errcheck // it was killed
}

func (s *server) status(path string) int {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(s.URL + path) //nolint:noctx // a test's loopback
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// waitFor polls until something is so; five minutes later it gives up with the server's last words.
func (s *server) waitFor(what string, so func() bool) {
	s.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for !so() {
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(s.log.Name())
			s.Fatalf("waited too long for %s; the server said:\n%s", what, said[max(0, len(said)-8000):])
		}
		pause(context.Background(), 20*time.Millisecond)
	}
}

func (s *server) get(path string, into any) {
	s.Helper()
	if err := s.call(context.Background(), http.MethodGet, path, nil, into); err != nil {
		s.Fatalf("GET %s: %v", path, err)
	}
}

// realSet is the B2B pipeline that the examples map, in the order in which it is imported.
var realSet = []string{"products", "accounts", "sales_teams", "sales_pipeline"}

func (s *server) importRealSet() models.Import {
	s.Helper()
	var last models.Import
	for _, name := range realSet {
		last = s.importFile(name)
		s.waitFor("the import of "+name, func() bool { s.get(fmt.Sprintf("/api/v1/imports/%d", last.ID), &last); return !last.State.Active() })
		if last.State != models.ImportDone || last.Refused != 0 {
			s.Fatalf("import of %s: %+v", name, last)
		}
	}
	return last
}

func (s *server) importFile(name string) models.Import {
	s.Helper()
	file := filepath.Join(require.SharedData(s.T), "crm_sales_opportunities", name+".csv")
	mapping, err := os.ReadFile(filepath.Join("..", "..", "examples", "crm_sales_opportunities", name+".yaml"))
	if err != nil {
		s.Fatal(err)
	}
	remote := &remoteImports{s.control}
	i, err := remote.start(context.Background(), file, string(mapping), false)
	if err != nil {
		s.Fatalf("import %s: %v", name, err)
	}
	return i
}

func (s *server) relayStatus() (status models.RelayStatus) {
	s.Helper()
	s.get("/api/v1/relay", &status)
	return status
}

// children are the processes that this server's process started: its engine.
func (s *server) children() []int {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	if err != nil {
		s.Fatal(err)
	}
	var list []int
	for _, task := range tasks { // each thread has its own
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended
		}
		for _, word := range strings.Fields(string(text)) {
			var pid int
			if _, err := fmt.Sscan(word, &pid); err == nil {
				list = append(list, pid)
			}
		}
	}
	return list
}
