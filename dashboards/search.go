package dashboards

import (
	"context"
	"net/http"

	"canopy/crm"
	"canopy/models"
)

// Found is what a search finds, by kind of record; the kind with the best hit comes first.
type Found struct {
	Groups []FoundGroup `json:"groups"`
}

// FoundGroup are the hits of one kind of record, best first.
type FoundGroup struct {
	Object string     `json:"object" example:"contact"`
	Label  string     `json:"label" example:"Contacts"`
	Items  []FoundHit `json:"items"`
	More   bool       `json:"more" doc:"There are, or may be, others"`
}

// FoundHit is one record that a search finds.
type FoundHit struct {
	ID       string `json:"id" example:"contact_1"`
	Title    string `json:"title"`
	Subtitle string `json:"subtitle,omitempty" doc:"What tells it from its namesakes"`
	Matched  string `json:"matched" doc:"The field that matched; id for a public id" example:"email"`
}

type searchInput struct {
	Text    string   `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"Words of names, an e-mail address or part of one, digits of a telephone number, a domain, a key, or a public id as in deal_42"`
	Objects []string `query:"objects" maxItems:"50" doc:"Only these kinds of record, with a comma between"`
	Limit   int      `query:"limit" minimum:"1" maximum:"50" default:"5" doc:"Hits of each kind"`
}

func (s *Server) searchRoutes() {
	handle(s, operation(http.MethodGet, "/search", "search", "records", "Find records by what a person types"), s.search)
}

func (s *Server) search(ctx context.Context, reader models.Reader, in *searchInput) (*body[Found], error) {
	groups, err := s.parts.Records.Search(ctx, reader, crm.SearchQuery{Text: in.Text, Objects: in.Objects, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &body[Found]{Body: Found{Groups: make([]FoundGroup, 0, len(groups))}}
	for _, g := range groups {
		group := FoundGroup{Object: g.Object.Name, Label: g.Object.Plural, Items: make([]FoundHit, 0, len(g.Hits)), More: g.More}
		for _, h := range g.Hits {
			group.Items = append(group.Items, FoundHit{ID: h.Record.ID(), Title: h.Title, Subtitle: h.Subtitle, Matched: h.Matched})
		}
		out.Body.Groups = append(out.Body.Groups, group)
	}
	return out, nil
}
