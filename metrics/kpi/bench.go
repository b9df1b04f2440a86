package kpi

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"canopy/models"
	"canopy/warehouse"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// BenchConfig names what Benchmark works on: a warehouse that belongs to nobody and has the tables of the registry's objects.
type BenchConfig struct {
	Warehouse *warehouse.Warehouse
	Registry  *models.Registry
	Changes   int // of deals; 1,000,000. A deal has five.
	Rounds    int // 25
}

// BenchResult compares one week of the tree, from the question to its JSON, with the same question as one hand-written SQL text over the same
// staging view whose rows are only counted, in turns in one run; the best round of each.
type BenchResult struct {
	Policy  string // present or as_of
	Changes int
	Room    time.Duration
	Bare    time.Duration
	Ratio   float64 // Room / Bare
	Bytes   int     // of the result
}

func (b BenchResult) String() string {
	return fmt.Sprintf("kpi, %s: one week over %d deal changes %.1f ms, as bare SQL %.1f ms, ratio %.2f (%d bytes)",
		b.Policy, b.Changes, float64(b.Room.Microseconds())/1000, float64(b.Bare.Microseconds())/1000, b.Ratio, b.Bytes)
}

// benchFill makes deals that are opened in the 104 weeks before 2017-07-03, move four times, and are decided three times out of four
// within about 60 days.
const benchFill = `
insert into deal_log (number, happened_at, position, recorded_at, version, kind, is_deleted,
    name, status, closed_at, territory, source, product, owner, amount, amount_currency, list_value, list_value_currency)
with
    toDateTime64('2015-07-06 00:00:00', 3, 'UTC') as origin,
    intDiv(number, 5) + 1 as deal,
    number % 5 as move,
    cityHash64(deal, 1) % 62899200 as opened_second,
    cityHash64(deal) % 5184000 as cycle_seconds,
    move = 4 and deal % 4 > 0 as is_decided
select
    deal,
    addSeconds(origin, opened_second + intDiv(cycle_seconds * move, 4)) as at,
    number + 1,
    at,
    move + 1,
    if(move = 0, 'created', 'updated'),
    0,
    concat('Deal ', toString(deal)),
    multiIf(not is_decided, 'open', deal % 8 < 5, 'won', 'lost'),
    if(is_decided, at, null),
    ['West', 'East', 'Central', 'North', 'South', 'Abroad'][deal % 6 + 1],
    ['inbound', 'outbound', 'partner', 'other'][deal % 4 + 1],
    deal % 40 + 1,
    deal % 50 + 1,
    toDecimal64(500 + deal % 9000, 4),
    'USD',
    toDecimal64(600 + deal % 9000, 4),
    'USD'
from numbers({changes:UInt64})`

// The same question as somebody would write it in a console.
const (
	benchPresent = `
select toMonday(closed_at) as week, territory, ifNull(amount_currency, list_value_currency) as currency, count(), countIf(status = 'won'),
    sumIf(amount, status = 'won'), sumIf(if(list_value_currency = currency, list_value, amount), status = 'won'), countIf(status = 'won' and amount is null)
from staging_deal_now
where status in ('won', 'lost')
    and (closed_at >= '2017-03-27 00:00:00' and closed_at < '2017-07-03 00:00:00' or closed_at >= '2016-06-27 00:00:00' and closed_at < '2016-07-04 00:00:00')
group by week, territory, currency
order by week, territory, currency`
	benchAsOf = `
select toMonday(closed_at) as week, territory, ifNull(amount_currency, list_value_currency) as currency, count(), countIf(status = 'won'),
    sumIf(amount, status = 'won'), sumIf(if(list_value_currency = currency, list_value, amount), status = 'won'), countIf(status = 'won' and amount is null)
from staging_deal_as_of(happened_before = toDateTime64('2017-07-03 00:00:00', 3, 'UTC'), position = 18446744073709551615)
where status in ('won', 'lost')
    and (closed_at >= '2017-03-27 00:00:00' and closed_at < '2017-07-03 00:00:00' or closed_at >= '2016-06-27 00:00:00' and closed_at < '2016-07-04 00:00:00')
group by week, territory, currency
order by week, territory, currency`
)

