package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"canopy/models"
)

// company thinks up what happens. All its choices come from one seeded source, in a fixed order.
type company struct {
	engine   Engine
	config   Config
	random   *rand.Rand
	from     time.Time // first instant of the first week
	until    time.Time
	happened []moment
}

// Planted truths: what an analysis of this company should find.
var (
	regions = []struct {
		name    string
		manager string
		reps    []rep
	}{
		{"North", "Ingrid Halvorsen", []rep{{"Tomas Berg", 1.25}, {"Maja Lindqvist", 1.0}, {"Aksel Dahl", 0.8}}},
		{"Central", "Beatriz Amaral", []rep{{"Lena Fischer", 1.1}, {"Pavel Novak", 1.0}, {"Chiara Conti", 0.9}}},
		{"South", "Andre Moreau", []rep{{"Sofia Romero", 1.2}, {"Nikos Papadakis", 0.95}, {"Yara Haddad", 1.0}}},
	}
	products = []product{
		{"Probe Basic", "Probe", 640}, {"Probe Pro", "Probe", 1850}, {"Logger", "Logger", 4200}, {"Logger Plus", "Logger", 6900},
		{"Station", "Station", 12500}, {"Station Max", "Station", 24000}, {"Station Cloud", "Station", 9400},
	}
	sources = []source{{"inbound", 0.5, 1.0}, {"outbound", 0.35, 0.8}, {"partner", 0.15, 1.3}}
	stages  = []stage{
		{"Qualified", "open", "pipeline", 2000}, {"Proposal", "open", "best_case", 4000}, {"Negotiation", "open", "commit", 7000},
		{"Won", "won", "closed", 10000}, {"Lost", "lost", "omitted", 0},
	}
	lostReasons = []string{"price", "price", "competitor", "no_budget", "no_decision", "no_decision", "timing", "product_fit"}
	sectors     = []string{"Water", "Energy", "Food", "Chemicals", "Logistics", "Public works", "Research"}
	countries   = []string{"NO", "SE", "DE", "CZ", "IT", "ES", "GR", "FR", "PT"}
)

type rep struct {
	name  string
	skill float64 // multiplies the odds of winning
}

type product struct {
	name   string
	series string
	price  int64 // major units
}

type source struct {
	name  string
	share float64
	odds  float64
}

type stage struct {
	name        string
	status      string
	category    string
	probability int64 // ten-thousandths
}

// baseOdds are the odds with which an average deal is won once it is decided.
const baseOdds = 0.85

func newCompany(engine Engine, c Config) *company {
	calendar := engine.Calendar()
	first := calendar.WeekOf(c.Until).AddDays(-7 * (c.Weeks - 1))
	return &company{
		engine: engine, config: c, random: rand.New(rand.NewPCG(c.Seed, 0x63616e6f7079)), //nolint:gosec // a company, not a secret
		from: first.Time(calendar.Zone), until: c.Until,
	}
}

func (c *company) moments() []moment {
	c.people()
	c.catalogue()
	accounts := c.accounts()
	for i := range c.config.Deals {
		c.deal(i, accounts)
	}
	c.leads()
	c.targets()
	return c.happened
}

// add notes that something happens; what lies after the last instant has not happened yet.
func (c *company) add(at time.Time, makes string, build func(known map[string]uint64) models.Command) bool {
	at = at.UTC().Truncate(time.Second)
	if at.After(c.until) {
		return false
	}
	c.happened = append(c.happened, moment{at: at, order: len(c.happened), makes: makes, build: build})
	return true
}

// values are fields by name, in the Go form of their kinds; strings that begin with "@" name a record made before.
type values map[string]models.Value

func (c *company) sets(object string, v values, known map[string]uint64) []models.Set {
	var sets []models.Set
	for _, f := range c.engine.Registry().Object(object).Fields { // field order, so that the log is the same each time
		value, ok := v[f.Name]
		if !ok {
			continue
		}
		if key, is := value.(string); is && len(key) > 0 && key[0] == '@' {
			value = known[key[1:]]
		}
		sets = append(sets, models.Set{Field: f, Value: value})
	}
	return sets
}

func (c *company) create(at time.Time, key, object string, v values) bool {
	return c.add(at, key, func(known map[string]uint64) models.Command {
		return models.Command{Op: models.Create, Object: object, Sets: c.sets(object, v, known)}
	})
}

func (c *company) update(at time.Time, key, object string, v values) {
	c.add(at, "", func(known map[string]uint64) models.Command {
		return models.Command{Op: models.Update, Object: object, Number: known[key], Sets: c.sets(object, v, known)}
	})
}

func (c *company) money(major float64) models.Money {
	digits := math.Pow10(models.MinorDigits(c.engine.Currency()))
	return models.Money{Minor: int64(math.Round(major * digits)), Currency: c.engine.Currency()}
}

