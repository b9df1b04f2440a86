package postgrestest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var databases atomic.Int64

// Database gives the connection URL of a fresh, empty database of the test's own. It is dropped when the test ends; a failed test's
// database is kept with its server's directory, and its path is printed.
func Database(t testing.TB) string {
	t.Helper()
	s := start(t)
	name := fmt.Sprintf("test_%d", databases.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.run(ctx, "create database "+name+" template template0"); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kept database %s: %s", name, s.keep())
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		if err := s.run(ctx, "drop database "+name+" with (force)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return s.dsn(name)
}

// keep asks the watchdog to leave the directory, and tells how to look into it once the tests have ended.
func (s *server) keep() string {
	if err := os.WriteFile(filepath.Join(s.directory, "keep"), nil, 0o600); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("start it again with postgres -D %s/data -k %s -c listen_addresses=", s.directory, s.directory)
}

// run executes one statement on the server's own database. Creating a database waits for nobody else's copy of the template,
// but PostgreSQL refuses it while one is being made; then it is asked again until the deadline.
func (s *server) run(ctx context.Context, statement string) error {
	connection, err := pgx.Connect(ctx, s.dsn("postgres"))
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err = connection.Exec(ctx, statement)
		if err == nil || !strings.Contains(err.Error(), "55006") { // object_in_use
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
