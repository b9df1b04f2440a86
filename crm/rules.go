package crm

import (
	"fmt"
	"math"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"canopy/models"
)

// rules are what an object's description asks for beside its kinds, compiled once.
type rules struct {
	object    *models.Object
	defaults  map[int]models.Value
	following []following
	checks    []expression
	formulas  []expression
}

// following is a field that copies over a reference.
type following struct {
	field *models.Field
	link  *models.Field
	over  string
}

// expression is a compiled CEL expression of a field. Numbers without decimals are int, with decimals double (exact to
// 15 digits), money is {"amount": double, "currency": string}, dates and instants are timestamps, empty is null.
type expression struct {
	field   *models.Field
	program cel.Program
	reads   []*models.Field // the fields that it names
}

// celCost bounds what one expression may cost to evaluate (CEL's own units).
const celCost = 10_000

func compileRules(object *models.Object) (*rules, error) {
	r := &rules{object: object, defaults: map[int]models.Value{}}
	variables := make([]cel.EnvOption, 0, len(object.Fields))
	for _, f := range object.Fields {
		variables = append(variables, cel.Variable(f.Name, cel.DynType))
	}
	environment, err := cel.NewEnv(variables...)
	if err != nil {
		return nil, fmt.Errorf("prepare expressions of %s: %w", object.Name, err)
	}
	for _, f := range object.Fields {
		if f.Default != "" {
			v, err := f.ParseText(f.Default, models.TextContext{Currency: "USD"})
			if err != nil {
				return nil, models.FieldError(object.Name+"."+f.Name, "default: %v", err)
			}
			r.defaults[f.Index()] = v
		}
		if f.Follows != "" {
			link, over, _ := strings.Cut(f.Follows, ".")
			r.following = append(r.following, following{field: f, link: object.Field(link), over: over})
		}
		for _, source := range []struct {
			text string
			into *[]expression
		}{{f.Check, &r.checks}, {f.Formula, &r.formulas}} {
			if source.text == "" {
				continue
			}
			compiled, err := compile(environment, object, f, source.text)
			if err != nil {
				return nil, err
			}
			*source.into = append(*source.into, compiled)
		}
	}
	return r, nil
}

func compile(environment *cel.Env, object *models.Object, f *models.Field, text string) (expression, error) {
	tree, issues := environment.Compile(text)
	if issues.Err() != nil {
		return expression{}, models.FieldError(object.Name+"."+f.Name, "expression %q: %v", text, issues.Err())
	}
	program, err := environment.Program(tree, cel.CostLimit(celCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return expression{}, models.FieldError(object.Name+"."+f.Name, "expression %q: %v", text, err)
	}
	e := expression{field: f, program: program}
	for _, id := range tree.NativeRep().ReferenceMap() {
		if named := object.Field(id.Name); named != nil {
			e.reads = append(e.reads, named)
		}
	}
	return e, nil
}

// evaluate gives the expression's value; ok is false where a field that it reads is empty and the expression does not
// say what that means.
func (e *expression) evaluate(values []models.Value) (v any, ok bool, err error) {
	input := make(map[string]any, len(e.reads))
	empty := false
	for _, f := range e.reads {
		var value models.Value
		if f.Index() < len(values) {
			value = values[f.Index()]
		}
		empty = empty || value == nil
		input[f.Name] = celValue(f, value)
	}
	out, _, err := e.program.Eval(input)
	if err != nil {
		if empty {
			return nil, false, nil
		}
		return nil, false, err
	}
	return out.Value(), true, nil
}

func celValue(f *models.Field, v models.Value) any {
	switch x := v.(type) {
	case int64:
		if f.Scale > 0 {
			return float64(x) / math.Pow10(f.Scale)
		}
		return x
	case uint64:
		return int64(x) //nolint:gosec // numbers are under 2^63
	case models.Money:
		return map[string]any{"amount": float64(x.Minor) / math.Pow10(models.MinorDigits(x.Currency)), "currency": x.Currency}
	case models.Date:
		return x.Time(time.UTC)
	case models.Address:
		return map[string]any{"city": x.City, "region": x.Region, "postal_code": x.PostalCode, "country": x.Country}
	case models.File:
		return map[string]any{"name": x.Name, "media_type": x.MediaType, "size": x.Size}
	}
	return v
}

// verify runs the checks of fields that are filled and that this write touches, directly or through what they read.
func (r *rules) verify(previous, next []models.Value) []models.Error {
	var wrong []models.Error
	for i := range r.checks {
		e := &r.checks[i]
		if next[e.field.Index()] == nil || !touched(e, previous, next) {
			continue
		}
		v, ok, err := e.evaluate(next)
		if err == nil && (!ok || v == true) {
			continue
		}
		message := e.field.CheckHelp
		if message == "" {
			message = "must satisfy " + e.field.Check
		}
		if err != nil {
			message = fmt.Sprintf("its check cannot be evaluated: %v", err)
		}
		wrong = append(wrong, models.Error{Code: models.Invalid, Field: e.field.Name, Message: message})
	}
	return wrong
}

func touched(e *expression, previous, next []models.Value) bool {
	for _, f := range append([]*models.Field{e.field}, e.reads...) {
		if f.Index() >= len(previous) || !models.ValuesEqual(previous[f.Index()], next[f.Index()]) {
			return true
		}
	}
	return false
}

// compute fills formula fields, in field order, rounded half to even at the field's scale. A formula over an empty
// field is empty; one that fails or leaves the range is an error naming the field.
func (r *rules) compute(next []models.Value) error {
	for i := range r.formulas {
		e := &r.formulas[i]
		v, ok, err := e.evaluate(next)
		if err != nil {
			return models.FieldError(e.field.Name, "the formula cannot be evaluated: %v", err)
		}
		if !ok {
			next[e.field.Index()] = nil
			continue
		}
		var x float64
		switch n := v.(type) {
		case int64:
			x = float64(n)
		case uint64:
			x = float64(n)
		case float64:
			x = n
		default:
			return models.FieldError(e.field.Name, "the formula gives %T, not a number", v)
		}
		scaled := math.RoundToEven(x * math.Pow10(e.field.Scale))
		if !models.Finite(scaled) || math.Abs(scaled) >= 1e15 {
			return models.FieldError(e.field.Name, "the formula's result is out of range")
		}
		next[e.field.Index()] = int64(scaled)
	}
	return nil
}
