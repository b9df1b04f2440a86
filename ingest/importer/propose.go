package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"canopy/models"
)

// sampleRows is how many rows a proposal is made from.
const sampleRows = 10_000

// Propose gives a mapping of a file, as YAML with comments for a person to check and edit. It is valid for this file and registry.
func (s *Service) Propose(ctx context.Context, reader models.Reader, file File) (string, error) {
	if !reader.MayWrite(models.Editor) {
		return "", models.Errorf(models.Forbidden, "importing needs the role editor").WithRemedy("Ask an administrator for the right.")
	}
	hash, _, census, err := s.files.store(ctx, file.Body)
	if err != nil {
		return "", err
	}
	defer func() {
		s.files.release(hash)
		if err := s.files.drop(context.WithoutCancel(ctx), s.c.Jobs, hash); err != nil {
			s.c.Log.Warn("drop a file that a mapping was proposed for", "error", err)
		}
	}()
	detected, err := detect(s.files.path(hash), census)
	if err != nil {
		return "", err
	}
	return s.proposeStored(s.files.path(hash), detected)
}

func (s *Service) proposeStored(path string, detected form) (string, error) {
	src, err := openSource(path, detected)
	if err != nil {
		return "", err
	}
	var sample [][]string
	for len(sample) < sampleRows {
		r, err := src.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", errors.Join(err, src.close())
		}
		if r.problem == nil {
			sample = append(sample, r.cells)
		}
	}
	if err := src.close(); err != nil {
		return "", err
	}
	return Propose(src.header(), sample, src.typed, s.c.Registry(), s.c.Workspace)
}

// profile is what a sample shows of one column.
type profile struct {
	place    int
	name     string
	filled   int
	distinct []string // in the order of the file, at most maxDistinct+1
	date     *dateForm
	number   bool
	comma    bool // numbers have a decimal comma
	typed    bool
}

const maxDistinct = 30

var blanks = []string{"N/A", "n/a", "NULL", "null", "Select", "None", "-"}

func profileOf(place int, name string, sample [][]string, typed bool) profile {
	p := profile{place: place, name: name, typed: typed}
	seen := map[string]bool{}
	var values []string
	for _, cells := range sample {
		v := cells[place]
		if v == "" || slices.Contains(blanks, v) {
			continue
		}
		p.filled++
		if !seen[v] && len(values) < 1000 {
			seen[v] = true
			values = append(values, v)
		}
	}
	p.distinct = values[:min(len(values), maxDistinct+1)]
	if len(values) == 0 {
		return p
	}
	plain, comma := 0, 0
	point, _ := parseNumberForm("", "")
	german, _ := parseNumberForm(",", "")
	for _, v := range values {
		if isNumber(point, v) {
			plain++
		}
		if isNumber(german, v) {
			comma++
		}
	}
	p.number = max(plain, comma) == len(values)
	p.comma = p.number && comma > plain
	if p.number && len(values[0]) != 8 {
		return p
	}
	for _, text := range commonDateForms {
		form, err := parseDateForm(text)
		if err == nil && !slices.ContainsFunc(values, func(v string) bool {
			t, err := form.parse(v, time.UTC)
			return err != nil || t.Year() < 1900 || t.Year() > 2200
		}) {
			p.date = &form
			break
		}
	}
	if p.date == nil && !slices.ContainsFunc(values, func(v string) bool { _, err := models.ParseInstant(v, time.UTC); return err != nil }) {
		p.date = &dateForm{}
	}
	return p
}

func isNumber(f numberForm, text string) bool {
	plain, err := f.plain(text, 9)
	if err == nil {
		_, err = models.ParseScaled(plain, 9)
	}
	return err == nil
}

