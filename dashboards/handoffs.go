package dashboards

import (
	"context"
	"net/http"
	"time"

	"canopy/crm"
	"canopy/models"
)

// HandoffInput is the path of one handoff.
type HandoffInput struct {
	ID string `path:"id" maxLength:"80" example:"handoff_9"`
}

type rejectHandoffInput struct {
	HandoffInput
	Body struct {
		Reason  string `json:"reason" doc:"One of the handoff's reasons" example:"no_budget"`
		Comment string `json:"comment,omitempty" maxLength:"900" doc:"What the other team should know"`
	}
}

type breachInput struct {
	WeekOf string `query:"week_of" doc:"First day of the week; the running week where it is left out" example:"2026-03-02"`
}

// BreachReport says how one week's handoffs kept their clocks.
type BreachReport struct {
	WeekOf   string        `json:"week_of" format:"date"`
	From     string        `json:"from" format:"date-time"`
	To       string        `json:"to" format:"date-time" doc:"Not included"`
	AsOf     string        `json:"as_of" format:"date-time"`
	Previous string        `json:"previous" format:"date"`
	Next     string        `json:"next,omitempty" format:"date" doc:"Left out for the running week"`
	Kinds    []BreachCount `json:"kinds"`
	Late     []Record      `json:"late" doc:"Handoffs taken after their time or still waiting, longest due first"`
	Capped   bool          `json:"capped" doc:"The week has more handoffs than were read"`
}

// BreachCount counts one kind's handoffs: due = in_time + late + waiting.
type BreachCount struct {
	Kind    string `json:"kind" enum:"marketing_to_sales,sales_to_success"`
	Due     int    `json:"due" doc:"Due in the week, and by now"`
	InTime  int    `json:"in_time"`
	Late    int    `json:"late" doc:"Taken after their time"`
	Waiting int    `json:"waiting" doc:"Not taken yet, after their time"`
}

type rejectionsInput struct {
	From     string `query:"from" doc:"First day; 90 days ago where it is left out" example:"2026-01-01"`
	To       string `query:"to" doc:"Last day, not included; tomorrow where it is left out" example:"2026-04-01"`
	Campaign string `query:"campaign" doc:"Only this campaign" example:"campaign_3"`
}

// Rejections are what sales feeds back to campaigns.
type Rejections struct {
	From  string      `json:"from" format:"date-time"`
	To    string      `json:"to" format:"date-time" doc:"Not included"`
	Items []Rejection `json:"items"`
}

// Rejection counts one reason of one campaign.
type Rejection struct {
	Campaign string `json:"campaign,omitempty" doc:"Left out for leads of no campaign"`
	Title    string `json:"title,omitempty"`
	Reason   string `json:"reason"`
	Count    int    `json:"count"`
}

func (s *Server) handoffRoutes() {
	handle(s, operation(http.MethodGet, "/handoffs/breaches", "handoff-breaches", "leads", "How one week's handoffs kept their clocks"), s.breaches)
	handle(s, operation(http.MethodGet, "/handoffs/rejections", "handoff-rejections", "leads", "Why leads were not taken, by campaign"), s.rejections)
	handle(s, action("/handoffs/{id}/accept", "accept-handoff", "Take what is handed over"), s.acceptHandoff)
	handle(s, action("/handoffs/{id}/reject", "reject-handoff", "Refuse what is handed over, with the reason"), s.rejectHandoff)
	handle(s, action("/handoffs/{id}/kickoff", "handoff-kickoff", "Note that the kickoff has been held"), s.kickoff)
}

func (s *Server) acceptHandoff(ctx context.Context, reader models.Reader, in *HandoffInput) (*recordOutput, error) {
	values := map[string]models.Value{"state": "accepted"}
	if err := s.takeOver(ctx, reader, in.ID, values); err != nil {
		return nil, err
	}
	return s.patchBy(ctx, reader, "handoff", in.ID, values)
}

// takeOver makes the reader the one who takes over where nobody was named.
func (s *Server) takeOver(ctx context.Context, reader models.Reader, id string, values map[string]models.Value) error {
	n, err := models.ParseID("handoff", id)
	if err != nil {
		return err
	}
	r, err := s.parts.Records.Get(ctx, reader, "handoff", n, models.Cutoff{})
	if err == nil && r.Get("to") == nil && reader.User != 0 {
		values["to"] = reader.User
	}
	return err
}

