package dashboards

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"canopy/models"

	"github.com/danielgtaylor/huma/v2"
)

// Record is one record as it goes out. Fields that are empty are left out.
type Record struct {
	ID         string            `json:"id" example:"deal_42"`
	Object     string            `json:"object" example:"deal"`
	Version    int64             `json:"version"`
	CreatedAt  string            `json:"created_at" format:"date-time"`
	UpdatedAt  string            `json:"updated_at" format:"date-time"`
	HappenedAt string            `json:"happened_at" format:"date-time" doc:"The latest instant of which the record has a state"`
	Deleted    bool              `json:"deleted"`
	Fields     Values            `json:"fields"`
	Titles     map[string]string `json:"titles" doc:"By reference field: the title of the record that it points to, where the reader may see it"`
}

// Values are a record's fields in JSON, by name; GET /objects says what each holds.
type Values json.RawMessage

// MarshalJSON gives the text as it is.
func (v Values) MarshalJSON() ([]byte, error) { return v, nil }

// Schema tells huma that values are an object; which one depends on the kind of record.
func (Values) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "Values by field name, in the JSON form of the field's kind (GET /objects)"}
}

// Patch is fields on their way in: by name, in the JSON form of the field's kind; null empties a field.
type Patch map[string]json.RawMessage

// Schema is the same as that of Values.
func (Patch) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "Values by field name, in the JSON form of the field's kind (GET /objects); null empties a field"}
}

// recordOf gives a record its wire form; titles are by public id.
func recordOf(r *models.Record, titles map[string]string) Record {
	out := Record{
		ID: r.ID(), Object: r.Object.Name, Version: r.Version, CreatedAt: instantText(r.CreatedAt), UpdatedAt: instantText(r.UpdatedAt),
		HappenedAt: instantText(r.HappenedAt), Deleted: r.Deleted, Fields: r.Object.AppendImage(nil, r.Values), Titles: map[string]string{},
	}
	for i, f := range r.Object.Fields {
		if i >= len(r.Values) || f.Kind != models.Reference {
			continue
		}
		if n, ok := r.Values[i].(uint64); ok {
			if title, ok := titles[publicID(f.To, n)]; ok {
				out.Titles[f.Name] = title
			}
		}
	}
	return out
}

func publicID(object string, number uint64) string {
	return object + "_" + strconv.FormatUint(number, 10)
}

// instantText writes an instant; an unknown one is blank.
func instantText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(models.InstantLayout)
}

// records gives records their wire form, with the titles that the reader may see.
func (s *Server) records(ctx context.Context, reader models.Reader, list []*models.Record) ([]Record, error) {
	titles, err := s.parts.Records.Titles(ctx, reader, list)
	if err != nil {
		return nil, err
	}
	out := make([]Record, len(list))
	for i, r := range list {
		out[i] = recordOf(r, titles)
	}
	return out, nil
}

func (s *Server) record(ctx context.Context, reader models.Reader, r *models.Record) (*Record, error) {
	out, err := s.records(ctx, reader, []*models.Record{r})
	if err != nil {
		return nil, err
	}
	return &out[0], nil
}

// tagOf is a record version as an entity tag.
func tagOf(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// versionOf reads If-Match; a missing one is told how to get it.
func versionOf(ifMatch string) (int64, error) {
	if ifMatch == "" {
		p := newProblem(models.Errorf(models.Precondition, "a change must say which version of the record it was made from").
			WithRemedy(`Send the ETag that GET gave in If-Match, as in If-Match: "3".`))
		p.Status, p.Title, p.Field = 428, "Precondition Required", "If-Match"
		return 0, p
	}
	if digits, ok := strings.CutPrefix(ifMatch, `"`); ok {
		if digits, ok = strings.CutSuffix(digits, `"`); ok {
			if version, err := strconv.ParseInt(digits, 10, 64); err == nil && version > 0 {
				return version, nil
			}
		}
	}
	return 0, models.FieldError("If-Match", "%q is no record version", ifMatch).WithRemedy(`Send the ETag that GET gave, as in If-Match: "3".`)
}
