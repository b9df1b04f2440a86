package dashboards

import (
	"context"
	"net/http"
	"strings"

	"canopy/crm"
	"canopy/models"
	"canopy/models/predicate"
)

// AggregateQuery asks for counts and sums over records.
type AggregateQuery struct {
	Object  *models.Object
	GroupBy *models.Field // nil: no groups, the total only
	Sum     []*models.Field
	Where   *predicate.Node // nil: all
	Cutoff  models.Cutoff
}

// Aggregate is counts and sums by group. Money adds up within each currency only.
type Aggregate struct {
	Groups []Group `json:"groups"`
	Total  Group   `json:"total"`
	AsOf   AsOf    `json:"as_of"`
}

// Group is one value of the grouping field with its records' count and sums.
type Group struct {
	Key   string           `json:"key" doc:"The value in text form; blank for records without one"`
	Title string           `json:"title,omitempty" doc:"The value's label, or the title of the record that it names"`
	Count uint64           `json:"count"`
	Sums  map[string][]Sum `json:"sums" doc:"By field"`
}

// Sum is an exact decimal; Currency is blank for numbers.
type Sum struct {
	Amount   string `json:"amount" example:"4216807.00"`
	Currency string `json:"currency,omitempty" example:"USD"`
}

// AsOf says which state of the log was told.
type AsOf struct {
	Position       uint64 `json:"position"`
	HappenedBefore string `json:"happened_before,omitempty" format:"date-time"`
}

const maxSums = 8

type aggregateInput struct {
	ObjectInput
	CutoffInput
	GroupBy string `query:"group_by" doc:"One field of text, number, boolean, reference or date kind"`
	Sum     string `query:"sum" doc:"Money and number fields with commas between, as in amount,list_value"`
	Filter  string `query:"filter" doc:"A predicate in JSON"`
}

func (s *Server) aggregateRoutes() {
	handle(s, operation(http.MethodGet, "/records/{object}/aggregate", "aggregate-records", "records", "Counts and sums by group, now or as of an instant"), s.aggregate)
}

func (s *Server) aggregate(ctx context.Context, reader models.Reader, in *aggregateInput) (*body[Aggregate], error) {
	object, err := s.parts.Records.Registry().Need(in.Object)
	if err != nil {
		return nil, err
	}
	query := AggregateQuery{Object: object}
	if query.Where, err = filterOf(in.Filter); err != nil {
		return nil, err
	}
	if query.Cutoff, err = s.cutoff(in.CutoffInput); err != nil {
		return nil, err
	}
	if err := query.choose(in.GroupBy, in.Sum); err != nil {
		return nil, err
	}
	out, err := s.parts.History.Aggregate(ctx, reader, query)
	if err != nil {
		return nil, err
	}
	return &body[Aggregate]{out}, s.titleGroups(ctx, reader, query.GroupBy, out.Groups)
}

// choose checks the named fields.
func (q *AggregateQuery) choose(groupBy, sum string) error {
	if groupBy != "" {
		q.GroupBy = q.Object.Field(groupBy)
		if q.GroupBy == nil {
			return models.FieldError("group_by", "%s has no field %q", q.Object.Name, groupBy)
		}
		switch q.GroupBy.Kind {
		case models.Text, models.Email, models.Phone, models.URL, models.Country, models.Picklist, models.Reference, models.Boolean, models.Number, models.DateKind:
		default:
			return models.FieldError("group_by", "records cannot be grouped by a %s", q.GroupBy.Kind)
		}
	}
	if sum == "" {
		return nil
	}
	names := strings.Split(sum, ",")
	if len(names) > maxSums {
		return models.FieldError("sum", "at most %d fields can be summed at once", maxSums)
	}
	seen := map[string]bool{}
	for _, name := range names {
		f := q.Object.Field(strings.TrimSpace(name))
		switch {
		case f == nil:
			return models.FieldError("sum", "%s has no field %q", q.Object.Name, name)
		case f.Kind != models.MoneyKind && f.Kind != models.Number && f.Kind != models.Formula:
			return models.FieldError("sum", "a %s has no sum", f.Kind)
		case !seen[f.Name]:
			seen[f.Name] = true
			q.Sum = append(q.Sum, f)
		}
	}
	return nil
}

// titleGroups gives groups their labels: an option's, or the title of the record that the key names.
func (s *Server) titleGroups(ctx context.Context, reader models.Reader, f *models.Field, groups []Group) error {
	if f == nil {
		return nil
	}
	titles := map[string]string{}
	for _, option := range f.Options {
		titles[option.Value] = option.Label
	}
	if f.Kind == models.Reference {
		var err error
		if titles, err = s.referenceTitles(ctx, reader, f, groups); err != nil {
			return err
		}
	}
	for i := range groups {
		groups[i].Title = titles[groups[i].Key]
	}
	return nil
}

// referenceTitles names the records that group keys are ids of.
func (s *Server) referenceTitles(ctx context.Context, reader models.Reader, f *models.Field, groups []Group) (map[string]string, error) {
	var keys []crm.RecordKey
	for _, group := range groups {
		if number, err := models.ParseID(f.To, group.Key); err == nil {
			keys = append(keys, crm.RecordKey{Object: f.To, Number: number})
		}
	}
	return s.parts.Records.TitlesOf(ctx, reader, keys)
}
