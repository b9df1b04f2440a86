package dashboards

import (
	"context"
	"net/http"
	"time"

	"canopy/crm"
	"canopy/models"
	"canopy/models/predicate"
)

// StageVisits are a deal's stays in stages, in order.
type StageVisits struct {
	Visits []StageVisit `json:"visits"`
}

// StageVisit is one stay of a deal in a stage.
type StageVisit struct {
	Stage     string   `json:"stage" example:"stage_3"`
	Title     string   `json:"title"`
	EnteredAt string   `json:"entered_at,omitempty" format:"date-time" doc:"Left out where the source knew no instant"`
	LeftAt    string   `json:"left_at,omitempty" format:"date-time" doc:"Left out while it is still there"`
	Days      *float64 `json:"days,omitempty" doc:"Length in days of 24 hours, up to now while it is open there; left out where it is not known, and for a decided deal's last stage"`
}

// PipelineStages are a pipeline's stages in order, with what they ask for in words and how the open deals stand to it.
type PipelineStages struct {
	Stages []PipelineStage `json:"stages"`
}

// PipelineStage is one stage as people read it.
type PipelineStage struct {
	ID           string     `json:"id" example:"stage_3"`
	Name         string     `json:"name"`
	Status       string     `json:"status" enum:"open,won,lost"`
	Entry        []string   `json:"entry" doc:"What must be true to come in"`
	EntryHelp    string     `json:"entry_help,omitempty"`
	Exit         []string   `json:"exit" doc:"What must be true to go on"`
	ExitHelp     string     `json:"exit_help,omitempty"`
	Required     []string   `json:"required" doc:"Labels of the fields that are required from this stage on"`
	AgeLimitDays *int64     `json:"age_limit_days,omitempty"`
	Broken       string     `json:"broken,omitempty" doc:"Why what it asks for cannot be asked: nobody can move until it is mended"`
	Open         *OpenDeals `json:"open,omitempty" doc:"Of an open stage: its deals, among those that the reader sees"`
}

// OpenDeals counts the deals in a stage. Counting stops at 10,000.
type OpenDeals struct {
	Count  Count `json:"count"`
	Breaks Count `json:"breaks" doc:"Do not meet what coming in asks for, or lack a required field: they stand there from before the stage was so strict, or were changed since"`
	Stale  Count `json:"stale" doc:"Have been in the stage for longer than its age limit"`
}

// BoardSummary is what stands over a pipeline's board. Amounts are exact, by currency.
type BoardSummary struct {
	Stages       []BoardStage `json:"stages"`
	Open         BoardTotal   `json:"open" doc:"All open stages together"`
	WonThisMonth BoardTotal   `json:"won_this_month" doc:"Won since the first of the month on the workspace's clock; without weights"`
	MonthFrom    string       `json:"month_from" format:"date"`
	StaleCount   uint64       `json:"stale_count" doc:"Open deals that have been in their stage for longer than its age limit"`
	AsOf         AsOf         `json:"as_of"`
}

// BoardStage is one column.
type BoardStage struct {
	ID string `json:"id" example:"stage_3"`
	BoardTotal
	StaleCount uint64 `json:"stale_count"`
}

// BoardTotal counts deals and adds up their amounts.
type BoardTotal struct {
	Count    uint64 `json:"count"`
	Sums     []Sum  `json:"sums"`
	Weighted []Sum  `json:"weighted" doc:"Amounts times the stage's probability; without those of stages that declare none"`
}

type dealInput struct {
	ID string `path:"id" maxLength:"80" example:"deal_42"`
}

// PipelineInput is the path of a pipeline.
type PipelineInput struct {
	ID string `path:"id" maxLength:"80" example:"pipeline_1"`
}

type boardInput struct {
	PipelineInput
	Filter string `query:"filter" doc:"A predicate in JSON over the deals"`
}

