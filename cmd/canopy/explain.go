package main

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"canopy/metrics/kpi"
	"canopy/models"
	canopysql "canopy/sql"
)

// definitions are the rooms' texts; they need neither data nor engine.
var definitions = map[string]func() string{"kpi": kpi.Definition}

// explainCommand prints what a room computes, and how.
type explainCommand struct {
	Config `embed:""`
	Room   string `arg:"" help:"Name of the room (kpi)."`
}

// Run prints the definition, the SQL files as they run, and the last five runs that the store knows.
func (c *explainCommand) Run(ctx context.Context, s *streams) error {
	define := definitions[c.Room]
	if define == nil {
		return models.FieldError("room", "there is no room %q", c.Room).WithRemedy("The rooms are " + strings.Join(slices.Sorted(maps.Keys(definitions)), ", ") + ".")
	}
	fmt.Fprintln(s.out, define())
	files, err := fs.Glob(canopysql.Metrics(), c.Room+"/*.sql")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := fs.ReadFile(canopysql.Metrics(), file)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "\n-- sql/metrics/%s\n%s", file, text)
	}
	return withAccess(ctx, &c.Config, s, func(ctx context.Context, p *parts) error {
		runs, err := p.db.Runs().List(ctx, models.RunFilter{Room: c.Room, Limit: 5})
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "\nlast runs:\n")
		for _, r := range runs {
			fmt.Fprintf(s.out, "  %d  %s  %s, %d weeks, position %d, %s, %s\n", r.ID, r.CreatedAt.Format(models.InstantLayout), r.Status, len(r.Weeks), r.Position, r.Cause, r.Duration)
		}
		return nil
	})
}
