package crm

import (
	"encoding/json"
	"fmt"
	"strings"

	"canopy/models"
	"canopy/models/predicate"
)

// criterion is one thing that a stage asks of a deal: one part of its entry or exit predicate.
type criterion struct {
	where *predicate.Bound
	field string // the field that it looks at first; blank where it looks at none
	text  string // in words: "Amount is at least 1,000 USD"
	help  string // what the stage says about it; may be blank
}

// stageRules are what one stage asks for, ready to be asked.
type stageRules struct {
	number   uint64
	pipeline uint64
	rank     int64
	name     string
	status   string
	ageLimit int  // in days; 0 where it has none
	editors  bool // editors may pass over it
	entry    []criterion
	exit     []criterion
	required []*models.Field
	broken   error // what it asks for no longer exists: nobody gets past by that
}

// readStage reads a stage's criteria against the deal. It is strict: all that is wrong is told with its field.
func readStage(registry *models.Registry, calendar models.Calendar, values func(name string) models.Value) (*stageRules, []models.Error) {
	deal := registry.Object(dealObject)
	text := func(name string) string { s, _ := values(name).(string); return s }
	s := &stageRules{name: text("name"), status: text("status"), editors: text("override_role") == string(models.Editor)}
	s.pipeline, _ = values("pipeline").(uint64)
	s.rank, _ = values("rank").(int64)
	if days, ok := values("age_limit_days").(int64); ok {
		s.ageLimit = int(days)
	}
	var wrong []models.Error
	for _, part := range []struct {
		field, help string
		into        *[]criterion
	}{{"entry_criteria", "entry_help", &s.entry}, {"exit_criteria", "exit_help", &s.exit}} {
		var problem *models.Error
		if *part.into, problem = readCriteria(registry, deal, calendar, text(part.field), text(part.help)); problem != nil {
			problem.Field = part.field + problem.Field
			wrong = append(wrong, *problem)
		}
	}
	var problem *models.Error
	if s.required, problem = readRequired(deal, text("required_fields")); problem != nil {
		wrong = append(wrong, *problem)
	}
	return s, wrong
}

// readCriteria splits a predicate into what must hold each: the parts of an outermost "and". An error's Field is blank or the place in it.
func readCriteria(registry *models.Registry, deal *models.Object, calendar models.Calendar, text, help string) ([]criterion, *models.Error) {
	node, err := predicate.Parse([]byte(text))
	if err != nil {
		return nil, criteriaError(err)
	}
	var list []criterion
	for _, part := range partsOf(node) {
		bound, err := part.Bind(registry, deal, calendar)
		if err != nil {
			return nil, criteriaError(err)
		}
		list = append(list, criterion{where: bound, field: firstField(part), text: sayNode(registry, deal, part), help: help})
	}
	return list, nil
}

func criteriaError(err error) *models.Error {
	said, ok := err.(*models.Error) //nolint:errorlint // predicate returns its errors unwrapped
	if !ok {
		return models.FieldError("", "%v", err)
	}
	e := *said
	e.Code = models.Invalid
	if e.Field != "" {
		e.Message, e.Field = e.Field+": "+e.Message, ""
	}
	if e.Remedy == "" {
		e.Remedy = `Write a predicate over the deal, as in {"field":"amount","op":"not_empty"}.`
	}
	return &e
}

func partsOf(node *predicate.Node) []*predicate.Node {
	if node == nil {
		return nil
	}
	if node.And == nil {
		return []*predicate.Node{node}
	}
	var list []*predicate.Node
	for _, part := range node.And {
		list = append(list, partsOf(part)...)
	}
	return list
}

func firstField(node *predicate.Node) string {
	switch {
	case node == nil:
		return ""
	case node.Not != nil:
		return firstField(node.Not)
	case node.Field != "":
		return node.Field
	}
	for _, part := range append(append([]*predicate.Node{}, node.And...), node.Or...) {
		if name := firstField(part); name != "" {
			return name
		}
	}
	return ""
}

// readRequired reads a JSON list of the deal's fields; names that are none, or that rules alone write, are told.
func readRequired(deal *models.Object, text string) ([]*models.Field, *models.Error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, models.FieldError("required_fields", "not a JSON list of field names").WithRemedy(`Write it as ["amount","expected_close_on"].`)
	}
	var list []*models.Field
	for _, name := range names {
		f := deal.Field(name)
		switch {
		case f == nil:
			return nil, models.FieldError("required_fields", "a deal has no field %q", name).WithRemedy("GET /api/v1/objects lists the fields.")
		case f.ReadOnly:
			return nil, models.FieldError("required_fields", "%s is written by rules only, nobody can fill it in", name).WithRemedy("Leave it out.")
		}
		list = append(list, f)
	}
	return list, nil
}

// operatorWords say an operator between a field's label and its value.
var operatorWords = map[predicate.Op]string{
	predicate.Eq: "is", predicate.Ne: "is not", predicate.Lt: "is below", predicate.Lte: "is at most", predicate.Gt: "is above", predicate.Gte: "is at least",
	predicate.In: "is one of", predicate.NotIn: "is none of", predicate.IsEmpty: "is empty", predicate.NotEmpty: "is filled", predicate.Contains: "contains",
	predicate.StartsWith: "starts with", predicate.Has: "has", predicate.HasAny: "has one of", predicate.On: "is on", predicate.InWeek: "is in the week of",
}

// sayNode writes a predicate for people: "Budget is Yes or Amount is at least 1000 USD".
func sayNode(registry *models.Registry, object *models.Object, node *predicate.Node) string {
	switch {
	case node == nil:
		return "anything"
	case node.And != nil:
		return sayList(registry, object, node.And, " and ")
	case node.Or != nil:
		return sayList(registry, object, node.Or, " or ")
	case node.Not != nil:
		return "not (" + sayNode(registry, object, node.Not) + ")"
	}
	label, field := node.Field, object.Field(node.Field)
	if field != nil {
		label = field.Label
	}
	if node.Op == predicate.Related && field != nil {
		if node.Where == nil {
			return label + " is there"
		}
		return label + " with " + sayNode(registry, registry.Object(field.To), node.Where)
	}
	words := label + " " + operatorWords[node.Op]
	if len(node.Value) > 0 {
		words += " " + sayValue(field, node.Value)
	}
	return words
}

func sayList(registry *models.Registry, object *models.Object, nodes []*predicate.Node, between string) string {
	texts := make([]string, len(nodes))
	for i, node := range nodes {
		texts[i] = sayNode(registry, object, node)
	}
	return strings.Join(texts, between)
}

func sayValue(field *models.Field, raw json.RawMessage) string {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return string(raw)
	}
	return sayAny(field, value)
}

func sayAny(field *models.Field, value any) string {
	switch v := value.(type) {
	case []any:
		texts := make([]string, len(v))
		for i, each := range v {
			texts[i] = sayAny(field, each)
		}
		return strings.Join(texts, ", ")
	case map[string]any:
		return fmt.Sprintf("%v %v", v["amount"], v["currency"])
	case string:
		if field != nil {
			for _, option := range field.Options {
				if option.Value == v {
					return option.Label
				}
			}
		}
		return v
	}
	return fmt.Sprint(value)
}
