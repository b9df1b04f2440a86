package importer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"canopy/models"
)

// planned is one field's value of one row: known, or to be found when the row is written.
type planned struct {
	field  *models.Field
	value  models.Value
	lookup *lookup   // the record that text names
	text   string    // normal form of the lookup's field
	over   *overPlan // read over another field of the same record
	source string
}

// plannedRecord is what one row says about one record.
type plannedRecord struct {
	spec  *recordPlan
	key   string // normal form; empty without a key
	base  []planned
	steps []plannedStep // in happened order; the first one comes with base when the record is made
}

type plannedStep struct {
	at     time.Time // zero: not known
	values []planned
}

// plannedRow is a row ready to be written, or its refusal.
type plannedRow struct {
	row
	records                              []plannedRecord
	notes                                []int         // indexes of the plan's notes
	contradictions, recordContradictions []string      // what checks have found, within the row and with records
	wanted                               []wantedCheck // checks that need a record
	cleaned                              []string      // the cells, where some check is wanted
	undated                              int           // records with a history whose first instant is empty
	refused                              *models.Error
	finished                             bool // refused by the plan or the engine: nothing of it is written
}

func met(conditions []condition, cells []string) bool {
	for _, c := range conditions {
		if !c.accept(cells[c.column]) {
			return false
		}
	}
	return true
}

// clean applies the mapping's cleaning of columns to a row's own cells, in a copy.
func (p *plan) clean(cells []string, wrong *[]models.Error) []string {
	cleaned := make([]string, len(cells))
	for i, cell := range cells {
		if meant, ok := p.columns[i].Values[cell]; ok {
			cell = meant
		}
		if p.blank[cell] {
			cell = ""
		}
		if accept := p.columns[i].Accept; accept != nil && !slices.Contains(accept, cell) {
			*wrong = append(*wrong, models.Error{Code: models.Invalid, Field: p.names[i], Message: fmt.Sprintf("%q is none of %s", cell, strings.Join(accept, ", ")),
				Remedy: "Correct the cell, or translate it in the mapping (columns, values)."})
		}
		cleaned[i] = cell
	}
	return cleaned
}

// read turns a row into what it says. It does not look into the store; what needs that stays open in the planned values.
func (p *plan) read(r row) plannedRow {
	out := plannedRow{row: r, refused: r.problem}
	if r.problem != nil {
		return out
	}
	var wrong []models.Error
	cells := p.clean(r.cells, &wrong)
	for i := range p.records {
		spec := &p.records[i]
		if !met(spec.when, cells) {
			continue
		}
		record, undated, err := p.record(spec, cells)
		if err != nil {
			wrong = append(wrong, *err)
			continue
		}
		out.records = append(out.records, record)
		if undated {
			out.undated++
		}
	}
	if len(wrong) == 0 {
		if err := p.checkRow(&out, cells); err != nil {
			wrong = append(wrong, *err)
		}
	}
	if err := models.Gather(wrong); err != nil {
		var said *models.Error
		errors.As(err, &said)
		out.refused = said.WithRow(r.number)
		return out
	}
	for i := range p.notes {
		if met(p.notes[i].when, cells) {
			out.notes = append(out.notes, i)
		}
	}
	return out
}

func (p *plan) record(spec *recordPlan, cells []string) (plannedRecord, bool, *models.Error) {
	r := plannedRecord{spec: spec}
	var wrong []models.Error
	r.base = values(spec.fields, cells, &wrong)
	undated := false
	first := true
	for i := range spec.steps {
		step := &spec.steps[i]
		if !met(step.when, cells) {
			continue
		}
		at, err := step.instant(cells, p.context.Zone)
		if err != nil {
			wrong = append(wrong, *err)
		}
		undated = undated || first && at.IsZero()
		first = false
		s := plannedStep{at: at, values: values(step.fields, cells, &wrong)}
		if n := len(r.steps); n > 0 && !at.IsZero() && at.Before(r.steps[n-1].at) {
			wrong = append(wrong, models.Error{Code: models.Invalid, Field: step.name, Message: "\"" + cells[step.column] + "\" lies before the step that comes first",
				Remedy: "Correct one of the two dates, and import the corrected row."})
		}
		r.steps = mergeStep(r.steps, s)
	}
	if spec.key != nil {
		for _, v := range r.base {
			if v.field == spec.key.field {
				r.key, _ = v.value.(string)
			}
		}
		if r.key == "" && len(wrong) == 0 {
			wrong = append(wrong, models.Error{Code: models.Invalid, Field: spec.key.source, Message: "the key is empty", Remedy: "Fill it in; rows are matched by it."})
		}
	}
	if err := models.Gather(wrong); err != nil {
		var said *models.Error
		errors.As(err, &said)
		return r, false, said
	}
	return r, undated, nil
}

