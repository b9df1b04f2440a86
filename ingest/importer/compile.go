package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"canopy/models"
)

// Workspace is what a mapping falls back on where it says nothing.
type Workspace struct {
	Zone     *time.Location
	Currency string
}

// plan is a mapping made ready for one file: columns are places, texts are parsed.
type plan struct {
	registry *models.Registry
	context  models.TextContext
	columns  []Column // in the order of the file
	blank    map[string]bool
	names    []string
	ensure   []ensured
	records  []recordPlan
	notes    []notePlan
	once     []oncePlan
	checks   []checkPlan
	later    bool               // some reference may stand further down in the file
	asked    map[nameSpace]bool // names that more than one row may ask for
	recurs   map[string]bool    // objects whose records more than one row may write
	past     bool               // the file tells a past: stages are passed over
}

type ensured struct {
	object  *models.Object
	key     *models.Field
	records []ensuredRecord
}

type ensuredRecord struct {
	key  string
	sets []planned // lookups are by the referred object's own key
}

type recordPlan struct {
	object  *models.Object
	key     *expression // nil: each row makes a record
	allow   bool        // the same key may come again
	present bool        // a row whose key no live record has is refused
	when    []condition
	fields  []fieldPlan
	steps   []stepPlan
	history bool
}

type fieldPlan struct {
	field *models.Field
	expr  *expression
}

type stepPlan struct {
	name   string // of the column with the instant
	column int
	typed  bool
	form   dateForm
	when   []condition
	refuse bool // an empty instant refuses the row
	fields []fieldPlan
}

type notePlan struct {
	text string
	when []condition
}

type condition struct {
	column int
	accept func(cell string) bool
}

// lookup finds records of one object by one field.
type lookup struct {
	object  *models.Object
	by      *models.Field
	missing string
	with    []models.Set
}

// expression gives one field's value from a row.
type expression struct {
	field     *models.Field
	source    string // what the value comes from, as a person would say it: a column, mostly
	column    int    // -1: none
	typed     bool   // the column is in Canopy's own notation
	constant  string
	template  template
	over      *overPlan
	values    map[string]string
	otherwise string
	form      dateForm
	numbers   numberForm
	context   models.TextContext
	lookup    *lookup
}

// overPlan reads a field of the record that another field refers to.
type overPlan struct {
	link *models.Field
	read *models.Field
}

// compiler gathers what is wrong with a mapping, so that a person sees all of it at once.
type compiler struct {
	m     *Mapping
	p     *plan
	typed func(int) bool
	wrong []models.Error
	links map[string]string // place of an over: → the field of the same record that it goes over
}

func (c *compiler) refuse(place, format string, args ...any) {
	c.wrong = append(c.wrong, models.Error{Code: models.Invalid, Field: place, Message: fmt.Sprintf(format, args...)})
}

// remedy says what can be done about what was refused last.
func (c *compiler) remedy(text string) { c.wrong[len(c.wrong)-1].Remedy = text }

// compile checks a mapping against a file's header and the registry. Errors name the place in the mapping and the nearest right name.
func compile(m *Mapping, header []string, typed func(int) bool, registry *models.Registry, w Workspace) (*plan, error) {
	c := &compiler{m: m, typed: typed, links: map[string]string{}, p: &plan{registry: registry, names: header, blank: map[string]bool{}, asked: map[nameSpace]bool{}, recurs: map[string]bool{}, columns: make([]Column, len(header))}}
	c.p.past = m.Historical
	c.p.context = models.TextContext{Zone: w.Zone, Currency: w.Currency, Country: m.Country}
	if m.Zone != "" {
		zone, err := time.LoadLocation(m.Zone)
		if err != nil {
			c.refuse("zone", "%q is no time zone; name one such as Europe/Berlin", m.Zone)
		} else {
			c.p.context.Zone = zone
		}
	}
	if c.p.context.Zone == nil {
		c.p.context.Zone = time.UTC
	}
	if m.Currency != "" {
		c.p.context.Currency = m.Currency
		c.checkCurrency("currency", m.Currency)
	}
	for _, b := range m.Blank {
		c.p.blank[b] = true
	}
	for name, column := range m.Columns {
		if i := c.column("columns", name); i >= 0 {
			c.p.columns[i] = column
		}
	}
	for i := range m.Ensure {
		c.ensure(fmt.Sprintf("ensure[%d]", i+1), &m.Ensure[i])
	}
	if len(m.Records) == 0 {
		c.refuse("records", "the mapping makes no records")
	}
	for i := range m.Records {
		c.record(fmt.Sprintf("records[%d]", i+1), &m.Records[i])
	}
	for i, n := range m.Notes {
		place := fmt.Sprintf("notes[%d]", i+1)
		if n.Text == "" {
			c.refuse(place, "a note has a text")
		}
		c.p.notes = append(c.p.notes, notePlan{n.Text, c.conditions(place, n.When)})
	}
	c.checks()
	return c.p, models.Gather(c.wrong)
}

