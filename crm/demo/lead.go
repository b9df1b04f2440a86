package demo

import (
	"fmt"
	"time"
)

// lead is somebody who came in and is not yet decided about.
type lead struct {
	ref
	name, title string
	territory   int
	country     string
	company     string
	rep         *rep
	channel     ChannelTruth
	campaign    ref
	touches     int
	came        time.Time
	seen        []ref // its touches
	done        []ref // activities with it, oldest first
	doneAt      []time.Time
}

func (c *company) planLeads(share float64) {
	chance := c.stream("leads")
	for range chance.count(leadsPerContact * float64(c.config.Contacts) * share) {
		c.at(c.inWeek(chance), func() { c.capture(chance, false) })
	}
}

// capture writes down who came in, by which way, and whose it is now. A forgotten lead is answered by nobody.
func (c *company) capture(chance chance, forgotten bool) {
	weights := make([]float64, len(c.truths.Channels))
	for i, t := range c.truths.Channels {
		weights[i] = t.Share
	}
	l := &lead{territory: chance.weighted([]float64{0.25, 0.3, 0.2, 0.25}), channel: c.truths.Channels[chance.weighted(weights)], touches: 1 + chance.count(0.6), came: c.now}
	l.name, l.title, l.country = c.nextPerson().name, jobTitles[chance.weighted(titleOdds)], pick(chance, territories[l.territory].countries)
	c.firms++
	l.company = accountName(c.firms * 37 % 105_000)
	l.campaign = c.campaignOf(l.channel.Channel)
	v := values{
		"name": l.name, "email": fmt.Sprintf("%s.%d@%s.example", local(l.name), c.people, domainOf(l.company)), "company": l.company, "job_title": l.title,
		"country": l.country, "source": c.spelt(chance, l.channel.Channel), "campaign": l.campaign,
		"interest": pick(chance, []string{"Fern Core", "Fern Plus", "Fern Enterprise", "Insights", "Automation"}),
	}
	if chance.of(0.04) { // a form half filled in: kept, and nobody's
		delete(v, pick(chance, []string{"name", "email", "source"}))
		l.ref = c.create("lead", v)
		c.touchesOf(chance, l)
		return
	}
	l.rep = c.repOf(l.territory)
	v["owner"] = l.rep.ref
	l.ref = c.create("lead", v)
	c.touchesOf(chance, l)
	if forgotten || chance.of(0.06) { // nobody ever gets round to it
		return
	}
	c.at(c.answered(chance, l.rep.Response), func() { c.answer(chance, l) })
}

// answer is the first activity with a lead.
func (c *company) answer(chance chance, l *lead) {
	l.rep = l.rep.atDesk()
	waited := max(c.now.Sub(l.came).Hours(), 1)
	c.leadActivity(chance, l, "First answer")
	c.update(l.ref, values{"status": "working"})
	decided := c.now.Add(days(chance.around(5, 0.6)))
	for range chance.count(0.8) {
		c.at(c.atWork(c.now.Add(time.Duration(chance.Float64()*float64(decided.Sub(c.now))))), func() { c.leadActivity(chance, l, "Talked about the need") })
	}
	t := c.truths.Leads
	odds := t.Base + l.channel.Lead + t.Title[l.title] + t.Response*log2(waited) + t.Touches*float64(l.touches-1)
	taken := chance.of(logistic(odds))
	c.at(c.atWork(decided), func() {
		l.rep = l.rep.atDesk()
		if taken {
			c.convert(chance, l)
			return
		}
		c.update(l.ref, values{"status": "rejected", "rejection_reason": pick(chance, []string{"no_need", "no_need", "no_budget", "bad_timing", "no_authority", "not_reachable", "wrong_target"})})
	})
}

func (c *company) leadActivity(chance chance, l *lead, subject string) {
	l.doneAt = append(l.doneAt, c.now)
	l.done = append(l.done, c.create("activity", values{
		"subject": subject, "type": pick(chance, []string{"call", "email", "email"}), "outcome": pick(chance, []string{"reached", "positive", "neutral", "no_answer"}),
		"done_at": c.now, "minutes": int64(3 + chance.IntN(25)), "lead": l.ref, "owner": l.rep.ref, "body": remark(chance),
	}))
}

// remark is a note, or none.
func remark(chance chance) any {
	if text := pick(chance, remarks); text != "" {
		return text
	}
	return nil
}

// convert makes a lead an account with a person and a deal, as the conversion of a lead does: what was done with the lead goes along.
func (c *company) convert(chance chance, l *lead) {
	a := c.accountFor(chance, l)
	p := c.contactFrom(chance, a, l)
	d := c.openDeal(a, p, "inbound", l.channel.Deal, l.campaign)
	c.update(l.ref, values{"status": "converted", "converted_at": c.now, "converted_account": a.ref, "converted_contact": p.ref, "converted_deal": d.ref})
	for _, r := range l.seen {
		c.update(r, values{"contact": p.ref})
	}
	for _, r := range l.done {
		c.update(r, values{"contact": p.ref, "account": a.ref, "deal": d.ref})
	}
	d.touched = l.doneAt
	l.seen, l.done, l.doneAt = nil, nil, nil
}

// accountFor is where a lead works: mostly a firm that is new to us.
func (c *company) accountFor(chance chance, l *lead) *account {
	if chance.of(0.3) {
		for range 8 {
			if a := pick(chance, c.accounts); a.territory == l.territory && len(a.contacts) > 0 {
				return a
			}
		}
	}
	return c.newAccount(chance, l.territory)
}

func (c *company) contactFrom(chance chance, a *account, l *lead) person {
	if c.full() && len(a.contacts) > 0 {
		return a.contacts[0]
	}
	return c.newContact(chance, a, l.channel.Channel, l.title)
}
