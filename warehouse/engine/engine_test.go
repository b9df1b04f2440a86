package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"canopy/models"
	"canopy/models/require"
)

// The tests that start an engine run one after another: each has an engine of its own, and a machine has only so much
// memory.

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case ChildCommand:
			Main(os.Args[2:])
		case parentCommand:
			livingParent(os.Args[2], os.Args[3])
		}
	}
	os.Exit(m.Run())
}

// book is a place for log lines that tests may read while they are written.
type book struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) { b.mu.Lock(); defer b.mu.Unlock(); return b.b.Write(p) }
func (b *book) String() string              { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// start gives an engine in a fresh directory, closed with the test, and what it logs.
func start(t *testing.T, change func(*Config)) (*Engine, *book) {
	t.Helper()
	log := &book{}
	c := Config{Directory: filepath.Join(t.TempDir(), "engine"), Library: require.Engine(t),
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if change != nil {
		change(&c)
	}
	e, err := Start(t.Context(), c)
	if err != nil {
		t.Fatalf("start: %v\n%s", err, log)
	}
	t.Cleanup(func() {
		e.Close()
		if t.Failed() {
			t.Logf("the engine's log:\n%s", log)
		}
	})
	return e, log
}

func connect(t *testing.T, e *Engine, user, password string) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{"engine"}, DialContext: e.Dial,
		Auth: clickhouse.Auth{Username: user, Password: password, Database: "system"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func mustExec(t *testing.T, conn driver.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func one[T any](t *testing.T, conn driver.Conn, question string) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), question).Scan(&v); err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return v
}

// eventually polls until what holds, for at most a minute.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: ", what)
		}
	}
}

func TestAnswersAndKeepsItsDataOverARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "engine")
	e, _ := start(t, func(c *Config) { c.Directory = dir })
	conn := connect(t, e, e.User(), e.Password())
	if zone := one[string](t, conn, "select timezone()"); zone != "UTC" {
		t.Error("zone is ", zone)
	}
	for setting, want := range map[string]string{"async_insert": "0", "max_threads": "2", "max_execution_time": "120",
		"max_memory_usage": "2000000000", "max_bytes_before_external_group_by": "800000000"} {
		if got := one[string](t, conn, "select value from system.settings where name = '"+setting+"'"); got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
	mustExec(t, conn, "create database house engine = Atomic",
		"create table house.t (a UInt64, b String) engine = MergeTree order by a settings fsync_after_insert = 1",
		"insert into house.t select number, 'x' from numbers(1000)",
		// A mutation waits for free merge slots, of which the small pools have few.
		"alter table house.t update b = 'y' where a < 10 settings mutations_sync = 2",
		"delete from house.t where a = 999")
	if e.Status().State != Ready || e.Status().PID == 0 || e.Status().Restarts != 0 {
		t.Errorf("status %+v", e.Status())
	}
	body, err := httpAsk(e.HTTPAddr(), e.User(), e.Password(), "select count(), countIf(b = 'y') from house.t")
	if err != nil || body != "999\t10\n" {
		t.Errorf("over HTTP: %q, %v", body, err)
	}
	first, pid := e.Password(), e.Status().PID
	e.Close()
	e.Close()
	if alive(pid) {
		t.Error("the child outlived Close")
	}
	if _, err := e.Resolve(t.Context()); models.CodeOf(err) != models.Unavailable || e.Status().State != Stopped {
		t.Errorf("after Close: %v, %+v", err, e.Status())
	}

	again, _ := start(t, func(c *Config) { c.Directory = dir })
	if again.Password() != first {
		t.Error("the password changed")
	}
	if n := one[uint64](t, connect(t, again, again.User(), first), "select count() from house.t"); n != 999 {
		t.Errorf("%d rows after the restart", n)
	}
}

func TestOnlyTheRightPasswordOpens(t *testing.T) {
	e, _ := start(t, nil)
	for user, password := range map[string]string{User: "wrong", "nobody": e.Password(), "default": e.Password()} {
		if err := connect(t, e, user, password).Ping(t.Context()); err == nil {
			t.Errorf("%s came in over TCP", user)
		}
		if body, err := httpAsk(e.HTTPAddr(), user, password, "select 1"); err == nil {
			t.Errorf("%s came in over HTTP: %s", user, body)
		}
	}
	// The user of the holding session has no password; the session is what nobody else can have.
	if err := connect(t, e, "default", "").Ping(t.Context()); err == nil {
		t.Error("default came in over TCP")
	}
	for _, q := range []string{"select 1", "select * from system.users", "select * from file('/etc/passwd', LineAsString)",
		"system stop listen tcp", "kill query where 1", "show databases"} {
		if body, err := httpAsk(e.HTTPAddr(), "default", "", q); err == nil {
			t.Errorf("default may %s: %s", q, body)
		}
	}
	if err := connect(t, e, e.User(), e.Password()).Ping(t.Context()); err != nil {
		t.Error("the right password: ", err)
	}
}

