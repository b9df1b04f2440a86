package demo

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"canopy/models"
)

// company is the simulated company as it stands at one instant. It belongs to one goroutine.
type company struct {
	clock
	config   Config
	truths   *Truths
	registry *models.Registry
	currency string
	emit     func(moment)
	made     map[string]int32 // records made so far, by object
	streams  map[string]chance

	reps     []*rep // by territory, then as they were hired
	agents   []*agent
	managers []*manager
	market   market
	accounts []*account
	deals    []*deal
	people   int // names given so far
	firms    int
	contacts int
}

// newChance gives the stream of chance of one name.
func newChance(seed uint64, name string) chance {
	h := fnv.New64a()
	h.Write([]byte(name))
	return chance{rand.New(rand.NewPCG(seed, h.Sum64()))} //nolint:gosec // a company, not a secret
}

// stream gives the chance of one noun, so that what happens in one moves no other.
func (c *company) stream(name string) chance {
	s, ok := c.streams[name]
	if !ok {
		s = newChance(c.config.Seed, name)
		c.streams[name] = s
	}
	return s
}

func firstDay(c Config, calendar models.Calendar) models.Date {
	return calendar.WeekOf(c.Until).AddDays(-7 * (c.Weeks - 1))
}

func newCompany(engine Engine, config Config, truths *Truths, emit func(moment)) *company {
	calendar := engine.Calendar()
	from := firstDay(config, calendar).Time(calendar.Zone).UTC()
	return &company{
		clock:  clock{from: from, until: config.Until.UTC(), now: from, calendar: calendar},
		config: config, truths: truths, registry: engine.Registry(), currency: engine.Currency(), emit: emit,
		made: map[string]int32{}, streams: map[string]chance{},
	}
}

// live plays the whole history, from the founding of the books to the end.
func (c *company) live(stopped func() bool) {
	c.settle()
	c.openBooks()
	for week := range c.config.Weeks {
		c.at(c.weekStart(week), func() { c.plan(week) })
	}
	c.planToday()
	c.play(stopped)
}

// weekStart is the first instant of a week, counted from 0.
func (c *company) weekStart(week int) time.Time {
	return models.DateOf(c.from, c.calendar.Zone).AddDays(7 * week).Time(c.calendar.Zone)
}

// plan puts on the agenda what comes in from outside in one week.
func (c *company) plan(week int) {
	share := c.share(week)
	c.planLeads(share)
	c.planDeals(share)
	c.planSubscribers(week)
}

// share is what part of all that comes in comes in one week, by the truths' season.
func (c *company) share(week int) float64 {
	var all, one float64
	for w := range c.config.Weeks {
		s := c.truths.Season
		grown := 1.0
		if c.config.Weeks > 1 {
			grown += (s.Growth - 1) * float64(w) / float64(c.config.Weeks-1)
		}
		x := grown * s.Months[c.weekStart(w).AddDate(0, 0, 3).Month()-1]
		all += x
		if w == week {
			one = x
		}
	}
	return one / all
}

// inWeek picks an instant in the seven days from now, on working days mostly.
func (c *company) inWeek(chance chance) time.Time {
	d := chance.weighted([]float64{1.1, 1.2, 1.15, 1.1, 0.9, 0.3, 0.25})
	weekday := (int(c.calendar.WeekStart) + d) % 7
	if weekday == 0 || weekday == 6 { // weights are meant for weeks from Monday
		d = chance.IntN(7)
	}
	return c.now.Add(days(float64(d)) + hours(6.5) + time.Duration(chance.around(6.5, 0.4)*float64(time.Hour)))
}

// money gives whole major units.
func (c *company) money(major float64) models.Money {
	digits := math.Pow10(models.MinorDigits(c.currency))
	return models.Money{Minor: int64(math.Round(major) * digits), Currency: c.currency}
}

// afterPriceChange tells whether the new prices hold.
func (c *company) afterPriceChange() bool {
	week := c.truths.PriceChange.Week
	return week > 0 && c.week(c.now) >= week
}