func (s *Server) rejectHandoff(ctx context.Context, reader models.Reader, in *rejectHandoffInput) (*recordOutput, error) {
	if in.Body.Reason == "" {
		return nil, models.FieldError("reason", "a reason is needed").WithRemedy("Say why it was not taken; the campaign learns from it.")
	}
	values := map[string]models.Value{"state": "rejected", "reason": in.Body.Reason}
	if in.Body.Comment != "" {
		values["comment"] = in.Body.Comment
	}
	return s.patchBy(ctx, reader, "handoff", in.ID, values)
}

func (s *Server) kickoff(ctx context.Context, reader models.Reader, in *HandoffInput) (*recordOutput, error) {
	values := map[string]models.Value{"state": "done", "done_at": s.config.Now().UTC().Truncate(time.Millisecond)}
	if err := s.takeOver(ctx, reader, in.ID, values); err != nil {
		return nil, err
	}
	return s.patchBy(ctx, reader, "handoff", in.ID, values)
}

func (s *Server) breaches(ctx context.Context, reader models.Reader, in *breachInput) (*body[BreachReport], error) {
	calendar := s.parts.Records.Calendar()
	now := s.config.Now()
	first := calendar.WeekOf(now)
	if in.WeekOf != "" {
		var err error
		if first, err = models.ParseDate(in.WeekOf); err != nil {
			return nil, models.FieldError("week_of", "%q is no date", in.WeekOf).WithRemedy("Write it as 2026-03-02.")
		}
	}
	report, err := s.parts.Records.Breaches(ctx, reader, first)
	if err != nil {
		return nil, err
	}
	out := BreachReport{
		WeekOf: first.String(), From: instantText(report.Week.From), To: instantText(report.Week.To), AsOf: instantText(report.AsOf), Previous: first.AddDays(-7).String(),
		Kinds: make([]BreachCount, len(report.Kinds)), Capped: report.Capped,
	}
	if first < calendar.WeekOf(now) {
		out.Next = first.AddDays(7).String()
	}
	for i, k := range report.Kinds {
		out.Kinds[i] = BreachCount(k)
	}
	out.Late, err = s.records(ctx, reader, report.Rows)
	return &body[BreachReport]{out}, err
}

func (s *Server) rejections(ctx context.Context, reader models.Reader, in *rejectionsInput) (*body[Rejections], error) {
	zone := s.parts.Records.Calendar().Zone
	today := models.DateOf(s.config.Now(), zone)
	window := models.Window{From: today.AddDays(-90).Time(zone), To: today.AddDays(1).Time(zone)}
	for _, each := range []struct {
		name, text string
		into       *time.Time
	}{{"from", in.From, &window.From}, {"to", in.To, &window.To}} {
		if each.text == "" {
			continue
		}
		at, err := s.instant(each.name, each.text)
		if err != nil {
			return nil, err
		}
		*each.into = at
	}
	var campaign uint64
	if in.Campaign != "" {
		var err error
		if campaign, err = models.ParseID("campaign", in.Campaign); err != nil {
			return nil, err
		}
	}
	list, err := s.parts.Records.Rejections(ctx, reader, window, campaign)
	if err != nil {
		return nil, err
	}
	keys := make([]crm.RecordKey, 0, len(list))
	for _, each := range list {
		if each.Campaign != 0 {
			keys = append(keys, crm.RecordKey{Object: "campaign", Number: each.Campaign})
		}
	}
	titles, err := s.parts.Records.TitlesOf(ctx, reader, keys)
	if err != nil {
		return nil, err
	}
	out := Rejections{From: instantText(window.From), To: instantText(window.To), Items: make([]Rejection, len(list))}
	for i, each := range list {
		out.Items[i] = Rejection{Reason: each.Reason, Count: each.Count}
		if each.Campaign != 0 {
			out.Items[i].Campaign = publicID("campaign", each.Campaign)
			out.Items[i].Title = titles[out.Items[i].Campaign]
		}
	}
	return &body[Rejections]{out}, nil
}
