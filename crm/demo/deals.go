package demo

import (
	"fmt"
	"math"
	"time"
)

// deal thinks up one deal: opened, moved through stages, sometimes back, and decided, or still open at the end.
func (c *company) deal(i int, accounts []account) {
	key := fmt.Sprintf("deal %d", i)
	a := accounts[c.random.IntN(len(accounts))]
	p := products[c.random.IntN(len(products))]
	s := c.source()
	units := 1 + c.random.IntN(4)
	list := float64(p.price) * float64(units)
	opened := c.instant()
	v := values{
		"name": fmt.Sprintf("%s for %s", p.name, a.name), "external_id": fmt.Sprintf("FH-%06d", i+1), "account": "@" + a.key, "contact": "@" + a.contact,
		"stage": "@stage Qualified", "amount": c.money(list), "list_value": c.money(list), "product": "@product " + p.name, "source": s.name,
		"owner": "@user " + a.rep.name, "expected_close_on": c.date(opened.AddDate(0, 0, 30+c.random.IntN(60))), "next_step": "Call to agree the scope",
	}
	if !c.create(opened, key, "deal", v) {
		return
	}
	c.activity(key, a, opened.Add(2*time.Hour), "call")

	odds := baseOdds * a.rep.skill * s.odds
	won := c.random.Float64() < odds/(1+odds)
	at := opened
	for stage := 1; stage <= 2; stage++ {
		at = at.Add(c.days(11))
		if !won && c.random.Float64() < 0.3 { // many losses come early
			break
		}
		c.update(at, key, "deal", values{"stage": "@stage " + stages[stage].name, "next_step": []string{"", "Send the proposal", "Agree terms"}[stage]})
		c.activity(key, a, at.Add(26*time.Hour), []string{"call", "email", "meeting"}[c.random.IntN(3)])
		if c.random.Float64() < 0.03 { // a step back
			at = at.Add(c.days(5))
			c.update(at, key, "deal", values{"stage": "@stage " + stages[stage-1].name})
		}
	}
	at = at.Add(c.days(12))
	if won {
		net := list * (1 - 0.18*c.random.Float64()*c.random.Float64())
		c.update(at, key, "deal", values{"stage": "@stage Won", "amount": c.money(math.Round(net)), "next_step": nil})
		return
	}
	c.update(at, key, "deal", values{"stage": "@stage Lost", "lost_reason": lostReasons[c.random.IntN(len(lostReasons))], "next_step": nil})
	if c.random.Float64() < 0.02 { // a lost deal that comes back
		c.update(at.Add(c.days(25)), key, "deal", values{"stage": "@stage Proposal", "next_step": "They called again"})
	}
}

// source picks by share.
func (c *company) source() source {
	u := c.random.Float64()
	for _, s := range sources {
		if u -= s.share; u < 0 {
			return s
		}
	}
	return sources[len(sources)-1]
}

// days draws a log-normal duration with the given median and a spread of one half.
func (c *company) days(median float64) time.Duration {
	d := median * math.Exp(0.5*c.random.NormFloat64())
	return time.Duration(d*86400) * time.Second
}

func (c *company) activity(deal string, a account, at time.Time, kind string) {
	c.create(at, "", "activity", values{
		"subject": map[string]string{"call": "Call about the scope", "email": "Sent the documents", "meeting": "Met on site"}[kind], "type": kind,
		"outcome": []string{"reached", "positive", "neutral", "no_answer"}[c.random.IntN(4)], "done_at": at.UTC().Truncate(time.Second),
		"minutes": int64(5 + c.random.IntN(50)), "deal": "@" + deal, "contact": "@" + a.contact, "account": "@" + a.key, "owner": "@user " + a.rep.name,
	})
}

// targets sets a plan a quarter (thirteen weeks) for the tree's main nodes: it grows as the company was meant to.
func (c *company) targets() {
	weekly := float64(c.config.Deals) / float64(c.config.Weeks)
	for start := 0; start < c.config.Weeks; start += 13 {
		grown := 0.72 + 0.6*float64(start)/float64(c.config.Weeks)
		decided, rate, value := weekly*grown, 0.46, 20500.0
		from := c.from.AddDate(0, 0, 7*start)
		for _, t := range []struct {
			node  string
			value float64
			owner string
		}{
			{"won_revenue", decided * rate * value, regions[1].manager}, {"decided_deals", decided, regions[0].manager},
			{"win_rate", rate, regions[1].manager}, {"avg_won_value", value, regions[2].manager},
		} {
			c.create(c.from, "", "target", values{
				"name": fmt.Sprintf("b2b_pipeline/%s/%s", t.node, c.date(from)), "tree": "b2b_pipeline", "node": t.node,
				"value": int64(math.Round(t.value * 10_000)), "from_on": c.date(from), "to_on": c.date(from.AddDate(0, 0, 7*13)), "owner": "@user " + t.owner,
			})
		}
	}
}
