package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"canopy/models"
	"canopy/warehouse"
	"canopy/warehouse/engine"
)

// doctorCommand looks at what Canopy needs and names what is wrong. It changes nothing that is there.
type doctorCommand struct {
	Config `embed:""`
}

// finding is one thing looked at; err nil means well.
type finding struct {
	what string
	said string
	err  error
}

// Run prints a line a finding and fails if any is wrong.
func (c *doctorCommand) Run(ctx context.Context, s *streams) error {
	if err := c.Validate(); err != nil {
		return err
	}
	wrong := 0
	for _, look := range []func(context.Context) finding{c.directory, c.server, c.library, c.transactional, c.columnar, c.port} {
		f := look(ctx)
		if f.err == nil {
			fmt.Fprintf(s.out, "ok     %-22s %s\n", f.what, f.said)
			continue
		}
		wrong++
		fmt.Fprintf(s.out, "wrong  %-22s %v\n", f.what, f.err)
		var said *models.Error
		if errors.As(f.err, &said) && said.Remedy != "" {
			fmt.Fprintf(s.out, "       %-22s %s\n", "", said.Remedy)
		}
	}
	if wrong > 0 {
		return models.Errorf(models.Precondition, "%d of these need attention", wrong)
	}
	return nil
}

// leastFree is the free disk space under which the doctor warns (bytes).
const leastFree = 2 << 30

func (c *doctorCommand) directory(context.Context) finding {
	f := finding{what: "data directory"}
	if f.err = os.MkdirAll(c.Data, 0o700); f.err != nil {
		return f
	}
	probe, err := os.CreateTemp(c.Data, ".doctor-")
	if err != nil {
		f.err = models.FieldError("data", "%v", err).WithRemedy("Give this user the right to write there, or name another directory (--data).")
		return f
	}
	f.err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	var disk unix.Statfs_t
	if err := unix.Statfs(c.Data, &disk); err != nil {
		f.err = errors.Join(f.err, err)
		return f
	}
	free := disk.Bavail * uint64(disk.Bsize) //nolint:gosec // a block size is positive
	f.said = fmt.Sprintf("%s, %d GiB free", c.Data, free>>30)
	if free < leastFree {
		f.err = models.Errorf(models.Exhausted, "%s has %d MiB free", c.Data, free>>20).WithRemedy("Make room: 2 GiB or more.")
	}
	return f
}

func (c *doctorCommand) server(ctx context.Context) finding {
	f := finding{what: "server", said: "none is running on this data directory"}
	server, err := running(ctx, c.Data)
	if f.err = err; server != nil {
		f.said = "running at " + server.URL
	}
	return f
}

func (c *doctorCommand) library(context.Context) finding {
	f := finding{what: "embedded engine"}
	if c.ClickHouse != "" {
		f.said = "not used: a ClickHouse server is configured"
		return f
	}
	f.said, f.err = engine.FindLibrary(c.EngineLibrary)
	return f
}

func (c *doctorCommand) transactional(ctx context.Context) finding {
	f := finding{what: "transactional store", said: "SQLite, " + filepath.Join(c.Data, "canopy.db")}
	if c.PostgresDSN != "" {
		f.said = "PostgreSQL"
	}
	p, err := openRecords(ctx, &c.Config, &streams{out: discard{}, err: discard{}})
	if err != nil {
		f.err = err
		return f
	}
	head, err := p.db.Head(ctx)
	f.said += fmt.Sprintf(", %d changes", head)
	f.err = errors.Join(err, p.db.Close())
	return f
}

// columnar asks the configured server for its version; the embedded engine is tried in a directory of its own, so that a
// running server is not disturbed.
func (c *doctorCommand) columnar(ctx context.Context) finding {
	f := finding{what: "ClickHouse"}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if c.ClickHouse != "" {
		w, err := warehouse.Open(ctx, c.warehouseConfig(nil, nil))
		if err != nil {
			f.err = err
			return f
		}
		f.said = "server " + w.Version() + " at " + c.ClickHouse
		f.err = w.Close()
		return f
	}
	dir, remove, err := scratch()
	if err != nil {
		f.err = err
		return f
	}
	defer remove()
	started := time.Now()
	e, err := engine.Start(ctx, engine.Config{Directory: dir, Library: c.EngineLibrary, MemoryBytes: c.EngineMemory << 20, Logger: c.Logger(&streams{out: discard{}, err: discard{}})})
	if err != nil {
		f.err = err
		return f
	}
	f.said = fmt.Sprintf("embedded engine answers after %.1f s", time.Since(started).Seconds())
	f.err = e.Close()
	return f
}

func (c *doctorCommand) port(ctx context.Context) finding {
	f := finding{what: "address", said: c.Listen + " is free"}
	if server, err := running(ctx, c.Data); err == nil && server != nil {
		f.said = c.Listen + " (the server above)"
		return f
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		f.err = models.FieldError("listen", "%v", err).WithRemedy("Stop what listens there, or choose another address (--listen).")
		return f
	}
	f.err = l.Close()
	return f
}
