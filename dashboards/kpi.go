package dashboards

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"canopy/metrics/kpi"
	"canopy/models"

	"github.com/danielgtaylor/huma/v2"
)

// Trees tells the KPI trees: stored weeks to readers who see everything, weeks computed over their own rows to others.
type Trees interface {
	Trees(ctx context.Context) ([]TreeName, error)
	Tree(ctx context.Context, reader models.Reader, q TreeQuery) (*kpi.Result, error)
	// Weeks gives the root's value of every week that has one, oldest first.
	Weeks(ctx context.Context, reader models.Reader, tree string) ([]kpi.Point, error)
}

// TreeName is a tree that can be asked for.
type TreeName struct {
	Name   string           `json:"name" example:"b2b_pipeline"`
	Label  string           `json:"label"`
	Splits []kpi.NamedLabel `json:"splits" doc:"By what its decided deals can be split"`
}

// TreeQuery asks for one week of a tree. Zero fields take the tree's first split, the week before this one, and the present.
type TreeQuery struct {
	Tree    string
	Week    models.Date // first day
	Compare kpi.Compare
	Split   string
	Cutoff  models.Cutoff
}

// TreeList is all trees.
type TreeList struct {
	Trees []TreeName `json:"trees"`
}

// WeekList is the weeks of a tree that have numbers.
type WeekList struct {
	Weeks []kpi.Point `json:"weeks"`
}

type treeInput struct {
	CutoffInput
	Tree        string      `path:"tree" maxLength:"48" example:"b2b_pipeline"`
	WeekOf      string      `query:"week_of" doc:"First day of the week; the last whole week where it is left out" example:"2017-06-26"`
	Compare     kpi.Compare `query:"compare" enum:"previous,last_year,target" default:"previous"`
	Split       string      `query:"split" maxLength:"48"`
	IfNoneMatch string      `header:"If-None-Match"`
}

type treeWeeksInput struct {
	Tree        string `path:"tree" maxLength:"48"`
	IfNoneMatch string `header:"If-None-Match"`
}

// told is an answer that is sent again only where it is another one.
type told struct {
	Status       int
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	ContentType  string `header:"Content-Type"`
	Body         []byte
}

func (s *Server) treeRoutes() {
	handle(s, operation(http.MethodGet, "/trees", "list-trees", "trees", "The KPI trees"), s.listTrees)
	handle(s, answers[kpi.Result](s, operation(http.MethodGet, "/trees/{tree}", "get-tree", "trees", "One week of a KPI tree with exact contributions")), s.tree)
	handle(s, answers[WeekList](s, operation(http.MethodGet, "/trees/{tree}/weeks", "list-tree-weeks", "trees", "The weeks of a KPI tree that have numbers")), s.treeWeeks)
}

// answers describes a route that writes a T itself.
func answers[T any](s *Server, op huma.Operation) huma.Operation {
	var t *T
	op.Responses = map[string]*huma.Response{
		"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf(s, t)}}},
		"304": {Description: "Not Modified"}, "default": problemResponse(s),
	}
	return op
}

func (s *Server) listTrees(ctx context.Context, _ models.Reader, _ *none) (*body[TreeList], error) {
	trees, err := s.parts.Trees.Trees(ctx)
	if trees == nil {
		trees = []TreeName{}
	}
	return &body[TreeList]{TreeList{trees}}, err
}

func (s *Server) tree(ctx context.Context, reader models.Reader, in *treeInput) (*told, error) {
	cutoff, err := s.cutoff(in.CutoffInput)
	if err != nil {
		return nil, err
	}
	calendar := s.parts.Records.Calendar()
	week := calendar.WeekOf(s.config.Now()).AddDays(-7)
	if in.WeekOf != "" {
		if week, err = models.ParseDate(in.WeekOf); err != nil {
			return nil, models.FieldError("week_of", "%s", err)
		}
	}
	if _, err := calendar.Week(week); err != nil {
		return nil, err
	}
	result, err := s.parts.Trees.Tree(ctx, reader, TreeQuery{Tree: in.Tree, Week: week, Compare: in.Compare, Split: in.Split, Cutoff: cutoff})
	if err != nil {
		return nil, err
	}
	return tell(result, in.IfNoneMatch)
}

func (s *Server) treeWeeks(ctx context.Context, reader models.Reader, in *treeWeeksInput) (*told, error) {
	weeks, err := s.parts.Trees.Weeks(ctx, reader, in.Tree)
	if err != nil {
		return nil, err
	}
	if weeks == nil {
		weeks = []kpi.Point{}
	}
	return tell(WeekList{weeks}, in.IfNoneMatch)
}

// tell writes v, or 304 where the caller has it already. The tag is weak: it stands for what is said, not for the bytes.
func tell(v any, ifNoneMatch string) (*told, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	out := &told{Status: http.StatusOK, ETag: `W/"` + hex.EncodeToString(sum[:12]) + `"`, CacheControl: "private, no-cache", ContentType: "application/json", Body: text}
	if ifNoneMatch != "" && sameTag(strings.TrimSpace(ifNoneMatch), out.ETag) {
		out.Status, out.Body, out.ContentType = http.StatusNotModified, nil, ""
	}
	return out, nil
}
