package demo

import (
	"fmt"
	"time"

	"canopy/models"
)

// ref names a record of the simulated company before it has a number: the n-th one of its object, from 1.
// Number 0 of users is the first administrator, who is there before.
type ref struct {
	object string
	n      int32
}

// none is no record.
var none ref

var administrator = ref{object: "user", n: 0}

// values are fields by name, in the Go form of their kinds; a ref stands for a record.
type values map[string]any

// moment is one thing that is written down: a record made or changed.
type moment struct {
	at     time.Time // when it happened
	op     models.Op
	target ref
	values values
}

// letters begin the external ids of records that are known by one.
var letters = map[string]string{
	"account": "A", "contact": "C", "lead": "L", "deal": "D", "subscription": "S", "ticket": "T", "task": "K", "appointment": "M",
}

// keyFields are the unique fields by which records that others refer to are found again.
var keyFields = map[string]string{
	"account": "external_id", "contact": "external_id", "lead": "external_id", "deal": "external_id", "subscription": "external_id", "ticket": "external_id",
	"task": "external_id", "appointment": "external_id", "quote": "quote_number", "order": "order_number",
	"user": "email", "team": "name", "territory": "name", "product": "name", "campaign": "name", "pipeline": "name", "stage": "key", "price_book": "name",
}

func externalID(letter string, n int32) string { return fmt.Sprintf("FH-%s-%06d", letter, n) }

// create writes a new record down at this instant.
func (c *company) create(object string, v values) ref {
	c.made[object]++
	r := ref{object, c.made[object]}
	if letter, ok := letters[object]; ok {
		v["external_id"] = externalID(letter, r.n)
	}
	c.emit(moment{at: c.now, op: models.Create, target: r, values: v})
	return r
}

// update writes a change down at this instant.
func (c *company) update(r ref, v values) { c.updateLate(r, c.now, v) }

// updateLate writes down now what happened earlier.
func (c *company) updateLate(r ref, happened time.Time, v values) {
	c.emit(moment{at: happened, op: models.Update, target: r, values: v})
}

// sets gives a moment's values in the order of the object's fields, so that the log is the same each time.
func (m *moment) sets(registry *models.Registry, number func(ref) uint64) ([]models.Set, error) {
	object, err := registry.Need(m.target.object)
	if err != nil {
		return nil, err
	}
	sets := make([]models.Set, 0, len(m.values))
	for _, f := range object.Fields {
		value, ok := m.values[f.Name]
		if !ok {
			continue
		}
		if r, is := value.(ref); is {
			if value = nil; r != none {
				value = number(r)
			}
		}
		if sets = append(sets, models.Set{Field: f, Value: value}); len(sets) == len(m.values) {
			return sets, nil
		}
	}
	for name := range m.values {
		if object.Field(name) == nil {
			return nil, fmt.Errorf("%s has no field %s", object.Name, name)
		}
	}
	return sets, nil
}
