package dashboards

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"canopy/models"
)

// Runs computes rooms and keeps what came out.
type Runs interface {
	Runs(ctx context.Context, filter models.RunFilter) ([]models.Run, error)
	Run(ctx context.Context, id int64) (models.Run, error)
	Backfill(ctx context.Context, reader models.Reader, room string, from, to models.Date) (models.Run, error)
	Cancel(ctx context.Context, reader models.Reader, id int64) (models.Run, error)
}

// Run is one computation of a room, with all that it depended on.
type Run struct {
	ID         int64            `json:"id"`
	Room       string           `json:"room" example:"kpi"`
	Definition string           `json:"definition" doc:"Version of definition, SQL and clock"`
	Params     json.RawMessage  `json:"params,omitempty"`
	Position   uint64           `json:"position" doc:"Position of the change log as of which it is told"`
	Seed       int64            `json:"seed,omitempty"`
	Cause      models.RunCause  `json:"cause" enum:"schedule,backfill,late,demand"`
	Status     models.RunStatus `json:"status" enum:"waiting,running,done,failed,cancelled"`
	Weeks      []models.Date    `json:"weeks" doc:"First days"`
	Done       int              `json:"done" doc:"Weeks stored so far"`
	Changed    int              `json:"changed" doc:"Of them, those whose result is another than before"`
	RowsRead   uint64           `json:"rows_read"`
	Seconds    float64          `json:"seconds" doc:"Time of computing"`
	OutputHash string           `json:"output_hash,omitempty"`
	Error      string           `json:"error,omitempty"`
	By         string           `json:"by,omitempty" doc:"User who asked"`
	CreatedAt  string           `json:"created_at" format:"date-time"`
	StartedAt  string           `json:"started_at,omitempty" format:"date-time"`
	FinishedAt string           `json:"finished_at,omitempty" format:"date-time"`
}

// RunPage is a page of runs, newest first.
type RunPage struct {
	Items      []Run  `json:"items"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// BackfillBody asks for the weeks of a range.
type BackfillBody struct {
	Room string      `json:"room" example:"kpi"`
	From models.Date `json:"from"`
	To   models.Date `json:"to" doc:"Exclusive"`
}

type runListInput struct {
	Room   string           `query:"room"`
	Status models.RunStatus `query:"status" enum:"waiting,running,done,failed,cancelled"`
	Limit  int              `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string           `query:"cursor"`
}

type runInput struct {
	ID int64 `path:"id" minimum:"1"`
}

type backfillInput struct{ Body BackfillBody }

func (s *Server) runRoutes() {
	handle(s, operation(http.MethodGet, "/runs", "list-runs", "runs", "Computations of the rooms, newest first"), s.listRuns)
	handle(s, operation(http.MethodGet, "/runs/{id}", "get-run", "runs", "One computation"), s.getRun)
	start := operation(http.MethodPost, "/runs", "start-run", "runs", "Compute the weeks of a range again")
	start.DefaultStatus = http.StatusAccepted
	handle(s, start, s.backfill)
	cancel := operation(http.MethodPost, "/runs/{id}/cancel", "cancel-run", "runs", "Stop a computation")
	cancel.DefaultStatus = http.StatusAccepted
	handle(s, cancel, s.cancelRun)
}

// seeRuns: runs speak of the whole workspace, so they are for readers who see all of it.
func seeRuns(reader models.Reader) error {
	if reader.SeesAll() {
		return nil
	}
	return models.Errorf(models.Forbidden, "runs are computed over all rows, and you see some of them")
}

func (s *Server) listRuns(ctx context.Context, reader models.Reader, in *runListInput) (*body[RunPage], error) {
	if err := seeRuns(reader); err != nil {
		return nil, err
	}
	filter := models.RunFilter{Room: in.Room, Status: in.Status, Limit: in.Limit}
	if in.Cursor != "" {
		var err error
		if filter.Before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || filter.Before < 1 {
			return nil, models.FieldError("cursor", "%q is no cursor of runs", in.Cursor).WithRemedy("Send next_cursor of the page before, or leave it out.")
		}
	}
	runs, err := s.parts.Runs.Runs(ctx, filter)
	if err != nil {
		return nil, err
	}
	out := &body[RunPage]{RunPage{Items: make([]Run, len(runs))}}
	for i := range runs {
		out.Body.Items[i] = runOf(&runs[i], reader)
	}
	if len(runs) == in.Limit {
		out.Body.NextCursor = strconv.FormatInt(runs[len(runs)-1].ID, 10)
	}
	return out, nil
}

func (s *Server) getRun(ctx context.Context, reader models.Reader, in *runInput) (*body[Run], error) {
	if err := seeRuns(reader); err != nil {
		return nil, err
	}
	run, err := s.parts.Runs.Run(ctx, in.ID)
	return &body[Run]{runOf(&run, reader)}, err
}

func (s *Server) backfill(ctx context.Context, reader models.Reader, in *backfillInput) (*body[Run], error) {
	if err := mayCompute(reader); err != nil {
		return nil, err
	}
	run, err := s.parts.Runs.Backfill(ctx, reader, in.Body.Room, in.Body.From, in.Body.To)
	return &body[Run]{runOf(&run, reader)}, err
}

func (s *Server) cancelRun(ctx context.Context, reader models.Reader, in *runInput) (*body[Run], error) {
	if err := mayCompute(reader); err != nil {
		return nil, err
	}
	run, err := s.parts.Runs.Cancel(ctx, reader, in.ID)
	return &body[Run]{runOf(&run, reader)}, err
}

func mayCompute(reader models.Reader) error {
	if err := seeRuns(reader); err != nil {
		return err
	}
	return needRole(reader, models.Administrator, "computing again")
}

// runOf gives a run its wire form; what went wrong inside is for administrators.
func runOf(r *models.Run, reader models.Reader) Run {
	out := Run{
		ID: r.ID, Room: r.Room, Definition: r.Definition, Params: r.Params, Position: r.Position, Seed: r.Seed, Cause: r.Cause, Status: r.Status,
		Weeks: r.Weeks, Done: r.Done, Changed: r.Changed, RowsRead: r.RowsRead, Seconds: r.Duration.Seconds(), OutputHash: r.OutputHash,
		Error: r.Error, CreatedAt: instantText(r.CreatedAt), StartedAt: instantText(r.StartedAt), FinishedAt: instantText(r.FinishedAt),
	}
	if out.Weeks == nil {
		out.Weeks = []models.Date{}
	}
	if r.By != 0 {
		out.By = publicID("user", r.By)
	}
	if r.Error != "" && !reader.Role.AtLeast(models.Administrator) {
		out.Error = "it failed; an administrator can see why"
	}
	return out
}