func (c *compiler) checkCurrency(place, currency string) {
	if !models.IsCurrency(currency) {
		c.refuse(place, "%q is no ISO 4217 currency", currency)
	}
}

// column finds a column's place; -1 and a complaint where there is none or two.
func (c *compiler) column(place, name string) int {
	found := -1
	for i, n := range c.p.names {
		if n != name {
			continue
		}
		if found >= 0 {
			c.refuse(place, "the file has two columns %q", name)
			c.remedy("Give one of them another name.")
			return -1
		}
		found = i
	}
	if found < 0 {
		c.refuse(place, "the file has no column %q; %s", name, didYouMean(name, c.p.names))
		c.remedy("Correct the mapping, or add the column to the file.")
	}
	return found
}

func (c *compiler) object(place, name string) *models.Object {
	o := c.p.registry.Object(name)
	if o == nil {
		var names []string
		for _, o := range c.p.registry.Objects() {
			names = append(names, o.Name)
		}
		c.refuse(place+".object", "there is no object %q; %s", name, didYouMean(name, names))
	}
	return o
}

func (c *compiler) field(place string, o *models.Object, name string) *models.Field {
	f := o.Field(name)
	if f == nil {
		c.refuse(place, "%s has no field %q; %s", o.Name, name, didYouMean(name, fieldNames(o)))
	}
	return f
}

func fieldNames(o *models.Object) []string {
	names := make([]string, len(o.Fields))
	for i, f := range o.Fields {
		names[i] = f.Name
	}
	return names
}

// textKey tells whether records can be found by the field's text.
func textKey(f *models.Field) bool {
	switch f.Kind {
	case models.Text, models.Email, models.Phone, models.URL, models.Picklist, models.Country:
		return true
	}
	return false
}

// keyOf finds a key field: unique, and found by its text.
func (c *compiler) keyOf(place string, o *models.Object, name string) *models.Field {
	f := c.field(place+".key", o, name)
	if f == nil {
		return nil
	}
	if !f.Unique || !textKey(f) {
		var keys []string
		for _, f := range o.Fields {
			if f.Unique && textKey(f) {
				keys = append(keys, f.Name)
			}
		}
		c.refuse(place+".key", "%s.%s is no key; keys of a %s: %s", o.Name, name, o.Name, strings.Join(keys, ", "))
		return nil
	}
	return f
}

// naturalKey is the field by which people name records of an object: its first unique text field.
func naturalKey(o *models.Object) *models.Field {
	for _, f := range o.Fields {
		if f.Unique && f.Kind == models.Text {
			return f
		}
	}
	return nil
}

func (c *compiler) ensure(place string, e *Ensure) {
	o := c.object(place, e.Object)
	if o == nil {
		return
	}
	key := c.keyOf(place, o, e.Key)
	if key == nil {
		return
	}
	list := ensured{object: o, key: key}
	for i, values := range e.Records {
		at := fmt.Sprintf("%s.records[%d]", place, i+1)
		var r ensuredRecord
		for _, name := range sortedKeys(values) {
			f := c.field(at, o, name)
			if f == nil {
				continue
			}
			value := c.constant(at+"."+name, f, values[name])
			if value == nil {
				continue
			}
			if f == key {
				r.key, _ = value.value.(string)
			}
			r.sets = append(r.sets, *value)
		}
		if r.key == "" {
			c.refuse(at, "the key %q is missing", key.Name)
		}
		list.records = append(list.records, r)
	}
	c.p.ensure = append(c.p.ensure, list)
}

