package kpi

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"time"

	"canopy/models"
	"canopy/models/predicate"
	canopysql "canopy/sql"
	"canopy/warehouse"

	"github.com/shopspring/decimal"
)

// Loader asks ClickHouse for what Compute needs.
type Loader struct {
	Warehouse *warehouse.Warehouse
	Registry  *models.Registry
}

// Question says which rows are wanted.
type Question struct {
	Tree      *Tree
	Split     *Split
	Weeks     []models.Date // first days, ascending; at most two gapless ranges
	Reporting models.Reporting
	Cutoff    models.Cutoff    // zero: the present
	Scope     *predicate.Bound // over the tree's object; nil: all of it
	Filter    *predicate.Bound // over the tree's object; nil: all of it
}

// lastInstant and allPositions do not cut.
var lastInstant = time.Date(2299, 12, 31, 0, 0, 0, 0, time.UTC)

// asOf adds the two cut-offs to params and gives the file's prefix.
func asOf(cutoff models.Cutoff, params map[string]any) string {
	if cutoff.IsZero() {
		return "present_"
	}
	params["happened_before"], params["position"] = cutoff.HappenedBefore, cutoff.Position
	if cutoff.HappenedBefore.IsZero() {
		params["happened_before"] = lastInstant
	}
	if cutoff.Position == 0 {
		params["position"] = warehouse.AllPositions
	}
	return "as_of_"
}

