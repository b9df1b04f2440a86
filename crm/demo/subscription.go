package demo

import (
	"math"
	"time"

	"canopy/models"
)

// subscription is something that an account pays for again and again.
type subscription struct {
	ref
	account *account
	contact person
	product *product
	seats   int
	yearly  float64 // major units
	months  int     // of a term
	started models.Date
	renews  models.Date
	live    bool
	raised  bool // its price was raised after the change of prices
	replies []float64
	urgent  int
}

// inherit gives an account of the opening books a subscription that has run for a while.
func (c *company) inherit(chance chance, a *account) {
	o := c.newOffer(chance, a, a.rep)
	s := c.newSubscription(chance, a, a.contacts[0], o, c.dateIn(-float64(chance.IntN(700))))
	for s.renews <= c.today() {
		s.renews = addMonths(s.renews, s.months)
	}
	c.start(chance, s, o, none)
}

// subscribe starts what was won.
func (c *company) subscribe(d *deal) {
	chance := c.stream("subscriptions")
	s := c.newSubscription(chance, d.account, d.contact, d.offer, c.today())
	c.start(chance, s, d.offer, d.ref)
}

func (c *company) newSubscription(chance chance, a *account, p person, o offer, started models.Date) *subscription {
	s := &subscription{account: a, contact: p, product: o.lines[0].product, seats: o.seats, yearly: o.yearly(), months: 12, started: started, live: true}
	if chance.of(map[string]float64{small: 0.6, medium: 0.3, large: 0.1}[a.size]) {
		s.months = 3
	}
	s.renews = addMonths(started, s.months)
	return s
}

// start writes a subscription down and plans its life.
func (c *company) start(chance chance, s *subscription, o offer, of ref) {
	v := values{
		"name": o.name + " – " + s.account.name, "account": s.account.ref, "contact": s.contact.ref, "product": s.product.ref, "plan": s.product.name, "status": "active",
		"seats": int64(s.seats), "mrr": c.money(s.yearly / 12), "billing_period": map[int]string{3: "quarterly", 12: "yearly"}[s.months], "auto_renew": chance.of(0.7),
		"started_on": s.started, "renews_on": s.renews, "owner": s.account.manager.ref,
	}
	if of != none {
		v["deal"] = of
	}
	s.ref = c.create("subscription", v)
	s.account.plans = append(s.account.plans, s)
	c.planTickets(s)
	c.planReview(s)
	c.planRenewal(chance, s)
}

// planRenewal puts the end of the running term on the agenda, and the work before it.
func (c *company) planRenewal(chance chance, s *subscription) {
	end := s.renews.Time(c.calendar.Zone).Add(9 * time.Hour)
	if remind := c.atWork(end.Add(-40 * day)); s.months == 12 && remind.After(c.now) {
		c.at(remind, func() {
			if s.live {
				due := c.atWork(end.Add(-14 * day))
				c.task(chance, taskOf{
					subject: "Prepare the renewal of " + s.account.name, due: models.DateOf(due, c.calendar.Zone), owner: s.account.manager.ref,
					account: s.account.ref, contact: s.contact.ref, diligence: 0.6 + s.account.manager.Coverage/2,
				}, due)
			}
		})
	}
	c.at(end, func() { c.renew(chance, s) })
}

// renew decides at the end of a term whether a subscription goes on.
func (c *company) renew(chance chance, s *subscription) {
	t := c.truths.Churn
	var effects [5]float64
	if n := len(s.replies); n > 0 {
		var sum float64
		for _, x := range s.replies {
			sum += x
		}
		effects[0] = t.Reply * sum / float64(n)
	}
	effects[1] = t.Urgent * float64(s.urgent)
	if c.afterPriceChange() {
		effects[2] = t.Price
	}
	if s.account.size == small {
		effects[3] = t.Small
	}
	if s.account.visited(c.now) {
		effects[4] = t.Visited
	}
	odds := t.Base
	for _, x := range effects {
		odds += x
	}
	if chance.of(logistic(odds)) {
		c.end(chance, s, effects)
		return
	}
	s.replies, s.urgent = s.replies[:0], 0
	s.renews = addMonths(s.renews, s.months)
	v := values{"renews_on": s.renews}
	change := 1.0
	if c.afterPriceChange() && !s.raised {
		s.raised = true
		change *= 1 + (c.truths.PriceChange.Factor-1)*0.7
	}
	switch chance.weighted([]float64{0.8, 0.14, 0.06}) {
	case 1: // more of them use it
		grown := max(s.seats+2, int(float64(s.seats)*(1.1+0.4*chance.Float64())))
		change *= float64(grown) / float64(s.seats)
		s.seats = grown
	case 2:
		shrunk := max(2, int(float64(s.seats)*(0.6+0.3*chance.Float64())))
		change *= float64(shrunk) / float64(s.seats)
		s.seats = shrunk
	}
	if change != 1 {
		s.yearly = math.Round(s.yearly * change)
		v["seats"], v["mrr"] = int64(s.seats), c.money(s.yearly/12)
	}
	c.update(s.ref, v)
	if chance.of(0.12) {
		c.expand(chance, s)
	}
	c.planRenewal(chance, s)
}