func (s *Server) pipelineRoutes() {
	handle(s, operation(http.MethodGet, "/deals/{id}/stages", "deal-stages", "selling", "The stages that a deal has been in, and for how long"), s.dealStages)
	handle(s, operation(http.MethodGet, "/pipelines/{id}/stages", "pipeline-stages", "selling", "A pipeline's stages: what they ask for, and how many open deals break it"), s.pipelineStages)
	handle(s, operation(http.MethodGet, "/pipelines/{id}/board", "pipeline-board", "selling", "Counts, sums and weighted sums of a pipeline's deals by stage"), s.pipelineBoard)
	s.stagnationRoutes()
}

func (s *Server) dealStages(ctx context.Context, reader models.Reader, in *dealInput) (*body[StageVisits], error) {
	number, err := models.ParseID("deal", in.ID)
	if err != nil {
		return nil, err
	}
	visits, err := s.parts.Records.StageVisits(ctx, reader, number)
	if err != nil {
		return nil, err
	}
	keys := make([]crm.RecordKey, len(visits))
	for i, v := range visits {
		keys[i] = crm.RecordKey{Object: "stage", Number: v.Stage}
	}
	titles, err := s.parts.Records.TitlesOf(ctx, reader, keys)
	if err != nil {
		return nil, err
	}
	out := StageVisits{Visits: make([]StageVisit, len(visits))}
	for i, v := range visits {
		id := publicID("stage", v.Stage)
		out.Visits[i] = StageVisit{Stage: id, Title: titles[id], EnteredAt: instantText(v.EnteredAt), LeftAt: instantText(v.LeftAt), Days: v.Days}
	}
	return &body[StageVisits]{out}, nil
}

// pipeline reads the path of a pipeline and looks whether it is there.
func (s *Server) pipeline(ctx context.Context, reader models.Reader, id string) (uint64, error) {
	number, err := models.ParseID("pipeline", id)
	if err != nil {
		return 0, err
	}
	_, err = s.parts.Records.Get(ctx, reader, "pipeline", number, models.Cutoff{})
	return number, err
}

func (s *Server) pipelineStages(ctx context.Context, reader models.Reader, in *PipelineInput) (*body[PipelineStages], error) {
	number, err := s.pipeline(ctx, reader, in.ID)
	if err != nil {
		return nil, err
	}
	said, err := s.parts.Records.SayStages(ctx, number)
	if err != nil {
		return nil, err
	}
	out := PipelineStages{Stages: make([]PipelineStage, len(said))}
	for i, stage := range said {
		p := PipelineStage{
			ID: publicID("stage", stage.Number), Name: stage.Name, Status: stage.Status, Entry: stage.Entry, EntryHelp: stage.EntryHelp, Exit: stage.Exit, ExitHelp: stage.ExitHelp,
			Required: stage.Required, Broken: stage.Broken,
		}
		if stage.AgeLimitDays > 0 {
			p.AgeLimitDays = &stage.AgeLimitDays
		}
		if stage.Status == "open" {
			if p.Open, err = s.openDeals(ctx, reader, &stage); err != nil {
				return nil, err
			}
		}
		out.Stages[i] = p
	}
	return &body[PipelineStages]{out}, nil
}

func (s *Server) openDeals(ctx context.Context, reader models.Reader, stage *crm.StageWords) (*OpenDeals, error) {
	count := func(where *predicate.Node) (Count, error) {
		if where == nil {
			return Count{}, nil
		}
		page, err := s.parts.Records.List(ctx, reader, crm.Query{Object: "deal", Where: where, Limit: 1})
		return Count{page.Count, page.Capped, page.Unknown}, err
	}
	var open OpenDeals
	var err error
	if open.Count, err = count(stage.InIt); err != nil {
		return nil, err
	}
	if open.Breaks, err = count(stage.BreakIt); err != nil {
		return nil, err
	}
	open.Stale, err = count(stage.Stale)
	return &open, err
}

