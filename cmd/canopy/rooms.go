package main

import (
	"context"

	"canopy/dashboards"
	"canopy/metrics"
	"canopy/metrics/kpi"
	"canopy/models"
)

// The API asks these of the analytic side; each says so when ClickHouse was not reached yet.

// Trees lists the KPI trees.
func (c *columnar) Trees(context.Context) ([]dashboards.TreeName, error) {
	a, err := c.need()
	if err != nil {
		return nil, err
	}
	var names []dashboards.TreeName
	for _, t := range a.metrics.Trees() {
		name := dashboards.TreeName{Name: t.Name, Label: t.Label, Splits: []kpi.NamedLabel{}}
		for _, split := range t.Splits {
			name.Splits = append(name.Splits, kpi.NamedLabel{Name: split.Name, Label: split.Label})
		}
		names = append(names, name)
	}
	return names, nil
}

// Tree tells one week.
func (c *columnar) Tree(ctx context.Context, reader models.Reader, q dashboards.TreeQuery) (*kpi.Result, error) {
	a, err := c.need()
	if err != nil {
		return nil, err
	}
	return a.metrics.Tree(ctx, reader, metrics.TreeQuery(q))
}

// Weeks gives the root's value of every week.
func (c *columnar) Weeks(ctx context.Context, reader models.Reader, tree string) ([]kpi.Point, error) {
	a, err := c.need()
	if err != nil {
		return nil, err
	}
	return a.metrics.Weeks(ctx, reader, tree)
}

// Runs lists computations.
func (c *columnar) Runs(ctx context.Context, filter models.RunFilter) ([]models.Run, error) {
	a, err := c.need()
	if err != nil {
		return nil, err
	}
	return a.metrics.Runs(ctx, filter)
}

// Run gives one computation.
func (c *columnar) Run(ctx context.Context, id int64) (models.Run, error) {
	a, err := c.need()
	if err != nil {
		return models.Run{}, err
	}
	return a.metrics.Run(ctx, id)
}

// Backfill asks for a range of weeks to be computed again.
func (c *columnar) Backfill(ctx context.Context, reader models.Reader, room string, from, to models.Date) (models.Run, error) {
	a, err := c.need()
	if err != nil {
		return models.Run{}, err
	}
	return a.metrics.Backfill(ctx, reader, room, from, to)
}

// Cancel ends a computation.
func (c *columnar) Cancel(ctx context.Context, reader models.Reader, id int64) (models.Run, error) {
	a, err := c.need()
	if err != nil {
		return models.Run{}, err
	}
	return a.metrics.Cancel(ctx, reader, id)
}
