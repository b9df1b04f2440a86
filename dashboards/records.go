package dashboards

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"canopy/crm"
	"canopy/models"
	"canopy/models/predicate"
)

// History answers questions about records as they stood at a cut-off, cut to a reader's rows as they are today.
type History interface {
	// ListAsOf gives a page of records as of a cut-off, like crm.Engine.List.
	ListAsOf(ctx context.Context, reader models.Reader, q crm.Query, cutoff models.Cutoff) (crm.Page, error)
	// Aggregate counts and sums by group, as of a cut-off or now.
	Aggregate(ctx context.Context, reader models.Reader, q AggregateQuery) (Aggregate, error)
}

// RecordPage is one page of records.
type RecordPage struct {
	Items      []Record `json:"items"`
	NextCursor string   `json:"next_cursor,omitempty" doc:"Left out on the last page"`
	Count      Count    `json:"count"`
}

// Count is how many records there are in all; counting stops at 10,000, and earlier where it would take too long.
type Count struct {
	Value   int  `json:"value" maximum:"10000"`
	Capped  bool `json:"capped" doc:"There are more than value, or there may be"`
	Unknown bool `json:"unknown,omitempty" doc:"They were not counted: value are known of"`
}

// CutoffInput are the parameters that ask for the past.
type CutoffInput struct {
	HappenedBefore string `query:"happened_before" doc:"Only what had happened before this instant (RFC 3339, or a date: its start in the workspace's zone)"`
	Position       uint64 `query:"position" doc:"Only what the log knew up to this position"`
}

// ObjectInput is the path of one kind of record.
type ObjectInput struct {
	Object string `path:"object" maxLength:"48" example:"deal"`
}

// RecordInput is the path of one record. (It and its like are exported because huma looks into exported fields only.)
type RecordInput struct {
	ObjectInput
	ID string `path:"id" maxLength:"80" example:"deal_42"`
}

