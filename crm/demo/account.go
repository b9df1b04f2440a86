package demo

import (
	"fmt"
	"time"

	"canopy/models"
)

// account is a firm, or now and then a household, as the simulation needs to know it.
type account struct {
	ref
	name, host string
	territory  int
	country    string
	size       string
	rep        *rep
	agent      *agent
	manager    *manager
	contacts   []person // the first few, main one first
	plans      []*subscription
	openDeals  int
	reviewed   []time.Time // reviews that were held, oldest first
}

// person is a contact.
type person struct {
	ref
	name string
}

// How much of everything there is, by contacts known in the end.
const (
	leadsPerContact    = 0.5
	outboundPerContact = 0.11
	partnerPerContact  = 0.04
	dealsPerContact    = 0.31 // all together, about: outbound, partners', converted leads' and customers' further ones
	openingShare       = 0.35 // of contacts that are there on the first day
)

// openBooks makes the accounts and people known on the first day, some of them customers already.
func (c *company) openBooks() {
	chance := c.stream("books")
	known := int(openingShare * float64(c.config.Contacts))
	for c.contacts < known {
		a := c.newAccount(chance, chance.weighted([]float64{0.25, 0.3, 0.2, 0.25}))
		for range 1 + chance.count(2.2) {
			if c.contacts < known {
				c.newContact(chance, a, "list", "")
			}
		}
		if chance.of(0.35) && len(a.contacts) > 0 {
			c.inherit(chance, a)
		}
	}
}

// newAccount makes an account with its owner.
func (c *company) newAccount(chance chance, territory int) *account {
	a := &account{territory: territory, rep: c.ownerOf(chance, territory), agent: c.agents[chance.IntN(len(c.agents))], manager: c.managers[territory]}
	a.size = []string{small, medium, large}[chance.weighted([]float64{0.5, 0.38, 0.12})]
	a.country = pick(chance, territories[territory].countries)
	employees := map[string][2]int{small: {6, 50}, medium: {50, 500}, large: {500, 9000}}[a.size]
	v := values{
		"country": a.country, "owner": a.rep.ref, "employee_count": int64(employees[0] + chance.IntN(employees[1]-employees[0])),
		"annual_revenue": c.money(float64(employees[0]) * 1e5 * chance.around(1.4, 0.5)), "type": "organisation",
	}
	c.nameAccount(chance, a, v)
	if !chance.of(c.truths.Dirt.NoSector) {
		v["sector"] = pick(chance, sectors)
	}
	if len(c.accounts) > 0 && chance.of(0.04) { // a subsidiary of somebody in the same territory
		if parent := pick(chance, c.accounts); parent.territory == territory {
			v["parent"] = parent.ref
		}
	}
	a.ref = c.create("account", v)
	c.accounts = append(c.accounts, a)
	return a
}

func (c *company) nameAccount(chance chance, a *account, v values) {
	c.firms++
	n := c.firms
	switch {
	case chance.of(0.01):
		a.size, a.name = small, "Household "+surnames[n%len(surnames)]+" "+fmt.Sprint(n)
		v["type"], v["employee_count"], v["annual_revenue"] = "household", nil, nil
	case n <= 400 && n%40 == 7:
		a.name = otherAlphabets[n/40]
	default:
		a.name = accountName(n * 37 % 105_000) // 37 is prime to it: all differ, neighbours much
		if n >= 105_000 {
			a.name += fmt.Sprint(" ", n/105_000)
		}
	}
	v["name"] = a.name
	if a.host = domainOf(a.name); len(a.host) < 4 || v["type"] == "household" {
		a.host = fmt.Sprintf("customer-%d", n)
	}
	v["domain"] = a.host + ".example"
}

// ownerOf picks a rep of a territory who is at work.
func (c *company) ownerOf(chance chance, territory int) *rep {
	var list []*rep
	for _, r := range c.reps {
		if r.territory == territory && r.successor == nil {
			list = append(list, r)
		}
	}
	return pick(chance, list)
}

// keepContacts is how many people of an account the simulation remembers.
const keepContacts = 6

// newContact makes a person at an account, or at none.
func (c *company) newContact(chance chance, a *account, source, title string) person {
	p := c.nextPerson()
	v := c.contactValues(chance, a, p.name, source, title)
	v["email"] = fmt.Sprintf("%s.%d@%s", local(p.name), c.people, hostOf(a))
	p.ref = c.create("contact", v)
	c.contacts++
	if a != nil && len(a.contacts) < keepContacts {
		a.contacts = append(a.contacts, p)
	}
	if chance.of(c.truths.Dirt.Twice) { // met again at a fair, and typed in by somebody else
		again := c.contactValues(chance, a, otherSpelling(chance, p.name), "event", title)
		c.create("contact", again)
		c.contacts++
	}
	return p
}

func (c *company) nextPerson() person {
	c.people++
	return person{name: personName(c.people)}
}

func hostOf(a *account) string {
	if a == nil {
		return "mail.example"
	}
	return a.host + ".example"
}

func (c *company) contactValues(chance chance, a *account, name, source, title string) values {
	if title == "" {
		title = jobTitles[chance.weighted(titleOdds)]
	}
	v := values{"name": name, "job_title": title, "source": c.spelt(chance, source)}
	if a != nil {
		v["account"], v["owner"], v["country"] = a.ref, a.rep.ref, a.country
	}
	return v
}

// planSubscribers brings the number of known people to where it should be at the end of a week: readers of the newsletter, and
// colleagues of people who are known already.
func (c *company) planSubscribers(week int) {
	chance := c.stream("subscribers")
	grown := float64(week+1) / float64(c.config.Weeks)
	wanted := int(float64(c.config.Contacts) * (openingShare + (1-openingShare)*grown*(0.7+0.3*grown)))
	end := c.weekStart(week + 1)
	if last := c.config.Weeks - 1; week == last {
		wanted, end = c.config.Contacts, c.until
	}
	missing := wanted - c.contacts - c.expected(week)
	for range missing {
		c.at(c.now.Add(time.Duration(chance.Int64N(int64(end.Sub(c.now))))), func() {
			if c.contacts >= c.config.Contacts {
				return
			}
			var a *account
			if !chance.of(0.2) {
				a = pick(chance, c.accounts)
			}
			c.newContact(chance, a, pick(chance, []string{"newsletter", "content", "list", "event"}), "")
		})
	}
	if week == c.config.Weeks-1 {
		c.at(c.until, func() { c.complete(chance) })
	}
}

// expected is about how many people will come along with the deals of a week.
func (c *company) expected(week int) int {
	return int(float64(c.config.Contacts) * c.share(week) * 0.2)
}

// complete brings the number of people to what was asked for.
func (c *company) complete(chance chance) {
	for c.contacts < c.config.Contacts {
		c.newContact(chance, pick(chance, c.accounts), "newsletter", "")
	}
}

// full tells that all people who were asked for are known: deals then do with those who are there.
func (c *company) full() bool { return c.contacts+2 >= c.config.Contacts }

// someone gives a contact of an account, a new one where there is room for it.
func (c *company) someone(chance chance, a *account, source string) person {
	if len(a.contacts) == 0 || (len(a.contacts) < keepContacts && !c.full() && chance.of(0.45)) {
		return c.newContact(chance, a, source, "")
	}
	return pick(chance, a.contacts)
}

// dateIn gives the day some days from now.
func (c *company) dateIn(n float64) models.Date { return c.today().AddDays(int(n)) }