func TestNothingOutsideOfTheDatabasesCanBeReached(t *testing.T) {
	e, _ := start(t, nil)
	conn := connect(t, e, e.User(), e.Password())
	mustExec(t, conn, "create database house engine = Atomic")
	for _, q := range []string{
		"select * from file('/etc/passwd', LineAsString)", "select * from url('http://127.0.0.1:1/', LineAsString)",
		"select * from remote('127.0.0.1:1', system.one)", "select * from executable('id', TSV, 'a String')",
		"create table house.f (a String) engine = File(TSV, '/etc/hostname')",
		"create table house.u (a String) engine = URL('http://127.0.0.1:1/', TSV)",
		"select * from `/etc/hostname`", "select * from default.`/etc/hostname`",
		"insert into function file('/etc/x', TSV, 'a String') values ('a')",
		"select * from house.t into outfile '/etc/x'",
		"create user x", "grant all on *.* to canopy", "system stop listen http", "system shutdown",
	} {
		if err := conn.Exec(t.Context(), q); err == nil {
			t.Errorf("allowed: %s", q)
		}
	}
	// What Canopy does is allowed.
	mustExec(t, conn, "create table house.t (a UInt64) engine = ReplacingMergeTree order by a",
		"create view house.v as select a from house.t where a < {b:UInt64}",
		"create materialized view house.m engine = MergeTree order by a as select a from house.t",
		"insert into house.t values (1)", "optimize table house.t final", "select * from house.v(b = 2)",
		"create dictionary house.d (a UInt64, b UInt64 default 0) primary key a source(clickhouse(db 'house' table 't')) layout(flat()) lifetime(0)",
		"create temporary table x (a UInt8)", "truncate table house.t", "kill query where query_id = 'none'",
		"backup database house to File('house-1')", "drop database house sync",
		"restore database house from File('house-1')")
}

func TestNoSecretShows(t *testing.T) {
	e, log := start(t, nil)
	info, err := os.Stat(filepath.Join(e.Directory(), "password"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("password file: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(e.Directory()); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
	for _, path := range []string{filepath.Join(e.Directory(), "users.xml"), filepath.Join(e.Directory(), "config.xml"),
		fmt.Sprintf("/proc/%d/cmdline", e.Status().PID), fmt.Sprintf("/proc/%d/environ", e.Status().PID)} {
		text, err := os.ReadFile(path)
		if err == nil && bytes.Contains(text, []byte(e.Password())) {
			t.Errorf("%s shows the password", path)
		}
	}
	conn := connect(t, e, e.User(), e.Password())
	_ = conn.Exec(t.Context(), "select throwIf(1, 'made up') from numbers(1) where 'a private\n matter' != ''")
	_ = connect(t, e, e.User(), "mistaken").Ping(t.Context())
	eventually(t, "the log tells of the failed query", func() bool { return strings.Contains(log.String(), "made up") })
	eventually(t, "the log tells of the failed login", func() bool { return strings.Contains(log.String(), "AUTHENTICATION_FAILED") })
	e.Close()
	for _, secret := range []string{e.Password(), "private", " matter", "mistaken"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log shows %q:\n%s", secret, log)
		}
	}
}

func httpAsk(addr, user, password, q string) (string, error) {
	request, err := http.NewRequest(http.MethodPost, "http://"+addr+"/", strings.NewReader(q))
	if err != nil {
		return "", err
	}
	request.Header.Set("X-ClickHouse-User", user)
	request.Header.Set("X-ClickHouse-Key", password)
	response, err := loopbackClient().Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", response.StatusCode, text)
	}
	return string(text), err
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	_, err := Start(context.Background(), Config{MemoryBytes: 5, Threads: -1, TCPPort: 70000})
	if models.CodeOf(err) != models.Invalid {
		t.Fatal(err)
	}
	for _, field := range []string{"engine.directory", "engine.memory_bytes", "engine.threads", "engine.tcp_port"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in %v", field, err)
		}
	}
}
