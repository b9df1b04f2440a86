package models

import (
	"slices"
	"strings"
)

// Yield gives a definition without what place names ("account.budget", or an object), for the standard registry of a later Canopy to take over
// with its values. It tells whether the definition held it. Fields of another kind cannot be taken over: their values would
// not fit; the error names the field.
func (d Definition) Yield(standard *Registry, place string) (Definition, bool, error) {
	object, name, isField := strings.Cut(place, ".")
	own := standard.Object(object)
	if object != d.Object || own == nil {
		return d, false, nil
	}
	if !isField {
		if d.New == nil {
			return d, false, nil
		}
		kept, err := yieldFields(own, d.New.Fields)
		if err != nil {
			return d, false, err
		}
		d.New, d.Fields = nil, slices.Concat(kept, d.Fields)
	} else {
		at := slices.IndexFunc(d.Fields, func(f *Field) bool { return f.Name == name })
		if at < 0 || own.Field(name) == nil {
			return d, false, nil
		}
		if _, err := yieldFields(own, d.Fields[at:at+1]); err != nil {
			return d, false, err
		}
		d.Fields = slices.Delete(slices.Clone(d.Fields), at, at+1)
	}
	d.Yielded = append(slices.Clone(d.Yielded), place)
	return d, true, nil
}

// yieldFields gives the fields that the object does not have.
func yieldFields(own *Object, fields []*Field) ([]*Field, error) {
	var kept []*Field
	for _, f := range fields {
		standard := own.Field(f.Name)
		switch {
		case standard == nil:
			kept = append(kept, f)
		case standard.Kind != f.Kind || standard.To != f.To || standard.Scale != f.Scale:
			return nil, FieldError(own.Name+"."+f.Name, "Canopy's own is a %s and this one a %s: the values do not fit", standard.Kind, f.Kind).
				WithRemedy("Stay with the version before, move the values to a field of another name (export, import), and tell Canopy's makers of the clash.")
		}
	}
	return kept, nil
}
