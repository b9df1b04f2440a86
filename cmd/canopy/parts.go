package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/models"
	"canopy/warehouse"
)

// parts is what every sub-command that touches records stands on.
type parts struct {
	config  *Config
	log     *slog.Logger
	db      *store.DB
	records *crm.Engine
	access  *crm.Access
}

// openRecords validates the configuration and opens the transactional store, the record engine and access.
func openRecords(ctx context.Context, c *Config, s *streams) (*parts, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	registry, err := models.Standard()
	if err != nil {
		return nil, fmt.Errorf("read the standard objects: %w", err)
	}
	if c.PostgresDSN == "" {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return nil, models.FieldError("data", "%v", err).WithRemedy("Name a directory that this user may write.")
		}
	}
	db, err := store.Open(ctx, store.Config{Path: filepath.Join(c.Data, "canopy.db"), DSN: c.PostgresDSN, Log: c.Logger(s), CountPatience: c.CountPatience}, registry)
	if err != nil {
		return nil, err
	}
	contents, err := store.OpenContents(filepath.Join(c.Data, "files"))
	if err != nil {
		return nil, errors.Join(models.FieldError("data", "%v", err).WithRemedy("Name a directory that this user may write."), db.Close())
	}
	records, err := crm.New(db, crm.Options{Calendar: c.Calendar(), Currency: c.Currency, CheckRegistry: warehouse.CheckNames, Contents: contents})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &parts{config: c, log: c.Logger(s), db: db, records: records, access: crm.NewAccess(db, nil)}, nil
}

// withAccess opens the store beside a server that may be running, for work that only touches passwords and tokens.
func withAccess(ctx context.Context, c *Config, s *streams, fn func(ctx context.Context, p *parts) error) error {
	p, err := openRecords(ctx, c, s)
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, p), p.db.Close())
}

// withRecords takes the data directory for this process and opens the store.
func withRecords(ctx context.Context, c *Config, s *streams, fn func(ctx context.Context, p *parts) error) error {
	if err := c.Validate(); err != nil {
		return err
	}
	release, err := lockData(ctx, c.Data)
	if err != nil {
		return err
	}
	defer release() //nolint:errcheck // the process ends, and the lock with it
	return withAccess(ctx, c, s, fn)
}