// Rows loads the rows of the weeks in one question, ordered by week, branch and currency. A week without decided deals has none.
// Errors: a week that is no first day is invalid; money beyond 64 bits of ten-thousandths is exhausted.
func (l *Loader) Rows(ctx context.Context, q Question) ([]Row, error) {
	if len(q.Weeks) == 0 || q.Scope.IsNothing() || q.Filter.IsNothing() {
		return nil, nil
	}
	ranges, err := rangesOf(q.Weeks, q.Reporting.Calendar)
	if err != nil {
		return nil, err
	}
	params := map[string]any{
		"from": ranges[1].From, "to": ranges[1].To, "earlier_from": ranges[0].From, "earlier_to": ranges[0].To,
		"zone": q.Reporting.Calendar.Zone.String(), "week_start_day": isoWeekday(q.Reporting.Calendar.WeekStart),
	}
	policy := asOf(q.Cutoff, params)
	text, err := file(policy + q.Split.Name)
	if err != nil {
		return nil, err
	}
	if text, err = l.fill(text, q, params); err != nil {
		return nil, err
	}
	type scanned struct {
		Week                  time.Time       `ch:"week"`
		Branch                string          `ch:"branch"`
		Currency              string          `ch:"currency"`
		DecidedCount          uint64          `ch:"decided_count"`
		WonCount              uint64          `ch:"won_count"`
		WonValue              decimal.Decimal `ch:"won_value"`
		WonListValue          decimal.Decimal `ch:"won_list_value"`
		WonWithoutAmountCount uint64          `ch:"won_without_amount_count"`
	}
	found, err := warehouse.Rows[scanned](ctx, l.Warehouse, warehouse.Query{
		Name: "kpi: " + q.Tree.Name + " by " + q.Split.Name, SQL: text, Params: params})
	if err != nil {
		return nil, fmt.Errorf("load kpi rows: %w", err)
	}
	rows := make([]Row, len(found))
	for i, f := range found {
		rows[i] = Row{Week: models.DateOf(f.Week, time.UTC), Branch: f.Branch, Currency: f.Currency, DecidedCount: int64(f.DecidedCount), //nolint:gosec // counts of records have 63 bits
			WonCount: int64(f.WonCount), WonWithoutAmountCount: int64(f.WonWithoutAmountCount)} //nolint:gosec // the same
		if rows[i].WonValue, err = exact(f.WonValue); err != nil {
			return nil, err
		}
		if rows[i].WonListValue, err = exact(f.WonListValue); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// fill sets scope and filter into their places.
func (l *Loader) fill(text string, q Question, params map[string]any) (string, error) {
	scope, err := q.Scope.Compile(predicate.ClickHouse, predicate.Options{ParamPrefix: "scope_"})
	if err != nil {
		return "", fmt.Errorf("compile the reader's scope: %w", err)
	}
	options := predicate.Options{ParamPrefix: "filter_"}
	if !q.Cutoff.IsZero() {
		options.RelatedTable = func(object string) string {
			return warehouse.AsOfView(object) + "(happened_before = {happened_before:DateTime64(3, 'UTC')}, position = {position:UInt64})"
		}
		params["sees_all"] = q.Scope == nil
	}
	filter, err := q.Filter.Compile(predicate.ClickHouse, options)
	if err != nil {
		return "", fmt.Errorf("compile the filter: %w", err)
	}
	maps.Copy(params, scope.Named)
	maps.Copy(params, filter.Named)
	return canopysql.Fill(text, map[string]string{"scope": scope.Text, "filter": filter.Text})
}

// Targets loads all targets of a tree, by number.
func (l *Loader) Targets(ctx context.Context, tree string, cutoff models.Cutoff) ([]Target, error) {
	params := map[string]any{"tree": tree}
	text, err := file(asOf(cutoff, params) + "targets")
	if err != nil {
		return nil, err
	}
	type scanned struct {
		Number uint64          `ch:"number"`
		Node   string          `ch:"node"`
		Value  decimal.Decimal `ch:"value"`
		FromOn time.Time       `ch:"from_on"`
		ToOn   *time.Time      `ch:"to_on"`
		Owner  uint64          `ch:"owner"`
	}
	found, err := warehouse.Rows[scanned](ctx, l.Warehouse, warehouse.Query{Name: "kpi: targets of " + tree, SQL: text, Params: params})
	if err != nil {
		return nil, fmt.Errorf("load targets: %w", err)
	}
	targets := make([]Target, len(found))
	for i, f := range found {
		targets[i] = Target{Number: f.Number, Node: f.Node, FromOn: models.DateOf(f.FromOn, time.UTC), Owner: f.Owner}
		if targets[i].Value, err = exact(f.Value); err != nil {
			return nil, err
		}
		if f.ToOn != nil {
			to := models.DateOf(*f.ToOn, time.UTC)
			targets[i].ToOn = &to
		}
	}
	return targets, l.nameOwners(ctx, targets)
}

// nameOwners asks for the names of those who answer for targets, where there are any.
func (l *Loader) nameOwners(ctx context.Context, targets []Target) error {
	var numbers []uint64
	for _, t := range targets {
		if t.Owner != 0 {
			numbers = append(numbers, t.Owner)
		}
	}
	if numbers == nil {
		return nil
	}
	slices.Sort(numbers)
	text, err := file("owners")
	if err != nil {
		return err
	}
	type scanned struct {
		Number uint64 `ch:"number"`
		Name   string `ch:"owner_name"`
	}
	found, err := warehouse.Rows[scanned](ctx, l.Warehouse, warehouse.Query{Name: "kpi: owners of targets", SQL: text,
		Params: map[string]any{"numbers": slices.Compact(numbers)}})
	if err != nil {
		return fmt.Errorf("load owners of targets: %w", err)
	}
	names := map[uint64]string{}
	for _, f := range found {
		names[f.Number] = f.Name
	}
	for i := range targets {
		targets[i].OwnerName = names[targets[i].Owner]
	}
	return nil
}

// DataFrom is the first day of the week of the first decided deal; nil where there is none. It looks at all deals, whoever asks.
func (l *Loader) DataFrom(ctx context.Context, cutoff models.Cutoff, calendar models.Calendar) (*models.Date, error) {
	params := map[string]any{}
	text, err := file(asOf(cutoff, params) + "first")
	if err != nil {
		return nil, err
	}
	first, err := warehouse.Value[*time.Time](ctx, l.Warehouse, warehouse.Query{Name: "kpi: first decided deal", SQL: text, Params: params})
	if err != nil || first == nil {
		return nil, err
	}
	week := calendar.WeekOf(*first)
	return &week, nil
}

// TouchedWeeks lists the weeks whose rows may have changed behind one position up to another one, ascending.
func (l *Loader) TouchedWeeks(ctx context.Context, after, through uint64, calendar models.Calendar) ([]models.Date, error) {
	text, err := file("touched_weeks")
	if err != nil {
		return nil, err
	}
	type scanned struct {
		Week time.Time `ch:"week"`
	}
	found, err := warehouse.Rows[scanned](ctx, l.Warehouse, warehouse.Query{Name: "kpi: touched weeks", SQL: text, Params: map[string]any{
		"after": after, "through": through, "zone": calendar.Zone.String(), "week_start_day": isoWeekday(calendar.WeekStart)}})
	if err != nil {
		return nil, fmt.Errorf("find touched weeks: %w", err)
	}
	weeks := make([]models.Date, len(found))
	for i, f := range found {
		weeks[i] = models.DateOf(f.Week, time.UTC)
	}
	return weeks, nil
}

// KnownUntil is when the first deal change behind a position was recorded: a telling as of the position knows nothing from then
// on. The zero time means that nothing came since.
func (l *Loader) KnownUntil(ctx context.Context, position uint64) (time.Time, error) {
	text, err := file("known_until")
	if err != nil {
		return time.Time{}, err
	}
	until, err := warehouse.Value[*time.Time](ctx, l.Warehouse, warehouse.Query{Name: "kpi: known until", SQL: text, Params: map[string]any{"position": position}})
	if err != nil || until == nil {
		return time.Time{}, err
	}
	return until.UTC(), nil
}

// file reads one of the room's SQL files.
func file(name string) (string, error) {
	text, err := fs.ReadFile(canopysql.Metrics(), "kpi/"+name+".sql")
	return string(text), err
}

// isoWeekday counts Monday as 1 and Sunday as 7, as ClickHouse does.
func isoWeekday(d time.Weekday) uint8 { return uint8((int(d)+6)%7 + 1) } //nolint:gosec // 1 to 7

// rangesOf covers ascending weeks by two windows: up to the first gap, and behind it. One without a gap leaves the first empty.
func rangesOf(weeks []models.Date, calendar models.Calendar) (ranges [2]models.Window, err error) {
	gap := 0
	for i, week := range weeks {
		if _, err := calendar.Week(week); err != nil {
			return ranges, err
		}
		if i == 0 || week == weeks[i-1].AddDays(7) {
			continue
		}
		if gap > 0 || week < weeks[i-1] {
			return ranges, fmt.Errorf("kpi: the weeks are not two ascending ranges")
		}
		gap = i
	}
	window := func(weeks []models.Date) models.Window {
		return models.Window{From: weeks[0].Time(calendar.Zone).UTC(), To: weeks[len(weeks)-1].AddDays(7).Time(calendar.Zone).UTC()}
	}
	ranges[1] = window(weeks[gap:])
	ranges[0] = models.Window{From: ranges[1].From, To: ranges[1].From}
	if gap > 0 {
		ranges[0] = window(weeks[:gap])
	}
	return ranges, nil
}

// exact turns a decimal into ten-thousandths.
func exact(d decimal.Decimal) (int64, error) {
	scaled := d.Shift(4)
	if !scaled.IsInteger() || scaled.Abs().GreaterThan(decimal.NewFromInt(math.MaxInt64)) {
		return 0, models.Errorf(models.Exhausted, "a sum of %s does not fit", d).WithRemedy("Ask for a filter that leaves fewer deals.")
	}
	return scaled.IntPart(), nil
}

// sortedUnique sorts weeks and takes doubles out; it changes its argument.
func sortedUnique(weeks []models.Date) []models.Date {
	slices.Sort(weeks)
	return slices.Compact(weeks)
}
