package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"canopy/metrics/kpi"
	"canopy/models"
	"canopy/models/predicate"
)

// TreeQuery asks for one week of a tree. Zero fields take the tree's first split, the week before this one, the comparison with the
// week before, and the present.
type TreeQuery struct {
	Tree    string
	Week    models.Date // first day
	Compare kpi.Compare
	Split   string
	Cutoff  models.Cutoff
}

// Trees lists the KPI trees, by name.
func (s *Service) Trees() []*kpi.Tree { return slices.Clone(s.tree.Trees) }

// TreeOf finds a tree; not_found where there is none.
func (s *Service) TreeOf(name string) (*kpi.Tree, error) {
	var known []string
	for _, t := range s.tree.Trees {
		if t.Name == name {
			return t, nil
		}
		known = append(known, t.Name)
	}
	return nil, models.Errorf(models.NotFound, "there is no tree %q", name).WithRemedy("Ask for one of " + strings.Join(known, ", ") + ".")
}

// Tree tells one week of a tree: from the stored weeks to readers who see every deal, over the reader's own deals to others. The result
// is shared: it must not be changed.
// Errors: not_found for the tree, invalid for a week, split or comparison that cannot be told, and unavailable while the warehouse is
// away or has not caught up with a change of rights.
func (s *Service) Tree(ctx context.Context, reader models.Reader, q TreeQuery) (*kpi.Result, error) {
	a, err := s.ask(ctx, reader, q.Tree, q.Split, q.Cutoff)
	if err != nil {
		return nil, err
	}
	p := kpi.Params{Tree: a.tree, Split: a.split, Week: q.Week, Compare: q.Compare, Calendar: a.reporting.Calendar, Currency: a.reporting.Currency,
		AsOf: kpi.AsOf{Position: a.position, ToldAt: a.now, Watermark: a.watermark}}
	if p.Week == 0 {
		p.Week = p.Calendar.WeekOf(a.now).AddDays(-7)
	}
	if p.Compare == "" {
		p.Compare = kpi.Previous
	}
	if err := p.Validate(); err != nil { // before anything is asked for
		return nil, err
	}
	window, err := p.Calendar.Week(p.Week)
	if err != nil {
		return nil, err
	}
	// What a result depends on besides the rows: how far the week has come by the day, not the very instant.
	told := fmt.Sprintf("over, known %t", !window.To.After(a.watermark))
	if window.To.After(a.now) {
		told = models.DateOf(a.now, p.Calendar.Zone).String()
	}
	return once(ctx, s, a.key("tree", p.Week.String(), string(p.Compare), told), func(ctx context.Context) (*kpi.Result, error) { return s.answer(ctx, a, p) })
}

// asked is a reader's question about a tree, with all that its answer depends on.
type asked struct {
	tree      *kpi.Tree
	split     *kpi.Split
	reporting models.Reporting
	version   string
	scope     *predicate.Bound // nil: every deal
	scopeKey  string
	cutoff    models.Cutoff
	stored    bool // the stored weeks answer it
	position  uint64
	now       time.Time
	watermark time.Time
}

func (a *asked) key(parts ...string) string {
	cutoff := ""
	if !a.cutoff.IsZero() {
		cutoff = fmt.Sprintf("%d %d", a.cutoff.HappenedBefore.UnixMilli(), a.cutoff.Position)
	}
	return strings.Join(append(parts, a.tree.Name, a.split.Name, a.version, a.scopeKey, cutoff, fmt.Sprint(a.position, a.stored)), "|")
}

// ask finds out as of what a question can be told, and whether the stored weeks may tell it.
func (s *Service) ask(ctx context.Context, reader models.Reader, tree, split string, cutoff models.Cutoff) (*asked, error) {
	a := &asked{reporting: s.config.Reporting(), cutoff: cutoff, now: s.config.Now().UTC()}
	var err error
	if a.tree, err = s.TreeOf(tree); err != nil {
		return nil, err
	}
	if a.split, err = a.tree.Split(split); err != nil {
		return nil, err
	}
	if a.version, err = s.version(ctx, s.tree, a.reporting); err != nil {
		return nil, err
	}
	status := s.config.Relay.Status(ctx)
	a.position, a.watermark = status.Position, s.watermark(status)
	if err := s.narrow(ctx, a, reader, status); err != nil {
		return nil, err
	}
	if !cutoff.IsZero() {
		return a, s.past(ctx, a)
	}
	if a.scope != nil {
		return a, nil
	}
	state, err := s.config.Store.State(ctx, s.tree.Name())
	if err != nil {
		return nil, err
	}
	if a.stored = state.Definition == a.version && state.Position > 0; a.stored {
		if state.Position < status.Position {
			a.watermark = state.Watermark
		}
		a.position = state.Position
	}
	return a, nil
}

// narrow finds the reader's deals. Rights that changed lately may not be in the warehouse yet; until they are, nothing is told to a
// reader who sees only some rows.
func (s *Service) narrow(ctx context.Context, a *asked, reader models.Reader, status models.RelayStatus) error {
	a.scope = predicate.Scope(s.config.Registry, a.tree.Object, reader)
	if a.scope == nil {
		return nil
	}
	if a.scope.IsNothing() {
		a.scopeKey = "nothing"
		return nil
	}
	compiled, err := a.scope.Compile(predicate.ClickHouse, predicate.Options{})
	if err != nil {
		return fmt.Errorf("compile the reader's scope: %w", err)
	}
	values, err := json.Marshal(compiled.Named)
	if err != nil {
		return fmt.Errorf("name the reader's scope: %w", err)
	}
	a.scopeKey = compiled.Text + string(values)
	rights, err := s.config.Store.LastChange(ctx, "user", "team")
	if err != nil {
		return err
	}
	if rights > status.Position {
		return models.Errorf(models.Unavailable, "the numbers are about to catch up with a change of rights").WithRemedy("Ask again in a moment.")
	}
	return nil
}

