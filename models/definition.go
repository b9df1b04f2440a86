package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// Definition is one change of the registry, in the same words as the standard objects' files. Registries only grow: fields and
// options are added behind those that there are, options are retired and never taken away, words may change.
type Definition struct {
	Object string      `json:"object"`               // the object that grows, or the name of the new one
	New    *Object     `json:"new_object,omitempty"` // a new object
	Fields []*Field    `json:"fields,omitempty"`     // new fields of Object
	Amend  []Amendment `json:"amend,omitempty"`      // other words or options for fields that Object has
	// Yielded names what a later Canopy has taken over as its own (Yield), so that nothing of it is left here.
	Yielded []string `json:"yielded,omitempty"`
}

// Amendment changes the words of a field and adds to its options. Empty members stay as they are.
type Amendment struct {
	Field   string         `json:"field"`
	Label   string         `json:"label,omitempty"`
	Help    string         `json:"help,omitempty"`
	Owner   string         `json:"owner,omitempty"`
	Options []OptionChange `json:"options,omitempty"`
}

// OptionChange adds an option, or changes the one that has its value: aliases join those that there are.
type OptionChange struct {
	Value   string   `json:"value"`
	Label   string   `json:"label,omitempty"`
	Aliases []string `json:"aliases,omitempty"`
	Retired *bool    `json:"retired,omitempty"`
}

// ParseDefinition reads a definition's JSON. Unknown members are refused, so that a misspelt one is not silently dropped.
func ParseDefinition(text string) (Definition, error) {
	var d Definition
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return d, definitionError(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return d, FieldError("definition", "something follows the definition")
	}
	for _, f := range d.fields() {
		if f == nil {
			return d, FieldError("definition", "a field is null")
		}
	}
	return d, nil
}

func definitionError(err error) error {
	message := strings.TrimPrefix(err.Error(), "json: ")
	return FieldError("definition", "it cannot be read: %s", message).
		WithRemedy(`Write it as {"object":"account","fields":[{"name":"segment","kind":"text","label":"Segment"}]}.`)
}

// Text is the definition's JSON.
func (d Definition) Text() string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(d); err != nil {
		panic("models: a definition has no JSON form: " + err.Error()) // plain structs
	}
	return strings.TrimSpace(b.String())
}

func (d Definition) fields() []*Field {
	if d.New != nil {
		return slices.Concat(d.New.Fields, d.Fields)
	}
	return d.Fields
}

// Grow gives the registry after one more change; r and d stay as they are. Errors name the object and field, and say where a name is
// taken: by the standard, or by an earlier change.
func (r *Registry) Grow(d Definition) (*Registry, error) {
	if err := d.fits(r); err != nil {
		return nil, err
	}
	var o *Object
	if d.New != nil {
		o = d.New.custom()
	} else {
		o = r.byName[d.Object].clone()
	}
	for _, f := range d.Fields {
		o.Fields = append(o.Fields, f.custom())
	}
	if len(o.Fields) > maxFields {
		return nil, FieldError(o.Name, "an object has at most %d fields", maxFields).WithRemedy("Describe a new object that refers to it.")
	}
	for _, a := range d.Amend {
		if err := o.amend(a); err != nil {
			return nil, err
		}
	}
	if err := o.index(); err != nil {
		return nil, err
	}
	grown := &Registry{byName: maps.Clone(r.byName), version: r.version + 1}
	grown.byName[o.Name] = o
	grown.objects = slices.Collect(maps.Values(grown.byName))
	sort.Slice(grown.objects, func(i, j int) bool { return grown.objects[i].Name < grown.objects[j].Name })
	if err := grown.checkLinks(o); err != nil {
		return nil, err
	}
	return grown, nil
}

// fits checks what can be said before the change is made.
func (d Definition) fits(r *Registry) error {
	switch {
	case d.Object == "":
		return FieldError("definition", "it names no object").WithRemedy("Say in object: what grows.")
	case d.New == nil && r.byName[d.Object] == nil:
		return FieldError(d.Object, "there is no such object").WithRemedy("GET /api/v1/objects lists them; a new one is described in new_object.")
	case d.New != nil && d.New.Name != d.Object:
		return FieldError(d.Object, "the new object is called %q", d.New.Name).WithRemedy("Use one name in object and in new_object.")
	case d.New != nil && r.byName[d.Object] != nil:
		return FieldError(d.Object, "there is an object of this name already").WithRemedy("Choose another name, or add fields to it.")
	case d.New == nil && len(d.Fields) == 0 && len(d.Amend) == 0 && len(d.Yielded) == 0:
		return FieldError("definition", "it changes nothing").WithRemedy("Describe a new object, fields, or other options.")
	}
	if err := d.New.checkNew(); err != nil {
		return err
	}
	var present *Object
	if d.New == nil {
		present = r.byName[d.Object]
	}
	for _, f := range d.fields() {
		place := d.Object + "." + f.Name
		switch {
		case present != nil && present.byName[f.Name] != nil && present.byName[f.Name].Custom:
			return FieldError(place, "there is a field of this name already").WithRemedy("Choose another name.")
		case present != nil && present.byName[f.Name] != nil:
			return FieldError(place, "this name is one of Canopy's own fields").WithRemedy("Choose another name.")
		case strings.Contains(f.Name, "__"):
			return FieldError(place, "a field's name has single underscores").WithRemedy("Choose another name.")
		case f.Label == "":
			return FieldError(place, "a label is missing").WithRemedy("Say in label: how people call it.")
		case present != nil && f.Required && f.Default == "":
			return FieldError(place, "records that there are have no value yet, so it cannot be required").
				WithRemedy("Leave required out; the records can be filled first.")
		}
	}
	return nil
}