// constant reads a constant; a reference names the referred record by its natural key.
func (c *compiler) constant(place string, f *models.Field, text string) *planned {
	if f.ReadOnly {
		c.refuse(place, "%s is written by rules only", f.Name)
		return nil
	}
	if f.Kind == models.Reference {
		to := c.p.registry.Object(f.To)
		by := naturalKey(to)
		if by == nil {
			c.refuse(place, "records of %s have no key to name them by", to.Name)
			return nil
		}
		return &planned{field: f, text: text, lookup: &lookup{object: to, by: by, missing: "refuse"}}
	}
	v, err := f.ParseText(text, c.p.context)
	if err != nil {
		c.refuse(place, "%v", err)
		return nil
	}
	return &planned{field: f, value: v}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// filledByRules are required fields that Canopy fills by itself.
var filledByRules = map[string]bool{"deal.pipeline": true, "deal.stage": true}

func (c *compiler) record(place string, spec *RecordSpec) {
	o := c.object(place, spec.Object)
	if o == nil {
		return
	}
	r := recordPlan{object: o, when: c.conditions(place, spec.When), history: len(spec.History) > 0}
	mapped := map[string]bool{}
	r.fields = c.fields(place+".fields", o, spec.Fields, mapped)
	if spec.Key != "" {
		if key := c.keyOf(place, o, spec.Key); key != nil {
			for _, f := range r.fields {
				if f.field == key {
					r.key = f.expr
				}
			}
			if r.key == nil || r.key.over != nil {
				c.refuse(place+".key", "the key %q has no value among fields", spec.Key)
			}
		}
	}
	switch spec.Repeats {
	case "", "refuse":
	case "allow":
		r.allow = true
	default:
		c.refuse(place+".repeats", "%q is neither refuse nor allow", spec.Repeats)
	}
	r.present = c.present(place, spec)
	inSteps := map[string]bool{}
	for i := range spec.History {
		r.steps = append(r.steps, c.step(fmt.Sprintf("%s.history[%d]", place, i+1), o, &spec.History[i], mapped, inSteps))
	}
	for at, link := range c.links {
		if !mapped[link] && !inSteps[link] {
			c.refuse(at, "%s has no value in this mapping", link)
		}
	}
	c.links = map[string]string{}
	for _, f := range o.Fields {
		if f.Required && f.Default == "" && !r.present && !mapped[f.Name] && !inSteps[f.Name] && !filledByRules[o.Name+"."+f.Name] {
			c.refuse(place+".fields", "%s.%s is required and has no value", o.Name, f.Name)
		}
	}
	if r.key == nil {
		for _, f := range r.all() {
			if f.expr.lookup != nil && f.expr.lookup.missing == "later" {
				c.refuse(place+".fields."+f.field.Name, "a reference to a later row needs a key, by which the row's own record is found again")
			}
		}
	}
	for _, earlier := range c.p.records {
		if earlier.object == o {
			r.recurs(c.p)
			earlier.recurs(c.p)
		}
	}
	if r.allow {
		r.recurs(c.p)
	}
	c.p.records = append(c.p.records, r)
}

// all lists the fields of a record over all its steps.
func (r *recordPlan) all() []fieldPlan {
	list := append([]fieldPlan{}, r.fields...)
	for _, s := range r.steps {
		list = append(list, s.fields...)
	}
	return list
}

func (r *recordPlan) recurs(p *plan) {
	p.recurs[r.object.Name] = true
	if r.key != nil {
		p.asked[keySpace(r)] = true
	}
}

func (c *compiler) step(place string, o *models.Object, s *Step, mapped, inSteps map[string]bool) stepPlan {
	p := stepPlan{name: s.At, when: c.conditions(place, s.When), column: -1}
	if s.At == "" {
		c.refuse(place+".at", "a step of the history names the column with its instant")
	} else if p.column = c.column(place+".at", s.At); p.column >= 0 {
		p.typed = c.typed(p.column)
	}
	p.form = c.dates(place, s.Format)
	switch s.Missing {
	case "", "unknown":
	case "refuse":
		p.refuse = true
	default:
		c.refuse(place+".missing", "%q is neither unknown nor refuse", s.Missing)
	}
	for name := range s.Fields {
		if mapped[name] {
			c.refuse(place+".fields."+name, "%s is among the record's fields already; say it in one place", name)
		}
	}
	p.fields = c.fields(place+".fields", o, s.Fields, inSteps)
	return p
}

func (c *compiler) dates(place, said string) dateForm {
	if said == "" {
		said = c.m.Dates
	}
	form, err := parseDateForm(said)
	if err != nil {
		c.refuse(place, "%v", err)
	}
	return form
}

func (c *compiler) conditions(place string, list Conditions) []condition {
	var conditions []condition
	for _, k := range list {
		at := place + ".when"
		said := 0
		var accept func(string) bool
		if k.Is != nil {
			said, accept = said+1, func(cell string) bool { return cell == *k.Is }
		}
		if k.Not != nil {
			said, accept = said+1, func(cell string) bool { return cell != *k.Not }
		}
		if k.In != nil {
			said, accept = said+1, func(cell string) bool { return slices.Contains(k.In, cell) }
		}
		if k.Empty != nil {
			said, accept = said+1, func(cell string) bool { return (cell == "") == *k.Empty }
		}
		if said != 1 {
			c.refuse(at, "a condition asks one thing of its column: is, not, in or empty")
		}
		if column := c.column(at+".column", k.Column); column >= 0 && said == 1 {
			conditions = append(conditions, condition{column, accept})
		}
	}
	return conditions
}
