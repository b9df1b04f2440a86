package crm

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// Considered is one person that a rule looked at: why not, or blank for the one who was chosen.
type Considered struct {
	User   uint64 `json:"-"`
	ID     string `json:"user"`
	Name   string `json:"name"`
	WhyNot string `json:"why_not,omitempty"`
}

// RuleTried is one rule that was asked: why it did not decide, and whom it considered.
type RuleTried struct {
	Rule       string       `json:"rule"`
	WhyNot     string       `json:"why_not,omitempty"`
	Considered []Considered `json:"considered,omitempty"`
}

// Decision says who gets a lead and why. User is 0 where nobody could.
type Decision struct {
	User   uint64
	Rule   *AssignmentRule
	Reason string
	Tried  []RuleTried
}

// explanation is the decision in JSON, as the record keeps it.
func (d *Decision) explanation() string {
	encoded, err := json.Marshal(d.Tried)
	if err != nil || len(encoded) > 50_000 {
		return "[]"
	}
	return string(encoded)
}

// workload is what a choice depends on beside the people: how many open leads each has and when each got the last new one.
type workload interface {
	open(user uint64) (int, error)
	last(user uint64) (time.Time, error)
}

// chooser decides who gets a lead: a pure function of rules, people and their workload.
type chooser struct {
	rules    []AssignmentRule
	people   []person
	calendar models.Calendar
	load     workload
	holds    func(m matcher, values []models.Value, meta predicate.Meta) (bool, error)
}

// choose asks the rules in order. The first one that fits the lead and has somebody free decides.
func (c *chooser) choose(lead *models.Record, at time.Time, besides uint64) (Decision, error) {
	var d Decision
	for i := range c.rules {
		rule := &c.rules[i]
		fits, err := c.holds(rule.leads, lead.Values, predicate.MetaOf(lead))
		if err != nil {
			return d, err
		}
		if !fits {
			d.Tried = append(d.Tried, RuleTried{Rule: rule.Name, WhyNot: "it is not for leads like this one"})
			continue
		}
		tried, free, err := c.consider(rule, lead, at, besides)
		if err != nil {
			return d, err
		}
		if len(free) == 0 {
			tried.WhyNot = "nobody is free"
			d.Tried = append(d.Tried, tried)
			continue
		}
		chosen, why, err := c.pick(rule, free)
		if err != nil {
			return d, err
		}
		for n := range tried.Considered {
			if seen := &tried.Considered[n]; seen.WhyNot == "" && seen.User != chosen.number {
				seen.WhyNot = why.others
			}
		}
		d.Tried = append(d.Tried, tried)
		d.User, d.Rule = chosen.number, rule
		d.Reason = fmt.Sprintf("%s: %s, %s", rule.Name, chosen.name, why.chosen)
		return d, nil
	}
	d.Reason = "no rule found anybody"
	return d, nil
}

// consider looks at everybody whom a rule names and says why not.
func (c *chooser) consider(rule *AssignmentRule, lead *models.Record, at time.Time, besides uint64) (RuleTried, []person, error) {
	tried := RuleTried{Rule: rule.Name}
	var free []person
	for _, p := range c.people {
		if !rule.names(p) {
			continue
		}
		whyNot := "has it now"
		if p.number != besides {
			whyNot = rule.refuses(p, lead, models.DateOf(at, c.calendar.Zone))
		}
		if limit := rule.limit(p); whyNot == "" && limit >= 0 {
			open, err := c.load.open(p.number)
			if err != nil {
				return tried, nil, err
			}
			if open >= limit {
				whyNot = fmt.Sprintf("has %d open leads of at most %d", open, limit)
			}
		}
		tried.Considered = append(tried.Considered, Considered{User: p.number, ID: "user_" + fmt.Sprint(p.number), Name: p.name, WhyNot: whyNot})
		if whyNot == "" {
			free = append(free, p)
		}
	}
	return tried, free, nil
}

type because struct{ chosen, others string }

