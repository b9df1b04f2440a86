package crm

import (
	"strings"

	"canopy/models"
)

// check gathers everything that is wrong with a record about to be written: missing fields, broken expressions,
// references to nothing, unique values that somebody else holds, and what the noun itself minds.
func (b *batch) check(w *writing) error {
	object, previous, next := w.object, w.previous, w.next
	var wrong []models.Error
	for i, f := range object.Fields {
		v := next[i]
		if v == nil {
			if f.Required || b.requiredByStage(object, f, next) {
				wrong = append(wrong, models.Error{Code: models.Invalid, Field: f.Name, Message: f.Label + " is required", Remedy: "Fill it in."})
			}
			continue
		}
		if i < len(previous) && models.ValuesEqual(previous[i], v) {
			continue
		}
		if f.Kind == models.Reference {
			problem, err := b.checkReference(f, v.(uint64))
			if err != nil {
				return err
			}
			if problem != nil {
				wrong = append(wrong, *problem)
			}
		}
		if file, ok := v.(models.File); ok {
			problem, err := b.checkFile(f, w, file)
			if err != nil {
				return err
			}
			if problem != nil {
				wrong = append(wrong, *problem)
			}
		}
		if f.Unique {
			problem, err := b.checkUnique(object, f, v, w.number)
			if err != nil {
				return err
			}
			if problem != nil {
				wrong = append(wrong, *problem)
			}
		}
	}
	wrong = append(wrong, b.rules[object.Name].verify(previous, next)...)
	if check := behaviours[object.Name].check; check != nil {
		more, err := check(b, w)
		if err != nil {
			return err
		}
		wrong = append(wrong, more...)
	}
	for i := range wrong {
		if wrong[i].Code == models.Precondition {
			return refusedByStage(wrong, "the stage asks for what the deal does not have")
		}
	}
	return models.Gather(wrong)
}

// requiredByStage tells whether a deal's status asks for a field that may be empty before.
func (b *batch) requiredByStage(object *models.Object, f *models.Field, next []models.Value) bool {
	if f.RequiredFrom == "" {
		return false
	}
	status := object.Field("status")
	return status != nil && next[status.Index()] == f.RequiredFrom
}

func (b *batch) checkReference(f *models.Field, number uint64) (*models.Error, error) {
	r, err := b.record(f.To, number)
	if err != nil {
		return nil, err
	}
	seen := r != nil && !r.Deleted
	if seen {
		if seen, err = b.visible(r); err != nil {
			return nil, err
		}
	}
	if seen {
		return nil, nil
	}
	id := b.registry.Object(f.To).ID(number)
	return models.FieldError(f.Name, "there is no %s %q", f.To, id).WithRemedy("Choose one that exists, or create it first."), nil
}

// checkUnique looks for another live record with the value. The error names that record only to readers who may see it.
func (b *batch) checkUnique(object *models.Object, f *models.Field, v models.Value, number uint64) (*models.Error, error) {
	if err := b.lookUpTaken(object.Name, f, []models.Value{v}); err != nil {
		return nil, err
	}
	holder := b.taken[object.Name+"."+f.Name][string(f.AppendJSON(nil, v))]
	if holder == 0 || holder == number {
		return nil, nil
	}
	message := "another " + strings.ToLower(object.Label) + " has this value already"
	r, err := b.record(object.Name, holder)
	if err != nil {
		return nil, err
	}
	if r != nil {
		seen, err := b.visible(r)
		if err != nil {
			return nil, err
		}
		if seen {
			message = r.ID() + " has this value already"
		}
	}
	return &models.Error{Code: models.Conflict, Field: f.Name, Message: message, Remedy: "Use another value, or change the record that has it."}, nil
}

// hold notes which unique values a written record holds now and which it gave up, for later commands of the batch.
func (b *batch) hold(r *models.Record, before *models.Record) {
	for _, f := range r.Object.Fields {
		if !f.Unique {
			continue
		}
		known := b.taken[r.Object.Name+"."+f.Name]
		if known == nil {
			continue
		}
		if before != nil && !before.Deleted {
			if v := before.Get(f.Name); v != nil {
				known[string(f.AppendJSON(nil, v))] = 0
			}
		}
		if v := r.Get(f.Name); v != nil && !r.Deleted {
			known[string(f.AppendJSON(nil, v))] = r.Number
		}
	}
}