// Propose gives the mapping that fits a header and sample rows best. It fails only where no object can be made from the columns at all.
func Propose(header []string, sample [][]string, typed func(int) bool, registry *models.Registry, w Workspace) (string, error) {
	var columns []profile
	for i, name := range header {
		if name == "" || slices.Index(header, name) != i || slices.Contains(header[i+1:], name) || slices.Contains(refusedColumns, name) {
			continue // cannot be named, or comes from a list of refused rows
		}
		columns = append(columns, profileOf(i, name, sample, typed(i)))
	}
	var best *draft
	for _, o := range registry.Objects() {
		d := newDraft(o, registry, columns, w)
		if d != nil && (best == nil || d.score > best.score) {
			best = d
		}
	}
	if best == nil {
		return "", models.FieldError("mapping", "the columns %s fit no object", strings.Join(header[:min(len(header), 10)], ", ")).
			WithRemedy("Write a mapping, or name the columns like the fields of an object.")
	}
	text := best.yaml()
	m, err := ParseMapping(text)
	if err == nil {
		_, err = compile(m, header, typed, registry, w)
	}
	if err != nil {
		return "", fmt.Errorf("importer: the proposed mapping is not valid: %w\n%s", err, text)
	}
	return text, nil
}

// draft is a proposal for one object.
type draft struct {
	object    *models.Object
	registry  *models.Registry
	workspace Workspace
	score     float64
	columns   []profile
	fields    map[*models.Field]*profile
	template  string // of the title, where no column has it
	key       *models.Field
	opened    *profile // column with the instant at which records came to be
	closed    *profile // column with the instant at which deals were won or lost
}

// newDraft assigns columns to an object's fields, best fit first; nil where a required field stays empty.
func newDraft(o *models.Object, registry *models.Registry, columns []profile, w Workspace) *draft {
	if o.Visibility == models.AdminOnly {
		return nil
	}
	d := &draft{object: o, registry: registry, workspace: w, columns: columns, fields: map[*models.Field]*profile{}}
	type pair struct {
		field  *models.Field
		column *profile
		score  float64
	}
	var pairs []pair
	for _, f := range o.Fields {
		for i := range columns {
			if f.ReadOnly {
				continue
			}
			fit := d.fit(f, &columns[i])
			if score := max(nameScore(columns[i].name, o, f), contentScore(f, &columns[i], fit)) * fit; score >= 0.5 {
				pairs = append(pairs, pair{f, &columns[i], score})
			}
		}
	}
	slices.SortStableFunc(pairs, func(x, y pair) int { return cmp.Compare(y.score, x.score) })
	taken := map[*profile]bool{}
	for _, p := range pairs {
		if d.fields[p.field] == nil && !taken[p.column] {
			d.fields[p.field], taken[p.column] = p.column, true
			d.score += p.score
		}
	}
	if !d.complete(taken) {
		return nil
	}
	for _, f := range o.Fields {
		if d.key == nil && f.Unique && textKey(f) && (d.fields[f] != nil || f.Name == o.Title && d.template != "") {
			d.key = f
		}
	}
	if d.key != nil {
		d.score += 0.25
	}
	d.instants(taken)
	for i := range columns { // opportunity_id speaks of deals
		if w := words(columns[i].name); len(w) > 1 && w[0] == o.Name {
			d.score += 0.75
		}
	}
	d.score /= float64(len(o.Fields) + 10) // of two objects that take the same columns, the one with fewer other fields
	d.score *= float64(1 + len(taken))
	return d
}

// fit is how much of a column's values a field can take: 0 or near 1.
func (d *draft) fit(f *models.Field, p *profile) float64 {
	if p.filled == 0 {
		return 0.7
	}
	switch f.Kind {
	case models.Reference:
		if p.number || p.date != nil || d.lookupField(f, p) == nil {
			return 0
		}
		return 0.95
	case models.Text, models.LongText:
		if p.date != nil || p.number && f.Name != "external_id" {
			return 0.6
		}
	case models.DateKind, models.Instant:
		if p.date == nil {
			return 0
		}
		return 1
	case models.AddressOf, models.FileOf, models.Score:
		return 0
	}
	e := d.expression(f, p)
	good := 0
	for _, v := range p.distinct {
		if _, err := e.parse(v); err == nil {
			good++
		}
	}
	if share := float64(good) / float64(len(p.distinct)); share >= 0.8 {
		return share
	}
	return 0
}

func (d *draft) expression(f *models.Field, p *profile) *expression {
	e := &expression{field: f, column: p.place, source: p.name, typed: p.typed, context: models.TextContext{Zone: d.workspace.Zone, Currency: d.workspace.Currency}}
	if p.date != nil {
		e.form = *p.date
	}
	e.numbers.comma = p.comma
	return e
}

