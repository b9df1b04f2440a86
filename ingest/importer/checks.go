package importer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"canopy/models"
)

// Check compares a column with another column, or with a field of a record that the row names, and says where the two contradict each other.
type Check struct {
	Text    string       `yaml:"text"` // what is wrong, as a note or as the reason of a refusal
	When    Conditions   `yaml:"when"`
	Compare string       `yaml:"compare"` // a column
	As      string       `yaml:"as"`      // dates (default) or numbers
	Format  string       `yaml:"format"`  // how dates are written; the mapping's where empty
	Times   string       `yaml:"times"`   // a number in another unit
	Is      string       `yaml:"is"`      // before, after (of numbers: less, more); where it holds, something is wrong
	Column  string       `yaml:"column"`  // the other column
	Record  *CheckRecord `yaml:"record"`  // or a record
	Do      string       `yaml:"do"`      // note (default) or refuse
}

// CheckRecord is a record that a row names, and which of its values is meant.
type CheckRecord struct {
	Object string `yaml:"object"`
	By     string `yaml:"by"`    // its unique text field
	From   string `yaml:"from"`  // the column that holds it
	Field  string `yaml:"field"` // the value; came_to_be is the instant of the record's first change
}

// Once names columns whose cells, together, may stand in the file once.
type Once struct {
	Columns []string `yaml:"columns"`
	Do      string   `yaml:"do"` // refuse (default) or note
}

// cameToBe stands for the instant of a record's first change.
const cameToBe = "came_to_be"

// checkPlan is a check made ready for one file.
type checkPlan struct {
	text    string
	when    []condition
	column  int
	other   int // -1: a record's value
	numbers bool
	form    dateForm
	typed   [2]bool // of column and other: in Canopy's own notation
	number  numberForm
	after   bool
	refuse  bool
	by      *lookup // of the record
	from    int
	field   *models.Field // nil: came_to_be
}

type oncePlan struct {
	columns []int
	text    string
	refuse  bool
}

func (c *compiler) checks() {
	for i := range c.m.Once {
		c.once(fmt.Sprintf("once[%d]", i+1), &c.m.Once[i])
	}
	for i := range c.m.Checks {
		c.check(fmt.Sprintf("checks[%d]", i+1), &c.m.Checks[i])
	}
}

func (c *compiler) once(place string, said *Once) {
	o := oncePlan{text: strings.Join(said.Columns, ", "), refuse: c.refuses(place, said.Do, true)}
	if len(said.Columns) == 0 {
		c.refuse(place+".columns", "name at least one column")
	}
	for _, name := range said.Columns {
		o.columns = append(o.columns, c.column(place+".columns", name))
	}
	c.p.once = append(c.p.once, o)
}

// refuses reads do: note or refuse.
func (c *compiler) refuses(place, said string, otherwise bool) bool {
	switch said {
	case "":
		return otherwise
	case "note", "refuse":
	default:
		c.refuse(place+".do", "%q is neither note nor refuse", said)
	}
	return said == "refuse"
}

func (c *compiler) check(place string, said *Check) {
	k := checkPlan{text: said.Text, when: c.conditions(place, said.When), column: c.column(place+".compare", said.Compare), other: -1, refuse: c.refuses(place, said.Do, false)}
	if said.Text == "" {
		c.refuse(place, "a check has a text that says what is wrong")
	}
	switch said.As {
	case "", "dates":
		format := said.Format
		if format == "" {
			format = c.m.Dates
		}
		var err error
		if k.form, err = parseDateForm(format); err != nil {
			c.refuse(place+".format", "%v", err)
		}
	case "numbers":
		k.numbers = true
		var err error
		if k.number, err = parseNumberForm(c.m.Decimal, said.Times); err != nil {
			c.refuse(place+".times", "%v", err)
		}
	default:
		c.refuse(place+".as", "%q is neither dates nor numbers", said.As)
	}
	switch said.Is {
	case "before", "less":
	case "after", "more":
		k.after = true
	default:
		c.refuse(place+".is", "%q is none of before, after, less, more", said.Is)
	}
	switch {
	case (said.Column == "") == (said.Record == nil):
		c.refuse(place, "a check compares with a column or with a record")
	case said.Column != "":
		k.other = c.column(place+".column", said.Column)
	default:
		c.checkRecord(place+".record", said.Record, &k)
	}
	if k.column >= 0 {
		k.typed[0] = c.typed(k.column)
	}
	if k.other >= 0 {
		k.typed[1] = c.typed(k.other)
	}
	c.p.checks = append(c.p.checks, k)
}

