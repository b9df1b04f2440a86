package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"canopy/crm"
	"canopy/dashboards"
	"canopy/ingest/relay"
	"canopy/metrics"
	"canopy/metrics/asof"
	"canopy/models"
	"canopy/warehouse"
)

// analysis is the analytic side once ClickHouse was reached.
type analysis struct {
	p         *parts
	warehouse *warehouse.Warehouse
	relay     *relay.Relay
	metrics   *metrics.Service
	history   *asof.History
	fits      atomic.Pointer[models.Registry] // what the warehouse was made to fit when it was last asked
}

// fit sees that the warehouse has the columns of what was approved a moment ago, before it is asked for them.
func (a *analysis) fit(ctx context.Context) error {
	registry := a.p.records.Registry()
	if a.fits.Load() == registry {
		return nil
	}
	if err := a.warehouse.EnsureObjects(ctx, registry); err != nil {
		return fmt.Errorf("make the warehouse's tables: %w", err)
	}
	a.fits.Store(registry)
	return nil
}

func newAnalysis(ctx context.Context, p *parts, w *warehouse.Warehouse) (*analysis, error) {
	a := &analysis{p: p, warehouse: w}
	if err := a.fit(ctx); err != nil {
		return nil, err
	}
	var err error
	if a.relay, err = newRelay(p, w, a.advanced); err != nil {
		return nil, err
	}
	a.metrics, err = metrics.New(metrics.Config{
		Warehouse: w, Registry: p.records.Registry(), Store: p.db.Runs(), Relay: a.relay, Logger: p.log.With("part", "metrics"), Sole: !p.db.IsPostgres(),
		Reporting: func() models.Reporting {
			return models.Reporting{Calendar: p.config.Calendar(), Currency: p.config.Currency}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("make the rooms: %w", err)
	}
	a.history = &asof.History{
		Warehouse: w, Registry: p.records.Registry, Calendar: p.config.Calendar,
		Position: func(ctx context.Context) uint64 { return a.relay.Status(ctx).Position },
	}
	return a, nil
}

// run relays and computes until ctx ends.
func (a *analysis) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.relay.Run(ctx) })
	group.Go(func() error { return a.metrics.Serve(ctx) })
	return group.Wait()
}

// advanced tells the rooms that the warehouse knows more.
func (a *analysis) advanced(models.RelayAdvance) { a.metrics.Advanced() }

// ListAsOf gives a page of records as they stood; rights are today's.
func (c *columnar) ListAsOf(ctx context.Context, reader models.Reader, q crm.Query, cutoff models.Cutoff) (crm.Page, error) {
	a, err := c.need()
	if err != nil {
		return crm.Page{}, err
	}
	object, err := c.p.records.Registry().Need(q.Object)
	if err != nil {
		return crm.Page{}, err
	}
	if err := a.fit(ctx); err != nil {
		return crm.Page{}, err
	}
	found, err := a.history.List(ctx, reader, asof.ListQuery{Object: object, Where: q.Where, Sort: q.Sort, Limit: q.Limit, Cursor: q.Cursor, Cutoff: cutoff})
	return crm.Page{Records: found.Records, NextCursor: found.NextCursor, Count: found.Count, Capped: found.Capped}, err
}

// Aggregate counts and sums, as of a cut-off or now.
func (c *columnar) Aggregate(ctx context.Context, reader models.Reader, q dashboards.AggregateQuery) (dashboards.Aggregate, error) {
	a, err := c.need()
	if err != nil {
		return dashboards.Aggregate{}, err
	}
	if err := a.fit(ctx); err != nil {
		return dashboards.Aggregate{}, err
	}
	found, err := a.history.Aggregate(ctx, reader, asof.AggregateQuery{Object: q.Object, Where: q.Where, GroupBy: q.GroupBy, Sums: q.Sum, Cutoff: q.Cutoff})
	if err != nil {
		return dashboards.Aggregate{}, err
	}
	out := dashboards.Aggregate{Groups: []dashboards.Group{}, Total: groupOf(found.Total), AsOf: dashboards.AsOf{Position: found.Position}}
	if !q.Cutoff.HappenedBefore.IsZero() {
		out.AsOf.HappenedBefore = q.Cutoff.HappenedBefore.UTC().Format(models.InstantLayout)
	}
	for _, g := range found.Groups {
		out.Groups = append(out.Groups, groupOf(g))
	}
	return out, nil
}

func groupOf(g asof.Group) dashboards.Group {
	out := dashboards.Group{Key: g.Key, Count: g.Count, Sums: map[string][]dashboards.Sum{}}
	for field, sums := range g.Sums {
		for _, s := range sums {
			out.Sums[field] = append(out.Sums[field], dashboards.Sum(s))
		}
	}
	return out
}
