package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"

	"canopy/models"
)

// Config is all that can be set. Each value is taken from the first of these that has it: flag, environment
// (CANOPY_ and the flag's name), configuration file, default. It is validated before anything is opened.
type Config struct {
	Data      string `name:"data" type:"path" default:"data" help:"Data directory."`
	Listen    string `name:"listen" default:"127.0.0.1:8080" help:"Address to serve on."`
	PublicURL string `name:"public-url" help:"Address that people type, where it differs (behind a proxy)."`

	Workspace  string `name:"workspace" default:"Canopy" help:"Name of the workspace."`
	Zone       string `name:"zone" default:"UTC" help:"Time zone in which days and weeks are cut (IANA name)."`
	WeekStart  string `name:"week-start" default:"monday" enum:"monday,tuesday,wednesday,thursday,friday,saturday,sunday" help:"First day of the week."`
	FiscalFrom int    `name:"fiscal-month" default:"1" help:"Month in which the fiscal year starts (1 to 12)."`
	Currency   string `name:"currency" default:"USD" help:"Reporting currency (ISO 4217)."`
	Locale     string `name:"locale" default:"en-US" help:"How numbers and dates are written (BCP 47)."`

	PostgresDSN string `name:"postgres-dsn" help:"PostgreSQL connection string; SQLite in the data directory where empty." redact:"yes"`

	ClickHouse         string `name:"clickhouse" help:"Address (host:port, native protocol) of a ClickHouse server; the embedded engine where empty."`
	ClickHouseUser     string `name:"clickhouse-user" default:"default" help:"User on that server."`
	ClickHousePassword string `name:"clickhouse-password" help:"Password on that server." redact:"yes"`
	ClickHouseDatabase string `name:"clickhouse-database" default:"canopy" help:"Database on that server or engine."`
	ClickHouseTLS      bool   `name:"clickhouse-tls" help:"Speak TLS to that server."`
	EngineLibrary      string `name:"engine-library" type:"path" help:"The embedded engine's library, where it is not beside the binary or in node_modules."`
	EngineMemory       int64  `name:"engine-memory" default:"2048" help:"Most memory that the embedded engine may take (MiB)."`

	AdminPassword string        `name:"admin-password" help:"Password of the first administrator (admin@canopy.local); generated and shown once where empty." redact:"yes"`
	UploadLimit   int64         `name:"upload-limit" default:"2048" help:"Largest file of an import (MiB)."`
	CountPatience time.Duration `name:"count-patience" default:"20ms" help:"How long a list waits to be counted; past it, it says how many it shows and that there are more."`
	LogLevel      string        `name:"log-level" default:"info" enum:"debug,info,warn,error" help:"What is logged."`
}

// Validate gathers everything that is wrong with the configuration.
func (c *Config) Validate() error {
	var wrong []models.Error
	add := func(field, format string, args ...any) {
		wrong = append(wrong, *models.FieldError(field, format, args...))
	}
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "" || c.Zone == "Local" {
		add("zone", "%q is not a time zone (Europe/Berlin)", c.Zone)
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		add("listen", "%q is not host:port", c.Listen)
	}
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
		add("public-url", "%q is not an http(s) address", c.PublicURL)
	}
	if !models.IsCurrency(c.Currency) {
		add("currency", "%q is not an ISO 4217 currency (USD)", c.Currency)
	}
	if _, err := language.Parse(c.Locale); err != nil {
		add("locale", "%q is not a locale (en-US)", c.Locale)
	}
	if c.FiscalFrom < 1 || c.FiscalFrom > 12 {
		add("fiscal-month", "%d is not between 1 and 12", c.FiscalFrom)
	}
	if _, _, err := net.SplitHostPort(c.ClickHouse); c.ClickHouse != "" && err != nil {
		add("clickhouse", "%q is not host:port", c.ClickHouse)
	}
	if c.EngineMemory < 512 {
		add("engine-memory", "%d MiB is too little; the engine needs 512", c.EngineMemory)
	}
	if c.CountPatience <= 0 {
		add("count-patience", "%s leaves no time to count", c.CountPatience)
	}
	if c.UploadLimit < 1 {
		add("upload-limit", "%d MiB lets nothing in", c.UploadLimit)
	}
	if c.AdminPassword != "" && len(c.AdminPassword) < 10 {
		add("admin-password", "shorter than 10 characters")
	}
	return models.Gather(wrong)
}