// past finds until when a telling as of the past knows everything.
func (s *Service) past(ctx context.Context, a *asked) error {
	if a.cutoff.Position != 0 && a.cutoff.Position < a.position {
		until, err := once(ctx, s, a.key("known until"), func(ctx context.Context) (time.Time, error) { return s.tree.Loader.KnownUntil(ctx, a.cutoff.Position) })
		if err != nil {
			return err
		}
		if !until.IsZero() && until.Before(a.watermark) {
			a.watermark = until
		}
		a.position = a.cutoff.Position
	}
	if before := a.cutoff.HappenedBefore; !before.IsZero() && before.Before(a.watermark) {
		a.watermark = before
	}
	return nil
}

// answer answers a question that no cache holds.
func (s *Service) answer(ctx context.Context, a *asked, p kpi.Params) (*kpi.Result, error) {
	var err error
	if p.Targets, err = s.targets(ctx, a); err != nil {
		return nil, err
	}
	if p.DataFrom, err = s.dataFrom(ctx, a); err != nil {
		return nil, err
	}
	weeks := kpi.NeededWeeks(p.Week)
	rows, run, err := s.rows(ctx, a, weeks)
	if err != nil {
		return nil, err
	}
	p.RunID = run[p.Week]
	return kpi.Compute(rows, p)
}

// targets gives a tree's targets with their owners. They change far less often than deals: of the present they are kept until a target or
// a user changes.
func (s *Service) targets(ctx context.Context, a *asked) ([]kpi.Target, error) {
	key := a.key("targets")
	if a.cutoff.IsZero() {
		last, err := s.config.Store.LastChange(ctx, "target", "user")
		if err != nil {
			return nil, err
		}
		key = fmt.Sprintf("targets|%s|%d", a.tree.Name, last)
		if relayed := s.config.Relay.Status(ctx).Position; relayed < last {
			key += fmt.Sprintf(" at %d", relayed) // it is still on its way
		}
	}
	return once(ctx, s, key, func(ctx context.Context) ([]kpi.Target, error) {
		return s.tree.Loader.Targets(ctx, a.tree.Name, a.cutoff)
	})
}

// dataFrom is the first week with a decided deal, whoever decided it.
func (s *Service) dataFrom(ctx context.Context, a *asked) (*models.Date, error) {
	if a.stored {
		return s.config.Store.FirstWeek(ctx, s.tree.Name(), kpi.Subject(a.tree, a.split), a.version)
	}
	return once(ctx, s, a.key("data from"), func(ctx context.Context) (*models.Date, error) {
		return s.tree.Loader.DataFrom(ctx, a.cutoff, a.reporting.Calendar)
	})
}

// rows gives the rows of the weeks, and for stored ones the run of each week.
func (s *Service) rows(ctx context.Context, a *asked, weeks []models.Date) (rows []kpi.Row, runs map[models.Date]int64, err error) {
	if !a.stored {
		rows, err = s.tree.Loader.Rows(ctx, kpi.Question{Tree: a.tree, Split: a.split, Weeks: weeks, Reporting: a.reporting, Cutoff: a.cutoff, Scope: a.scope})
		return rows, nil, err
	}
	results, err := s.config.Store.Results(ctx, s.tree.Name(), kpi.Subject(a.tree, a.split), a.version, weeks[0], weeks[len(weeks)-1].AddDays(7))
	if err != nil {
		return nil, nil, err
	}
	runs = map[models.Date]int64{}
	for _, r := range results {
		if r.Empty || !slices.Contains(weeks, r.Week) {
			runs[r.Week] = r.RunID
			continue
		}
		read, err := kpi.DecodeRows(r.Week, r.Body)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, read...)
		runs[r.Week] = r.RunID
	}
	return rows, runs, nil
}

// Weeks gives the root's value of every week from the first with a decided deal to the present one, oldest first.
func (s *Service) Weeks(ctx context.Context, reader models.Reader, tree string) ([]kpi.Point, error) {
	a, err := s.ask(ctx, reader, tree, "", models.Cutoff{})
	if err != nil {
		return nil, err
	}
	present := a.reporting.Calendar.WeekOf(a.now)
	return once(ctx, s, a.key("weeks", present.String()), func(ctx context.Context) ([]kpi.Point, error) {
		from, err := s.dataFrom(ctx, a)
		if err != nil || from == nil {
			return nil, err
		}
		var weeks []models.Date
		for week := *from; week <= present; week = week.AddDays(7) {
			weeks = append(weeks, week)
		}
		if len(weeks) == 0 {
			return nil, nil
		}
		rows, _, err := s.rows(ctx, a, weeks)
		if err != nil {
			return nil, err
		}
		return kpi.Weeks(rows, weeks, kpi.Params{Tree: a.tree, Split: a.split, Calendar: a.reporting.Calendar, Currency: a.reporting.Currency, DataFrom: from}), nil
	})
}
