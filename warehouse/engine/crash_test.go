package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"canopy/models"
	"canopy/models/require"
)

// parentCommand makes the test binary a process that starts an engine and waits to be killed.
const parentCommand = "engine-parent"

func livingParent(dir, library string) {
	e, err := Start(context.Background(), Config{Directory: dir, Library: library})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println(e.Status().PID)
	select {}
}

func alive(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil {
		return false
	}
	// A child of a killed parent stays a zombie until somebody reaps it; it holds nothing any more.
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestDirectoryHasOneHolder(t *testing.T) {
	e, _ := start(t, nil)
	_, err := Start(t.Context(), Config{Directory: e.Directory(), Library: require.Engine(t)})
	if models.CodeOf(err) != models.Conflict || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("in this process: %v", err)
	}
	out, err := exec.Command(os.Args[0], parentCommand, e.Directory(), require.Engine(t)).CombinedOutput()
	if err == nil || !strings.Contains(string(out), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Errorf("in another process: %v, %s", err, out)
	}
}

func TestChildIsStartedAgain(t *testing.T) {
	e, _ := start(t, func(c *Config) { c.pace = &ordinaryPace })
	conn := connect(t, e, e.User(), e.Password())
	addr := e.Addr()
	execute := func(q string) { t.Helper(); mustExec(t, conn, q) }
	execute("create database house engine = Atomic")
	execute("create table house.t (a UInt64) engine = MergeTree order by a settings fsync_after_insert = 1")
	execute("insert into house.t select number from numbers(1000)")
	for n, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV, syscall.SIGTERM} {
		pid := e.Status().PID
		if err := syscall.Kill(pid, signal); err != nil {
			t.Fatal(err)
		}
		eventually(t, "restarted", func() bool { return e.Status().Restarts == n+1 && e.Status().State == Ready })
		if s := e.Status(); s.PID == pid || s.PID == 0 || s.LastError == "" || s.Addr != addr {
			t.Errorf("after %v: %+v, the address was %s", signal, s, addr)
		}
		if n := one[uint64](t, connect(t, e, e.User(), e.Password()), "select count() from house.t"); n != 1000 {
			t.Errorf("%d rows after %v", n, signal)
		}
	}
}

func TestHungChildIsEnded(t *testing.T) {
	e, _ := start(t, func(c *Config) {
		quick := ordinaryPace
		quick.pingEvery, quick.hungAfter = 50*time.Millisecond, 200*time.Millisecond
		c.pace = &quick
	})
	if err := syscall.Kill(e.Status().PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "restarted", func() bool { return e.Status().Restarts >= 1 && e.Status().State == Ready })
}

// Inserts go on while the engine is killed under them; what was acknowledged is there once, and so is what was sent again.
func TestAcknowledgedInsertsSurviveAKill(t *testing.T) {
	e, _ := start(t, nil)
	conn := connect(t, e, e.User(), e.Password())
	mustExec(t, conn, "create database house engine = Atomic")
	mustExec(t, conn, "create table house.t (batch UInt64, a UInt64) engine = MergeTree order by (batch, a) "+
		"settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1")
	const rows, batches = 500, 60
	for b := 0; b < batches; b++ {
		if b%20 == 10 {
			go func(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }(e.Status().PID)
		}
		eventually(t, fmt.Sprintf("batch %d is acknowledged", b), func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			return conn.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": fmt.Sprint("t:", b)})),
				fmt.Sprintf("insert into house.t select %d, number from numbers(%d)", b, rows)) == nil
		})
	}
	if e.Status().Restarts == 0 {
		t.Error("the engine was never killed")
	}
	if n := one[uint64](t, conn, "select count() from house.t"); n != rows*batches {
		t.Errorf("%d rows, want %d", n, rows*batches)
	}
	if n := one[uint64](t, conn, "select uniqExact(batch, a) from house.t"); n != rows*batches {
		t.Errorf("%d different rows, want %d", n, rows*batches)
	}
}

