package dashboards

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"canopy/crm"
	"canopy/models"
)

const (
	batchPath  = apiPrefix + "/batch"
	batchChunk = 100 // operations a transaction, so that people never wait long behind a batch
)

// BatchBody is several operations in order.
type BatchBody struct {
	Atomic     bool        `json:"atomic,omitempty" doc:"All or none: one refused operation refuses the batch"`
	Operations []Operation `json:"operations" minItems:"1" maxItems:"1000"`
}

// Operation is one write of a batch.
type Operation struct {
	Op         models.Op `json:"op" enum:"create,update,delete,restore"`
	Object     string    `json:"object"`
	ID         string    `json:"id,omitempty" doc:"Of the record; not for create"`
	Version    int64     `json:"version,omitempty" minimum:"1" doc:"The version that the change was made from; needed for update and delete"`
	Fields     Patch     `json:"fields,omitempty"`
	HappenedAt string    `json:"happened_at,omitempty"`
	Override   string    `json:"override,omitempty" maxLength:"2000" doc:"As in PATCH: the reason for passing over what a deal's new stage asks for"`
	Key        string    `json:"idempotency_key,omitempty" maxLength:"200"`
}

// BatchResults has one result an operation, in order.
type BatchResults struct {
	Results []BatchResult `json:"results"`
}

// BatchResult is what became of one operation: a record, or an error.
type BatchResult struct {
	Status int      `json:"status" doc:"The HTTP status that the operation would have had alone"`
	Record *Record  `json:"record,omitempty"`
	Error  *Problem `json:"error,omitempty"`
}

type batchInput struct{ Body BatchBody }

func (s *Server) batchRoutes() {
	op := operation(http.MethodPost, "/batch", "batch", "records", "Up to 1,000 writes in order")
	op.MaxBodyBytes, op.DefaultStatus = maxBatchBody+1, http.StatusOK
	op.Description = "Without atomic each operation stands for itself and the answer is 200 with one result each. With atomic the first refused operation is the answer's problem (row says which) and nothing is written."
	handle(s, op, s.batch)
}

// batchWork is one batch on its way: commands of the operations that could be read, and a result for each.
type batchWork struct {
	commands []models.Command
	place    []int // of each command among the operations
	results  []models.Result
}

func (s *Server) batch(ctx context.Context, reader models.Reader, in *batchInput) (*body[BatchResults], error) {
	work := &batchWork{results: make([]models.Result, len(in.Body.Operations))}
	for i := range in.Body.Operations {
		command, err := s.operation(ctx, &in.Body.Operations[i])
		if err != nil {
			var said *models.Error
			if !errors.As(err, &said) {
				return nil, err
			}
			work.results[i].Err = said.WithRow(int64(i) + 1)
			continue
		}
		command.Row = int64(i) + 1
		work.commands, work.place = append(work.commands, command), append(work.place, i)
	}
	if in.Body.Atomic {
		if err := s.allOrNone(ctx, reader, work); err != nil {
			return nil, err
		}
	} else if err := s.eachAlone(ctx, reader, work); err != nil {
		return nil, err
	}
	return s.batchResults(ctx, reader, in.Body.Operations, work.results)
}

// operation reads one operation as a command.
func (s *Server) operation(ctx context.Context, o *Operation) (models.Command, error) {
	object, err := s.parts.Records.Registry().Need(o.Object)
	if err != nil {
		return models.Command{}, err
	}
	command, err := s.command(ctx, o.Op, object, WriteBody{Fields: o.Fields, HappenedAt: o.HappenedAt, Override: o.Override})
	if err != nil {
		return models.Command{}, err
	}
	command.Version, command.IdempotencyKey = o.Version, o.Key
	if o.Op == models.Create {
		if o.ID != "" || o.Version != 0 {
			return models.Command{}, models.FieldError("id", "a new record gets its id and version from Canopy").WithRemedy("Leave id and version out.")
		}
		return command, nil
	}
	if command.Number, err = object.ParseID(o.ID); err != nil {
		return models.Command{}, err
	}
	if o.Version == 0 && o.Op != models.Restore {
		return models.Command{}, &models.Error{
			Code: models.Precondition, Field: "version", Message: "a change must say which version of the record it was made from", Remedy: "Send the record's version.",
		}
	}
	return command, nil
}

// eachAlone writes in chunks of one transaction each. Where a whole transaction fails, its operations and all later ones say so.
func (s *Server) eachAlone(ctx context.Context, reader models.Reader, work *batchWork) error {
	for start := 0; start < len(work.commands); start += batchChunk {
		end := min(start+batchChunk, len(work.commands))
		results, err := s.write(ctx, reader, work.commands[start:end], nil)
		if err != nil && start == 0 {
			return err
		}
		if err != nil {
			said := s.problemOf(ctx, fmt.Errorf("write operations %d to %d of a batch: %w", start+1, end, err))
			for _, place := range work.place[start:] {
				work.results[place].Err = (&models.Error{Code: said.Code, Message: "this operation was not written: " + said.Detail, Remedy: "Send it again."}).WithRow(int64(place) + 1)
			}
			return nil
		}
		for i, result := range results {
			work.results[work.place[start+i]] = result
		}
	}
	return nil
}

// allOrNone writes everything in one transaction, or nothing and says what was in the way.
func (s *Server) allOrNone(ctx context.Context, reader models.Reader, work *batchWork) error {
	if err := firstRefused(work.results); err != nil {
		return err
	}
	results, err := s.write(ctx, reader, work.commands, firstRefused)
	work.results = results
	return err
}

// write runs commands in one transaction; check may undo it.
func (s *Server) write(ctx context.Context, reader models.Reader, commands []models.Command, check func([]models.Result) error) (results []models.Result, err error) {
	priority := crm.Bulk
	if len(commands) <= batchChunk/10 {
		priority = crm.Interactive
	}
	err = s.parts.Records.Run(ctx, priority, func(ctx context.Context) error {
		var err error
		results, err = s.parts.Records.Batch(ctx, reader, commands)
		if err == nil && check != nil {
			err = check(results)
		}
		return err
	})
	return results, err
}

// firstRefused gives the first error with all others as its details; nil where nothing was refused.
func firstRefused(results []models.Result) error {
	var refused []models.Error
	for i := range results {
		if e := results[i].Err; e != nil {
			refused = append(refused, *e)
		}
	}
	if len(refused) == 0 {
		return nil
	}
	first := refused[0]
	if len(refused) > 1 {
		first.Details = refused
	}
	return &first
}

func (s *Server) batchResults(ctx context.Context, reader models.Reader, operations []Operation, results []models.Result) (*body[BatchResults], error) {
	var list []*models.Record
	for i := range results {
		if results[i].Err == nil {
			list = append(list, results[i].Record)
		}
	}
	records, err := s.records(ctx, reader, list)
	if err != nil {
		return nil, err
	}
	out := &body[BatchResults]{BatchResults{Results: make([]BatchResult, len(results))}}
	for i := range results {
		result := &out.Body.Results[i]
		if e := results[i].Err; e != nil {
			result.Error = newProblem(e)
			result.Status = result.Error.Status
			continue
		}
		result.Status, result.Record = http.StatusOK, &records[0]
		if operations[i].Op == models.Create {
			result.Status = http.StatusCreated
		}
		records = records[1:]
	}
	return out, nil
}
