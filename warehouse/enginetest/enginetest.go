// Package enginetest gives tests a real ClickHouse: one engine for a test binary, one database for a test.
//
//	func TestMain(m *testing.M) { enginetest.Main(m) }
//
//	func TestX(t *testing.T) {
//		conn := enginetest.Connect(t, enginetest.Database(t))
//		…
//	}
package enginetest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"canopy/models/require"
	"canopy/warehouse/engine"
)

var shared struct {
	sync.Mutex
	tried   bool
	engine  *engine.Engine
	dir     string
	failure error
}

var databases atomic.Int64

// Main is the TestMain of a package that uses the engine. It is the engine itself where the binary was started as its
// child. It ends the engine after the tests, and removes its directory unless one failed, in which case it prints it.
// It does not return. after, if given, runs between the tests and the engine's end.
func Main(m *testing.M, after ...func()) {
	if len(os.Args) > 1 && os.Args[1] == engine.ChildCommand {
		engine.Main(os.Args[2:])
	}
	code := m.Run()
	for _, f := range after {
		f()
	}
	if shared.engine != nil {
		if err := shared.engine.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "close the engine:", err)
			code = max(code, 1)
		}
	}
	switch {
	case shared.dir == "":
	case code == 0:
		_ = os.RemoveAll(shared.dir)
	default:
		fmt.Fprintln(os.Stderr, "the engine's data are kept in", shared.dir)
	}
	os.Exit(code)
}

// Start gives the engine of this test binary and starts it the first time. Where the library is missing, the test is
// skipped or fails as package require says.
func Start(t testing.TB) *engine.Engine {
	t.Helper()
	library := require.Engine(t)
	shared.Lock()
	defer shared.Unlock()
	if !shared.tried {
		shared.tried = true
		if shared.dir, shared.failure = os.MkdirTemp("", "canopy-engine-"); shared.failure == nil {
			shared.engine, shared.failure = engine.Start(context.Background(), engine.Config{
				Directory: shared.dir, Library: library,
				Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
			})
		}
	}
	if shared.failure != nil {
		t.Fatal("start the engine: ", shared.failure)
	}
	return shared.engine
}

var unfit = regexp.MustCompile(`[^a-z0-9]+`)

// Database makes an empty database for this test and gives its name. It is dropped with the test, unless that failed.
func Database(t testing.TB) string {
	t.Helper()
	name := unfit.ReplaceAllString(strings.ToLower(t.Name()), "_")
	name = fmt.Sprintf("%s_%d", name[:min(len(name), 50)], databases.Add(1))
	conn := Connect(t, "system")
	if err := conn.Exec(t.Context(), "create database "+name+" engine = Atomic"); err != nil {
		t.Fatal("make the test's database: ", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the database %s is kept", name)
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := conn.Exec(ctx, "drop database if exists "+name+" sync"); err != nil {
			t.Error("drop the test's database: ", err)
		}
	})
	return name
}

// Options are those of a client of the shared engine, on a database that exists.
func Options(t testing.TB, database string) *clickhouse.Options {
	t.Helper()
	e := Start(t)
	return &clickhouse.Options{
		Addr: []string{e.Addr()}, DialContext: e.Dial,
		Auth: clickhouse.Auth{Database: database, Username: e.User(), Password: e.Password()},
	}
}

// Connect opens a client of the shared engine; it is closed after the test's other cleanups.
func Connect(t testing.TB, database string) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(Options(t, database))
	if err != nil {
		t.Fatal("connect to the engine: ", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