func TestEngineEndsWithItsParent(t *testing.T) {
	dir, library := filepath.Join(t.TempDir(), "engine"), require.Engine(t)
	for _, signal := range []os.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		parent := exec.Command(os.Args[0], parentCommand, dir, library)
		out, err := parent.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := parent.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		var pid int
		if _, err := fmt.Sscan(line, &pid); err != nil {
			t.Fatalf("the parent said %q: %v", line, err)
		}
		if err := parent.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = parent.Wait()
		// The directory can be taken at once: the lock waits for the child of a dead holder.
		e, err := Start(t.Context(), Config{Directory: dir, Library: library})
		if err != nil {
			t.Fatalf("start after %v: %v", signal, err)
		}
		if alive(pid) {
			t.Errorf("the child outlived its parent's %v", signal)
		}
		e.Close()
	}
}

// Without the pipe's word, as where the kernel knows no parent-death signal, the end of the pipe is enough.
func TestEndOfThePipeEndsTheChild(t *testing.T) {
	e, _ := start(t, nil)
	p, err := e.spawn(ports{1, 1}) // whether it could listen does not matter
	if err != nil {
		t.Fatal(err)
	}
	p.control.Close()
	select {
	case <-p.exited:
	case <-time.After(time.Minute):
		p.kill()
		t.Fatal("the child lives on")
	}
}

// A stray packet ends "clickhouse local" where it has no terminal.
func TestGarbageDoesNotEndTheEngine(t *testing.T) {
	e, _ := start(t, nil)
	pid := e.Status().PID
	for _, addr := range []string{e.Addr(), e.HTTPAddr()} {
		for _, garbage := range []string{strings.Repeat("\x00", 100), "\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
			"GET /" + strings.Repeat("a", 200_000), "POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", "\x16\x03\x01\x02\x00\x01"} {
			for _, linger := range []int{-1, 0} { // an orderly end, and a reset
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				_ = c.(*net.TCPConn).SetLinger(linger)
				_, _ = io.WriteString(c, garbage)
				if linger == -1 {
					_ = c.(*net.TCPConn).CloseWrite()
					_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
					_, _ = io.Copy(io.Discard, c)
				}
				c.Close()
			}
		}
	}
	if err := connect(t, e, e.User(), e.Password()).Ping(t.Context()); err != nil || e.Status().PID != pid || e.Status().Restarts > 0 {
		t.Errorf("%v, %+v", err, e.Status())
	}
}

func TestCloseDuringARestart(t *testing.T) {
	e, _ := start(t, func(c *Config) {
		slow := ordinaryPace
		slow.firstPause = time.Hour
		c.pace = &slow
	})
	ready := e.Ready()
	<-ready
	_ = syscall.Kill(e.Status().PID, syscall.SIGKILL)
	eventually(t, "restarting", func() bool { return e.Status().State == Restarting })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Resolve(ctx); models.CodeOf(err) != models.Unavailable {
		t.Error("resolved while restarting: ", err)
	}
	e.Close()
	if e.Status().State != Stopped {
		t.Errorf("%+v", e.Status())
	}
}

func TestTakenPortIsSaid(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := ports{}.choose()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Config{Directory: t.TempDir(), Library: require.Engine(t),
		TCPPort: taken.Addr().(*net.TCPAddr).Port, HTTPPort: free.http})
	var e *models.Error
	if !errors.As(err, &e) || e.Code != models.Conflict || e.Remedy == "" {
		t.Fatal(err)
	}
}

// A binary whose main does not know the sub-command must not start itself without end.
func TestChildStartsNoEngine(t *testing.T) {
	t.Setenv(childMark, "1")
	if _, err := Start(t.Context(), Config{Directory: t.TempDir()}); models.CodeOf(err) != models.Internal {
		t.Fatal(err)
	}
}
