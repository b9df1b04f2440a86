package crm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"canopy/models"
	"canopy/models/predicate"
)

// Condition is one fact that must be true to enter a stage of the lifecycle.
type Condition struct {
	Fact  string `json:"fact"`
	Op    string `json:"op"` // gte, lte, eq
	Value int64  `json:"value"`
}

// LifecycleStage is one stage: what it means, who answers for the meaning, and what must be true to enter it.
type LifecycleStage struct {
	Object     string      `json:"object"`
	Stage      string      `json:"stage"`
	Rank       int64       `json:"rank"` // stages are asked from the highest down; the first that fits is the stage
	Definition string      `json:"definition"`
	Owner      string      `json:"owner"`
	Conditions []Condition `json:"conditions"`
	InWords    string      `json:"in_words"` // the conditions as a sentence
	Standard   bool        `json:"standard"` // ships with Canopy; false where the workspace has written it
}

// factWords say each fact in words; together they are all facts that a condition can name.
var factWords = map[string]string{
	"reachable":            "has an e-mail address or a telephone number",
	"leads":                "leads that came from it",
	"mql_leads":            "leads that marketing has qualified",
	"accepted_leads":       "leads that sales has accepted",
	"open_deals":           "open deals",
	"won_deals":            "won deals",
	"days_since_won":       "days since the last won deal",
	"active_subscriptions": "running subscriptions",
	"was_churned":          "had churned before",
	"advocate":             "recommends us to others",
}

// yesNo are the facts that are true (1) or not (0).
var yesNo = map[string]bool{"reachable": true, "was_churned": true, "advocate": true}

// standardLifecycle are the stages that ship with Canopy. A workspace that writes lifecycle_rule records of an object uses those
// instead, all of them.
func standardLifecycle() []LifecycleStage {
	at := func(fact string, n int64) Condition { return Condition{fact, "gte", n} }
	is := func(fact string, n int64) Condition { return Condition{fact, "eq", n} }
	list := []LifecycleStage{
		{Stage: "churned", Rank: 110, Owner: "Success", Definition: "Bought before, and has not for eighteen months; nothing runs and nothing is being sold.", Conditions: []Condition{at("won_deals", 1), at("days_since_won", 540), is("active_subscriptions", 0), is("open_deals", 0)}},
		{Stage: "lapsing", Rank: 100, Owner: "Success", Definition: "Bought before, and has not for a year; nothing runs.", Conditions: []Condition{at("won_deals", 1), at("days_since_won", 365), is("active_subscriptions", 0)}},
		{Stage: "advocate", Rank: 90, Owner: "Success", Definition: "A customer who recommends us to others of their own accord.", Conditions: []Condition{at("won_deals", 1), is("advocate", 1)}},
		{Stage: "reactivated", Rank: 80, Owner: "Sales", Definition: "Had churned, and has bought again.", Conditions: []Condition{at("won_deals", 1), is("was_churned", 1)}},
		{Stage: "repeat", Rank: 70, Owner: "Sales", Definition: "Has bought at least twice.", Conditions: []Condition{at("won_deals", 2)}},
		{Stage: "customer", Rank: 60, Owner: "Sales", Definition: "Has bought once.", Conditions: []Condition{at("won_deals", 1)}},
		{Stage: "sql", Rank: 50, Owner: "Sales", Definition: "Sales has opened a deal.", Conditions: []Condition{at("open_deals", 1)}},
		{Stage: "sal", Rank: 40, Owner: "Sales", Definition: "Sales has accepted the lead and works on it.", Conditions: []Condition{at("accepted_leads", 1)}},
		{Stage: "mql", Rank: 30, Owner: "Marketing", Definition: "Marketing has found the lead good enough for sales.", Conditions: []Condition{at("mql_leads", 1)}},
		{Stage: "lead", Rank: 20, Owner: "Marketing", Definition: "Has asked for something.", Conditions: []Condition{at("leads", 1)}},
		{Stage: "subscriber", Rank: 10, Owner: "Marketing", Definition: "Somebody whom we can reach and who has asked for nothing yet.", Conditions: []Condition{is("reachable", 1)}},
	}
	var all []LifecycleStage
	for _, object := range []string{"account", "contact"} {
		for _, s := range list {
			if object == "account" && (s.Stage == "mql" || s.Stage == "subscriber") {
				continue // an account is not reached; its people are
			}
			s.Object, s.Standard, s.InWords = object, true, conditionsInWords(s.Conditions)
			all = append(all, s)
		}
	}
	return all
}