func (c *compiler) checkRecord(place string, said *CheckRecord, k *checkPlan) {
	k.from = c.column(place+".from", said.From)
	o := c.object(place, said.Object)
	if o == nil {
		return
	}
	if key := c.keyOf(place, o, said.By); key != nil {
		k.by = &lookup{object: o, by: key, missing: "empty"}
		c.p.asked[spaceOf(k.by)] = true
	}
	if said.Field == cameToBe && !k.numbers {
		return
	}
	k.field = c.field(place+".field", o, said.Field)
	if k.field == nil {
		return
	}
	switch kind := k.field.Kind; {
	case k.numbers && (kind == models.Number || kind == models.MoneyKind), !k.numbers && (kind == models.DateKind || kind == models.Instant):
	default:
		c.refuse(place+".field", "%s is a %s, which is not compared as %s", said.Field, kind, map[bool]string{true: "numbers", false: "dates"}[k.numbers])
	}
}

// present reads missing: whether the records of a specification must be there already.
func (c *compiler) present(place string, spec *RecordSpec) bool {
	switch spec.Missing {
	case "", "create":
		return false
	case "refuse":
		if spec.Key == "" {
			c.refuse(place+".missing", "records that must be there need a key by which they are found")
		}
	default:
		c.refuse(place+".missing", "%q is neither create nor refuse", spec.Missing)
	}
	return true
}

// wantedCheck is a check of one row that needs a record.
type wantedCheck struct {
	check int
	text  string // that names the record
}

// checkRow looks at a row by itself: what contradicts itself within the row is noted or refused, and what needs a record is remembered.
func (p *plan) checkRow(out *plannedRow, cells []string) *models.Error {
	for i := range p.checks {
		k := &p.checks[i]
		if !met(k.when, cells) || cells[k.column] == "" {
			continue
		}
		if k.other < 0 {
			text := cells[k.from]
			if v, err := k.by.by.ParseText(text, p.context); err == nil && v != nil {
				text, _ = v.(string)
				out.wanted = append(out.wanted, wantedCheck{i, text})
			}
			continue
		}
		if cells[k.other] == "" {
			continue
		}
		wrong, err := p.contradicts(k, cells[k.column], func() (float64, error) { return p.amount(k, cells[k.other], k.typed[1], false) })
		if err != nil {
			return models.FieldError(p.names[k.column], "%v", err)
		}
		if said := out.found(k, wrong, p.names[k.column]); said != nil {
			return said
		}
	}
	if len(out.wanted) > 0 {
		out.cleaned = cells
	}
	return nil
}

// found notes a contradiction, or gives the refusal.
func (r *plannedRow) found(k *checkPlan, wrong bool, column string) *models.Error {
	switch {
	case !wrong:
		return nil
	case k.refuse:
		return models.FieldError(column, "%s", k.text).WithRemedy("Correct the row, and import it again.")
	}
	r.contradictions = append(r.contradictions, k.text)
	return nil
}

// contradicts compares a cell with another value.
func (p *plan) contradicts(k *checkPlan, cell string, other func() (float64, error)) (bool, error) {
	x, err := p.amount(k, cell, k.typed[0], true)
	if err != nil {
		return false, err
	}
	y, err := other()
	if err != nil {
		return false, err
	}
	if k.after {
		return x > y, nil
	}
	return x < y, nil
}

// amount reads a cell as what is compared: a number, or an instant in milliseconds.
func (p *plan) amount(k *checkPlan, cell string, typed, first bool) (float64, error) {
	if !k.numbers {
		form := k.form
		if typed {
			form = dateForm{}
		}
		at, err := form.parse(cell, p.context.Zone)
		if err != nil { // a date where dates have times elsewhere
			if i := strings.IndexByte(cell, ' '); i > 0 {
				at, err = form.parse(cell[:i], p.context.Zone)
			}
		}
		return float64(at.UnixMilli()), err
	}
	number := k.number
	if !first {
		number.times = nil
	}
	text, err := number.plain(cell, 9)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(text, 64)
}

// checkTexts asks for the records that checks of a row look at.
func (p *plan) checkTexts(r *plannedRow, want func(nameSpace, string)) {
	for _, w := range r.wanted {
		want(spaceOf(p.checks[w.check].by), w.text)
	}
}

