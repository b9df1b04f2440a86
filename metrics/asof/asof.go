// Package asof answers questions about the records of any object as they stood at an instant, as far as was known up to a position of the
// change log: lists, and counts and sums by group. Without a cut-off it tells of the present. Who may see what is today's, also for the
// past: a reader sees a record's past where the record as it stands now is theirs.
package asof

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"canopy/models"
	"canopy/models/predicate"
	canopysql "canopy/sql"
	"canopy/warehouse"
)

// History asks the warehouse. It keeps no state and is safe for concurrent use.
type History struct {
	Warehouse *warehouse.Warehouse
	Registry  func() *models.Registry
	Calendar  func() models.Calendar
	// Position is the position up to which the log stands in the warehouse. Pages of one list are told as of one position.
	Position func(ctx context.Context) uint64
}

// lastInstant does not cut.
var lastInstant = time.Date(2299, 12, 31, 0, 0, 0, 0, time.UTC)

// question is a filled text of sql/metrics/asof with its parameters.
type question struct {
	name   string
	text   string
	params map[string]any
}

// ask fills the places that all questions share.
func (h *History) ask(file string, reader models.Reader, object *models.Object, filter *predicate.Node, cutoff models.Cutoff, places map[string]string) (*question, error) {
	registry := h.Registry()
	bound, err := filter.Bind(registry, object, h.Calendar())
	if err != nil {
		return nil, err
	}
	bound = predicate.Visible(registry, bound, reader)
	scope := predicate.Scope(registry, object, reader)
	q := &question{name: "as of: " + file + " of " + object.Name, params: map[string]any{"sees_all": scope == nil}}
	records, options := warehouse.NowView(object.Name), predicate.Options{ParamPrefix: "filter_"}
	if !cutoff.IsZero() {
		const cuts = "(happened_before = {happened_before:DateTime64(3, 'UTC')}, position = {position:UInt64})"
		records = warehouse.AsOfView(object.Name) + cuts
		options.RelatedTable = func(referred string) string { return warehouse.AsOfView(referred) + cuts }
		q.params["happened_before"], q.params["position"] = cutoff.HappenedBefore, cutoff.Position
		if cutoff.HappenedBefore.IsZero() {
			q.params["happened_before"] = lastInstant
		}
		if cutoff.Position == 0 {
			q.params["position"] = warehouse.AllPositions
		}
	}
	where, err := bound.Compile(predicate.ClickHouse, options)
	if err != nil {
		return nil, fmt.Errorf("compile the filter: %w", err)
	}
	cut, err := scope.Compile(predicate.ClickHouse, predicate.Options{ParamPrefix: "scope_"})
	if err != nil {
		return nil, fmt.Errorf("compile the reader's scope: %w", err)
	}
	maps.Copy(q.params, where.Named)
	maps.Copy(q.params, cut.Named)
	all := map[string]string{"records": records, "present": warehouse.NowView(object.Name), "scope": cut.Text, "filter": where.Text}
	maps.Copy(all, places)
	q.text, err = fill(file, all)
	return q, err
}

// fill reads one of the room's SQL files and fills its places.
func fill(file string, places map[string]string) (string, error) {
	text, err := fs.ReadFile(canopysql.Metrics(), "asof/"+file+".sql")
	if err != nil {
		return "", err
	}
	return canopysql.Fill(string(text), places)
}

func (q *question) query() warehouse.Query {
	return warehouse.Query{Name: q.name, SQL: q.text, Params: q.params}
}
