package demo

import (
	"math"
	"time"
)

var subjects = []string{
	"Cannot sign in", "Export stops half way", "How do I invite a colleague?", "Numbers differ from our sheet", "Invoice address has changed", "Slow since Monday",
	"Please add a field", "Connector asks for a token again", "Report is empty 😕", "Billing question",
}

// planTickets puts a subscription's next ticket on the agenda; they come at random, more of them from more users.
func (c *company) planTickets(s *subscription) {
	chance := c.stream("tickets")
	weekly := 0.045 * math.Pow(float64(s.seats)/40, 0.4)
	c.at(c.now.Add(days(7*chance.ExpFloat64()/weekly)), func() {
		if s.live {
			c.ticket(chance, s)
			c.planTickets(s)
		}
	})
}

// ticket is a customer's question from its opening to its end.
func (c *company) ticket(chance chance, s *subscription) {
	severity := []string{"urgent", "high", "normal", "low"}[chance.weighted([]float64{0.05, 0.13, 0.6, 0.22})]
	a := s.account.agent
	r := c.create("ticket", values{
		"subject": pick(chance, subjects), "type": pick(chance, []string{"question", "question", "problem", "defect", "request"}), "severity": severity, "status": "new",
		"channel": pick(chance, []string{"email", "email", "form", "chat", "phone"}), "account": s.account.ref, "contact": s.contact.ref, "product": s.product.ref,
		"subscription": s.ref, "opened_at": c.now, "owner": a.ref,
	})
	opened := c.now
	waited := chance.around(a.Hours*map[string]float64{"urgent": 0.4, "high": 0.7, "normal": 1, "low": 1.6}[severity], 0.6)
	if severity == "urgent" || severity == "high" {
		s.urgent++
	}
	s.replies = append(s.replies, log2(waited/4)) // people wait by the clock on the wall, so support answers round the clock
	c.after(hours(waited), func() {
		c.update(r, values{"status": "open", "first_reply_at": c.now})
		length := chance.around(14, 0.9) * map[string]float64{"urgent": 0.5, "high": 0.8, "normal": 1, "low": 1.5}[severity]
		c.after(hours(length), func() {
			v := values{"status": "resolved", "resolved_at": c.now}
			if length > 60 && chance.of(0.5) {
				v["escalated"] = true
			}
			c.update(r, v)
			c.rate(chance, r, waited, c.now.Sub(opened))
		})
	})
}

// rate closes a ticket; some customers give a mark, by how long they waited.
func (c *company) rate(chance chance, ticket ref, waited float64, whole time.Duration) {
	if !chance.of(0.45) {
		return
	}
	mark := 4.6 - 0.45*log2(max(waited, 0.5)/2) - 0.2*log2(max(whole.Hours(), 4)/16) + 0.8*chance.NormFloat64()
	c.after(hours(chance.around(20, 0.8)), func() {
		c.update(ticket, values{"status": "closed", "satisfaction": int64(min(5, max(1, math.Round(mark))))})
	})
}
