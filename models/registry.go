package models

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Visibility says how an object's rows are cut to a reader.
type Visibility string

const (
	// Scoped rows are seen by readers whose scope they match.
	Scoped Visibility = "scoped"
	// Shared rows are read by everybody who may sign in: products, stages, teams.
	Shared Visibility = "shared"
	// AdminOnly rows are read and written by administrators.
	AdminOnly Visibility = "admin"
	// Personal rows are seen by their owner whatever the owner's scope, and by nobody else unless scope.open says so: saved views.
	// Not even administrators see other people's; only Canopy itself does.
	Personal Visibility = "personal"
)

// ScopeFields names the fields of an object that row scope looks at; empty where the object has none.
// Via lists reference fields whose record lends its visibility, first non-empty first (a note of a deal is seen with the deal).
type ScopeFields struct {
	Owner     string   `yaml:"owner" json:"owner,omitempty"`
	Team      string   `yaml:"team" json:"team,omitempty"`
	Territory string   `yaml:"territory" json:"territory,omitempty"`
	Campaign  string   `yaml:"campaign" json:"campaign,omitempty"`
	Via       []string `yaml:"via" json:"via,omitempty"`
	// Open names a boolean field; rows where it is true are seen by everybody with a role. Only personal objects have one.
	Open string `yaml:"open" json:"open,omitempty"`
}

// Object describes one kind of record.
type Object struct {
	Name       string      `yaml:"name" json:"name"` // snake_case singular: deal
	Label      string      `yaml:"label" json:"label"`
	Plural     string      `yaml:"plural" json:"plural"`
	Help       string      `yaml:"help" json:"help,omitempty"`
	Owner      string      `yaml:"owner" json:"owner,omitempty"`
	Visibility Visibility  `yaml:"visibility" json:"visibility"`
	WriteBy    Role        `yaml:"write_by" json:"write_by,omitempty"` // least role that may write; editor where empty
	Scope      ScopeFields `yaml:"scope" json:"scope"`
	Title      string      `yaml:"title" json:"title"` // the field that names a record on screen
	Fields     []*Field    `yaml:"fields" json:"fields"`
	// TimelineOf lists reference fields on whose record's timeline rows of this object appear.
	TimelineOf []string `yaml:"timeline_of" json:"timeline_of,omitempty"`
	Unsearched bool     `yaml:"unsearched" json:"unsearched,omitempty"` // global search passes over it: parts of other records
	Custom     bool     `yaml:"-" json:"custom,omitempty"`

	byName map[string]*Field
	search []*Field
}

// Field finds a field by name; nil where there is none.
func (o *Object) Field(name string) *Field { return o.byName[name] }

// ID is the public id of record number: "deal_42". It is the number with its object's name, so that it
// needs no index of its own, is the same after a rebuild, and can be said on the telephone.
func (o *Object) ID(number uint64) string { return o.Name + "_" + strconv.FormatUint(number, 10) }

// ParseID reads a public id of this object; another object's id or a malformed one is a not_found error.
func (o *Object) ParseID(id string) (uint64, error) { return ParseID(o.Name, id) }

// ParseID reads the number out of a public id of the named object.
func ParseID(object, id string) (uint64, error) {
	digits, ok := strings.CutPrefix(id, object+"_")
	if ok && digits != "" && digits[0] != '0' && digits[0] != '+' {
		if n, err := strconv.ParseUint(digits, 10, 63); err == nil {
			return n, nil
		}
	}
	return 0, Errorf(NotFound, "there is no %s %q", object, id)
}

// Registry is the one description of all objects. It is immutable: a change gives a new one (Grow), which shares the objects that
// the change does not touch.
type Registry struct {
	objects []*Object
	byName  map[string]*Object
	version int64
}

// Version counts the changes that were approved on top of the standard objects.
func (r *Registry) Version() int64 { return r.version }

// Objects lists all objects in name order; the slice must not be changed.
func (r *Registry) Objects() []*Object { return r.objects }

// Object finds an object by name; nil where there is none.
func (r *Registry) Object(name string) *Object { return r.byName[name] }

// Need finds an object or says that there is none.
func (r *Registry) Need(name string) (*Object, error) {
	if o := r.byName[name]; o != nil {
		return o, nil
	}
	return nil, Errorf(NotFound, "there is no object %q", name).WithRemedy("GET /api/v1/objects lists them.")
}

//go:embed standard/*.yaml
var standard embed.FS

// Standard loads the objects that ship with Canopy.
func Standard() (*Registry, error) {
	paths, err := fs.Glob(standard, "standard/*.yaml")
	if err != nil {
		return nil, err
	}
	sort.Strings(paths)
	objects := make([]*Object, 0, len(paths))
	for _, path := range paths {
		text, err := standard.ReadFile(path)
		if err != nil {
			return nil, err
		}
		object := &Object{}
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		decoder.KnownFields(true)
		if err := decoder.Decode(object); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		objects = append(objects, object)
	}
	return NewRegistry(objects)
}

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

// reservedNames are columns that every table has; no field may take one.
var reservedNames = map[string]bool{
	"number": true, "id": true, "version": true, "created_at": true, "updated_at": true, "happened_at": true,
	"deleted_at": true, "recorded_at": true, "position": true, "kind_of_change": true, "actor": true, "cause": true, "is_deleted": true,
	"kind": true, "happened_unknown": true, "actor_kind": true, "actor_user": true,
}