func (c *company) people() {
	for _, region := range regions {
		c.create(c.from, "team "+region.name, "team", values{"name": region.name + " sales", "territory": region.name})
		c.create(c.from, "user "+region.manager, "user", values{
			"name": region.manager, "email": email(region.manager, "fernhill.example"), "role": "editor", "scope": "team", "team": "@team " + region.name, "territory": region.name,
		})
		c.update(c.from, "team "+region.name, "team", values{"manager": "@user " + region.manager})
		for _, r := range region.reps {
			c.create(c.from, "user "+r.name, "user", values{
				"name": r.name, "email": email(r.name, "fernhill.example"), "role": "editor", "scope": "owner", "team": "@team " + region.name, "territory": region.name,
			})
		}
	}
}

func (c *company) catalogue() {
	for _, p := range products {
		c.create(c.from, "product "+p.name, "product", values{"name": p.name, "series": p.series, "list_price": c.money(float64(p.price)), "active": true})
	}
	c.create(c.from, "pipeline", "pipeline", values{"name": "Instrument sales", "active": true})
	for i, s := range stages {
		c.create(c.from, "stage "+s.name, "stage", values{
			"key": "Instrument sales/" + s.name, "name": s.name, "pipeline": "@pipeline", "rank": int64(i + 1), "status": s.status,
			"probability": s.probability, "forecast_category": s.category,
		})
	}
	for i, name := range []string{"spring_webinar", "water_expo", "partner_days", "plant_audit_mailing"} {
		at := c.from.AddDate(0, 0, 7*i*c.config.Weeks/5)
		c.create(at, "campaign "+name, "campaign", values{"name": name, "channel": []string{"webinar", "event", "partner", "email"}[i], "starts_on": c.date(at), "budget": c.money(float64(4000 * (i + 1)))})
	}
}

func (c *company) date(t time.Time) models.Date {
	return models.DateOf(t, c.engine.Calendar().Zone)
}

// account is what a deal needs to know of its buyer.
type account struct {
	key     string
	name    string
	region  int
	rep     rep
	contact string
}

func (c *company) accounts() []account {
	n := max(12, c.config.Deals/5)
	list := make([]account, n)
	for i := range list {
		region := c.random.IntN(len(regions))
		r := regions[region].reps[c.random.IntN(len(regions[region].reps))]
		name := accountName(i)
		a := account{key: fmt.Sprintf("account %d", i), name: name, region: region, rep: r, contact: fmt.Sprintf("contact %d", i)}
		list[i] = a
		country := countries[region*3+c.random.IntN(3)]
		c.create(c.from, a.key, "account", values{
			"name": name, "sector": sectors[c.random.IntN(len(sectors))], "country": country, "owner": "@user " + r.name,
			"employee_count": int64(20 + c.random.IntN(4000)), "annual_revenue": c.money(float64(1+c.random.IntN(900)) * 1e6),
		})
		person := personName(i)
		c.create(c.from, a.contact, "contact", values{
			"name": person, "email": email(person, domain(name)), "job_title": jobTitles[c.random.IntN(len(jobTitles))],
			"account": "@" + a.key, "country": country, "owner": "@user " + r.name, "source": "list",
		})
	}
	return list
}

// leads are people who asked and are not yet customers: three in ten are still being worked on.
func (c *company) leads() {
	for i := range c.config.Deals / 8 {
		at := c.instant()
		key := fmt.Sprintf("lead %d", i)
		region := regions[c.random.IntN(len(regions))]
		r := region.reps[c.random.IntN(len(region.reps))]
		name := personName(100_000 + i)
		status := []string{"new", "working", "qualified", "rejected", "rejected", "qualified"}[c.random.IntN(6)]
		later := at.Add(time.Duration(1+c.random.IntN(96)) * time.Hour)
		if !c.create(at, key, "lead", values{"name": name, "email": email(name, domain(accountName(50_000+i))), "company": accountName(50_000 + i), "source": sources[c.random.IntN(3)].name, "owner": "@user " + r.name}) {
			continue
		}
		if status != "new" {
			v := values{"status": status}
			if status == "rejected" {
				v["rejection_reason"] = "wrong_target"
			}
			c.update(later, key, "lead", v)
		}
	}
}

// instant picks a working moment in the history; later weeks are busier, for the company grows.
func (c *company) instant() time.Time {
	week := c.growing()
	at := c.from.AddDate(0, 0, 7*week+c.random.IntN(5)).Add(time.Duration(8*3600+c.random.IntN(9*3600)) * time.Second)
	if at.After(c.until) { // the rest of the running week has not happened yet
		return c.until.Add(-time.Duration(c.random.Int64N(int64(c.until.Sub(c.from) / 8))))
	}
	return at
}

// growing picks a week with a density that doubles from the first week to the last.
func (c *company) growing() int {
	u := c.random.Float64()
	x := -1 + math.Sqrt(1+3*u) // inverse of the distribution with density (2/3)(1+x) on [0,1]
	return min(int(x*float64(c.config.Weeks)), c.config.Weeks-1)
}
