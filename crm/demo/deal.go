package demo

import (
	"fmt"
	"math"
	"time"

	"canopy/models"
)

// deal is a possible sale while it is alive.
type deal struct {
	ref
	account *account
	contact person
	rep     *rep
	offer   offer
	source  string
	effect  float64 // of the channel that brought it
	opened  time.Time
	stage   int // index of the open stage
	entry   int // counts entries into stages, so that what was planned in one is dropped with it
	entered time.Time
	open    bool
	silent  bool
	lines   bool // its lines are written
	quote   ref
	touched []time.Time // activities, oldest first
	second  person      // the one who decides, once known
}

// planDeals brings the deals that reps and partners find by themselves.
func (c *company) planDeals(share float64) {
	chance := c.stream("prospecting")
	n := float64(c.config.Contacts) * share
	for range chance.count(outboundPerContact * n) {
		c.at(c.atWork(c.inWeek(chance)), func() { c.prospect(chance, "outbound", 0, none) })
	}
	for range chance.count(partnerPerContact * n) {
		c.at(c.atWork(c.inWeek(chance)), func() { c.prospect(chance, "partner", c.channelEffect("partner"), c.campaignOf("partner")) })
	}
}

func (c *company) channelEffect(channel string) float64 {
	for _, t := range c.truths.Channels {
		if t.Channel == channel {
			return t.Deal
		}
	}
	return 0
}

// prospect opens a deal at a firm that is no customer yet: one from the books, or a new one.
func (c *company) prospect(chance chance, source string, effect float64, campaign ref) {
	var a *account
	for range 10 {
		if chance.of(0.3) {
			break
		}
		if found := pick(chance, c.accounts); len(found.plans) == 0 && found.openDeals == 0 {
			a = found
			break
		}
	}
	if a == nil {
		a = c.newAccount(chance, chance.weighted([]float64{0.25, 0.3, 0.2, 0.25}))
	}
	c.openDeal(a, c.someone(chance, a, source), source, effect, campaign)
}

// openDeal opens a deal in the first stage.
func (c *company) openDeal(a *account, p person, source string, effect float64, campaign ref) *deal {
	chance := c.stream("deals")
	d := &deal{account: a, contact: p, rep: a.rep.atDesk(), source: source, effect: effect, opened: c.now, open: true}
	d.offer = c.newOffer(chance, a, d.rep)
	v := values{
		"name": d.offer.name + " – " + a.name, "account": a.ref, "contact": p.ref, "stage": c.market.stages[0], "pipeline": c.market.sales,
		"amount": c.money(d.offer.listValue()), "list_value": c.money(d.offer.listValue()), "product": d.offer.lines[0].product.ref,
		"source": source, "campaign": campaign, "owner": d.rep.ref, "expected_close_on": c.dateIn(45 * chance.around(1, 0.3)),
	}
	c.nextStep(chance, v, 0)
	d.ref = c.create("deal", v)
	a.openDeals++
	c.deals = append(c.deals, d)
	c.dealContact(d, p, "champion")
	c.begin(chance, d)
	return d
}

var nextSteps = []string{"Call to agree the scope", "Show it with their data", "Walk through the proposal", "Agree terms"}

// nextStep plans what comes next, or leaves it open as people do.
func (c *company) nextStep(chance chance, v values, stage int) {
	if chance.of(c.truths.Dirt.NoNextStep) {
		v["next_step"], v["next_step_on"] = nil, nil
		return
	}
	v["next_step"], v["next_step_on"] = nextSteps[stage], c.dateIn(2+float64(chance.IntN(9)))
}

