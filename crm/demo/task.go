package demo

import (
	"time"

	"canopy/models"
)

// taskOf is a promise to do something.
type taskOf struct {
	subject                string
	due                    models.Date
	owner                  ref
	deal, account, contact ref
	diligence              float64
}

// task writes a promise down, and that it was kept: in time by the diligent, later or never by others.
func (c *company) task(chance chance, t taskOf, due time.Time) {
	v := values{"subject": t.subject, "due_on": t.due, "status": "open", "owner": t.owner, "account": t.account}
	if t.deal != none {
		v["deal"] = t.deal
	}
	if t.contact != none {
		v["contact"] = t.contact
	}
	r := c.create("task", v)
	switch {
	case chance.of(0.02): // forgotten
	case chance.of(0.05):
		c.at(due.Add(days(chance.around(5, 0.5))), func() { c.update(r, values{"status": "dropped"}) })
	case chance.of(0.55 * t.diligence):
		c.at(c.atWork(due.Add(-days(chance.Float64()))), func() { c.update(r, values{"status": "done"}) })
	default:
		c.at(c.atWork(due.Add(days(chance.around(1.5, 0.8)))), func() { c.update(r, values{"status": "done"}) })
	}
}

// demonstration books an appointment to show the product, and says how it went.
func (c *company) demonstration(chance chance, d *deal) {
	c.appointment(chance, "Demo for "+d.account.name, values{"deal": d.ref, "contact": d.contact.ref, "account": d.account.ref, "owner": d.rep.atDesk().ref}, 3+chance.around(4, 0.4), nil)
}

// appointment books a meeting some days ahead. held is told when it took place; nil for nobody.
func (c *company) appointment(chance chance, subject string, v values, ahead float64, held func()) {
	starts := c.atWork(c.now.Add(days(ahead))).Truncate(30 * time.Minute)
	ends := starts.Add(time.Duration(30+30*chance.IntN(3)) * time.Minute)
	v["subject"], v["status"], v["starts_at"], v["ends_at"] = subject, "booked", starts.UTC(), ends.UTC()
	v["place"] = pick(chance, []string{"Video call", "Video call", "At the customer's", "Our office"})
	r := c.create("appointment", v)
	c.at(ends, func() {
		switch chance.weighted([]float64{0.84, 0.08, 0.08}) {
		case 0:
			c.update(r, values{"status": "held"})
			if held != nil {
				held()
			}
		case 1:
			c.update(r, values{"status": "no_show"})
		default:
			c.update(r, values{"status": "cancelled"})
		}
	})
}