type listInput struct {
	ObjectInput
	CutoffInput
	Filter  string `query:"filter" doc:"A predicate in JSON, as in {\"field\":\"status\",\"op\":\"eq\",\"value\":\"open\"}"`
	Sort    string `query:"sort" doc:"Fields, - for falling, as in -amount,name"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	Cursor  string `query:"cursor" doc:"next_cursor of the page before"`
	Deleted bool   `query:"deleted" doc:"Deleted records too"`
}

type getInput struct {
	RecordInput
	CutoffInput
}

type createInput struct {
	ObjectInput
	Key  string `header:"Idempotency-Key" maxLength:"200" doc:"The same key gives the first outcome again"`
	Body WriteBody
}

// WriteBody is what a record is made of or changed by.
type WriteBody struct {
	Fields     Patch  `json:"fields"`
	HappenedAt string `json:"happened_at,omitempty" doc:"When it happened (RFC 3339 or a date); now where it is left out"`
	Override   string `json:"override,omitempty" maxLength:"2000" doc:"Of a deal: the reason for passing over what its new stage asks for (3 to 500 characters). Administrators only, unless the stage allows editors; what was passed over is kept as a stage_override"`
}

type patchInput struct {
	RecordInput
	IfMatch string `header:"If-Match" doc:"The ETag of the version that the change was made from" example:"\"3\""`
	Key     string `header:"Idempotency-Key" maxLength:"200"`
	Body    WriteBody
}

type deleteInput struct {
	RecordInput
	IfMatch string `header:"If-Match" doc:"The ETag of the version that is deleted" example:"\"3\""`
}

type restoreInput struct {
	RecordInput
	IfMatch string `header:"If-Match" doc:"The ETag of the version that is restored, where it matters"`
}

type recordOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Replayed string `header:"Idempotent-Replayed" doc:"true where the key was met before"`
	Body     *Record
}

func (s *Server) recordRoutes() {
	handle(s, operation(http.MethodGet, "/records/{object}", "list-records", "records", "A page of records, now or as they stood"), s.listRecords)
	handle(s, created(operation(http.MethodPost, "/records/{object}", "create-record", "records", "Create a record")), s.createRecord)
	handle(s, operation(http.MethodGet, "/records/{object}/{id}", "get-record", "records", "One record, now or as it stood"), s.getRecord)
	handle(s, operation(http.MethodPatch, "/records/{object}/{id}", "patch-record", "records", "Change fields of a record"), s.patchRecord)
	remove := operation(http.MethodDelete, "/records/{object}/{id}", "delete-record", "records", "Delete a record; it can be restored")
	remove.DefaultStatus = http.StatusNoContent
	handle(s, remove, s.deleteRecord)
	restore := operation(http.MethodPost, "/records/{object}/{id}/restore", "restore-record", "records", "Restore a deleted record")
	restore.DefaultStatus = http.StatusOK
	handle(s, restore, s.restoreRecord)
}

// cutoff reads the parameters that ask for the past.
func (s *Server) cutoff(in CutoffInput) (models.Cutoff, error) {
	happened, err := s.instant("happened_before", in.HappenedBefore)
	return models.Cutoff{HappenedBefore: happened, Position: in.Position}, err
}

// instant reads a stated instant; blank is zero.
func (s *Server) instant(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := models.ParseInstant(text, s.parts.Records.Calendar().Zone)
	if err != nil {
		return t, models.FieldError(field, "%s", err)
	}
	return t, nil
}

// filterOf reads a filter parameter.
func filterOf(text string) (*predicate.Node, error) { return predicate.Parse([]byte(text)) }

func (s *Server) listRecords(ctx context.Context, reader models.Reader, in *listInput) (*body[RecordPage], error) {
	where, err := filterOf(in.Filter)
	if err != nil {
		return nil, err
	}
	cutoff, err := s.cutoff(in.CutoffInput)
	if err != nil {
		return nil, err
	}
	query := crm.Query{Object: in.Object, Where: where, Sort: in.Sort, Limit: in.Limit, Cursor: in.Cursor, WithDeleted: in.Deleted}
	var page crm.Page
	if cutoff.IsZero() {
		page, err = s.parts.Records.List(ctx, reader, query)
	} else {
		page, err = s.parts.History.ListAsOf(ctx, reader, query, cutoff)
	}
	if err != nil {
		return nil, err
	}
	items, err := s.records(ctx, reader, page.Records)
	if err != nil {
		return nil, err
	}
	return &body[RecordPage]{RecordPage{Items: items, NextCursor: page.NextCursor, Count: Count{page.Count, page.Capped, page.Unknown}}}, nil
}

// find reads the path of one record.
func (s *Server) find(in RecordInput) (*models.Object, uint64, error) {
	object, err := s.parts.Records.Registry().Need(in.Object)
	if err != nil {
		return nil, 0, err
	}
	number, err := object.ParseID(in.ID)
	return object, number, err
}

func (s *Server) getRecord(ctx context.Context, reader models.Reader, in *getInput) (*recordOutput, error) {
	object, number, err := s.find(in.RecordInput)
	if err != nil {
		return nil, err
	}
	cutoff, err := s.cutoff(in.CutoffInput)
	if err != nil {
		return nil, err
	}
	r, err := s.parts.Records.Get(ctx, reader, object.Name, number, cutoff)
	if err != nil {
		return nil, err
	}
	return s.answer(ctx, reader, r)
}

func (s *Server) answer(ctx context.Context, reader models.Reader, r *models.Record) (*recordOutput, error) {
	record, err := s.record(ctx, reader, r)
	if err != nil {
		return nil, err
	}
	return &recordOutput{ETag: tagOf(r.Version), Body: record}, nil
}

// command turns a body into a command.
func (s *Server) command(ctx context.Context, op models.Op, object *models.Object, in WriteBody) (models.Command, error) {
	happened, err := s.instant("happened_at", in.HappenedAt)
	if err != nil {
		return models.Command{}, err
	}
	sets, err := s.parts.Records.Patch(object, in.Fields)
	if err != nil {
		return models.Command{}, err
	}
	return models.Command{Op: op, Object: object.Name, Sets: sets, HappenedAt: happened, Override: in.Override, Cause: requestOf(ctx).cause()}, nil
}

// do executes a command. A stale one is answered with the record as it stands now, so that both can be shown side by side.
func (s *Server) do(ctx context.Context, reader models.Reader, command models.Command) (*recordOutput, error) {
	outcome, err := s.parts.Records.Do(ctx, reader, command)
	if err != nil {
		return nil, s.withCurrent(ctx, reader, command, err)
	}
	out, err := s.answer(ctx, reader, outcome.Record)
	if err == nil && outcome.Repeated {
		out.Replayed = "true"
	}
	return out, err
}

func (s *Server) withCurrent(ctx context.Context, reader models.Reader, command models.Command, err error) error {
	if models.CodeOf(err) != models.Precondition || command.Number == 0 {
		return err
	}
	now, getErr := s.parts.Records.Get(ctx, reader, command.Object, command.Number, models.Cutoff{})
	if getErr != nil || now.Version == command.Version {
		return err
	}
	record, getErr := s.record(ctx, reader, now)
	if getErr != nil {
		return err
	}
	p := s.problemOf(ctx, err)
	p.Details = append(p.Details, ProblemDetail{
		Code: models.Precondition, Field: "version", Message: "it is at version " + strconv.FormatInt(now.Version, 10) + " now", Version: now.Version, Record: record,
	})
	p.etag = tagOf(now.Version)
	return p
}

func (s *Server) createRecord(ctx context.Context, reader models.Reader, in *createInput) (*recordOutput, error) {
	object, err := s.parts.Records.Registry().Need(in.Object)
	if err != nil {
		return nil, err
	}
	command, err := s.command(ctx, models.Create, object, in.Body)
	if err != nil {
		return nil, err
	}
	command.IdempotencyKey = in.Key
	out, err := s.do(ctx, reader, command)
	if err == nil {
		out.Location = apiPrefix + "/records/" + object.Name + "/" + out.Body.ID
	}
	return out, err
}

func (s *Server) patchRecord(ctx context.Context, reader models.Reader, in *patchInput) (*recordOutput, error) {
	object, number, err := s.find(in.RecordInput)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(in.IfMatch)
	if err != nil {
		return nil, err
	}
	command, err := s.command(ctx, models.Update, object, in.Body)
	if err != nil {
		return nil, err
	}
	command.Number, command.Version, command.IdempotencyKey = number, version, in.Key
	return s.do(ctx, reader, command)
}

func (s *Server) deleteRecord(ctx context.Context, reader models.Reader, in *deleteInput) (*none, error) {
	object, number, err := s.find(in.RecordInput)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(in.IfMatch)
	if err != nil {
		return nil, err
	}
	_, err = s.do(ctx, reader, models.Command{Op: models.Delete, Object: object.Name, Number: number, Version: version, Cause: requestOf(ctx).cause()})
	return nil, err
}

func (s *Server) restoreRecord(ctx context.Context, reader models.Reader, in *restoreInput) (*recordOutput, error) {
	object, number, err := s.find(in.RecordInput)
	if err != nil {
		return nil, err
	}
	var version int64
	if in.IfMatch != "" {
		if version, err = versionOf(in.IfMatch); err != nil {
			return nil, err
		}
	}
	return s.do(ctx, reader, models.Command{Op: models.Restore, Object: object.Name, Number: number, Version: version, Cause: requestOf(ctx).cause()})
}