// conditionsInWords says conditions as a sentence.
func conditionsInWords(conditions []Condition) string {
	parts := make([]string, len(conditions))
	for i, c := range conditions {
		words := factWords[c.Fact]
		switch {
		case yesNo[c.Fact] && (c.Op == "eq" || c.Op == "gte") && c.Value == 1:
			parts[i] = words
		case yesNo[c.Fact]:
			parts[i] = "not: " + words
		case c.Op == "eq" && c.Value == 0:
			parts[i] = "no " + words
		default:
			parts[i] = fmt.Sprintf("%s %d %s", map[string]string{"gte": "at least", "lte": "at most", "eq": "exactly"}[c.Op], c.Value, words)
		}
	}
	return strings.Join(parts, "; ")
}

// readLifecycleStage reads a lifecycle_rule record.
func readLifecycleStage(r *models.Record) (LifecycleStage, *models.Error) {
	s := LifecycleStage{Object: text(r, "object"), Stage: text(r, "stage"), Definition: text(r, "definition"), Owner: text(r, "owner_name")}
	s.Rank, _ = r.Get("rank").(int64)
	decoder := json.NewDecoder(bytes.NewReader([]byte(text(r, "conditions"))))
	decoder.DisallowUnknownFields()
	form := `Write [{"fact":"won_deals","op":"gte","value":1}].`
	if err := decoder.Decode(&s.Conditions); err != nil || len(s.Conditions) == 0 {
		return s, models.FieldError("conditions", "this is no list of facts in JSON").WithRemedy(form)
	}
	for _, c := range s.Conditions {
		if factWords[c.Fact] == "" {
			known := make([]string, 0, len(factWords))
			for name := range factWords {
				known = append(known, name)
			}
			slices.Sort(known)
			return s, models.FieldError("conditions", "%q is no fact", c.Fact).WithRemedy("Facts are " + strings.Join(known, ", ") + ".")
		}
		if c.Op != "gte" && c.Op != "lte" && c.Op != "eq" {
			return s, models.FieldError("conditions", "%q is none of gte, lte, eq", c.Op).WithRemedy(form)
		}
	}
	s.InWords = conditionsInWords(s.Conditions)
	return s, nil
}

func checkLifecycleRule(_ *batch, w *writing) ([]models.Error, error) {
	_, problem := readLifecycleStage(&models.Record{Object: w.object, Values: w.next})
	return listed(problem), nil
}

// lifecycleStages gives the stages in use, by object, from the highest rank down.
func (b *batch) lifecycleStages() (map[string][]LifecycleStage, error) {
	return remembered(b, "lifecycle", func() (map[string][]LifecycleStage, error) {
		records, err := b.query("lifecycle_rule", predicate.Compare(b.field("lifecycle_rule", "active"), predicate.Eq, true), "-rank", maxRules)
		if err != nil {
			return nil, err
		}
		own, stages := map[string]bool{}, map[string][]LifecycleStage{}
		for _, r := range records {
			if s, problem := readLifecycleStage(r); problem == nil {
				stages[s.Object] = append(stages[s.Object], s)
				own[s.Object] = true
			}
		}
		for _, s := range standardLifecycle() {
			if !own[s.Object] {
				stages[s.Object] = append(stages[s.Object], s)
			}
		}
		return stages, nil
	})
}
