package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"canopy/models"
	"canopy/models/require"
	"canopy/warehouse/engine"
)

// playsCanopy in the environment makes this test binary be the program: what is tested is what production runs.
const playsCanopy = "CANOPY_TEST_PLAYS_CANOPY"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == engine.ChildCommand {
		engine.Main(os.Args[2:])
	}
	if os.Getenv(playsCanopy) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// server is a canopy process on a data directory.
type server struct {
	*testing.T
	data string
	cmd  *exec.Cmd
	log  *bytes.Buffer
	*control
}

const testPassword = "correct horse battery"

// startServer starts the program on a free port and waits until it is ready.
func startServer(t *testing.T, data string, args ...string) *server {
	t.Helper()
	require.Engine(t)
	s := &server{T: t, data: data}
	s.start(args...)
	t.Cleanup(func() { s.end(syscall.SIGKILL) })
	return s
}

func (s *server) start(args ...string) {
	s.Helper()
	all := append([]string{"serve", "--data", s.data, "--listen", "127.0.0.1:0", "--admin-password", testPassword}, args...)
	s.log = &bytes.Buffer{}
	s.cmd = exec.Command(os.Args[0], all...) //nolint:gosec // this binary
	s.cmd.Env = append(os.Environ(), playsCanopy+"=1")
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

// waitFor polls until something is so; half a minute later it gives up with the server's last words.
func (s *server) waitFor(what string, so func() bool) {
	s.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !so() {
		if time.Now().After(deadline) {
			s.Fatalf("waited too long for %s; the server said:\n%s", what, s.log)
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