// begin starts the clock of the stage that a deal has come into: what will be done in it, and when it is left.
func (c *company) begin(chance chance, d *deal) {
	d.entry++
	d.entered = c.now
	truth, entry := c.truths.Stages[d.stage], d.entry
	length := chance.around(truth.Days*c.truths.Deals.Length[d.account.size], truth.Spread)
	if d.silent = chance.of(c.truths.Deals.SilentIn); d.silent {
		length *= 5
	}
	end := c.atWork(c.now.Add(days(length)))
	there := func(do func()) func() {
		return func() {
			if d.open && d.entry == entry {
				do()
			}
		}
	}
	if !d.silent {
		rate := 0.13 * d.rep.atDesk().Diligence
		for range chance.count(rate * min(length, 60)) {
			c.at(c.atWork(c.now.Add(time.Duration(chance.Float64()*float64(end.Sub(c.now))))), there(func() { c.dealActivity(chance, d) }))
		}
		if chance.of(0.6) {
			c.promise(chance, d)
		}
		if d.stage == 1 && chance.of(0.7) {
			c.demonstration(chance, d)
		}
		if chance.of(0.3) { // the day of decision is put off
			c.at(c.atWork(c.now.Add(days(length*0.7))), there(func() {
				c.update(d.ref, values{"expected_close_on": c.dateIn(14 + float64(chance.IntN(30)))})
			}))
		}
	}
	c.at(end, there(func() { c.decide(chance, d) }))
}

// decide takes a deal out of its stage.
func (c *company) decide(chance chance, d *deal) {
	truth, effects := c.truths.Stages[d.stage], c.truths.Deals
	d.rep = d.rep.atDesk()
	if d.stage > 0 && chance.of(truth.Back) {
		c.enter(chance, d, d.stage-1)
		return
	}
	odds := truth.Forward + d.rep.Skill + d.effect + effects.Size[d.account.size] + effects.Age*c.now.Sub(d.opened).Hours()/24/30
	odds += effects.Attention * (math.Log(1+float64(d.recent(c.now))) - math.Log(3))
	if d.silent {
		odds += effects.Silent
	}
	if c.afterPriceChange() && d.stage >= 2 {
		odds += c.truths.PriceChange.Effect
	}
	switch {
	case !chance.of(logistic(odds)):
		c.lose(chance, d)
	case d.stage == len(c.truths.Stages)-1:
		c.win(chance, d)
	case d.stage == 0 && chance.of(effects.Skip):
		c.enter(chance, d, 2)
	default:
		c.enter(chance, d, d.stage+1)
	}
}

// recent counts the activities on a deal in the 14 days before an instant.
func (d *deal) recent(at time.Time) int {
	n := 0
	for i := len(d.touched) - 1; i >= 0 && d.touched[i].After(at.Add(-14*day)); i-- {
		n++
	}
	return n
}

// enter moves a deal into an open stage.
func (c *company) enter(chance chance, d *deal, stage int) {
	d.stage = stage
	v := values{"stage": c.market.stages[stage]}
	c.nextStep(chance, v, stage)
	if chance.of(0.4) {
		v["expected_close_on"] = c.dateIn([]float64{45, 35, 20, 10}[stage] * chance.around(1, 0.3))
	}
	c.qualify(chance, d, v)
	c.update(d.ref, v)
	c.noteLate(chance, d)
	if stage >= 1 && d.second.ref == none && (len(d.account.contacts) > 1 || !c.full()) && chance.of(0.6) {
		if p := c.someone(chance, d.account, d.source); p.ref != d.contact.ref {
			d.second = p
			c.dealContact(d, p, "decision_maker")
		}
	}
	if stage == 2 {
		c.propose(d)
	}
	c.begin(chance, d)
}

// noteLate lets a rep write down, some days late, what was known before the deal came into its stage.
func (c *company) noteLate(chance chance, d *deal) {
	happened := c.now.Add(-hours(1 + 10*chance.Float64()))
	if !chance.of(c.truths.Dirt.Late) || !happened.After(d.opened) {
		return
	}
	c.after(days(1+3*chance.Float64()), func() {
		c.updateLate(d.ref, happened.UTC().Truncate(time.Second), values{"timing_note": "Heard it on the telephone before"})
	})
}

// dealContact says which part a person has in a deal.
func (c *company) dealContact(d *deal, p person, role string) {
	c.create("deal_contact", values{"deal": d.ref, "contact": p.ref, "role": role})
}

