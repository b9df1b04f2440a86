package dashboards

import (
	"context"
	"net/http"

	"canopy/crm"
	"canopy/models"
	"canopy/models/predicate"
)

// Related is what points to a record: its deals, tickets, tasks, orders …, and the last things that were done with it.
type Related struct {
	Groups []RelatedGroup `json:"groups" doc:"One for each reference that points here and has records, by object name; activities are told apart, below"`
	// Interactions are activities of the record, newest first.
	Interactions []Record `json:"interactions" doc:"The last activities, newest first"`
}

// RelatedGroup is the records of one object that point to the record by one field.
type RelatedGroup struct {
	Object string   `json:"object" example:"deal"`
	Label  string   `json:"label" example:"Deals"`
	Field  string   `json:"field" doc:"The reference that points here" example:"account"`
	Name   string   `json:"name" doc:"What the field is called" example:"Account"`
	Count  Count    `json:"count"`
	Items  []Record `json:"items" doc:"The latest ones"`
}

type relatedInput struct {
	RecordInput
	Limit        int `query:"limit" minimum:"1" maximum:"20" default:"5" doc:"Records a group"`
	Interactions int `query:"interactions" minimum:"1" maximum:"50" default:"5"`
}

const activityObject = "activity"

func (s *Server) relatedRoutes() {
	op := operation(http.MethodGet, "/records/{object}/{id}/related", "related-records", "records", "What points to a record")
	op.Description = "Each group is what GET /records/{group.object} gives for the filter {\"field\": group.field, \"op\": \"eq\", \"value\": id}, the latest first."
	handle(s, op, s.related)
}

func (s *Server) related(ctx context.Context, reader models.Reader, in *relatedInput) (*body[Related], error) {
	object, number, err := s.find(in.RecordInput)
	if err != nil {
		return nil, err
	}
	if _, err := s.parts.Records.Get(ctx, reader, object.Name, number, models.Cutoff{}); err != nil {
		return nil, err
	}
	out := Related{Groups: []RelatedGroup{}, Interactions: []Record{}}
	for _, other := range s.parts.Records.Registry().Objects() {
		for _, field := range other.Fields {
			if field.Kind != models.Reference || field.To != object.Name {
				continue
			}
			if other.Name == activityObject && isTimelineLink(other, field.Name) {
				if out.Interactions, _, err = s.pointing(ctx, reader, other, field, number, "-done_at", in.Interactions); err != nil {
					return nil, err
				}
				continue
			}
			items, count, err := s.pointing(ctx, reader, other, field, number, "-updated_at", in.Limit)
			if err != nil {
				return nil, err
			}
			if count.Value > 0 {
				out.Groups = append(out.Groups, RelatedGroup{Object: other.Name, Label: other.Plural, Field: field.Name, Name: field.Label, Count: count, Items: items})
			}
		}
	}
	return &body[Related]{out}, nil
}

func isTimelineLink(object *models.Object, field string) bool {
	for _, link := range object.TimelineOf {
		if link == field {
			return true
		}
	}
	return false
}

// pointing reads the first records of an object whose field refers to number, as far as the reader may see them.
func (s *Server) pointing(ctx context.Context, reader models.Reader, object *models.Object, field *models.Field, number uint64, sort string, limit int) ([]Record, Count, error) {
	page, err := s.parts.Records.List(ctx, reader, crm.Query{Object: object.Name, Where: predicate.Compare(field, predicate.Eq, number), Sort: sort, Limit: limit})
	if err != nil {
		return nil, Count{}, err
	}
	items, err := s.records(ctx, reader, page.Records)
	return items, Count{page.Count, page.Capped, page.Unknown}, err
}
