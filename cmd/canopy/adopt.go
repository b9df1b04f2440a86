package main

import (
	"context"
	"fmt"
	"path/filepath"

	"canopy/crm/store"
	"canopy/models"
)

// adoptCommand is the way out where a later Canopy has a field or an object of the name of a custom one.
type adoptCommand struct {
	Config `embed:""`
	Name   string `arg:"" help:"The field or object, as account.budget."`
}

// Run takes it over; the next start finds the values in Canopy's own field.
func (c *adoptCommand) Run(ctx context.Context, s *streams) error {
	if err := c.Validate(); err != nil {
		return err
	}
	release, err := lockData(ctx, c.Data)
	if err != nil {
		return err
	}
	defer release() //nolint:errcheck // the process ends, and the lock with it
	standard, err := models.Standard()
	if err != nil {
		return fmt.Errorf("read the standard objects: %w", err)
	}
	if err := store.Yield(ctx, store.Config{Path: filepath.Join(c.Data, "canopy.db"), DSN: c.PostgresDSN}, standard, c.Name); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s is Canopy's own now; its values are kept.\n", c.Name)
	return nil
}
