package dashboards

import (
	"context"
	"net/http"

	"canopy/models"
)

// Objects are the kinds of record that the reader may know of.
type Objects struct {
	Objects []Object `json:"objects"`
}

// Object describes one kind of record.
type Object struct {
	Name       string      `json:"name" example:"deal"`
	Label      string      `json:"label"`
	Plural     string      `json:"plural"`
	Help       string      `json:"help,omitempty"`
	Title      string      `json:"title" doc:"The field that names a record"`
	WriteBy    models.Role `json:"write_by" doc:"The least role that may write"`
	TimelineOf []string    `json:"timeline_of,omitempty" doc:"Reference fields on whose record's timeline these records appear"`
	Owner      string      `json:"owner,omitempty" doc:"Who answers for it"`
	Custom     bool        `json:"custom,omitempty" doc:"Added here by a change request"`
	Fields     []Field     `json:"fields"`
}

// Field describes one field.
type Field struct {
	Name         string          `json:"name"`
	Kind         models.Kind     `json:"kind" enum:"text,long_text,number,money,date,instant,picklist,multi_pick,boolean,email,phone,url,country,address,reference,file,formula,score"`
	Label        string          `json:"label"`
	Help         string          `json:"help,omitempty"`
	Required     bool            `json:"required,omitempty"`
	Unique       bool            `json:"unique,omitempty"`
	Indexed      bool            `json:"indexed,omitempty"`
	ReadOnly     bool            `json:"read_only,omitempty"`
	Personal     bool            `json:"personal,omitempty" doc:"Personal data"`
	Default      string          `json:"default,omitempty"`
	Options      []models.Option `json:"options,omitempty"`
	To           string          `json:"to,omitempty" doc:"The object that a reference points to"`
	Scale        int             `json:"scale,omitempty" doc:"Decimals of a number"`
	RequiredFrom string          `json:"required_from,omitempty" doc:"Stage status from which on it must be filled"`
	Owner        string          `json:"owner,omitempty" doc:"Who answers for what it holds"`
	Custom       bool            `json:"custom,omitempty" doc:"Added here by a change request"`
	Formula      string          `json:"formula,omitempty" doc:"Expression in CEL that its value follows from"`
	MaxBytes     int64           `json:"max_bytes,omitempty" doc:"Bytes that a file may have"`
	Accept       []string        `json:"accept,omitempty" doc:"Media types of files; any where it is left out"`
}

func (s *Server) objectRoutes() {
	handle(s, operation(http.MethodGet, "/objects", "list-objects", "records", "The kinds of record and their fields"), s.listObjects)
}

// bytesOf is how large a file of the field may be; 0 for other fields.
func bytesOf(f *models.Field) int64 {
	if f.Kind != models.FileOf {
		return 0
	}
	return f.FileLimit()
}

func (s *Server) listObjects(_ context.Context, reader models.Reader, _ *none) (*body[Objects], error) {
	out := &body[Objects]{Body: Objects{Objects: []Object{}}}
	for _, o := range s.parts.Records.Registry().Objects() {
		if hidden(o, reader) {
			continue
		}
		object := Object{Name: o.Name, Label: o.Label, Plural: o.Plural, Help: o.Help, Title: o.Title, WriteBy: o.WriteBy, TimelineOf: o.TimelineOf, Owner: o.Owner, Custom: o.Custom}
		for _, f := range o.Fields {
			object.Fields = append(object.Fields, Field{
				Name: f.Name, Kind: f.Kind, Label: f.Label, Help: f.Help, Required: f.Required, Unique: f.Unique, Indexed: f.Indexed,
				ReadOnly: f.ReadOnly, Personal: f.Personal, Default: f.Default, Options: f.Options, To: f.To, Scale: f.Scale, RequiredFrom: f.RequiredFrom,
				Owner: f.Owner, Custom: f.Custom, Formula: f.Formula, MaxBytes: bytesOf(f), Accept: f.Accept,
			})
		}
		out.Body.Objects = append(out.Body.Objects, object)
	}
	return out, nil
}