// Calendar is the workspace's clock. The configuration must be valid.
func (c *Config) Calendar() models.Calendar {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		panic("config: not validated: " + err.Error())
	}
	days := map[string]time.Weekday{"sunday": 0, "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6}
	return models.Calendar{Zone: zone, WeekStart: days[c.WeekStart], FiscalMonth: time.Month(c.FiscalFrom)}
}

// LogValue prints the configuration with its secrets left out.
func (c *Config) LogValue() slog.Value {
	hidden := func(s string) string {
		if s == "" {
			return ""
		}
		return "(set)"
	}
	store, columnar := "sqlite", "embedded"
	if c.PostgresDSN != "" {
		store = "postgres"
	}
	if c.ClickHouse != "" {
		columnar = c.ClickHouse
	}
	return slog.GroupValue(
		slog.String("data", c.Data), slog.String("listen", c.Listen), slog.String("public_url", c.PublicURL), slog.String("workspace", c.Workspace),
		slog.String("zone", c.Zone), slog.String("week_start", c.WeekStart), slog.Int("fiscal_month", c.FiscalFrom), slog.String("currency", c.Currency), slog.String("locale", c.Locale),
		slog.String("store", store), slog.String("postgres_dsn", hidden(c.PostgresDSN)),
		slog.String("clickhouse", columnar), slog.String("clickhouse_user", c.ClickHouseUser), slog.String("clickhouse_password", hidden(c.ClickHousePassword)),
		slog.String("clickhouse_database", c.ClickHouseDatabase), slog.Bool("clickhouse_tls", c.ClickHouseTLS), slog.String("engine_library", c.EngineLibrary), slog.Int64("engine_memory_mib", c.EngineMemory),
		slog.String("admin_password", hidden(c.AdminPassword)), slog.Int64("upload_limit_mib", c.UploadLimit), slog.Duration("count_patience", c.CountPatience), slog.String("log_level", c.LogLevel),
	)
}

// Logger logs to stderr at the configured level.
func (c *Config) Logger(w *streams) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		panic("config: not validated: " + err.Error())
	}
	return slog.New(slog.NewTextHandler(w.err, &slog.HandlerOptions{Level: level}))
}

// configPath is the configuration file; reading it happens in fileFirst, for the flags need it first.
type configPath string

// fileFirst resolves flags from the configuration file that --config or CANOPY_CONFIG names, below flags and environment.
type fileFirst struct{}

// Validate accepts every application.
func (fileFirst) Validate(*kong.Application) error { return nil }

// Resolve looks a flag up in the file. Unknown keys are refused, so that a typing error is not a silent default.
func (fileFirst) Resolve(c *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if flag.Name == "config" || flag.Name == "help" || fromEnvironment(flag) {
		return nil, nil
	}
	path := configFile(c)
	if path == "" {
		return nil, nil
	}
	values, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	v, ok := values[flag.Name]
	if !ok {
		return nil, nil
	}
	return fmt.Sprint(v), nil
}

func fromEnvironment(flag *kong.Flag) bool {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return true
		}
	}
	return false
}

func configFile(c *kong.Context) string {
	for _, flag := range c.Flags() {
		if flag.Name != "config" {
			continue
		}
		if v, ok := c.FlagValue(flag).(configPath); ok && v != "" {
			return string(v)
		}
	}
	return os.Getenv("CANOPY_CONFIG")
}

func readConfig(path string) (map[string]any, error) {
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, models.FieldError("config", "%v", err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(text, &values); err != nil {
		return nil, models.FieldError("config", "%s: %v", path, err)
	}
	known := map[string]bool{}
	for _, name := range configNames() {
		known[name] = true
	}
	for name := range values {
		if !known[name] {
			return nil, models.FieldError("config", "%s: there is no setting %q", path, name).
				WithRemedy("Settings are " + strings.Join(configNames(), ", ") + ".")
		}
	}
	return values, nil
}

// configNames lists the settings of Config.
func configNames() []string {
	parser, err := kong.New(&Config{})
	if err != nil {
		panic("config: " + err.Error())
	}
	var names []string
	for _, flag := range parser.Model.Flags {
		if flag.Name != "help" {
			names = append(names, flag.Name)
		}
	}
	return names
}
