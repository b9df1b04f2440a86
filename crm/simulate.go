package crm

import (
	"context"
	"sort"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// Simulation says what a draft of the assignment rules would have done with the leads of the last days. Nothing is written.
type Simulation struct {
	From, To time.Time // half-open, by when the leads were recorded
	Leads    int       // active leads of the window
	Capped   bool      // there were more; these are the latest
	Same     int       // would have gone to the person who has them
	Nobody   int       // would have waited
	People   []SimulatedPerson
	Rows     []SimulatedLead // newest first, at most simulatedRows
}

// SimulatedPerson is one person's part. MostOpen is the most open leads at once under the draft.
type SimulatedPerson struct {
	User       uint64
	Name       string
	Would, Did int
	MostOpen   int
}

// SimulatedLead is one lead: who has it, who would have got it, and why.
type SimulatedLead struct {
	Lead     uint64
	Title    string
	At       time.Time
	Has      uint64 // 0: nobody
	Would    uint64 // 0: nobody
	Decision Decision
}

const (
	simulatedLeads = 20_000
	simulatedRows  = 200
)

// Simulate plays a draft of assignment rules over the leads recorded in the last days. Each draft is a rule's fields, as a record of
// assignment_rule would have them. People, their languages and their absence are as they are today; a lead counts as open until it was
// really rejected or converted, or to the end. Errors name the rule by its row, counted from 1.
func (e *Engine) Simulate(ctx context.Context, reader models.Reader, draft [][]models.Set, days int) (Simulation, error) {
	b := e.newBatch(ctx, models.System())
	if days < 1 || days > 365 {
		return Simulation{}, models.FieldError("days", "%d is not between 1 and 365", days)
	}
	rules, err := b.draftRules(draft)
	if err != nil {
		return Simulation{}, err
	}
	people, err := b.people()
	if err != nil {
		return Simulation{}, err
	}
	out := Simulation{From: b.now.AddDate(0, 0, -days), To: b.now}
	leads, err := e.simulatedLeads(ctx, reader, &out)
	if err != nil {
		return out, err
	}
	load := newPlayed()
	c := &chooser{rules: rules, people: people, calendar: e.options.Calendar, load: load, holds: b.holds}
	err = out.play(c, load, leads, people)
	return out, err
}

func (b *batch) draftRules(draft [][]models.Set) ([]AssignmentRule, error) {
	object := b.registry.Object("assignment_rule")
	var rules []AssignmentRule
	var wrong []models.Error
	for i, sets := range draft {
		values := make([]models.Value, len(object.Fields))
		apply(values, sets)
		if f := object.Field("active"); values[f.Index()] == false {
			continue
		}
		rule, err := readRule(b.registry, b.options.Calendar, &models.Record{Object: object, Values: values})
		for _, fault := range faults(err) {
			wrong = append(wrong, *fault.WithRow(int64(i + 1)))
		}
		rules = append(rules, rule)
	}
	sort.SliceStable(rules, func(i, j int) bool { return rules[i].Rank < rules[j].Rank })
	return rules, models.Gather(wrong)
}

// simulatedLeads reads the window's active leads in the order in which they came.
func (e *Engine) simulatedLeads(ctx context.Context, reader models.Reader, out *Simulation) ([]*models.Record, error) {
	node, err := predicate.Parse([]byte(`{"and":[{"field":"record_state","op":"eq","value":"active"},{"field":"created_at","op":"gte","value":"` + out.From.Format(models.InstantLayout) + `"}]}`))
	if err != nil {
		return nil, err
	}
	var leads []*models.Record
	for cursor := ""; ; {
		page, err := e.List(ctx, reader, Query{Object: leadObject, Where: node, Sort: "-created_at", Limit: MaxPage, Cursor: cursor})
		if err != nil {
			return nil, err
		}
		leads = append(leads, page.Records...)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
		if len(leads) >= simulatedLeads {
			out.Capped = true
			break
		}
	}
	sort.Slice(leads, func(i, j int) bool {
		if !leads[i].CreatedAt.Equal(leads[j].CreatedAt) {
			return leads[i].CreatedAt.Before(leads[j].CreatedAt)
		}
		return leads[i].Number < leads[j].Number
	})
	out.Leads = len(leads)
	return leads, nil
}

// play decides each lead at the instant at which it came.
func (out *Simulation) play(c *chooser, load *played, leads []*models.Record, people []person) error {
	parts := map[uint64]*SimulatedPerson{}
	part := func(user uint64) *SimulatedPerson {
		if parts[user] == nil {
			parts[user] = &SimulatedPerson{User: user}
		}
		return parts[user]
	}
	for _, lead := range leads {
		load.until(lead.CreatedAt)
		blank := *lead // as it came, before anybody had it
		d, err := c.choose(&blank, lead.CreatedAt, 0)
		if err != nil {
			return err
		}
		has := number(lead, "owner")
		switch d.User {
		case 0:
			out.Nobody++
		default:
			p := part(d.User)
			p.Would++
			if n := load.give(d.User, lead); n > p.MostOpen {
				p.MostOpen = n
			}
		}
		if has != 0 {
			part(has).Did++
		}
		if d.User == has && has != 0 {
			out.Same++
		}
		out.Rows = append(out.Rows, SimulatedLead{Lead: lead.Number, Title: text(lead, "title"), At: lead.CreatedAt, Has: has, Would: d.User, Decision: d})
		if len(out.Rows) > 2*simulatedRows {
			out.Rows = append(out.Rows[:0], out.Rows[len(out.Rows)-simulatedRows:]...)
		}
	}
	if len(out.Rows) > simulatedRows {
		out.Rows = out.Rows[len(out.Rows)-simulatedRows:]
	}
	for i, j := 0, len(out.Rows)-1; i < j; i, j = i+1, j-1 {
		out.Rows[i], out.Rows[j] = out.Rows[j], out.Rows[i]
	}
	for _, p := range people {
		if part := parts[p.number]; part != nil {
			part.Name = p.name
		}
	}
	for _, p := range parts {
		out.People = append(out.People, *p)
	}
	sort.Slice(out.People, func(i, j int) bool { return out.People[i].User < out.People[j].User })
	return nil
}

// played is the workload under a draft: leads are given at their instants and end when they really ended.
type played struct {
	openNow map[uint64]int
	lastAt  map[uint64]time.Time
	ends    []ending // of given leads, by instant
}

type ending struct {
	at   time.Time
	user uint64
}

func newPlayed() *played {
	return &played{openNow: map[uint64]int{}, lastAt: map[uint64]time.Time{}}
}

func (p *played) open(user uint64) (int, error)       { return p.openNow[user], nil }
func (p *played) last(user uint64) (time.Time, error) { return p.lastAt[user], nil }

// until ends what had really ended by an instant.
func (p *played) until(at time.Time) {
	kept := p.ends[:0]
	for _, e := range p.ends {
		if e.at.After(at) {
			kept = append(kept, e)
			continue
		}
		p.openNow[e.user]--
	}
	p.ends = kept
}

// give gives a person a lead and tells how many are open now.
func (p *played) give(user uint64, lead *models.Record) int {
	p.openNow[user]++
	p.lastAt[user] = lead.CreatedAt
	switch lead.Get("status") {
	case "rejected", "converted", "qualified":
		end, ok := lead.Get("converted_at").(time.Time)
		if !ok {
			end = lead.UpdatedAt
		}
		p.ends = append(p.ends, ending{end, user})
	}
	return p.openNow[user]
}
