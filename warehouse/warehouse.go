package warehouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/semaphore"

	"canopy/models"
)

// The least version that Canopy's SQL is written for: the first LTS release with all that staging uses.
const leastMajor, leastMinor = 25, 8

// Config says where ClickHouse is and how much of it one process may use. Zero numbers take the defaults named.
type Config struct {
	Addr     string // host:port of the native protocol
	User     string
	Password string
	Database string // made if missing; "canopy" where empty

	// Resolve gives the current address where it may change, as that of an embedded engine that was started again on
	// another port. nil: always Addr.
	Resolve func(ctx context.Context) (string, error)
	TLS     *tls.Config // nil: plain TCP, for loopback only
	// Compress sends and receives LZ4 blocks: worth it over a network, a loss on loopback.
	Compress bool

	HeavyQueries int           // heavy questions at once; 2
	MaxExecution time.Duration // of one question, on the server; 2 minutes
	Connections  int           // kept open at most; 8
	Logger       *slog.Logger  // slog.Default()
}

// LogValue prints the configuration without its password.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("addr", c.Addr), slog.String("user", c.User), slog.String("database", c.Database),
		slog.Bool("tls", c.TLS != nil), slog.Bool("compress", c.Compress))
}

var databaseName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}$`)

func (c Config) withDefaults() (Config, error) {
	if c.Database == "" {
		c.Database = "canopy"
	}
	switch {
	case c.Addr == "" && c.Resolve == nil:
		return c, models.FieldError("warehouse.addr", "no address of ClickHouse is given")
	case !databaseName.MatchString(c.Database):
		return c, models.FieldError("warehouse.database", "%q is not a database name", c.Database)
	case c.Database == "default":
		return c, models.FieldError("warehouse.database", "the database default is not used, since it overlays the file system in the embedded engine")
	}
	if c.HeavyQueries <= 0 {
		c.HeavyQueries = 2
	}
	if c.MaxExecution <= 0 {
		c.MaxExecution = 2 * time.Minute
	}
	if c.Connections <= 0 {
		c.Connections = 8
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}

// Warehouse is an open ClickHouse. It is safe for concurrent use.
type Warehouse struct {
	config   Config
	conn     driver.Conn
	version  string
	heavy    *semaphore.Weighted
	topology Topology
}

// Open connects, makes the database where it is missing, and checks the version. It waits for a server that is still
// starting as long as ctx allows (and at most some seconds). It changes no table: see Migrate and EnsureObjects.
// Errors: invalid for the configuration, unavailable for no answer, unauthenticated for refused credentials,
// precondition for a ClickHouse older than 25.8.
func Open(ctx context.Context, config Config) (*Warehouse, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Warehouse{config: config, heavy: semaphore.NewWeighted(int64(config.HeavyQueries)), topology: Single{}}
	if err := w.makeDatabase(ctx); err != nil {
		return nil, err
	}
	if w.conn, err = w.connect(config.Database); err != nil {
		return nil, fmt.Errorf("open the warehouse: %w", err)
	}
	if err := w.Ping(ctx); err != nil {
		return nil, errors.Join(err, w.conn.Close())
	}
	return w, nil
}

// makeDatabase connects without a database, checks the version and makes the database.
func (w *Warehouse) makeDatabase(ctx context.Context) (err error) {
	conn, err := w.connect("")
	if err != nil {
		return fmt.Errorf("open the warehouse: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var version *driver.ServerVersion
	err = w.repeat(ctx, "connect", func() (err error) {
		version, err = conn.ServerVersion()
		return err
	})
	if err != nil {
		return err
	}
	w.version = fmt.Sprintf("%d.%d.%d", version.Version.Major, version.Version.Minor, version.Version.Patch)
	if err := checkVersion(version.Version.Major, version.Version.Minor); err != nil {
		return err
	}
	return w.repeat(ctx, "make the database", func() error {
		return conn.Exec(ctx, "create database if not exists "+w.config.Database+" engine = Atomic")
	})
}

func checkVersion(major, minor uint64) error {
	if major > leastMajor || major == leastMajor && minor >= leastMinor {
		return nil
	}
	return models.Errorf(models.Precondition, "ClickHouse %d.%d is too old: Canopy needs %d.%d or newer", major, minor, leastMajor, leastMinor).
		WithRemedy("Upgrade ClickHouse, or leave its address out to use the embedded engine.")
}

func (w *Warehouse) connect(database string) (driver.Conn, error) {
	options := &clickhouse.Options{
		Addr:     []string{w.config.Addr},
		Protocol: clickhouse.Native,
		Auth:     clickhouse.Auth{Database: database, Username: w.config.User, Password: w.config.Password},
		TLS:      w.config.TLS,
		// ClickHouse is told the limits of every question; a question may ask for others.
		Settings: clickhouse.Settings{
			"async_insert":       0, // batches are made here; the embedded engine has no queue for them
			"session_timezone":   "UTC",
			"max_execution_time": seconds(w.config.MaxExecution),
		},
		DialTimeout:     dialTimeout,
		ReadTimeout:     w.config.MaxExecution + 30*time.Second,
		MaxOpenConns:    w.config.Connections,
		MaxIdleConns:    w.config.Connections,
		ConnMaxLifetime: 10 * time.Minute,
		ClientInfo:      clickhouse.ClientInfo{Products: []struct{ Name, Version string }{{Name: "canopy", Version: "1"}}},
		DialContext: func(ctx context.Context, _ string) (net.Conn, error) {
			return w.dial(ctx)
		},
	}
	if options.Addr[0] == "" {
		options.Addr[0] = "resolved.invalid:9000" // a placeholder: DialContext asks Resolve
	}
	if w.config.Compress {
		options.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	}
	return clickhouse.Open(options)
}

// dial opens one socket to where ClickHouse is now, in TLS where the configuration says so.
func (w *Warehouse) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	addr := w.config.Addr
	if w.config.Resolve != nil {
		var err error
		if addr, err = w.config.Resolve(ctx); err != nil {
			return nil, unreachable{err}
		}
	}
	if w.config.TLS != nil {
		dialer := &tls.Dialer{Config: w.config.TLS}
		return dialer.DialContext(ctx, "tcp", addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
}

// dialTimeout bounds one try to connect, the wait for an engine that starts again included.
const dialTimeout = 5 * time.Second

// Conn is the driver's own connection pool, for what Query does not cover. It does not retry.
func (w *Warehouse) Conn() driver.Conn { return w.conn }

// Database is the name of the database in which all tables stand.
func (w *Warehouse) Database() string { return w.config.Database }

// Version is ClickHouse's version as it was at Open: "26.7.2".
func (w *Warehouse) Version() string { return w.version }

// Topology says how tables are spread over servers.
func (w *Warehouse) Topology() Topology { return w.topology }

// Ping tells whether ClickHouse answers; unavailable when it does not.
func (w *Warehouse) Ping(ctx context.Context) error {
	return w.repeat(ctx, "ask for a sign of life", func() error { return w.conn.Ping(ctx) })
}

// Close gives the connections back.
func (w *Warehouse) Close() error { return w.conn.Close() }

func seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// quoted writes a ClickHouse string literal.
func quoted(s string) string {
	return "'" + literal.Replace(s) + "'"
}

var literal = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`, "\x00", `\0`)

// unreachable marks an error of Resolve: there is no address at the moment.
type unreachable struct{ error }

func (u unreachable) Unwrap() error { return u.error }

var _ io.Closer = (*Warehouse)(nil)