// Benchmark fills the deal log and tells the week of 2017-06-26 by region, as it stands now and as of its end.
func Benchmark(ctx context.Context, c BenchConfig) ([]BenchResult, error) {
	if c.Changes <= 0 {
		c.Changes = 1_000_000
	}
	if c.Rounds <= 0 {
		c.Rounds = 25
	}
	for _, fill := range []warehouse.Query{
		{Name: "bench: fill", SQL: benchFill, Params: map[string]any{"changes": c.Changes}, Settings: map[string]any{"max_insert_block_size": 2_000_000}},
		{Name: "bench: merge the log", SQL: "optimize table deal_log final"},
		{Name: "bench: merge the cache", SQL: "optimize table deal final"},
	} {
		if err := c.Warehouse.Exec(ctx, fill); err != nil {
			return nil, err
		}
	}
	room, err := NewRoom(&Loader{Warehouse: c.Warehouse, Registry: c.Registry})
	if err != nil {
		return nil, err
	}
	present := BenchResult{Policy: "present", Changes: c.Changes}
	if err := bench(ctx, c, room, &present, models.Cutoff{}, benchPresent); err != nil {
		return nil, err
	}
	asOf := BenchResult{Policy: "as_of", Changes: c.Changes}
	end := models.NewDate(2017, 7, 3).Time(time.UTC)
	if err := bench(ctx, c, room, &asOf, models.Cutoff{HappenedBefore: end}, benchAsOf); err != nil {
		return nil, err
	}
	return []BenchResult{present, asOf}, nil
}

func bench(ctx context.Context, c BenchConfig, room *Room, result *BenchResult, cutoff models.Cutoff, bare string) error {
	result.Room, result.Bare = time.Hour, time.Hour
	for range c.Rounds {
		started := time.Now()
		err := c.Warehouse.Select(ctx, warehouse.Query{Name: "bench: bare", SQL: bare}, func(rows driver.Rows) error {
			for rows.Next() {
			}
			return nil
		})
		if err != nil {
			return err
		}
		result.Bare = min(result.Bare, time.Since(started))
		started = time.Now()
		if result.Bytes, err = benchWeek(ctx, room, cutoff); err != nil {
			return err
		}
		result.Room = min(result.Room, time.Since(started))
	}
	result.Ratio = float64(result.Room) / float64(result.Bare)
	return nil
}

// benchWeek is all that a reader of a week that is not stored waits for; targets are kept by the service until one changes.
func benchWeek(ctx context.Context, room *Room, cutoff models.Cutoff) (bytes int, err error) {
	week, from := models.NewDate(2017, 6, 26), models.NewDate(2015, 7, 6)
	calendar := models.Calendar{Zone: time.UTC, WeekStart: time.Monday}
	tree := room.Trees[0]
	rows, err := room.Loader.Rows(ctx, Question{Tree: tree, Split: tree.Splits[0], Weeks: NeededWeeks(week),
		Reporting: models.Reporting{Calendar: calendar, Currency: "USD"}, Cutoff: cutoff})
	if err != nil {
		return 0, err
	}
	told := week.AddDays(8).Time(time.UTC)
	result, err := Compute(rows, Params{Tree: tree, Split: tree.Splits[0], Week: week, Compare: Previous, Calendar: calendar, Currency: "USD",
		DataFrom: &from, AsOf: AsOf{ToldAt: told, Watermark: told}})
	if err != nil {
		return 0, err
	}
	if result.Nodes[0].Now == nil || *result.Nodes[0].Now <= 0 {
		return 0, fmt.Errorf("bench: the week has no won revenue")
	}
	text, err := json.Marshal(result)
	return len(text), err
}
