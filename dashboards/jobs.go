package dashboards

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"

	"canopy/crm/job"
	"canopy/dashboards/export"
	"canopy/models"
	"canopy/models/predicate"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// Jobs are all long jobs: imports, exports and bulk edits. Somebody else's job is not found, except by administrators.
type Jobs interface {
	// List gives jobs, newest first; kind is empty for all.
	List(ctx context.Context, reader models.Reader, kind models.JobKind, limit int) ([]models.Job, error)
	Get(ctx context.Context, reader models.Reader, id string) (models.Job, error)
	Do(ctx context.Context, reader models.Reader, id string, action models.JobAction) (models.Job, error)
	// Refused writes what a job did not write as CSV, with reasons.
	Refused(ctx context.Context, reader models.Reader, id string, w io.Writer) error
}

// BulkEdits writes many records as one job.
type BulkEdits interface {
	Start(ctx context.Context, reader models.Reader, e job.Edit) (models.Job, error)
}

// Exports writes records into files.
type Exports interface {
	Start(ctx context.Context, reader models.Reader, r export.Request) (models.Job, error)
	// Open gives the file of an export that is done.
	Open(ctx context.Context, reader models.Reader, number int64) (*os.File, models.JobFile, error)
}

// JobList is the reader's jobs, newest first.
type JobList struct {
	Items []models.Job `json:"items"`
}

// BulkBody asks for the same write on many records: those of a filter, or those that are named.
type BulkBody struct {
	Object string    `json:"object"`
	Op     models.Op `json:"op" enum:"update,delete,restore"`
	Filter Filter    `json:"filter,omitempty" doc:"Which records; {\"and\":[]} is all that you may see, up to 1,000,000. Restoring looks at deleted ones"`
	IDs    []string  `json:"ids,omitempty" maxItems:"10000" doc:"Which records, in place of a filter"`
	Fields Patch     `json:"fields,omitempty" doc:"Of an update: fields and their new values"`
	DryRun bool      `json:"dry_run,omitempty" doc:"Write nothing, and say what would be refused"`
}

// ExportBody asks for a file of records.
type ExportBody struct {
	Object         string   `json:"object"`
	Filter         Filter   `json:"filter,omitempty"`
	Sort           string   `json:"sort,omitempty" doc:"As of a list: -amount,name. Not for the past"`
	Columns        []string `json:"columns,omitempty" maxItems:"500" doc:"Names of fields, and id, version, created_at, updated_at, happened_at, deleted; all fields where left out"`
	Format         string   `json:"format,omitempty" enum:"csv,parquet,arrow" default:"csv"`
	Deleted        bool     `json:"deleted,omitempty" doc:"Deleted records too"`
	HappenedBefore string   `json:"happened_before,omitempty" doc:"The records as they stood before this instant"`
	Position       uint64   `json:"position,omitempty" doc:"The records as the log knew them at this position"`
}

// Filter is a predicate in the body of a request.
type Filter json.RawMessage

// UnmarshalJSON keeps the text.
func (f *Filter) UnmarshalJSON(text []byte) error {
	*f = append((*f)[:0], text...)
	return nil
}

// MarshalJSON gives the text.
func (f Filter) MarshalJSON() ([]byte, error) {
	if len(f) == 0 {
		return []byte("null"), nil
	}
	return f, nil
}

// Schema is a node of a predicate.
func (Filter) Schema(r huma.Registry) *huma.Schema { return predicateTree{}.Schema(r) }

type bulkInput struct{ Body BulkBody }

type exportInput struct{ Body ExportBody }

type jobInput struct {
	ID string `path:"id" maxLength:"40" example:"bulk_12"`
}

