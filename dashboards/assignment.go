package dashboards

import (
	"context"
	"net/http"
	"sort"

	"canopy/crm"
	"canopy/models"
	"canopy/models/predicate"
)

type simulateInput struct {
	Body struct {
		Days  int     `json:"days" minimum:"1" maximum:"365" doc:"Leads recorded in so many days up to now"`
		Rules []Patch `json:"rules" maxItems:"200" doc:"The draft: fields of assignment_rule records, all of them; the rules that are in force do not count"`
	}
}

// AssignmentSimulation says what a draft would have done. Nothing is written.
type AssignmentSimulation struct {
	From   string            `json:"from" format:"date-time"`
	To     string            `json:"to" format:"date-time"`
	Leads  int               `json:"leads" doc:"Active leads of the window"`
	Capped bool              `json:"capped" doc:"There were more; these are the latest"`
	Same   int               `json:"same" doc:"Would have gone to the person who has them"`
	Nobody int               `json:"nobody" doc:"Would have waited"`
	People []SimulatedPerson `json:"people"`
	Rows   []SimulatedRow    `json:"rows" doc:"The latest leads"`
	Notes  []string          `json:"notes" doc:"What the simulation takes for granted"`
}

// SimulatedPerson is one person's part.
type SimulatedPerson struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Would    int    `json:"would" doc:"Leads that the draft gives"`
	Did      int    `json:"did" doc:"Leads that the person has"`
	MostOpen int    `json:"most_open" doc:"Most open leads at once under the draft"`
}

// SimulatedRow is one lead.
type SimulatedRow struct {
	ID     string          `json:"id"`
	Title  string          `json:"title"`
	At     string          `json:"at" format:"date-time"`
	Has    string          `json:"has,omitempty" doc:"Who has it"`
	Would  string          `json:"would,omitempty" doc:"Who would have got it"`
	Reason string          `json:"reason"`
	Tried  []crm.RuleTried `json:"tried"`
}

// UnmappedChannels are spellings that the naming standard does not know.
type UnmappedChannels struct {
	Items  []UnmappedChannel `json:"items"`
	Capped bool              `json:"capped" doc:"There are more touches than were read"`
}

// UnmappedChannel is one spelling and how often it was met.
type UnmappedChannel struct {
	Source string `json:"source"`
	Medium string `json:"medium"`
	Count  int    `json:"count"`
}

func (s *Server) assignmentRoutes() {
	handle(s, action("/assignment/simulate", "simulate-assignment", "Play a draft of the assignment rules over the last days' leads"), s.simulate)
	handle(s, operation(http.MethodGet, "/channels/unmapped", "unmapped-channels", "capture", "Sources and media that the naming standard does not know"), s.unmappedChannels)
	handle(s, operation(http.MethodGet, "/lifecycle", "lifecycle", "records", "The stages of the lifecycle, what they mean and what must be true to enter them"), s.lifecycle)
}

func (s *Server) simulate(ctx context.Context, reader models.Reader, in *simulateInput) (*body[AssignmentSimulation], error) {
	if err := needRole(reader, models.Administrator, "trying out assignment rules"); err != nil {
		return nil, err
	}
	object := s.parts.Records.Registry().Object("assignment_rule")
	draft := make([][]models.Set, 0, len(in.Body.Rules))
	for i, fields := range in.Body.Rules {
		sets, err := s.parts.Records.Patch(object, fields)
		if err != nil {
			if said, ok := err.(*models.Error); ok { //nolint:errorlint // of Gather
				err = said.WithRow(int64(i + 1))
			}
			return nil, err
		}
		draft = append(draft, sets)
	}
	done, err := s.parts.Records.Simulate(ctx, reader, draft, in.Body.Days)
	if err != nil {
		return nil, err
	}
	var keys []crm.RecordKey
	for _, row := range done.Rows {
		for _, user := range []uint64{row.Has, row.Would} {
			if user != 0 {
				keys = append(keys, crm.RecordKey{Object: "user", Number: user})
			}
		}
	}
	for _, p := range done.People {
		keys = append(keys, crm.RecordKey{Object: "user", Number: p.User})
	}
	titles, err := s.parts.Records.TitlesOf(ctx, reader, keys)
	if err != nil {
		return nil, err
	}
	name := func(user uint64) string { return titles[publicID("user", user)] }
	out := AssignmentSimulation{
		From: instantText(done.From), To: instantText(done.To), Leads: done.Leads, Capped: done.Capped, Same: done.Same, Nobody: done.Nobody,
		People: make([]SimulatedPerson, len(done.People)), Rows: make([]SimulatedRow, len(done.Rows)),
		Notes: []string{
			"People, their languages, expertise and absence are as they are today.",
			"A lead is open until it was really rejected or converted; leads from before the window do not count as work.",
			"Leads are as they stand now; what was filled in later counts.",
		},
	}
	for i, p := range done.People {
		out.People[i] = SimulatedPerson{ID: publicID("user", p.User), Name: name(p.User), Would: p.Would, Did: p.Did, MostOpen: p.MostOpen}
	}
	for i, row := range done.Rows {
		out.Rows[i] = SimulatedRow{
			ID: publicID("lead", row.Lead), Title: row.Title, At: instantText(row.At), Has: name(row.Has), Would: name(row.Would), Reason: row.Decision.Reason,
			Tried: append([]crm.RuleTried{}, row.Decision.Tried...),
		}
	}
	return &body[AssignmentSimulation]{out}, nil
}

// maxUnmapped bounds how many touches are read for the list of spellings.
const maxUnmapped = 10_000

func (s *Server) unmappedChannels(ctx context.Context, reader models.Reader, _ *struct{}) (*body[UnmappedChannels], error) {
	f := s.parts.Records.Registry().Object("touch").Field("channel")
	counts := map[UnmappedChannel]int{}
	out := UnmappedChannels{Items: []UnmappedChannel{}}
	read := 0
	for cursor := ""; ; {
		page, err := s.parts.Records.List(ctx, reader, crm.Query{Object: "touch", Where: predicate.Compare(f, predicate.Eq, crm.Unmapped), Sort: "-at", Limit: crm.MaxPage, Cursor: cursor})
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			source, _ := r.Get("source").(string)
			medium, _ := r.Get("medium").(string)
			counts[UnmappedChannel{Source: source, Medium: medium}]++
		}
		read += len(page.Records)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
		if read >= maxUnmapped {
			out.Capped = true
			break
		}
	}
	for each, n := range counts {
		each.Count = n
		out.Items = append(out.Items, each)
	}
	sort.Slice(out.Items, func(i, j int) bool {
		a, b := out.Items[i], out.Items[j]
		if a.Count != b.Count {
			return a.Count > b.Count
		}
		return a.Source+"/"+a.Medium < b.Source+"/"+b.Medium
	})
	return &body[UnmappedChannels]{out}, nil
}

// LifecycleStages are the stages in use, from the last to the first of each object.
type LifecycleStages struct {
	Items []crm.LifecycleStage `json:"items"`
}

func (s *Server) lifecycle(ctx context.Context, _ models.Reader, _ *struct{}) (*body[LifecycleStages], error) {
	stages, err := s.parts.Records.Lifecycle(ctx)
	return &body[LifecycleStages]{LifecycleStages{stages}}, err
}
