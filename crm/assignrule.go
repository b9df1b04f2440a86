package crm

import (
	"fmt"
	"slices"
	"strings"

	"canopy/models"
	"canopy/models/predicate"
)

// AssignmentRule is a rule ready to be asked: its record's settings, read and checked.
type AssignmentRule struct {
	Number      uint64
	Name        string
	Rank        int64
	Method      string // round_robin, least_loaded, fixed
	Person      uint64 // of fixed
	Team        uint64 // 0: everybody who takes leads
	ByTerritory bool
	ByLanguage  bool
	ByExpertise bool
	MaxOpen     int64 // 0: no limit of the rule's own
	Calendar    uint64
	Minutes     int64

	leads matcher
}

// person is somebody who may get leads.
type person struct {
	number    uint64
	name      string
	team      uint64
	territory string
	languages []string
	expertise []string // in small letters
	capacity  int64    // -1: none stated
	awayFrom  models.Value
	awayUntil models.Value
	takes     bool
}

// readRule reads a rule's record, saved or not. Errors name the record's fields.
func readRule(registry *models.Registry, calendar models.Calendar, r *models.Record) (AssignmentRule, error) {
	rule := AssignmentRule{
		Number: r.Number, Name: text(r, "name"), Method: text(r, "method"), Person: number(r, "person"), Team: number(r, "candidates"), Calendar: number(r, "calendar"),
		ByTerritory: r.Get("by_territory") == true, ByLanguage: r.Get("by_language") == true, ByExpertise: r.Get("by_expertise") == true,
	}
	rule.Rank, _ = r.Get("rank").(int64)
	rule.MaxOpen, _ = r.Get("max_open").(int64)
	rule.Minutes, _ = r.Get("response_minutes").(int64)
	if rule.Minutes == 0 {
		rule.Minutes = responseMinutes
	}
	if rule.Method == "" {
		rule.Method = "round_robin"
	}
	var wrong []models.Error
	var problem *models.Error
	if rule.leads, problem = readMatcher(registry, registry.Object(leadObject), calendar, "conditions", text(r, "conditions")); problem != nil {
		wrong = append(wrong, *problem)
	}
	if rule.Method == "fixed" && rule.Person == 0 {
		wrong = append(wrong, *models.FieldError("person", "a rule for always the same person names that person").WithRemedy("Choose a person, or another way of choosing."))
	}
	return rule, models.Gather(wrong)
}

func checkAssignmentRule(b *batch, w *writing) ([]models.Error, error) {
	_, err := readRule(b.registry, b.options.Calendar, &models.Record{Object: w.object, Number: w.number, Values: w.next})
	return faults(err), nil
}

// activeRules gives the active rules in the order in which they are asked.
func (b *batch) activeRules() ([]AssignmentRule, error) {
	records, err := b.query("assignment_rule", predicate.Compare(b.field("assignment_rule", "active"), predicate.Eq, true), "rank", maxRules)
	if err != nil {
		return nil, err
	}
	rules := make([]AssignmentRule, 0, len(records))
	for _, r := range records {
		if rule, err := readRule(b.registry, b.options.Calendar, r); err == nil { // refused when it was written; a field may have gone since
			rules = append(rules, rule)
		}
	}
	return rules, nil
}

// maxPeople bounds how many people a workspace's rules choose among.
const maxPeople = 2000

// people gives everybody who may sign in, in the order in which they came.
func (b *batch) people() ([]person, error) {
	records, err := b.query("user", predicate.Compare(b.field("user", "active"), predicate.Eq, true), "", maxPeople)
	if err != nil {
		return nil, err
	}
	list := make([]person, 0, len(records))
	for _, r := range records {
		p := person{
			number: r.Number, name: text(r, "name"), team: number(r, "team"), territory: text(r, "territory"), capacity: -1,
			awayFrom: r.Get("away_from"), awayUntil: r.Get("away_until"), takes: r.Get("takes_leads") == true,
		}
		p.languages, _ = r.Get("languages").([]string)
		for _, word := range strings.Split(text(r, "expertise"), ",") {
			if word = strings.ToLower(strings.TrimSpace(word)); word != "" {
				p.expertise = append(p.expertise, word)
			}
		}
		if n, ok := r.Get("capacity").(int64); ok {
			p.capacity = n
		}
		list = append(list, p)
	}
	return list, nil
}

// names tells whether a rule is about a person at all.
func (rule *AssignmentRule) names(p person) bool {
	if rule.Method == "fixed" {
		return p.number == rule.Person
	}
	return p.takes && (rule.Team == 0 || p.team == rule.Team)
}

// limit is how many open leads a person may have under a rule; -1 for no limit.
func (rule *AssignmentRule) limit(p person) int {
	limit := p.capacity
	if rule.MaxOpen > 0 && (limit < 0 || rule.MaxOpen < limit) {
		limit = rule.MaxOpen
	}
	return int(limit)
}

// refuses says in words why a person does not fit a lead; blank where nothing speaks against it.
func (rule *AssignmentRule) refuses(p person, lead *models.Record, today models.Date) string {
	if p.away(today) {
		if until, ok := p.awayUntil.(models.Date); ok {
			return fmt.Sprintf("is away until %s", until)
		}
		return "is away"
	}
	if territory := text(lead, "territory"); rule.ByTerritory && p.territory != territory {
		if territory == "" {
			return "the lead has no territory"
		}
		return "works in another territory than " + territory
	}
	if language := text(lead, "language"); rule.ByLanguage && language != "" && !slices.Contains(p.languages, language) {
		return "does not speak " + language
	}
	if interest := strings.ToLower(text(lead, "interest")); rule.ByExpertise && interest != "" && !slices.ContainsFunc(p.expertise, func(word string) bool { return strings.Contains(interest, word) }) {
		return "has other expertise"
	}
	return ""
}

// away tells whether a person takes no leads on a day: from the first to the last day away, either may be open.
func (p person) away(today models.Date) bool {
	from, hasFrom := p.awayFrom.(models.Date)
	until, hasUntil := p.awayUntil.(models.Date)
	if !hasFrom && !hasUntil {
		return false
	}
	return (!hasFrom || from <= today) && (!hasUntil || today <= until)
}