// contentScore is how much a column's values alone speak for a field: addresses and countries are known by their looks. In [0,1].
func contentScore(f *models.Field, p *profile, fit float64) float64 {
	if (f.Kind == models.Email || f.Kind == models.Country || f.Kind == models.URL) && len(p.distinct) > 2 && fit >= 0.8 {
		return 0.75
	}
	return 0
}

// lookupField is the field by which a column names records of the object that a reference points to.
func (d *draft) lookupField(f *models.Field, p *profile) *models.Field {
	to := d.registry.Object(f.To)
	if email := to.Field("email"); email != nil && len(p.distinct) > 0 && strings.Contains(p.distinct[0], "@") && (email.Unique || email.Indexed) {
		return email
	}
	if key := naturalKey(to); key != nil {
		return key
	}
	if title := to.Field(to.Title); title.Indexed && textKey(title) {
		return title
	}
	return nil
}

// complete sees to the required fields; a title may be put together from other columns.
func (d *draft) complete(taken map[*profile]bool) bool {
	title := d.object.Field(d.object.Title)
	if first, last := d.names(); first != nil && last != nil && title.Kind == models.Text && (d.fields[title] == nil || d.fields[title] == first || d.fields[title] == last) {
		delete(d.fields, title)
		taken[first], taken[last] = true, true
		d.template = fmt.Sprintf("{%s} {%s}", first.name, last.name)
		d.score += 1.5
	}
	for _, f := range d.object.Fields {
		if f == title && d.template != "" {
			continue
		}
		if !f.Required || f.Default != "" || d.fields[f] != nil || filledByRules[d.object.Name+"."+f.Name] {
			continue
		}
		if f.Name != d.object.Title || f.Kind != models.Text {
			return false
		}
		if d.template = d.titleTemplate(); d.template == "" {
			return false
		}
		d.score -= 0.3
	}
	return len(taken) > 0
}

// names finds the columns of first and last names.
func (d *draft) names() (first, last *profile) {
	find := func(words ...string) *profile {
		for i := range d.columns {
			name := strings.ToLower(strings.NewReplacer("_", " ", "-", " ").Replace(d.columns[i].name))
			if slices.Contains(words, name) && safeInTemplate(d.columns[i].name) {
				return &d.columns[i]
			}
		}
		return nil
	}
	return find("first name", "firstname", "given name", "forename"), find("last name", "lastname", "surname", "family name")
}

// titleTemplate names records by what they refer to.
func (d *draft) titleTemplate() string {
	for _, pair := range [][2]string{{"product", "account"}, {"product", "contact"}, {"account", ""}, {"contact", ""}, {"product", ""}, {"external_id", ""}} {
		f := d.fields[d.object.Field(pair[0])]
		if d.object.Field(pair[0]) == nil || f == nil || !safeInTemplate(f.name) {
			continue
		}
		other := d.fields[d.object.Field(pair[1])]
		if pair[1] == "" || other == nil || !safeInTemplate(other.name) {
			if f.filled < 1 {
				continue
			}
			return "{" + f.name + "}"
		}
		return fmt.Sprintf("{%s}[ for {%s}]", f.name, other.name)
	}
	return ""
}

func safeInTemplate(name string) bool { return !strings.ContainsAny(name, "{}[]") }

var (
	openedWords = []string{"created", "opened", "engage", "engaged", "started", "start", "added", "registered", "signup"}
	closedWords = []string{"closed", "won", "decided"}
)

// instants finds the date columns that say when records came to be, and when deals were decided.
func (d *draft) instants(taken map[*profile]bool) {
	if expected := d.object.Field("expected_close_on"); d.object.Name == "deal" && d.fields[expected] != nil && slices.ContainsFunc(d.stages(), func(s string) bool { return stageStatus(s) != "open" }) {
		delete(taken, d.fields[expected]) // with decided deals among them, it says when they were
		delete(d.fields, expected)
	}
	for i := range d.columns {
		p := &d.columns[i]
		if taken[p] || p.date == nil {
			continue
		}
		for _, w := range words(p.name) {
			switch {
			case d.opened == nil && slices.Contains(openedWords, w):
				d.opened, taken[p] = p, true
				d.score += 0.3
			case d.closed == nil && d.object.Name == "deal" && slices.Contains(closedWords, w):
				d.closed, taken[p] = p, true
				d.score += 0.3
			}
		}
	}
}
