package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"canopy/models"
)

// Config says where the engine lives and what it may take. Zero values take the defaults named.
type Config struct {
	Directory  string // of everything the engine keeps; made if missing, mode 0700
	Library    string // path of libchdb.so; empty: found by FindLibrary
	Executable string // started with ChildCommand as its first argument; empty: this binary

	MemoryBytes      int64         // of the whole engine; 0: half of what the machine or its container has
	QueryMemoryBytes int64         // of one query; 0: 2 GB, or 80 % of MemoryBytes if that is less
	Threads          int           // of one query; 0: 2
	QueryTime        time.Duration // after which a query is stopped; 0: 120 s

	TCPPort, HTTPPort int           // 0: free ones, chosen at start
	StartTimeout      time.Duration // until the first answer; 0: 60 s (replaying many tables takes a while)
	Logger            *slog.Logger  // nil: slog.Default()

	pace *pace // nil: ordinaryPace; tests are less patient
}

func (c Config) withDefaults() (Config, error) {
	var errs []models.Error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, *models.FieldError(field, format, args...))
	}
	if c.Directory == "" {
		wrong("engine.directory", "no data directory is given")
	}
	if c.MemoryBytes < 0 || c.MemoryBytes > 0 && c.MemoryBytes < 256<<20 {
		wrong("engine.memory_bytes", "%d is less than 256 MiB", c.MemoryBytes)
	}
	for field, n := range map[string]int64{"engine.query_memory_bytes": c.QueryMemoryBytes, "engine.threads": int64(c.Threads),
		"engine.query_time": int64(c.QueryTime), "engine.start_timeout": int64(c.StartTimeout)} {
		if n < 0 {
			wrong(field, "%d is negative", n)
		}
	}
	for field, port := range map[string]int{"engine.tcp_port": c.TCPPort, "engine.http_port": c.HTTPPort} {
		if port < 0 || port > 65535 {
			wrong(field, "%d is not a port", port)
		}
	}
	if len(errs) > 0 {
		return c, models.Gather(errs)
	}
	if c.QueryMemoryBytes == 0 {
		c.QueryMemoryBytes = 2_000_000_000
		if c.MemoryBytes > 0 {
			c.QueryMemoryBytes = min(c.QueryMemoryBytes, c.MemoryBytes*4/5)
		}
	}
	if c.Threads == 0 {
		c.Threads = 2
	}
	if c.QueryTime == 0 {
		c.QueryTime = 2 * time.Minute
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	var err error
	if c.Executable == "" {
		c.Executable, err = self()
	}
	if err == nil {
		c.Directory, err = filepath.Abs(c.Directory)
	}
	return c, err
}

// Engine is a running embedded ClickHouse. It is safe for concurrent use.
type Engine struct {
	config   Config
	layout   layout
	library  string
	password string
	lock     *os.File
	log      *slog.Logger
	pace     pace

	closing  context.Context // done from Close on
	close    context.CancelFunc
	finished chan struct{} // closed when the child is gone for good and the lock is free

	mu     sync.Mutex
	status Status
	ready  chan struct{} // closed while the engine answers
}

// Start locks the data directory, starts the engine and returns when it answers. ctx bounds the start only; the engine
// lives until Close, or until this process ends in any way.
//
// Errors: invalid (configuration), unavailable (library missing, or the engine ended or did not answer, with its last
// words), conflict (another process holds the directory; it is named).
func Start(ctx context.Context, config Config) (*Engine, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if os.Getenv(childMark) != "" {
		return nil, models.Errorf(models.Internal, "this process was started as %s, and its main did not call engine.Main", ChildCommand)
	}
	library, err := FindLibrary(config.Library)
	if err != nil {
		return nil, err
	}
	e := &Engine{config: config, layout: layout{config.Directory}, library: library, finished: make(chan struct{}),
		ready: make(chan struct{}), log: config.Logger.With("part", "engine")}
	e.pace = ordinaryPace
	if config.pace != nil {
		e.pace = *config.pace
	}
	e.status = Status{State: Starting, Since: time.Now()}
	for _, dir := range []string{config.Directory, e.layout.data(), e.layout.backups()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make the engine's directory: %w", err)
		}
	}
	if e.lock, err = lockDirectory(ctx, config.Directory); err != nil {
		return nil, err
	}
	e.closing, e.close = context.WithCancel(context.Background())
	child, err := e.startFirst(ctx)
	if err != nil {
		e.close()
		e.lock.Close()
		return nil, err
	}
	go e.supervise(child)
	return e, nil
}

// startFirst prepares the files and brings the first child up.
func (e *Engine) startFirst(ctx context.Context) (*process, error) {
	var err error
	if e.password, err = e.layout.password(); err != nil {
		return nil, err
	}
	if err = e.layout.writeConfiguration(e.config, e.password); err != nil {
		return nil, err
	}
	began := time.Now()
	child, err := e.bringUp(ctx, ports{e.config.TCPPort, e.config.HTTPPort})
	if err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	e.log.Info("the engine is ready", "pid", child.cmd.Process.Pid, "addr", child.ports.addr(), "took", time.Since(began).Round(time.Millisecond))
	return child, nil
}

// bringUp starts a child and waits until it answers. wanted's zero ports are chosen, and chosen again if somebody takes
// them first. The child is gone when an error is returned.
func (e *Engine) bringUp(ctx context.Context, wanted ports) (*process, error) {
	ctx, cancel := context.WithTimeout(ctx, e.config.StartTimeout)
	defer cancel()
	defer context.AfterFunc(e.closing, cancel)()
	for try := 1; ; try++ {
		at, err := wanted.choose()
		if err != nil {
			return nil, err
		}
		child, err := e.spawn(at)
		if err != nil {
			return nil, err
		}
		if err = child.await(ctx); err == nil {
			e.becomeReady(child)
			return child, nil
		}
		child.kill()
		<-child.exited
		if !errors.Is(err, errPortTaken) || try == 5 {
			return nil, err
		}
		// The ports of the configuration are wanted, not needed for life: nobody else knows this engine's address.
		wanted = ports{e.config.TCPPort, e.config.HTTPPort}
		if wanted == at {
			return nil, models.Errorf(models.Conflict, "port %d or %d is taken by another process", at.tcp, at.http).
				WithRemedy("Free the ports, or leave them out of the configuration to use any free ones.")
		}
	}
}

// Close ends the engine in order and frees the data directory; it returns when both are done. Calling it again waits too.
func (e *Engine) Close() error {
	e.close()
	<-e.finished
	return nil
}