// NewRegistry checks the objects and indexes them. It keeps the pointers and fills their private indexes.
// Errors name the object and field.
func NewRegistry(objects []*Object) (*Registry, error) {
	r := &Registry{byName: make(map[string]*Object, len(objects))}
	for _, o := range objects {
		if !identifier.MatchString(o.Name) {
			return nil, FieldError(o.Name, "an object's name is snake_case, at most 48 characters")
		}
		if r.byName[o.Name] != nil {
			return nil, FieldError(o.Name, "object described twice")
		}
		r.byName[o.Name] = o
		r.objects = append(r.objects, o)
		if err := o.index(); err != nil {
			return nil, err
		}
	}
	sort.Slice(r.objects, func(i, j int) bool { return r.objects[i].Name < r.objects[j].Name })
	for _, o := range r.objects {
		if err := r.checkLinks(o); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (o *Object) index() error {
	o.byName = make(map[string]*Field, len(o.Fields))
	if o.Visibility == "" {
		o.Visibility = Scoped
	}
	if o.WriteBy == "" {
		o.WriteBy = Editor
	}
	for i, f := range o.Fields {
		place := o.Name + "." + f.Name
		switch {
		case f.MaxBytes < 0, (f.MaxBytes > 0 || len(f.Accept) > 0) && f.Kind != FileOf:
			return FieldError(place, "max_bytes: and accept: belong to files")
		case slices.ContainsFunc(f.Accept, func(a string) bool { return !isMediaType(a) }):
			return FieldError(place, "accept: lists media types, as in application/pdf or image/*")
		case !identifier.MatchString(f.Name):
			return FieldError(place, "a field's name is snake_case, at most 48 characters")
		case reservedNames[f.Name], strings.HasSuffix(f.Name, "_currency"):
			return FieldError(place, "this name is kept for Canopy's own columns")
		case o.byName[f.Name] != nil:
			return FieldError(place, "field described twice")
		case kinds[f.Kind] == nil:
			return FieldError(place, "unknown kind %q", f.Kind)
		case f.Scale < 0 || f.Scale > 9:
			return FieldError(place, "scale is 0 to 9")
		case (f.Kind == Picklist || f.Kind == MultiPick) != (len(f.Options) > 0):
			return FieldError(place, "options belong to picklists, and each picklist has some")
		case (f.Kind == Reference) != (f.To != ""):
			return FieldError(place, "to: belongs to references, and each reference has one")
		case (f.Kind == Formula) != (f.Formula != ""):
			return FieldError(place, "formula: belongs to the formula kind")
		}
		f.index = i
		if f.Kind == Formula || f.Kind == Score {
			f.ReadOnly = true
		}
		if err := f.indexOptions(place); err != nil {
			return err
		}
		o.byName[f.Name] = f
	}
	if o.byName[o.Title] == nil {
		return FieldError(o.Name, "title: names no field")
	}
	o.search = nil
	for _, f := range append([]*Field{o.byName[o.Title]}, o.Fields...) {
		if !o.Unsearched && o.searched(f) && !slices.Contains(o.search, f) {
			o.search = append(o.search, f)
		}
	}
	return nil
}

func (r *Registry) checkLinks(o *Object) error {
	for _, f := range o.Fields {
		place := o.Name + "." + f.Name
		if f.To != "" && r.byName[f.To] == nil {
			return FieldError(place, "refers to %q, which is no object", f.To)
		}
		if f.Follows != "" {
			over, name, _ := strings.Cut(f.Follows, ".")
			link := o.byName[over]
			if link == nil || link.Kind != Reference || r.byName[link.To].byName[name] == nil || r.byName[link.To].byName[name].Kind != f.Kind {
				return FieldError(place, "follows %q, which is no field of the same kind over a reference", f.Follows)
			}
		}
		if f.Default != "" {
			if _, err := f.ParseText(f.Default, TextContext{Currency: "USD"}); err != nil {
				return FieldError(place, "default: %v", err)
			}
		}
	}
	links := append([]string{}, o.Scope.Via...)
	links = append(links, o.TimelineOf...)
	for _, name := range append(links, o.Scope.Owner, o.Scope.Team, o.Scope.Campaign) {
		if name != "" && (o.byName[name] == nil || o.byName[name].Kind != Reference) {
			return FieldError(o.Name, "scope names %q, which is no reference", name)
		}
	}
	if t := o.Scope.Territory; t != "" && o.byName[t] == nil {
		return FieldError(o.Name, "scope names %q, which is no field", t)
	}
	return o.checkPersonal()
}

// checkPersonal: a personal object has an owner, and what opens its rows is a boolean.
func (o *Object) checkPersonal() error {
	if o.Visibility == Personal && o.Scope.Owner == "" {
		return FieldError(o.Name, "a personal object says in scope.owner whose a row is")
	}
	if open := o.Scope.Open; open != "" {
		if f := o.byName[open]; f == nil || f.Kind != Boolean || o.Visibility != Personal {
			return FieldError(o.Name, "scope.open names a boolean field of a personal object, and %q is none", open)
		}
	}
	return nil
}