// keptForTables are the beginnings and ends of names that Canopy's own tables beside an object's have.
var keptForTables = regexp.MustCompile(`__|_(log|mv|search|now|as_of)$|^(staging|log|search|sqlite|pg|goose|schema|registry)_`)

// checkNew checks what a new object must have beyond what every object has; a nil object is well.
func (o *Object) checkNew() error {
	switch {
	case o == nil:
		return nil
	case keptForTables.MatchString(o.Name):
		return FieldError(o.Name, "this name is kept for Canopy's own tables").WithRemedy("Choose another name.")
	case o.Label == "":
		return FieldError(o.Name, "a label is missing").WithRemedy("Say in label: how people call it.")
	case o.Visibility != "" && o.Visibility != Scoped && o.Visibility != Shared && o.Visibility != AdminOnly:
		return FieldError(o.Name, "its visibility is none of scoped, shared, admin")
	case o.WriteBy != "" && rank(o.WriteBy) == 0:
		return FieldError(o.Name, "write_by is none of viewer, editor, administrator")
	case len(o.Fields) > maxFields:
		return FieldError(o.Name, "an object has at most %d fields", maxFields)
	}
	return nil
}

// maxFields bounds an object's fields, so that its table fits into each of the databases.
const maxFields = 400

// custom gives a copy marked as added at run time, with a scope that its fields allow.
func (o *Object) custom() *Object {
	c := o.clone()
	c.Custom = true
	if c.Plural == "" {
		c.Plural = c.Label
	}
	hasOwner := false
	for i, f := range c.Fields {
		c.Fields[i] = f.custom()
		hasOwner = hasOwner || f.Name == "owner" && f.Kind == Reference && f.To == "user"
	}
	s := c.Scope
	unscoped := s.Owner == "" && s.Team == "" && s.Territory == "" && s.Campaign == "" && len(s.Via) == 0
	switch {
	case unscoped && hasOwner && c.Visibility != Shared:
		c.Scope.Owner = "owner"
	case unscoped && c.Visibility == "":
		c.Visibility = Shared // nothing that scope could look at
	}
	return c
}

func (f *Field) custom() *Field {
	c := f.clone()
	c.Custom = true
	return c
}

// clone copies the object as far as Grow changes it: the field pointers are shared until index sets them anew.
func (o *Object) clone() *Object {
	c := *o
	c.byName = nil
	c.Fields = make([]*Field, len(o.Fields))
	for i, f := range o.Fields {
		c.Fields[i] = f.clone()
	}
	return &c
}

func (f *Field) clone() *Field {
	c := *f
	c.Options = slices.Clone(f.Options)
	for i := range c.Options {
		c.Options[i].Aliases = slices.Clone(c.Options[i].Aliases)
	}
	return &c
}

func (o *Object) amend(a Amendment) error {
	place := o.Name + "." + a.Field
	at := slices.IndexFunc(o.Fields, func(f *Field) bool { return f.Name == a.Field })
	if at < 0 {
		return FieldError(place, "there is no such field").WithRemedy("GET /api/v1/objects lists the fields.")
	}
	f := o.Fields[at]
	for _, word := range []struct {
		of   *string
		said string
	}{{&f.Label, a.Label}, {&f.Help, a.Help}, {&f.Owner, a.Owner}} {
		if word.said != "" {
			*word.of = word.said
		}
	}
	switch {
	case len(a.Options) > 0 && f.Kind != Picklist && f.Kind != MultiPick:
		return FieldError(place, "it is a %s and has no options", f.Kind)
	case len(a.Options) > 0 && f.ReadOnly:
		return FieldError(place, "its options are those that Canopy's rules know").WithRemedy("Leave them as they are.")
	}
	for _, change := range a.Options {
		f.amendOption(change)
	}
	if len(f.Options) > maxOptions {
		return FieldError(place, "a picklist has at most %d options", maxOptions).WithRemedy("Make it an object of its own and refer to it.")
	}
	return nil
}

const maxOptions = 1000

func (f *Field) amendOption(change OptionChange) {
	at := slices.IndexFunc(f.Options, func(o Option) bool { return o.Value == change.Value })
	if at < 0 {
		at = len(f.Options)
		f.Options = append(f.Options, Option{Value: change.Value, Label: change.Value})
	}
	option := &f.Options[at]
	if change.Label != "" {
		option.Label = change.Label
	}
	if change.Retired != nil {
		option.Retired = *change.Retired
	}
	for _, alias := range change.Aliases {
		if !slices.ContainsFunc(option.Aliases, func(a string) bool { return Fold(a) == Fold(alias) }) {
			option.Aliases = append(option.Aliases, alias)
		}
	}
}
