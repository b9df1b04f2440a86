package asof

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"canopy/models"
	"canopy/models/predicate"
	"canopy/warehouse"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"
)

// AggregateQuery asks for counts and sums of an object's records.
type AggregateQuery struct {
	Object  *models.Object
	Where   *predicate.Node // nil: all
	GroupBy *models.Field   // nil: no groups, the total only
	Sums    []*models.Field // money and numbers
	Cutoff  models.Cutoff   // zero: the present
}

// Aggregate is counts and sums by group; groups come by key.
type Aggregate struct {
	Groups   []Group
	Total    Group
	Position uint64 // as of which it is told
}

// Group is the records with one value of the grouping field.
type Group struct {
	Key   string // the value in text form, a reference as public id; blank for records without one
	Count uint64
	Sums  map[string][]Sum // by field; currencies in order, none where no record has a value
}

// Sum is an exact decimal with the field's decimals; Currency is blank for numbers.
type Sum struct {
	Amount   string
	Currency string
}

// Aggregate counts and sums. Money adds up within each currency only.
// Errors: invalid for a filter, a grouping field or a summed field that has no such form; exhausted and unavailable from the warehouse.
func (h *History) Aggregate(ctx context.Context, reader models.Reader, q AggregateQuery) (Aggregate, error) {
	if err := q.check(); err != nil {
		return Aggregate{}, err
	}
	out := Aggregate{Position: h.position(ctx, q.Cutoff)}
	fields := q.Sums
	if len(fields) == 0 {
		fields = []*models.Field{nil} // counts alone
	}
	found := make([][]summed, len(fields))
	group, asking := errgroup.WithContext(ctx)
	for i, f := range fields {
		group.Go(func() (err error) {
			found[i], err = h.sum(asking, reader, &q, f)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Aggregate{}, err
	}
	groups := map[string]*Group{}
	out.Total.Sums = map[string][]Sum{}
	for i, f := range fields {
		gather(groups, &out.Total, f, found[i], i == 0)
	}
	if q.GroupBy == nil {
		return out, nil
	}
	for _, g := range groups {
		g.Key = q.keyOf(g.Key)
		out.Groups = append(out.Groups, *g)
	}
	slices.SortFunc(out.Groups, func(a, b Group) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

func (q *AggregateQuery) check() error {
	if q.GroupBy != nil {
		switch q.GroupBy.Kind {
		case models.Text, models.Email, models.Phone, models.URL, models.Country, models.Picklist, models.Reference, models.Boolean, models.Number,
			models.Formula, models.DateKind:
		default:
			return models.FieldError("group_by", "records cannot be grouped by a %s", q.GroupBy.Kind)
		}
	}
	for _, f := range q.Sums {
		if f.Kind != models.MoneyKind && f.Kind != models.Number && f.Kind != models.Formula {
			return models.FieldError("sum", "a %s has no sum", f.Kind)
		}
	}
	return nil
}

// position is as of which position a question is told.
func (h *History) position(ctx context.Context, cutoff models.Cutoff) uint64 {
	position := h.Position(ctx)
	if cutoff.Position != 0 {
		position = min(position, cutoff.Position)
	}
	return position
}

// summed is one row of aggregate.sql.
type summed struct {
	Key         string           `ch:"_group_key"`
	Currency    string           `ch:"_currency"`
	RecordCount uint64           `ch:"_record_count"`
	ValueCount  uint64           `ch:"_value_count"`
	ValueSum    *decimal.Decimal `ch:"_value_sum"`
}

func (h *History) sum(ctx context.Context, reader models.Reader, q *AggregateQuery, f *models.Field) ([]summed, error) {
	places := map[string]string{"key": "''", "value": "null", "currency": "''"}
	if q.GroupBy != nil {
		places["key"] = "ifNull(toString(" + q.GroupBy.Name + "), '')"
	}
	if f != nil {
		places["value"] = f.Name
		if f.Kind == models.MoneyKind {
			places["currency"] = "ifNull(toString(" + f.Name + "_currency), '')"
		}
	}
	asked, err := h.ask("aggregate", reader, q.Object, q.Where, q.Cutoff, places)
	if err != nil {
		return nil, err
	}
	rows, err := warehouse.Rows[summed](ctx, h.Warehouse, asked.query())
	if err != nil {
		return nil, fmt.Errorf("aggregate %s: %w", q.Object.Name, err)
	}
	return rows, nil
}

// gather adds the rows of one summed field to the groups and the total; counts come from the first field only.
func gather(groups map[string]*Group, total *Group, f *models.Field, rows []summed, first bool) {
	totals := map[string]decimal.Decimal{}
	var currencies []string
	for _, r := range rows {
		g := groups[r.Key]
		if g == nil {
			g = &Group{Key: r.Key, Sums: map[string][]Sum{}}
			groups[r.Key] = g
		}
		if first {
			g.Count += r.RecordCount
			total.Count += r.RecordCount
		}
		if f == nil || r.ValueCount == 0 || r.ValueSum == nil {
			continue
		}
		g.Sums[f.Name] = append(g.Sums[f.Name], sumOf(f, *r.ValueSum, r.Currency))
		if _, met := totals[r.Currency]; !met {
			currencies = append(currencies, r.Currency)
		}
		totals[r.Currency] = totals[r.Currency].Add(*r.ValueSum)
	}
	if f == nil {
		return
	}
	slices.Sort(currencies)
	for _, g := range groups {
		if g.Sums[f.Name] == nil {
			g.Sums[f.Name] = []Sum{}
		}
	}
	total.Sums[f.Name] = []Sum{}
	for _, currency := range currencies {
		total.Sums[f.Name] = append(total.Sums[f.Name], sumOf(f, totals[currency], currency))
	}
}

func sumOf(f *models.Field, sum decimal.Decimal, currency string) Sum {
	scale := f.Scale
	if f.Kind == models.MoneyKind {
		scale = models.MinorDigits(currency)
	}
	return Sum{Amount: sum.StringFixed(int32(scale)), Currency: currency} //nolint:gosec // at most 9
}

// keyOf writes a group's key as the API writes values: a reference as public id.
func (q *AggregateQuery) keyOf(key string) string {
	if q.GroupBy.Kind != models.Reference || key == "" {
		return key
	}
	if _, err := strconv.ParseUint(key, 10, 64); err != nil {
		return key
	}
	return q.GroupBy.To + "_" + key
}