// mergeStep adds a step. One at the same instant as the one before, or one of a known instant after one that is not known, is merged
// with it: what is known to have happened before it is known no better than by it.
func mergeStep(steps []plannedStep, s plannedStep) []plannedStep {
	n := len(steps)
	if n == 0 || !steps[n-1].at.IsZero() && !s.at.Equal(steps[n-1].at) && !s.at.IsZero() {
		return append(steps, s)
	}
	if s.at.IsZero() && !steps[n-1].at.IsZero() {
		return append(steps, s)
	}
	last := &steps[n-1]
	last.at = s.at
	for _, v := range s.values {
		replaced := false
		for i := range last.values {
			if last.values[i].field == v.field {
				last.values[i], replaced = v, true
			}
		}
		if !replaced {
			last.values = append(last.values, v)
		}
	}
	return steps
}

func (s *stepPlan) instant(cells []string, zone *time.Location) (time.Time, *models.Error) {
	text := cells[s.column]
	if text == "" {
		if s.refuse {
			return time.Time{}, models.FieldError(s.name, "the instant is empty").WithRemedy("Fill in when it happened.")
		}
		return time.Time{}, nil
	}
	form := s.form
	if s.typed {
		form = dateForm{}
	}
	t, err := form.parse(text, zone)
	if err != nil {
		return t, models.FieldError(s.name, "%v", err).WithRemedy(form.remedy(text))
	}
	return t.UTC(), nil
}

func values(fields []fieldPlan, cells []string, wrong *[]models.Error) []planned {
	list := make([]planned, 0, len(fields))
	for _, f := range fields {
		v, err := f.expr.value(cells)
		if err != nil {
			*wrong = append(*wrong, *err)
			continue
		}
		list = append(list, v)
	}
	return list
}

// value gives the field's value of a row.
func (e *expression) value(cells []string) (planned, *models.Error) {
	v := planned{field: e.field, source: e.source}
	if e.over != nil {
		v.over = e.over
		return v, nil
	}
	var text string
	switch {
	case e.column >= 0:
		text = cells[e.column]
	case e.template != nil:
		text = e.template.expand(cells)
	default:
		text = e.constant
	}
	if meant, ok := e.values[text]; ok {
		text = meant
	}
	if text == "" {
		text = e.otherwise
	}
	if text == "" {
		return v, nil
	}
	if e.lookup != nil {
		named, err := e.lookup.by.ParseText(text, e.context)
		if err != nil {
			return v, models.FieldError(e.source, "%v", err)
		}
		v.text, _ = named.(string)
		v.lookup = e.lookup
		return v, nil
	}
	parsed, err := e.parse(text)
	if err != nil {
		return v, err
	}
	v.value = parsed
	return v, nil
}

// parse reads text as the field's kind, in the notation of the file.
func (e *expression) parse(text string) (models.Value, *models.Error) {
	f := e.field
	switch f.Kind {
	case models.DateKind, models.Instant:
		form := e.form
		if e.typed {
			form = dateForm{}
		}
		t, err := form.parse(text, e.context.Zone)
		if err != nil {
			return nil, models.FieldError(e.source, "%v", err).WithRemedy(form.remedy(text))
		}
		var v models.Value = t
		if f.Kind == models.DateKind {
			v = models.DateOf(t, e.context.Zone)
		}
		if v, err = f.Normal(v); err != nil {
			return nil, models.FieldError(e.source, "%v", err)
		}
		return v, nil
	case models.Number, models.MoneyKind:
		scale, currency := f.Scale, ""
		if f.Kind == models.MoneyKind {
			if amount, code, ok := cutCurrency(text); ok {
				text, currency = amount, " "+code
			}
			scale = models.MinorDigits(strings.TrimSpace(cmp.Or(currency, e.context.Currency)))
		}
		form := e.numbers
		if e.typed {
			form.comma = false
		}
		plain, err := form.plain(text, scale)
		if err != nil {
			return nil, models.FieldError(e.source, "%v", err).WithRemedy("Write a plain number, or say in the mapping how numbers are written (decimal: \",\").")
		}
		text = plain + currency
	}
	v, err := f.ParseText(text, e.context)
	if err != nil {
		refusal := models.FieldError(e.source, "%v", err)
		if f.Kind == models.Picklist || f.Kind == models.MultiPick {
			refusal.Remedy = unknownSpelling
		}
		return nil, refusal
	}
	return v, nil
}

// cutCurrency splits "1,054.50 EUR" into amount and currency.
func cutCurrency(text string) (amount, currency string, ok bool) {
	i := strings.LastIndexByte(text, ' ')
	if i < 0 || !models.IsCurrency(text[i+1:]) {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}
