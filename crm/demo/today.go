package demo

import (
	"time"
)

// chores are what people have to do who do not sell.
var chores = map[string][]string{
	"lead":      {"Prepare the pipeline call", "Go through the stuck deals", "Plan next quarter's targets", "Talk with the team about discounts"},
	"marketing": {"Check the budgets of the running campaigns", "Write the next newsletter", "Name the campaigns of next quarter", "Answer the agency"},
	"success":   {"Call customers who gave a low mark", "Prepare the quarterly reviews", "Ask for a reference", "Look at renewals of next month"},
	"support":   {"Ask engineering about the open defects", "Write down the answer about exports", "Close what is resolved", "Plan the weekend duty"},
	"admin":     {"Look at the requests for new fields", "See who has left and may still sign in", "Check the last import", "Clean up the misspelt sources"},
	"sales":     {"Call back who wrote yesterday", "Update the forecast", "Send the notes of the last meeting", "Thank for the order"},
}

// planToday makes sure that the last day finds everybody with something to do, whatever day of the week it is: chores overdue, due
// today and to come, and leads that nobody has answered yet.
func (c *company) planToday() {
	chance := c.stream("today")
	c.at(c.until.Add(-2*day), func() {
		give := func(who ref, kind string, due ...int) {
			for i, d := range due {
				c.create("task", values{"subject": chores[kind][i], "due_on": c.lastDay(d), "status": "open", "owner": who})
			}
		}
		give(administrator, "admin", -3, 0, 0, 2)
		for _, who := range c.market.heads {
			give(who, "lead", -1, 0, 1, 6)
		}
		for _, who := range c.market.marketers {
			give(who, "marketing", -2, 0, 1, 4)
		}
		for i := range c.agents {
			give(c.agents[i].ref, "support", -1, 0, 0, 3)
			give(c.managers[i].ref, "success", -4, 0, 1, 5)
		}
		for _, r := range c.reps {
			if r.successor == nil {
				give(r.ref, "sales", -1, 0, 1)
			}
		}
	})
	c.at(c.until.Add(-time.Hour), c.coverForRep)
	for i := range 2 * len(c.reps) {
		c.at(c.until.Add(-time.Duration(i+1)*37*time.Minute), func() { c.capture(chance, true) })
	}
}

// coverForRep lets the administrator look after some deals and their accounts, so that whoever signs in first has some of their own. Every
// other one has no next step.
func (c *company) coverForRep() {
	given := 0
	for i := len(c.deals) - 1; i >= 0 && given < 6; i-- {
		d := c.deals[i]
		if !d.open || d.stage < 1 {
			continue
		}
		v := values{"owner": administrator}
		if given%2 == 0 {
			v["next_step"], v["next_step_on"] = nil, nil
		}
		c.update(d.ref, v)
		c.update(d.account.ref, values{"owner": administrator})
		given++
	}
}

// lastDay is the day some days from the last one.
func (c *company) lastDay(n int) any {
	return c.dateIn(float64(n) + c.until.Sub(c.now).Hours()/24)
}
