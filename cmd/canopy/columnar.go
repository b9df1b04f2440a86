package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync/atomic"
	"time"

	"canopy/ingest/relay"
	"canopy/models"
	"canopy/warehouse"
	"canopy/warehouse/engine"
)

// columnar is everything behind ClickHouse: engine or server, warehouse, relay, metrics. It comes up beside the records
// and may be away at any time: people go on writing, and what needs it says that it is unavailable.
type columnar struct {
	p      *parts
	engine *engine.Engine // nil with a server of its own
	log    *slog.Logger

	open    atomic.Pointer[analysis] // nil until ClickHouse was reached for the first time
	problem atomic.Pointer[error]    // why it is not open
}

// warehouseConfig is how the configured server, or the embedded engine where one is given, is reached.
func (c *Config) warehouseConfig(e *engine.Engine, log *slog.Logger) warehouse.Config {
	if e != nil {
		return warehouse.Config{Addr: e.Addr(), User: e.User(), Password: e.Password(), Database: c.ClickHouseDatabase, Resolve: e.Resolve, Logger: log}
	}
	w := warehouse.Config{Addr: c.ClickHouse, User: c.ClickHouseUser, Password: c.ClickHousePassword, Database: c.ClickHouseDatabase, Compress: true, Logger: log}
	if c.ClickHouseTLS {
		host, _, _ := net.SplitHostPort(c.ClickHouse) // validated
		w.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	return w
}

// startEngine starts the embedded engine, or gives nil where a server is configured.
func (p *parts) startEngine(ctx context.Context) (*engine.Engine, error) {
	if p.config.ClickHouse != "" {
		return nil, nil
	}
	return engine.Start(ctx, engine.Config{
		Directory: filepath.Join(p.config.Data, "clickhouse"), Library: p.config.EngineLibrary,
		MemoryBytes: p.config.EngineMemory << 20, Logger: p.log,
	})
}

// reachPause is how long the first connection waits between tries, at most.
const reachPause = 5 * time.Second

// run opens the warehouse, trying until it is reached, and then relays and computes until ctx ends.
func (c *columnar) work(ctx context.Context) error {
	pause := 100 * time.Millisecond
	for {
		a, err := c.reach(ctx)
		if err == nil {
			c.open.Store(a)
			return a.run(ctx)
		}
		c.problem.Store(&err)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // told to end, it ended
		}
		if models.CodeOf(err) == models.Precondition { // a server that is too old, a newer schema: waiting does not help
			return err
		}
		c.log.Warn("ClickHouse is not reached yet", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, reachPause)
	}
}

// reach connects, migrates and makes the tables of objects.
func (c *columnar) reach(ctx context.Context) (*analysis, error) {
	w, err := warehouse.Open(ctx, c.p.config.warehouseConfig(c.engine, c.log))
	if err != nil {
		return nil, err
	}
	a, err := newAnalysis(ctx, c.p, w)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return a, nil
}

// need gives the analysis side, or says that it is not there yet.
func (c *columnar) need() (*analysis, error) {
	if a := c.open.Load(); a != nil {
		return a, nil
	}
	return nil, models.Errorf(models.Unavailable, "the numbers are not available yet: ClickHouse is not reached").
		WithRemedy("Records can be read and written meanwhile; try again in a moment.")
}

// ready is the health check of this side.
func (c *columnar) ready(ctx context.Context) error {
	a := c.open.Load()
	if a == nil {
		if err := c.problem.Load(); err != nil {
			return models.Errorf(models.Unavailable, "ClickHouse is not reached: %v", *err)
		}
		return models.Errorf(models.Unavailable, "ClickHouse is starting")
	}
	if err := a.warehouse.Ping(ctx); err != nil {
		return models.Errorf(models.Unavailable, "ClickHouse does not answer")
	}
	return nil
}

// close ends the engine.
func (c *columnar) close() error {
	var err error
	if a := c.open.Load(); a != nil {
		err = a.warehouse.Close()
	}
	if c.engine != nil {
		err = errors.Join(err, c.engine.Close())
	}
	return err
}

// Status tells how far the relay is.
func (c *columnar) Status(ctx context.Context) models.RelayStatus {
	if a := c.open.Load(); a != nil {
		return a.relay.Status(ctx)
	}
	status := models.RelayStatus{State: models.RelayRetrying}
	if head, err := c.p.db.Head(ctx); err == nil {
		status.Head, status.LagChanges = head, head
	}
	if progress, err := c.p.db.Relay().Load(ctx); err == nil {
		status.Position, status.LagChanges = progress.Acknowledged, status.Head-min(status.Head, progress.Acknowledged)
	}
	if err := c.problem.Load(); err != nil {
		status.LastError = (*err).Error()
	}
	return status
}

// newRelay connects the relay to the store and the warehouse.
func newRelay(p *parts, w *warehouse.Warehouse, onAdvance func(models.RelayAdvance)) (*relay.Relay, error) {
	r, err := relay.New(relay.Config{
		Feed: p.db, State: p.db.Relay(), Warehouse: w, Registry: p.records.Registry, Refresh: p.db.Refresh, OnAdvance: onAdvance, Logger: p.log,
	})
	if err != nil {
		return nil, fmt.Errorf("connect the relay: %w", err)
	}
	return r, nil
}