func (s *Server) pipelineBoard(ctx context.Context, reader models.Reader, in *boardInput) (*body[BoardSummary], error) {
	number, err := s.pipeline(ctx, reader, in.ID)
	if err != nil {
		return nil, err
	}
	filter, err := filterOf(in.Filter)
	if err != nil {
		return nil, err
	}
	stages, err := s.parts.Records.SayStages(ctx, number)
	if err != nil {
		return nil, err
	}
	registry := s.parts.Records.Registry()
	deal := registry.Object("deal")
	all := []*predicate.Node{predicate.Compare(deal.Field("pipeline"), predicate.Eq, number)}
	if filter != nil {
		all = append(all, filter)
	}
	ask := func(groupBy string, more ...*predicate.Node) (Aggregate, error) {
		return s.parts.History.Aggregate(ctx, reader, AggregateQuery{
			Object: deal, GroupBy: deal.Field(groupBy), Sum: []*models.Field{deal.Field("amount")}, Where: predicate.And(append(append([]*predicate.Node{}, all...), more...)...),
		})
	}
	byStage, err := ask("stage")
	if err != nil {
		return nil, err
	}
	stale := Aggregate{}
	if old := crm.StaleIn(stages); old != nil {
		if stale, err = ask("stage", old); err != nil {
			return nil, err
		}
	}
	zone := s.parts.Records.Calendar().Zone
	year, month, _ := s.config.Now().In(zone).Date()
	first := models.NewDate(year, month, 1)
	won, err := ask("status", predicate.Compare(deal.Field("status"), predicate.Eq, "won"), predicate.Compare(deal.Field("closed_at"), predicate.Gte, first.Time(zone).UTC().Truncate(time.Millisecond)))
	if err != nil {
		return nil, err
	}
	out := summarize(stages, byStage, stale)
	out.WonThisMonth, out.MonthFrom, out.AsOf = BoardTotal{Count: won.Total.Count, Sums: sumsOf(won.Total), Weighted: []Sum{}}, first.String(), byStage.AsOf
	return &body[BoardSummary]{out}, nil
}

// summarize puts the groups of the aggregates into the order of the stages.
func summarize(stages []crm.StageWords, byStage, stale Aggregate) BoardSummary {
	groups, old := map[string]Group{}, map[string]uint64{}
	for _, g := range byStage.Groups {
		groups[g.Key] = g
	}
	for _, g := range stale.Groups {
		old[g.Key] = g.Count
	}
	out := BoardSummary{Stages: make([]BoardStage, len(stages)), StaleCount: stale.Total.Count}
	var open, weighted crm.Sums
	for i := range stages {
		id := publicID("stage", stages[i].Number)
		column := BoardStage{ID: id, BoardTotal: BoardTotal{Count: groups[id].Count, Sums: sumsOf(groups[id])}, StaleCount: old[id]}
		var weights crm.Sums
		for _, sum := range column.Sums {
			if stages[i].Status == "open" {
				open.Add(sum.Amount, sum.Currency, crm.Whole)
			}
			if p := stages[i].Probability; p != nil {
				weights.Add(sum.Amount, sum.Currency, *p)
				if stages[i].Status == "open" {
					weighted.Add(sum.Amount, sum.Currency, *p)
				}
			}
		}
		if column.Weighted = wireSums(weights); stages[i].Status == "open" {
			out.Open.Count += column.Count
		}
		out.Stages[i] = column
	}
	out.Open.Sums, out.Open.Weighted = wireSums(open), wireSums(weighted)
	return out
}

func sumsOf(g Group) []Sum {
	if sums := g.Sums["amount"]; sums != nil {
		return sums
	}
	return []Sum{}
}

func wireSums(sums crm.Sums) []Sum {
	out := make([]Sum, 0, len(sums))
	for _, s := range sums.Sorted() {
		out = append(out, Sum{Amount: s.Amount, Currency: s.Currency})
	}
	return out
}
