package dashboards

import (
	"context"
	"net/http"

	"canopy/models"
)

// Relay tells how far the change log has come into the warehouse.
type Relay interface {
	Status(ctx context.Context) models.RelayStatus
}

func (s *Server) relayRoutes() {
	handle(s, operation(http.MethodGet, "/relay", "relay-status", "operations", "How far the change log has come into the warehouse"), s.relayStatus)
}

// relayStatus shows everybody how fresh the numbers are; what went wrong is for administrators.
func (s *Server) relayStatus(ctx context.Context, reader models.Reader, _ *none) (*body[models.RelayStatus], error) {
	status := s.parts.Relay.Status(ctx)
	if status.LastError != "" && !reader.Role.AtLeast(models.Administrator) {
		status.LastError = "the warehouse does not take changes over at the moment; it is tried again"
	}
	return &body[models.RelayStatus]{status}, nil
}
