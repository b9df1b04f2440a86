package dashboards

import (
	"context"
	"net/http"

	"canopy/models"

	"github.com/danielgtaylor/huma/v2"
)

// handle registers one typed route: the handler gets the reader, and its error leaves as a problem.
func handle[I, O any](s *Server, op huma.Operation, handler func(ctx context.Context, reader models.Reader, in *I) (*O, error)) {
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, requestOf(ctx).reader, in)
		if err != nil {
			return nil, s.problemOf(ctx, err)
		}
		return out, nil
	})
}

// operation describes a route that needs credentials.
func operation(method, path, id, tag, summary string) huma.Operation {
	return huma.Operation{
		Method: method, Path: apiPrefix + path, OperationID: id, Tags: []string{tag}, Summary: summary,
		Security: []map[string][]string{{"token": {}}, {"session": {}}}, RejectUnknownQueryParameters: true, MaxBodyBytes: maxBody + 1,
	}
}

// created makes a route answer 201.
func created(op huma.Operation) huma.Operation { op.DefaultStatus = http.StatusCreated; return op }

// accepted makes a route answer 202.
func accepted(op huma.Operation) huma.Operation { op.DefaultStatus = http.StatusAccepted; return op }

// body is an answer without headers of its own.
type body[T any] struct{ Body T }

type none struct{}
