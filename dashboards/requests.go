package dashboards

import (
	"context"
	"net/http"

	"canopy/crm"
	"canopy/models"
)

const requestObject = "field_request"

// FieldRequestInput is the path of one change request.
type FieldRequestInput struct {
	ID string `path:"id" maxLength:"80" example:"field_request_7"`
}

type decisionInput struct {
	FieldRequestInput
	IfMatch string `header:"If-Match" doc:"The ETag of the version that was read, where it matters"`
	Body    DecisionBody
}

// DecisionBody says why.
type DecisionBody struct {
	Reason string `json:"reason" minLength:"1" maxLength:"2000"`
}

// RequestProgress tells how far the formulas of existing records are computed.
type RequestProgress struct {
	Done    int64  `json:"done" doc:"Records looked at"`
	Refused int64  `json:"refused" doc:"Records whose formula gives no value"`
	Problem string `json:"problem,omitempty" doc:"Why the last of these has none"`
	Over    bool   `json:"over" doc:"All records have been looked at"`
}

func (s *Server) requestRoutes() {
	decision := func(name, summary string, do func(*crm.Engine, context.Context, models.Reader, uint64, int64, string) (models.Outcome, error)) {
		op := operation(http.MethodPost, "/field_requests/{id}/"+name, name+"-field-request", "objects", summary)
		op.DefaultStatus = http.StatusOK
		handle(s, op, func(ctx context.Context, reader models.Reader, in *decisionInput) (*recordOutput, error) {
			_, number, err := s.find(RecordInput{ObjectInput{requestObject}, in.ID})
			if err != nil {
				return nil, err
			}
			var version int64
			if in.IfMatch != "" {
				if version, err = versionOf(in.IfMatch); err != nil {
					return nil, err
				}
			}
			outcome, err := do(s.parts.Records, ctx, reader, number, version, in.Body.Reason)
			if err != nil {
				return nil, err
			}
			return s.answer(ctx, reader, outcome.Record)
		})
	}
	decision("approve", "Approve a change request: what it asks for is there at once", (*crm.Engine).Approve)
	decision("reject", "Reject a change request", (*crm.Engine).Reject)
	handle(s, operation(http.MethodGet, "/field_requests/{id}/progress", "field-request-progress", "objects", "How far the formulas of existing records are computed"), s.requestProgress)
	handle(s, operation(http.MethodGet, "/objects/{object}/schema", "object-schema", "objects", "The fields of one kind of record as JSON Schema, as they are now"), s.objectSchema)
}

func (s *Server) requestProgress(ctx context.Context, reader models.Reader, in *FieldRequestInput) (*body[RequestProgress], error) {
	_, number, err := s.find(RecordInput{ObjectInput{requestObject}, in.ID})
	if err != nil {
		return nil, err
	}
	w, err := s.parts.Records.WorkOf(ctx, reader, number)
	return &body[RequestProgress]{RequestProgress{Done: w.Done, Refused: w.Refused, Problem: w.Problem, Over: w.Over}}, err
}