type jobListInput struct {
	Kind  string `query:"kind" enum:"import,export,bulk"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

type jobOutput struct {
	Location string `header:"Location"`
	Body     models.Job
}

const (
	jobsPath    = apiPrefix + "/jobs"
	exportsPath = apiPrefix + "/exports"
)

func (s *Server) jobRoutes() {
	handle(s, accepted(operation(http.MethodPost, "/bulk", "start-bulk", "jobs", "Change, delete or restore many records as a job")), s.startBulk)
	handle(s, accepted(operation(http.MethodPost, "/exports", "start-export", "jobs", "Write records into a file as a job")), s.startExport)
	s.app.Get(exportsPath+"/:id/file", s.exportFile)
	s.app.Get(jobsPath+"/:id/refused.csv", s.refusedRecords)
	handle(s, operation(http.MethodGet, "/jobs", "list-jobs", "jobs", "Imports, exports and bulk edits, newest first"), s.listJobs)
	handle(s, operation(http.MethodGet, "/jobs/{id}", "get-job", "jobs", "One job and how far it has come"), s.getJob)
	for _, action := range []models.JobAction{models.CancelJob, models.ResumeJob, models.UndoJob} {
		op := accepted(operation(http.MethodPost, "/jobs/{id}/"+string(action), string(action)+"-job", "jobs", jobActions[action]))
		handle(s, op, func(ctx context.Context, reader models.Reader, in *jobInput) (*body[models.Job], error) {
			j, err := s.parts.Jobs.Do(ctx, reader, in.ID, action)
			return &body[models.Job]{j}, err
		})
	}
}

var jobActions = map[models.JobAction]string{
	models.CancelJob: "Stop a job after the chunk that is being written",
	models.ResumeJob: "Go on with a cancelled or failed job",
	models.UndoJob:   "Take back all that an import or a bulk edit wrote",
}

func (s *Server) startBulk(ctx context.Context, reader models.Reader, in *bulkInput) (*jobOutput, error) {
	b := in.Body
	filter, err := predicate.Parse(b.Filter)
	if err != nil {
		return nil, err
	}
	j, err := s.parts.Bulk.Start(ctx, reader, job.Edit{Object: b.Object, Op: b.Op, Filter: filter, IDs: b.IDs, Fields: b.Fields, DryRun: b.DryRun})
	return &jobOutput{Location: jobsPath + "/" + j.ID, Body: j}, err
}

func (s *Server) startExport(ctx context.Context, reader models.Reader, in *exportInput) (*jobOutput, error) {
	b := in.Body
	cutoff, err := s.cutoff(CutoffInput{HappenedBefore: b.HappenedBefore, Position: b.Position})
	if err != nil {
		return nil, err
	}
	filter, err := predicate.Parse(b.Filter)
	if err != nil {
		return nil, err
	}
	j, err := s.parts.Exports.Start(ctx, reader, export.Request{
		Object: b.Object, Filter: filter, Sort: b.Sort, Columns: b.Columns, Format: export.Format(b.Format), Deleted: b.Deleted, Cutoff: cutoff,
	})
	return &jobOutput{Location: jobsPath + "/" + j.ID, Body: j}, err
}

func (s *Server) listJobs(ctx context.Context, reader models.Reader, in *jobListInput) (*body[JobList], error) {
	list, err := s.parts.Jobs.List(ctx, reader, models.JobKind(in.Kind), in.Limit)
	if list == nil {
		list = []models.Job{}
	}
	return &body[JobList]{JobList{list}}, err
}

func (s *Server) getJob(ctx context.Context, reader models.Reader, in *jobInput) (*body[models.Job], error) {
	j, err := s.parts.Jobs.Get(ctx, reader, in.ID)
	return &body[models.Job]{j}, err
}

// refusedRecords streams what a job did not write.
func (s *Server) refusedRecords(c *fiber.Ctx) error {
	ctx, reader, id := s.unbounded(c), requestOf(c.UserContext()).reader, c.Params("id")
	if _, err := s.parts.Jobs.Get(ctx, reader, id); err != nil {
		return s.fail(c, err)
	}
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s-refused.csv"`, id))
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		if err := s.parts.Jobs.Refused(ctx, reader, id, w); err != nil {
			s.log.LogAttrs(ctx, slog.LevelError, "refused records broke off", slog.String("request_id", requestOf(ctx).id), slog.String("error", err.Error()))
		}
	})
	return nil
}

// exportFile sends an export's file, or the part of it that is asked for.
func (s *Server) exportFile(c *fiber.Ctx) error {
	ctx, reader := c.UserContext(), requestOf(c.UserContext()).reader
	kind, number, err := models.ParseJobID(c.Params("id"))
	if err != nil || kind != models.ExportJob {
		return s.fail(c, models.Errorf(models.NotFound, "there is no export %q", c.Params("id")))
	}
	file, about, err := s.parts.Exports.Open(ctx, reader, number)
	if err != nil {
		return s.fail(c, err)
	}
	c.Set(fiber.HeaderContentType, export.Format(about.Format).MediaType())
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+about.Name+`"`)
	c.Set(fiber.HeaderAcceptRanges, "bytes")
	c.Set(fiber.HeaderETag, `"`+about.SHA256+`"`)
	c.Set("Canopy-Position", fmt.Sprint(about.Position))
	first, last, partial, err := byteRange(c.Get(fiber.HeaderRange), c.Get("If-Range"), about)
	if err != nil {
		c.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes */%d", about.Bytes))
		return errors.Join(c.SendStatus(http.StatusRequestedRangeNotSatisfiable), file.Close())
	}
	if partial {
		c.Status(http.StatusPartialContent)
		c.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes %d-%d/%d", first, last, about.Bytes))
	}
	n := last - first + 1
	c.Context().SetBodyStream(sectionOf{io.NewSectionReader(file, first, n), file}, int(n))
	return nil
}

// sectionOf is a part of a file that is closed once it is sent.
type sectionOf struct {
	*io.SectionReader
	file *os.File
}

// Close closes the file.
func (s sectionOf) Close() error { return s.file.Close() }

var errRange = errors.New("the range is outside the file")

// byteRange reads a Range header: first and last byte. Several ranges, and what it does not understand, are answered with the whole file.
func byteRange(header, ifRange string, about models.JobFile) (first, last int64, partial bool, err error) {
	last = about.Bytes - 1
	if header == "" || ifRange != "" && ifRange != `"`+about.SHA256+`"` {
		return 0, last, false, nil
	}
	var from, to int64
	switch n, _ := fmt.Sscanf(header, "bytes=%d-%d", &from, &to); {
	case n == 2 && from >= 0 && from <= to:
		first, last = from, min(to, last)
	case n == 1 && from >= 0 && header == fmt.Sprintf("bytes=%d-", from):
		first = from
	case n >= 1 && from < 0 && header == fmt.Sprintf("bytes=%d", from): // the last bytes
		first = max(0, about.Bytes+from)
	default:
		return 0, last, false, nil
	}
	if first >= about.Bytes {
		return 0, 0, false, errRange
	}
	return first, last, true, nil
}