// pick chooses one of those who are free. Ties go to whoever came first into the workspace.
func (c *chooser) pick(rule *AssignmentRule, free []person) (person, because, error) {
	if rule.Method == "fixed" {
		return free[0], because{"who gets all of these", ""}, nil
	}
	best, bestOpen, bestLast := free[0], 0, time.Time{}
	for i, p := range free {
		open, last := 0, time.Time{}
		var err error
		if rule.Method == "least_loaded" {
			open, err = c.load.open(p.number)
		} else {
			last, err = c.load.last(p.number)
		}
		if err != nil {
			return best, because{}, err
		}
		if i == 0 || open < bestOpen || last.Before(bestLast) {
			best, bestOpen, bestLast = p, open, last
		}
	}
	if rule.Method == "least_loaded" {
		return best, because{fmt.Sprintf("with the fewest open leads (%d) of %d who were free", bestOpen, len(free)), "has more open leads"}, nil
	}
	return best, because{fmt.Sprintf("whose turn it was among %d who were free", len(free)), "got one later"}, nil
}

// assignNew assigns a lead that has just become active and has nobody. The whole decision is kept on the lead and in the log.
func (b *batch) assignNew(r *models.Record, changed []models.FieldChange) error {
	if r.Get("record_state") != "active" || r.Get("owner") != nil || !awaits(r) || !b.isFresh(r.HappenedAt) ||
		!moved(changed, "record_state") && !moved(changed, "status") {
		return nil
	}
	d, err := b.decide(r, 0)
	if err != nil {
		return err
	}
	return b.assign(r, d, "assignment")
}

// decide asks the active rules. They are held until the transaction ends, so that two leads at once do not meet the same turn.
func (b *batch) decide(r *models.Record, besides uint64) (Decision, error) {
	c, err := remembered(b, "chooser", func() (*chooser, error) {
		rules, err := b.activeRules()
		if err != nil {
			return nil, err
		}
		numbers := make([]uint64, len(rules))
		for i := range rules {
			numbers[i] = rules[i].Number
		}
		if _, err := b.store.Load(b.ctx, "assignment_rule", numbers, true); err != nil {
			return nil, err
		}
		people, err := b.people()
		return &chooser{rules: rules, people: people, calendar: b.options.Calendar, load: &liveLoad{b: b}, holds: b.holds}, err
	})
	if err != nil {
		return Decision{}, err
	}
	return c.choose(r, b.now, besides)
}

// assign writes a decision. Without rules nothing is written: leads then wait for people.
func (b *batch) assign(r *models.Record, d Decision, rule string) error {
	if len(d.Tried) == 0 {
		return nil
	}
	values := map[string]models.Value{"assignment_reason": cut(d.Reason), "assignment_explanation": d.explanation()}
	if d.User != 0 {
		values["owner"] = d.User
		hours, err := b.hours(d.Rule.Calendar)
		if err != nil {
			return err
		}
		values["response_due_at"] = nil
		if due, ok := hours.After(b.now, time.Duration(d.Rule.Minutes)*time.Minute); ok {
			values["response_due_at"] = due
		}
	}
	return b.amendBy(rule, r, b.now, values)
}

// cut bounds a sentence to what a text field holds.
func cut(text string) string {
	if runes := []rune(text); len(runes) > 900 {
		return strings.TrimSpace(string(runes[:900])) + "…"
	}
	return text
}

// liveLoad reads workloads as they stand in the batch's transaction.
type liveLoad struct{ b *batch }

// maxOpen is where counting open leads stops.
const maxOpen = 10_000

func (l *liveLoad) open(user uint64) (int, error) {
	return l.b.count(leadObject, l.b.openLeads(user), maxOpen)
}

func (l *liveLoad) last(user uint64) (time.Time, error) {
	where := predicate.And(predicate.Compare(l.b.field(leadObject, "owner"), predicate.Eq, user), predicate.Compare(l.b.field(leadObject, "assigned_at"), predicate.NotEmpty))
	latest, err := l.b.query(leadObject, where, "-assigned_at", 1)
	if err != nil || len(latest) == 0 {
		return time.Time{}, err
	}
	at, _ := latest[0].Get("assigned_at").(time.Time)
	return at, nil
}
