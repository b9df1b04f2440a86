package crm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"canopy/models"
	"canopy/models/predicate"
)

// must executes a command that follows from another one. What a rule does may not be refused half-way: a refusal fails the whole
// transaction and is told as Canopy's own mistake.
func (b *batch) must(c models.Command) (*models.Record, error) {
	outcome, err := b.follows(c)
	var said *models.Error
	if err != nil && !errors.As(err, &said) { // the store's own: it may be one after which the transaction is run again
		return nil, fmt.Errorf("%s: %s of %s: %w", c.Cause, c.Op, c.Object, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s of %s: %v", c.Cause, c.Op, c.Object, err) //nolint:errorlint // on purpose: no refusal of the caller's command
	}
	return outcome.Record, nil
}

// amendBy changes a record by a rule at the instant of what the rule follows from, or now where the record has moved on since.
func (b *batch) amendBy(rule string, r *models.Record, at time.Time, values map[string]models.Value) error {
	c := models.Command{Op: models.Update, Object: r.Object.Name, Number: r.Number, Cause: "rule:" + rule, Sets: setsOf(r.Object, values)}
	if !at.Before(r.HappenedAt) {
		c.HappenedAt = at
	}
	_, err := b.must(c)
	return err
}

// makeBy creates a record by a rule.
func (b *batch) makeBy(rule, object string, at time.Time, values map[string]models.Value) (*models.Record, error) {
	return b.must(models.Command{Op: models.Create, Object: object, HappenedAt: at, Cause: "rule:" + rule, Sets: setsOf(b.registry.Object(object), values)})
}

// setsOf turns values by name into sets, in field order.
func setsOf(object *models.Object, values map[string]models.Value) []models.Set {
	sets := make([]models.Set, 0, len(values))
	for _, f := range object.Fields {
		if v, ok := values[f.Name]; ok {
			sets = append(sets, models.Set{Field: f, Value: v})
		}
	}
	return sets
}

// query lists live records of a batch's transaction as the system sees them.
func (b *batch) query(object string, where *predicate.Node, sort string, limit int) ([]*models.Record, error) {
	o := b.registry.Object(object)
	bound, err := where.Bind(b.registry, o, b.options.Calendar)
	if err != nil {
		return nil, err
	}
	order, err := predicate.ParseSort(o, sort)
	if err != nil {
		return nil, err
	}
	return b.store.List(b.ctx, Listing{Object: object, Where: bound, Sort: order, Limit: limit})
}

// count counts live records as the system sees them, at most limit+1.
func (b *batch) count(object string, where *predicate.Node, limit int) (int, error) {
	bound, err := where.Bind(b.registry, b.registry.Object(object), b.options.Calendar)
	if err != nil {
		return 0, err
	}
	return b.store.Count(b.ctx, object, bound, false, limit)
}

// field is a field of a standard object, for predicates.
func (b *batch) field(object, name string) *models.Field {
	return b.registry.Object(object).Field(name)
}

// remembered gives what a batch keeps under a name, made at the first need.
func remembered[T any](b *batch, name string, read func() (T, error)) (T, error) {
	if v, ok := b.memo[name].(T); ok {
		return v, nil
	}
	v, err := read()
	if err == nil {
		b.memo[name] = v
	}
	return v, err
}

// freshFor is how late a fact may be told and still start clocks and rules: what is older is history that is being written down.
const freshFor = 24 * time.Hour

// isFresh tells whether something that happened at an instant is news, and not history, an import's or an undo's.
func (b *batch) isFresh(at time.Time) bool {
	return b.now.Sub(at) < freshFor && !isUndo(b.cause)
}

// moved tells whether a write changed a field.
func moved(changed []models.FieldChange, name string) bool {
	for _, c := range changed {
		if c.Field.Name == name {
			return true
		}
	}
	return false
}

// byImport tells whether a cause is a file that is being read.
func byImport(cause string) bool { return strings.HasPrefix(cause, "import:") }

// matcher is a predicate over an object's records, ready for matching in Go.
type matcher struct{ bound *predicate.Bound }

// readMatcher reads a predicate kept as JSON in a field of a record; blank text matches everything.
func readMatcher(registry *models.Registry, object *models.Object, calendar models.Calendar, field, text string) (matcher, *models.Error) {
	if strings.TrimSpace(text) == "" {
		return matcher{}, nil
	}
	node, err := predicate.Parse([]byte(text))
	if err == nil {
		var bound *predicate.Bound
		if bound, err = node.Bind(registry, object, calendar); err == nil {
			return matcher{bound}, nil
		}
	}
	return matcher{}, models.FieldError(field, "this is no condition over %s: %v", strings.ToLower(object.Plural), err).
		WithRemedy(`Write a predicate as in {"field":"country","op":"in","value":["DE","AT"]}, or leave it empty for all.`)
}

// holds tells whether a record matches; related records are read in the batch's transaction.
func (b *batch) holds(m matcher, values []models.Value, meta predicate.Meta) (bool, error) {
	if m.bound == nil {
		return true, nil
	}
	var failed error
	ok := m.bound.Match(values, meta, func(object string, number uint64) ([]models.Value, bool) {
		related, err := b.record(object, number)
		if err != nil {
			failed = err
		}
		if related == nil || related.Deleted {
			return nil, false
		}
		return related.Values, true
	})
	return ok, failed
}