// end writes down that a subscription ended, and why the customer says so.
func (c *company) end(chance chance, s *subscription, effects [5]float64) {
	s.live = false
	reason := pick(chance, []string{"competitor", "budget", "not_used", "features", "unknown"})
	switch {
	case effects[2] > 0 && chance.of(0.5):
		reason = "price"
	case effects[0]+effects[1] > 0.6 && chance.of(0.7):
		reason = "support"
	case chance.of(0.03):
		reason = "closed"
	}
	c.update(s.ref, values{"status": "ended", "ended_on": s.renews, "end_reason": reason})
	var left []*subscription
	for _, other := range s.account.plans {
		if other != s {
			left = append(left, other)
		}
	}
	s.account.plans = left
}

// expand opens a small deal with a customer who wants more; it is settled soon, and mostly won.
func (c *company) expand(chance chance, s *subscription) {
	r := s.account.rep.atDesk()
	extra := max(2, s.seats/5)
	o := offer{name: s.product.name + ", more seats", seats: extra, discount: 0.05, lines: []line{{s.product, extra}}}
	v := values{
		"name": o.name + " – " + s.account.name, "account": s.account.ref, "contact": s.contact.ref, "stage": c.market.steps[0], "pipeline": c.market.growing,
		"amount": c.money(o.listValue() * 0.95), "list_value": c.money(o.listValue()), "product": s.product.ref, "source": "other", "owner": r.ref,
		"expected_close_on": c.dateIn(25), "next_step": "Send the addendum", "next_step_on": c.dateIn(5),
	}
	d := c.create("deal", v)
	win := chance.of(0.7)
	c.at(c.atWork(c.now.Add(days(chance.around(9, 0.5)))), func() {
		c.update(d, values{"stage": c.market.steps[1], "next_step": "Wait for the signature"})
		c.at(c.atWork(c.now.Add(days(chance.around(8, 0.5)))), func() {
			if !win || !s.live {
				c.update(d, values{"stage": c.market.steps[3], "lost_reason": pick(chance, []string{"no_budget", "timing"}), "next_step": nil, "next_step_on": nil})
				return
			}
			c.update(d, values{"stage": c.market.steps[2], "next_step": nil, "next_step_on": nil})
			s.seats += extra
			s.yearly += math.Round(o.listValue() * 0.95)
			c.update(s.ref, values{"seats": int64(s.seats), "mrr": c.money(s.yearly / 12)})
		})
	})
}

// visited tells whether a review was held in the 120 days before.
func (a *account) visited(at time.Time) bool {
	n := len(a.reviewed)
	return n > 0 && a.reviewed[n-1].After(at.Add(-120*day))
}

// planReview books a talk with a customer now and then, as the manager cares.
func (c *company) planReview(s *subscription) {
	chance := c.stream("reviews")
	c.at(c.atWork(c.now.Add(days(30+60*chance.Float64()))), func() {
		if !s.live {
			return
		}
		if chance.of(s.account.manager.Coverage) && s.account.plans[0] == s {
			v := values{"account": s.account.ref, "contact": s.contact.ref, "owner": s.account.manager.ref}
			c.appointment(chance, "Review with "+s.account.name, v, 6+chance.around(5, 0.4), func() {
				s.account.reviewed = append(s.account.reviewed, c.now)
			})
		}
		c.planReview(s)
	})
}

// addMonths moves by calendar months; a day that the month does not have is its last one.
func addMonths(d models.Date, n int) models.Date {
	y, m, dd := d.Civil()
	last := models.NewDate(y, m+time.Month(n)+1, 1).AddDays(-1)
	if wanted := models.NewDate(y, m+time.Month(n), 1).AddDays(dd - 1); wanted < last {
		return wanted
	}
	return last
}
