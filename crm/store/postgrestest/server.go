// Package postgrestest gives tests a private PostgreSQL server: one a test binary, on a unix socket in a temporary directory,
// with one fresh database a test. The server ends with the test binary, however that one dies, and its directory goes with it.
//
// The server is set against careless code on purpose: its default collation is a linguistic one and its time zone is
// neither UTC nor a whole number of hours away from it, so that whatever relies on either is found out.
package postgrestest

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"canopy/models/require"

	"github.com/jackc/pgx/v5"
)

// startTimeout bounds initdb and the server's start together.
const startTimeout = 90 * time.Second

type server struct {
	directory string   // holds data/, the socket and server.log
	stdin     *os.File // the watchdog's pipe: kept open as long as this process lives
}

var (
	once    sync.Once
	running *server
	failure error
)

// Start gives the connection URL of the server's own database "postgres", starting the server at the first call.
// Where PostgreSQL is not installed the test does not run, or fails, as package require says.
func Start(t testing.TB) string {
	t.Helper()
	return start(t).dsn("postgres")
}

func start(t testing.TB) *server {
	t.Helper()
	programs := require.Postgres(t)
	once.Do(func() { running, failure = launch(programs) })
	if failure != nil {
		t.Fatalf("start a private PostgreSQL: %v", failure)
	}
	return running
}

// dsn is a connection URL that pgx, psql and database/sql's "pgx" driver read alike.
func (s *server) dsn(database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(s.directory)
}

// watchdog starts the server and outlives the test binary by a moment: when the pipe on its standard input closes, it stops the server and
// removes the directory, unless a failed test asked to keep it.
const watchdog = `
directory=$1; programs=$2
"$programs/postgres" -D "$directory/data" -k "$directory" \
  -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
  -c max_connections=200 -c shared_buffers=64MB -c max_wal_size=4GB -c autovacuum_naptime=1h -c timezone=Asia/Kathmandu \
  </dev/null >>"$directory/server.log" 2>&1 &
server=$!
cat >/dev/null
kill -INT "$server" 2>/dev/null
wait "$server"
[ -e "$directory/keep" ] || rm -rf "$directory"
`

func launch(programs string) (*server, error) {
	directory, err := temporary()
	if err != nil {
		return nil, err
	}
	s := &server{directory: directory}
	if err := s.launch(programs); err != nil {
		log, _ := os.ReadFile(filepath.Join(directory, "server.log"))
		if s.stdin == nil {
			_ = os.RemoveAll(directory) // no watchdog that would do it
		} else {
			_ = s.stdin.Close()
		}
		return nil, fmt.Errorf("%w\n%s", err, bytes.TrimSpace(log))
	}
	return s, nil
}

func (s *server) launch(programs string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	attributes, err := credentials(s.directory)
	if err != nil {
		return err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(programs, "initdb"), "-D", filepath.Join(s.directory, "data"),
		"--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US",
		"--no-sync", "--no-instructions")
	initdb.SysProcAttr = attributes
	initdb.Dir = s.directory
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(out))
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	shell := exec.Command("/bin/sh", "-c", watchdog, "sh", s.directory, programs) //nolint:noctx // it outlives every context: its end is the pipe's
	shell.SysProcAttr = attributes
	shell.Dir = s.directory
	shell.Stdin = read
	if err := shell.Start(); err != nil {
		_ = write.Close()
		return err
	}
	s.stdin = write
	exited := make(chan error, 1)
	go func() { exited <- shell.Wait() }()
	return s.await(ctx, exited)
}

// await polls until the server takes a connection.
func (s *server) await(ctx context.Context, exited <-chan error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		connection, err := pgx.Connect(ctx, s.dsn("postgres"))
		if err == nil {
			return connection.Close(ctx)
		}
		select {
		case <-exited: //nolint:errcheck // err says more
			return fmt.Errorf("the server ended while starting: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("the server takes no connections: %w", err)
		case <-tick.C:
		}
	}
}

// temporary makes the server's directory, whose path must be short enough for a unix socket (107 bytes with the socket's name).
func temporary() (string, error) {
	if parent := os.TempDir(); len(parent) > 60 {
		return "", fmt.Errorf("%s is too long a path for a unix socket: set TMPDIR to a shorter one", parent)
	}
	return os.MkdirTemp("", "canopy-pg-")
}

// credentials lets root, whom PostgreSQL refuses, run it as the user "postgres" (or "nobody"), and hands the directory over.
// The processes get a group of their own, so that a Ctrl-C meets the tests alone and the watchdog can still clean up.
func credentials(directory string) (*syscall.SysProcAttr, error) {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return attributes, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("root may not run PostgreSQL, and there is no user to run it as: %w", err)
		}
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, os.Chown(directory, int(uid), int(gid))
}
