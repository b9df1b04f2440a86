package importer

import (
	"strings"

	"canopy/models"
)

// fields compiles the expressions of an object's fields, in the order of the object, and notes which are mapped.
func (c *compiler) fields(place string, o *models.Object, given map[string]Expression, mapped map[string]bool) []fieldPlan {
	var plans []fieldPlan
	for _, name := range sortedKeys(given) {
		if c.field(place+"."+name, o, name) != nil {
			mapped[name] = true
		}
	}
	for _, f := range o.Fields {
		said, ok := given[f.Name]
		if !ok {
			continue
		}
		if f.ReadOnly {
			c.refuse(place+"."+f.Name, "%s is written by rules only", f.Name)
			c.remedy("Leave it out; it follows from what happens to the record.")
			continue
		}
		plans = append(plans, fieldPlan{f, c.expression(place+"."+f.Name, o, f, &said)})
	}
	return plans
}

func (c *compiler) expression(place string, o *models.Object, f *models.Field, said *Expression) *expression {
	e := &expression{field: f, column: -1, values: said.Values, otherwise: said.Default, context: c.p.context}
	sources := 0
	if said.From != "" {
		sources++
		if e.column, e.source = c.column(place+".from", said.From), said.From; e.column >= 0 {
			e.typed = c.typed(e.column)
		}
	}
	if said.Value != nil {
		sources++
		e.constant, e.source = *said.Value, f.Name
	}
	if said.Template != "" {
		sources++
		c.template(place+".template", e, said.Template)
	}
	if said.Over != "" {
		sources++
		c.over(place+".over", o, e, said.Over)
	}
	if sources != 1 {
		c.refuse(place, "a value comes from one of: from (a column), value (a constant), template, over (another record)")
	}
	e.form = c.dates(place+".format", said.Format)
	var err error
	if e.numbers, err = parseNumberForm(c.m.Decimal, said.Times); err != nil {
		c.refuse(place+".times", "%v", err)
	}
	if said.Currency != "" {
		c.checkCurrency(place+".currency", said.Currency)
		e.context.Currency = said.Currency
	}
	if said.Currency != "" && f.Kind != models.MoneyKind {
		c.refuse(place+".currency", "%s is not money", f.Name)
	}
	if said.Times != "" && f.Kind != models.MoneyKind && f.Kind != models.Number {
		c.refuse(place+".times", "%s is not a number", f.Name)
	}
	c.lookup(place, e, said.Lookup)
	c.tryConstants(place, e, said)
	return e
}

func (c *compiler) template(place string, e *expression, text string) {
	t, err := parseTemplate(text, func(name string) (int, error) { return c.column(place, name), nil })
	if err != nil {
		c.refuse(place, "%v", err)
	}
	for _, s := range t {
		if s.column == -1 && s.text == "" {
			return // a column that is not there: column has complained
		}
	}
	e.template, e.source = t, text
}

func (c *compiler) over(place string, o *models.Object, e *expression, text string) {
	link, name, found := strings.Cut(text, ".")
	e.source = text
	if !found {
		c.refuse(place, "%q is not reference.field, such as product.list_price", text)
		return
	}
	over := c.field(place, o, link)
	if over == nil {
		return
	}
	if over.Kind != models.Reference {
		c.refuse(place, "%s is no reference", link)
		return
	}
	read := c.field(place, c.p.registry.Object(over.To), name)
	if read == nil {
		return
	}
	if read.Kind != e.field.Kind || read.Kind == models.Reference && read.To != e.field.To {
		c.refuse(place, "%s is a %s, %s is a %s", text, read.Kind, e.field.Name, e.field.Kind)
	}
	e.over = &overPlan{over, read}
	c.links[place] = link
}

func (c *compiler) lookup(place string, e *expression, said *Lookup) {
	f := e.field
	if said == nil {
		if f.Kind == models.Reference && e.over == nil && len(c.wrong) == 0 {
			c.refuse(place, "%s refers to a %s: say how it is found (lookup: {by: name})", f.Name, f.To)
		}
		return
	}
	if f.Kind != models.Reference {
		c.refuse(place+".lookup", "%s is no reference", f.Name)
		return
	}
	to := c.p.registry.Object(f.To)
	by := c.field(place+".lookup.by", to, said.By)
	if by == nil {
		return
	}
	if !textKey(by) || !by.Unique && !by.Indexed {
		c.refuse(place+".lookup.by", "records of %s are not found by %s; choose a unique or indexed text field", to.Name, by.Name)
		return
	}
	l := &lookup{object: to, by: by, missing: said.Missing}
	switch said.Missing {
	case "":
		l.missing = "refuse"
	case "refuse", "empty", "create":
	case "later":
		c.p.later = true
	default:
		c.refuse(place+".lookup.missing", "%q is none of refuse, empty, create, later", said.Missing)
	}
	if len(said.With) > 0 && l.missing != "create" {
		c.refuse(place+".lookup.with", "fields of a new record need missing: create")
	}
	for _, name := range sortedKeys(said.With) {
		if with := c.field(place+".lookup.with", to, name); with != nil {
			v, err := with.ParseText(said.With[name], c.p.context)
			if err != nil {
				c.refuse(place+".lookup.with."+name, "%v", err)
				continue
			}
			l.with = append(l.with, models.Set{Field: with, Value: v})
		}
	}
	c.p.asked[spaceOf(l)] = true
	if l.missing == "create" {
		c.p.recurs[to.Name] = true
	}
	e.lookup = l
}

// tryConstants reads what the mapping itself says, so that a wrong constant is found before any row.
func (c *compiler) tryConstants(place string, e *expression, said *Expression) {
	if e.lookup != nil || e.over != nil || e.field.Kind == models.Reference {
		return
	}
	texts := map[string]string{}
	if said.Value != nil {
		texts[place+".value"] = *said.Value
	}
	if said.Default != "" {
		texts[place+".default"] = said.Default
	}
	for from, to := range said.Values {
		texts[place+".values."+from] = to
	}
	for _, at := range sortedKeys(texts) {
		if _, err := e.parse(texts[at]); err != nil {
			c.refuse(at, "%s", err.Message)
		}
	}
}
