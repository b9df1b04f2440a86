package demo

import (
	"math"
	"strings"
	"time"
)

// rep is a seller.
type rep struct {
	ref
	RepTruth
	territory int
	successor *rep // who took over when this one left; nil while at work
	leads     int
}

// atDesk is the rep, or who took over.
func (r *rep) atDesk() *rep {
	for r.successor != nil {
		r = r.successor
	}
	return r
}

// agent is somebody in support.
type agent struct {
	ref
	AgentTruth
}

// manager is somebody in success.
type manager struct {
	ref
	ManagerTruth
}

const domain = "@fernhill.example"

// Emails of one person of each kind, for signing in.
func signIns(t *Truths) []SignIn {
	return []SignIn{
		{"sales, own rows", local(t.Reps[0].Name) + domain}, {"sales lead, the team's rows", local(heads[0]) + domain},
		{"customer success", local(successors[0]) + domain}, {"support", local(agents[0]) + domain},
		{"marketing", local(marketers[0]) + domain}, {"leadership, reads only", local(leader) + domain},
	}
}

// SignIn is somebody of the company whom one may want to be.
type SignIn struct{ As, Email string }

// SignIns names one person of each role.
func (t *Truths) SignIns() []SignIn { return signIns(t) }

const leader = "Helena Brandt"

// hire makes territories, teams and users.
func (c *company) hire() {
	team := func(name, where string) ref {
		v := values{"name": name}
		if where != "" {
			v["territory"] = where
		}
		return c.create("team", v)
	}
	user := func(name, role, scope string, team ref, where string) ref {
		v := values{"name": name, "email": local(name) + domain, "role": role, "scope": scope}
		if team != none {
			v["team"] = team
		}
		if where != "" {
			v["territory"] = where
		}
		return c.create("user", v)
	}
	user(leader, "viewer", "all", none, "")
	marketing := team("Marketing", "")
	for _, name := range marketers {
		c.market.marketers = append(c.market.marketers, user(name, "editor", "all", marketing, ""))
	}
	c.update(marketing, values{"manager": c.market.marketers[0]})
	for i, where := range territories {
		c.create("territory", values{"name": where.name, "rank": int64(i + 1), "conditions": `{"field":"country","op":"in","value":["` + strings.Join(where.countries, `","`) + `"]}`})
		sales := team(where.name+" sales", where.name)
		head := user(heads[i], "editor", "team", sales, where.name)
		c.market.heads = append(c.market.heads, head)
		c.update(sales, values{"manager": head})
		for _, truth := range c.truths.Reps {
			if truth.Territory == where.name {
				c.reps = append(c.reps, &rep{ref: user(truth.Name, "editor", "owner", sales, where.name), RepTruth: truth, territory: i})
			}
		}
	}
	support, success := team("Support", ""), team("Customer success", "")
	for i, truth := range c.truths.Agents {
		c.agents = append(c.agents, &agent{ref: user(truth.Name, "editor", "team", support, ""), AgentTruth: truth})
		c.managers = append(c.managers, &manager{ref: user(c.truths.Managers[i].Name, "editor", "territory", success, territories[i].name), ManagerTruth: c.truths.Managers[i]})
	}
	c.update(support, values{"manager": c.agents[0].ref})
	c.update(success, values{"manager": c.managers[0].ref})
	c.planLeaver()
}

// planLeaver lets one rep go: colleagues of the territory take over open deals and accounts, the others' past stays as it was.
func (c *company) planLeaver() {
	if c.truths.Company.LeftIn == 0 {
		return
	}
	c.at(c.atWork(c.weekStart(c.truths.Company.LeftIn-1)), func() {
		chance := c.stream("people")
		for _, leaver := range c.reps {
			if leaver.Name != c.truths.Company.Leaver {
				continue
			}
			var colleagues []*rep
			for _, r := range c.reps {
				if r.territory == leaver.territory && r != leaver {
					colleagues = append(colleagues, r)
				}
			}
			c.update(leaver.ref, values{"active": false})
			leaver.successor = pick(chance, colleagues)
			for _, a := range c.accounts {
				if a.rep == leaver {
					a.rep = pick(chance, colleagues)
					c.update(a.ref, values{"owner": a.rep.ref})
				}
			}
			for _, d := range c.deals {
				if d.open && d.rep == leaver {
					d.rep = d.account.rep.atDesk()
					c.update(d.ref, values{"owner": d.rep.ref})
				}
			}
		}
	})
}

// repOf gives a territory's rep whose turn it is: the one at work with the fewest leads.
func (c *company) repOf(territory int) *rep {
	var least *rep
	for _, r := range c.reps {
		if r.territory == territory && r.successor == nil && (least == nil || r.leads < least.leads) {
			least = r
		}
	}
	least.leads++
	return least
}

// answered is when a rep answers something that came in now: after the rep's usual time, in office hours.
func (c *company) answered(chance chance, median float64) time.Time {
	return c.atWork(c.now.Add(hours(chance.around(median, 0.9))))
}

// log2 is the logarithm to the base of two.
func log2(x float64) float64 { return math.Log2(x) }