// win closes a deal and begins what follows.
func (c *company) win(chance chance, d *deal) {
	c.close(d)
	c.update(d.ref, values{"stage": c.market.stages[len(c.truths.Stages)], "next_step": nil, "next_step_on": nil,
		"win_reason": pick(chance, []string{"product_fit", "product_fit", "relationship", "service", "price", "timing"})})
	if d.quote != none {
		c.update(d.quote, values{"status": "accepted"})
	}
	c.order(d)
	c.subscribe(d)
}

// lose closes a deal with its reason; a few come back.
func (c *company) lose(chance chance, d *deal) {
	c.close(d)
	v := values{"stage": c.market.stages[len(c.truths.Stages)+1], "lost_reason": c.lostReason(chance, d), "next_step": nil, "next_step_on": nil}
	c.update(d.ref, v)
	if d.quote != none {
		c.update(d.quote, values{"status": pick(chance, []string{"rejected", "rejected", "expired"})})
		d.quote = none
	}
	if chance.of(c.truths.Deals.Reopened) {
		c.at(c.atWork(c.now.Add(days(chance.around(70, 0.4)))), func() {
			d.open, d.silent, d.opened = true, false, c.now
			d.account.openDeals++
			c.enter(chance, d, 1)
		})
	}
}

func (c *company) close(d *deal) {
	d.open = false
	d.account.openDeals--
}

func (c *company) lostReason(chance chance, d *deal) string {
	if d.silent {
		return "no_decision"
	}
	if d.stage >= 2 {
		share := c.truths.PriceChange.Before
		if c.afterPriceChange() {
			share = c.truths.PriceChange.After
		}
		if chance.of(share) {
			return "price"
		}
		return pick(chance, []string{"competitor", "competitor", "no_budget", "no_decision", "timing", "product_fit"})
	}
	return pick(chance, []string{"no_decision", "no_decision", "no_budget", "timing", "product_fit", "competitor", "price"})
}

// dealActivity is something done on a deal.
func (c *company) dealActivity(chance chance, d *deal) {
	kind := []string{"call", "email", "meeting", "note"}[chance.weighted([]float64{0.42, 0.34, 0.18, 0.06})]
	who := d.contact
	if d.second.ref != none && chance.of(0.4) {
		who = d.second
	}
	v := values{
		"subject": map[string]string{"call": "Call about the scope", "email": "Sent the documents", "meeting": "Met with the team", "note": "Note"}[kind], "type": kind,
		"outcome": pick(chance, []string{"reached", "positive", "neutral", "no_answer"}), "done_at": c.now, "minutes": int64(5 + chance.IntN(50)),
		"deal": d.ref, "contact": who.ref, "account": d.account.ref, "owner": d.rep.atDesk().ref, "body": remark(chance),
	}
	c.create("activity", v)
	d.touched = append(d.touched, c.now)
}

// qualify notes what has become known about a deal by the time it comes into a stage.
func (c *company) qualify(chance chance, d *deal, v values) {
	if d.stage < 1 {
		return
	}
	for _, field := range []string{"need", "budget", "authority", "timing"}[:min(d.stage+1, 4)] {
		v[field] = []string{"yes", "unknown", "no"}[chance.weighted([]float64{0.75, 0.17, 0.08})]
	}
	if d.stage >= 2 {
		v["need"], v["budget"] = "yes", "yes"
	}
}

// promise notes what the rep will do next for a deal, as a task.
func (c *company) promise(chance chance, d *deal) {
	due := c.atWork(c.now.Add(days(1 + chance.around(4, 0.7))))
	c.task(chance, taskOf{
		subject: fmt.Sprintf("%s: %s", nextSteps[d.stage], d.account.name), due: models.DateOf(due, c.calendar.Zone), owner: d.rep.atDesk().ref,
		deal: d.ref, account: d.account.ref, contact: d.contact.ref, diligence: d.rep.Diligence,
	}, due)
}