// resolveChecks reads what checks look at of the records that rows name.
func (j *job) resolveChecks(ctx context.Context, rows []plannedRow) error {
	began, read := map[string][]uint64{}, map[string][]uint64{}
	for i := range rows {
		for _, w := range rows[i].wanted {
			k := &j.plan.checks[w.check]
			for _, n := range j.refs.found[spaceOf(k.by)][w.text] {
				key := recordKey{k.by.object.Name, n}
				if _, known := j.began[key]; k.field == nil && !known {
					began[key.object] = append(began[key.object], n)
				}
				if j.refs.records[key] == nil && k.field != nil {
					read[key.object] = append(read[key.object], n)
				}
			}
		}
	}
	for object, numbers := range read {
		records, err := j.s.c.Commands.Records(ctx, j.reader, object, numbers)
		if err != nil {
			return fmt.Errorf("read %s: %w", object, err)
		}
		for n, r := range records {
			j.refs.records[recordKey{object, n}] = r
		}
	}
	if len(j.began) > maxRemembered {
		clear(j.began)
	}
	for object, numbers := range began {
		histories, err := j.s.c.Jobs.Histories(ctx, object, numbers)
		if err != nil {
			return err
		}
		for _, h := range histories {
			first := h.Changes[0].HappenedAt
			for _, c := range h.Changes {
				if c.HappenedAt.Before(first) {
					first = c.HappenedAt
				}
			}
			j.began[recordKey{object, h.Number}] = first
		}
	}
	return nil
}

// checkRecords compares rows with the records that they name, and refuses those of which a check says so.
func (a *attempt) checkRecords() {
	p := a.j.plan
	for n := range a.rows {
		r := &a.rows[n]
		r.recordContradictions = nil
		if r.refused != nil {
			continue
		}
		for _, w := range r.wanted {
			k := &p.checks[w.check]
			value, ok := a.checkValue(k, w.text)
			if !ok {
				continue
			}
			wrong, err := p.contradicts(k, r.cleaned[k.column], func() (float64, error) { return value, nil })
			switch {
			case err != nil:
				a.refuse(n, models.FieldError(p.names[k.column], "%v", err))
			case wrong && k.refuse:
				a.refuse(n, models.FieldError(p.names[k.column], "%s", k.text).WithRemedy("Correct the row, and import it again."))
			case wrong:
				r.recordContradictions = append(r.recordContradictions, k.text)
			}
		}
	}
}

// checkValue is what a check compares with; false where the record, or its value, is not there.
func (a *attempt) checkValue(k *checkPlan, text string) (float64, bool) {
	numbers := a.j.refs.found[spaceOf(k.by)][text]
	if len(numbers) != 1 {
		return 0, false
	}
	key := recordKey{k.by.object.Name, numbers[0]}
	if k.field == nil {
		at, ok := a.j.began[key]
		return float64(at.UnixMilli()), ok
	}
	r := a.j.refs.records[key]
	if r == nil {
		return 0, false
	}
	switch v := r.Get(k.field.Name).(type) {
	case models.Date:
		return float64(v.Time(a.j.plan.context.Zone).UnixMilli()), true
	case time.Time:
		return float64(v.UnixMilli()), true
	case int64:
		f, err := strconv.ParseFloat(models.FormatScaled(v, k.field.Scale), 64)
		return f, err == nil
	case models.Money:
		f, err := strconv.ParseFloat(v.Amount(), 64)
		return f, err == nil
	}
	return 0, false
}

// admitOnce refuses or notes a row whose cells an earlier row had. Like admit it sees each row of the file once, in order.
func (j *job) admitOnce(r *plannedRow) {
	if r.refused != nil || j.i.Pass == 2 {
		return
	}
	for i := range j.plan.once {
		o := &j.plan.once[i]
		parts := make([]string, len(o.columns))
		for n, column := range o.columns {
			parts[n] = r.cells[column]
		}
		text := strings.Join(parts, "\x00")
		if strings.Trim(text, "\x00") == "" {
			continue
		}
		key := identifyText(fmt.Sprint("once", i), text)
		first, seen := j.seen[key]
		switch {
		case !seen:
			j.seen[key] = r.number
		case o.refuse:
			r.refused = models.FieldError(o.text, "%q stands in row %d already", strings.Join(parts, ", "), first).WithRow(r.number).WithRemedy("Keep one of the two rows.")
			return
		default:
			r.contradictions = append(r.contradictions, fmt.Sprintf("rows whose %s stands in an earlier row", o.text))
		}
	}
}
