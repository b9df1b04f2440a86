package dashboards

import (
	"context"

	"canopy/models"

	"github.com/danielgtaylor/huma/v2"
)

// ObjectSchema is a JSON Schema (2020-12) of a record's fields.
type ObjectSchema map[string]any

// Schema says that it is an object of its own kind.
func (ObjectSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "JSON Schema 2020-12 of the fields of a record"}
}

func (s *Server) objectSchema(_ context.Context, reader models.Reader, in *ObjectInput) (*body[ObjectSchema], error) {
	o, err := s.parts.Records.Registry().Need(in.Object)
	if err != nil {
		return nil, err
	}
	if hidden(o, reader) {
		return nil, models.Errorf(models.NotFound, "there is no object %q", in.Object).WithRemedy("GET /api/v1/objects lists them.")
	}
	properties := make(map[string]any, len(o.Fields))
	var required []string
	for _, f := range o.Fields {
		properties[f.Name] = fieldSchema(f)
		if f.Required && f.Default == "" {
			required = append(required, f.Name)
		}
	}
	out := ObjectSchema{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": o.Label, "description": o.Help,
		"type": "object", "properties": properties, "additionalProperties": false,
	}
	if len(required) > 0 {
		out["required"] = required
	}
	return &body[ObjectSchema]{out}, nil
}

// hidden tells whether the reader may not know of an object.
func hidden(o *models.Object, reader models.Reader) bool {
	return o.Visibility == models.AdminOnly && !reader.Role.AtLeast(models.Administrator)
}

// fieldSchema gives a field's JSON form (see models.Kind); every field may be null, which empties it.
func fieldSchema(f *models.Field) map[string]any {
	schema := map[string]any{"title": f.Label}
	text := func(format string) {
		schema["type"] = []string{"string", "null"}
		if format != "" {
			schema["format"] = format
		}
	}
	switch f.Kind {
	case models.Number, models.Formula, models.Score:
		schema["type"] = []string{"number", "null"}
		if f.Kind == models.Score {
			schema["minimum"], schema["maximum"] = 0, 1
		}
	case models.Boolean:
		schema["type"] = []string{"boolean", "null"}
	case models.MultiPick:
		schema["type"], schema["items"] = []string{"array", "null"}, map[string]any{"enum": optionsOf(f)}
	case models.Picklist:
		schema["enum"] = append(optionsOf(f), nil)
	case models.MoneyKind:
		schema["type"], schema["required"] = []string{"object", "null"}, []string{"amount", "currency"}
		schema["properties"] = map[string]any{"amount": map[string]any{"type": []string{"string", "number"}}, "currency": map[string]any{"type": "string"}}
	case models.AddressOf, models.FileOf:
		schema["type"] = []string{"object", "null"}
	case models.DateKind:
		text("date")
	case models.Instant:
		text("date-time")
	case models.Email:
		text("email")
	case models.URL:
		text("uri")
	case models.Reference:
		text("")
		schema["pattern"] = "^" + f.To + "_[1-9][0-9]*$"
	default:
		text("")
	}
	for name, word := range map[string]string{"description": f.Help, "default": f.Default} {
		if word != "" {
			schema[name] = word
		}
	}
	if f.ReadOnly {
		schema["readOnly"] = true
	}
	return schema
}

func optionsOf(f *models.Field) []any {
	var values []any
	for _, o := range f.Options {
		if !o.Retired {
			values = append(values, o.Value)
		}
	}
	return values
}
