package crm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"canopy/models"
)

const requestObject = "field_request"

// The states of a change request. An approved one is in force, and its formulas are still being computed for the records there are.
const (
	requestOpen     = "requested"
	requestApproved = "approved"
	requestLive     = "live"
	requestRejected = "rejected"
)

const (
	causeRequest = "rule:change request"
	causeFormula = "rule:formula"
)

// maxDefinition bounds a definition in bytes.
const maxDefinition = 256 << 10

// completeRequest says who asks and what for.
func completeRequest(b *batch, w *writing) error {
	if w.previous == nil && b.reader.User != 0 {
		w.set("requested_by", b.reader.User)
	}
	text, _ := w.after("definition").(string)
	if !w.changes("definition") || text == "" {
		return nil
	}
	d, err := models.ParseDefinition(text)
	if err != nil {
		return nil //nolint:nilerr // check says so
	}
	w.set("object", nil)
	if d.Object != "" {
		w.set("object", d.Object)
	}
	if w.after("title") == nil {
		w.set("title", titleOf(d))
	}
	return nil
}

// titleOf tells a definition in a few words: "Machine: a new object", "account: segment, size".
func titleOf(d models.Definition) string {
	var names []string
	for _, f := range d.Fields {
		names = append(names, f.Name)
	}
	for _, a := range d.Amend {
		names = append(names, a.Field)
	}
	title := d.Object + ": " + strings.Join(names, ", ")
	if d.New != nil {
		title = d.New.Label + ": a new object"
	}
	if runes := []rune(title); len(runes) > 200 {
		title = string(runes[:199]) + "…"
	}
	return title
}

// checkRequest refuses a definition that could not be approved as things stand, and changes to one that has been decided.
func checkRequest(b *batch, w *writing) ([]models.Error, error) {
	if !w.changes("definition") && !w.changes("object") {
		return nil, nil
	}
	if state := w.before("state"); w.previous != nil && state != requestOpen {
		return []models.Error{*models.FieldError("definition", "it has been decided").WithRemedy("Make a new request.")}, nil
	}
	text, _ := w.after("definition").(string)
	if len(text) > maxDefinition {
		return []models.Error{*models.FieldError("definition", "it is longer than %d bytes", maxDefinition)}, nil
	}
	d, err := models.ParseDefinition(text)
	if err == nil {
		var grown *models.Registry
		if grown, err = b.registry.Grow(d); err == nil {
			err = b.fitting(d)(grown)
		}
	}
	var said *models.Error
	if errors.As(err, &said) {
		return []models.Error{*said}, nil
	}
	return nil, err
}

// fitting checks of a registry what its description alone does not say: that its expressions compile, and that everything that
// stands on it can follow.
func (e *Engine) fitting(d models.Definition) func(*models.Registry) error {
	return func(grown *models.Registry) error {
		if _, err := compileRules(grown.Object(d.Object)); err != nil {
			return err
		}
		if e.options.CheckRegistry != nil {
			return e.options.CheckRegistry(grown)
		}
		return nil
	}
}

// Approve puts a change request into force, in one step: the registry grows, the tables get their columns, and the request is live once the
// transaction is committed. Formulas of records that there are follow (see ComputeFormulas). version is the one that the
// administrator saw; 0 skips the check. Nothing is done where anything is wrong; the errors name object and field.
func (e *Engine) Approve(ctx context.Context, reader models.Reader, number uint64, version int64, reason string) (models.Outcome, error) {
	outcome, err := e.decide(ctx, reader, number, version, reason, func(ctx context.Context, r *models.Record) (map[string]models.Value, error) {
		text, _ := r.Get("definition").(string)
		d, err := models.ParseDefinition(text)
		if err != nil {
			return nil, err
		}
		grown, err := e.store.Adopt(ctx, d, number, e.fitting(d))
		if err != nil {
			return nil, err
		}
		state := requestLive
		if asksForFormula(d) && d.New == nil {
			state = requestApproved
			if err := e.store.BeginWork(ctx, number, d.Object); err != nil {
				return nil, err
			}
		}
		return map[string]models.Value{"state": state, "registry_version": grown.Version()}, nil
	})
	if err == nil {
		select {
		case e.formulas <- struct{}{}:
		default:
		}
	}
	return outcome, err
}

// Reject turns a change request down.
func (e *Engine) Reject(ctx context.Context, reader models.Reader, number uint64, version int64, reason string) (models.Outcome, error) {
	return e.decide(ctx, reader, number, version, reason, func(context.Context, *models.Record) (map[string]models.Value, error) {
		return map[string]models.Value{"state": requestRejected}, nil
	})
}

func (e *Engine) decide(ctx context.Context, reader models.Reader, number uint64, version int64, reason string, fn func(context.Context, *models.Record) (map[string]models.Value, error)) (models.Outcome, error) {
	var outcome models.Outcome
	if !reader.MayWrite(models.Administrator) {
		return outcome, models.Errorf(models.Forbidden, "deciding change requests needs the role %s", models.Administrator).WithRemedy("Ask an administrator.")
	}
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return outcome, models.FieldError("reason", "a decision has a reason").WithRemedy("Say in a sentence why.")
	}
	err := e.store.Run(ctx, Interactive, func(ctx context.Context) error {
		r, err := e.Get(ctx, reader, requestObject, number, models.Cutoff{})
		switch {
		case err != nil:
			return err
		case r.Deleted:
			return notFound(r.Object, number)
		case r.Get("state") != requestOpen:
			return models.Errorf(models.Conflict, "%s is %s already", r.ID(), r.Get("state")).WithRemedy("Make a new request.")
		case version != 0 && version != r.Version:
			return (&models.Error{Code: models.Precondition, Field: "version", Message: fmt.Sprintf("%s is at version %d, not %d", r.ID(), r.Version, version)}).
				WithRemedy("Read the request again before you decide.")
		}
		values, err := fn(ctx, r)
		if err != nil {
			return err
		}
		values["decision"], values["decided_at"] = reason, e.options.Now().UTC().Truncate(time.Millisecond)
		if reader.User != 0 {
			values["decided_by"] = reader.User
		}
		outcome, err = e.Do(ctx, reader, models.Command{Op: models.Update, Object: requestObject, Number: number, Version: r.Version, Sets: setsOf(r.Object, values), Cause: causeRequest})
		return err
	})
	return outcome, err
}

func asksForFormula(d models.Definition) bool {
	for _, f := range d.Fields {
		if f.Kind == models.Formula {
			return true
		}
	}
	return false
}
