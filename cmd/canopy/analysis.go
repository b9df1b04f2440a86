package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"canopy/crm"
	"canopy/dashboards"
	"canopy/ingest/relay"
	"canopy/metrics/asof"
	"canopy/models"
	"canopy/warehouse"
)

// analysis is the analytic side once ClickHouse was reached.
type analysis struct {
	p         *parts
	warehouse *warehouse.Warehouse
	relay     *relay.Relay
	records   *asof.Records
}

func newAnalysis(ctx context.Context, p *parts, w *warehouse.Warehouse) (*analysis, error) {
	if err := w.EnsureObjects(ctx, p.records.Registry()); err != nil {
		return nil, fmt.Errorf("make the warehouse's tables: %w", err)
	}
	a := &analysis{p: p, warehouse: w}
	var err error
	if a.relay, err = newRelay(p, w, a.advanced); err != nil {
		return nil, err
	}
	a.records = &asof.Records{
		Warehouse: w, Registry: p.records.Registry(), Calendar: p.config.Calendar(),
		Position: func(ctx context.Context) uint64 { return a.relay.Status(ctx).Position },
	}
	return a, nil
}

// run relays and computes until ctx ends.
func (a *analysis) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.relay.Run(ctx) })
	return group.Wait()
}

func (a *analysis) advanced(models.RelayAdvance) {}

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
	if q.Limit == 0 {
		q.Limit = 50
	}
	found, err := a.records.List(ctx, reader, asof.Question{Object: object, Where: q.Where, Cutoff: cutoff}, q.Sort, q.Limit, crm.CountCap, q.Cursor)
	if err != nil {
		return crm.Page{}, err
	}
	page := crm.Page{NextCursor: found.NextCursor, Count: found.Count, Capped: found.Capped}
	for _, number := range found.Numbers {
		r, err := c.p.records.Get(ctx, reader, q.Object, number, found.Cutoff)
		if models.CodeOf(err) == models.NotFound {
			continue // hidden since the warehouse last heard of it
		}
		if err != nil {
			return crm.Page{}, err
		}
		page.Records = append(page.Records, r)
	}
	return page, nil
}

// Aggregate counts and sums, as of a cut-off or now.
func (c *columnar) Aggregate(ctx context.Context, reader models.Reader, q dashboards.AggregateQuery) (dashboards.Aggregate, error) {
	a, err := c.need()
	if err != nil {
		return dashboards.Aggregate{}, err
	}
	groups, position, err := a.records.Aggregate(ctx, reader, asof.Aggregation{
		Question: asof.Question{Object: q.Object, Where: q.Where, Cutoff: q.Cutoff}, GroupBy: q.GroupBy, Sum: q.Sum,
	})
	if err != nil {
		return dashboards.Aggregate{}, err
	}
	total, err := asof.Total(groups, q.Sum)
	if err != nil {
		return dashboards.Aggregate{}, err
	}
	out := dashboards.Aggregate{Groups: []dashboards.Group{}, Total: groupOf(total, q.Sum), AsOf: dashboards.AsOf{Position: position}}
	if !q.Cutoff.HappenedBefore.IsZero() {
		out.AsOf.HappenedBefore = q.Cutoff.HappenedBefore.UTC().Format(models.InstantLayout)
	}
	if q.GroupBy != nil {
		for _, g := range groups {
			out.Groups = append(out.Groups, groupOf(g, q.Sum))
		}
	}
	return out, nil
}

func groupOf(g asof.Group, fields []*models.Field) dashboards.Group {
	out := dashboards.Group{Key: g.Key, Count: g.Count, Sums: map[string][]dashboards.Sum{}}
	for i, f := range fields {
		for _, s := range g.Sums[i] {
			out.Sums[f.Name] = append(out.Sums[f.Name], dashboards.Sum{Amount: s.Amount, Currency: s.Currency})
		}
	}
	return out
}
