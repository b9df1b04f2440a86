package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"canopy/crm"
	"canopy/models"
	"canopy/models/predicate"
)

// Bounds of one bulk edit.
const (
	MaxBulk    = 1_000_000 // records that a filter may find
	MaxBulkIDs = 10_000    // records that may be named
)

// Edit asks for the same write on many records.
type Edit struct {
	Object string
	Op     models.Op       // update, delete or restore
	Filter *predicate.Node // which records; nil where IDs name them
	IDs    []string
	Fields map[string]json.RawMessage // of an update
	DryRun bool
}

// edit is how an Edit is kept.
type edit struct {
	Op     models.Op                  `json:"op"`
	Filter json.RawMessage            `json:"filter,omitempty"`
	IDs    []uint64                   `json:"ids,omitempty"`
	Fields map[string]json.RawMessage `json:"fields,omitempty"`
}

// Bulk writes many records as one job: through the record engine, with all its rules, some records a transaction.
type Bulk struct {
	Engine  *crm.Engine
	Store   Store
	Undo    *Undoing
	Service *Service
}

// Start checks a bulk edit as a whole and lets it run. Which records it writes is fixed when it begins to work.
func (b *Bulk) Start(ctx context.Context, reader models.Reader, e Edit) (models.Job, error) {
	object, err := b.Engine.Registry().Need(e.Object)
	if err != nil {
		return models.Job{}, err
	}
	if err := mayWrite(reader, object); err != nil {
		return models.Job{}, err
	}
	kept, sets, err := b.check(reader, object, e)
	if err != nil {
		return models.Job{}, err
	}
	request, err := json.Marshal(kept)
	if err != nil {
		return models.Job{}, fmt.Errorf("keep a bulk edit: %w", err)
	}
	return b.Service.Add(ctx, reader, &models.Job{Kind: models.BulkJob, Object: object.Name, Title: titleOf(object, e.Op, sets), DryRun: e.DryRun, Request: request})
}

func mayWrite(reader models.Reader, object *models.Object) error {
	if reader.MayWrite(object.WriteBy) && reader.MayWrite(models.Editor) {
		return nil
	}
	return models.Errorf(models.Forbidden, "writing %s needs the role %s", strings.ToLower(object.Plural), object.WriteBy).WithRemedy("Ask an administrator for the right.")
}

func (b *Bulk) check(reader models.Reader, object *models.Object, e Edit) (edit, []models.Set, error) {
	kept := edit{Op: e.Op, Fields: e.Fields}
	if (e.Filter == nil) == (len(e.IDs) == 0) {
		return kept, nil, models.FieldError("filter", "say which records: with a filter, or with their ids").WithRemedy(`A filter of {"and":[]} is all records that you may see.`)
	}
	if len(e.IDs) > MaxBulkIDs {
		return kept, nil, models.FieldError("ids", "%d records are named; there may be %d", len(e.IDs), MaxBulkIDs).WithRemedy("Use a filter, or several bulk edits.")
	}
	for _, id := range e.IDs {
		number, err := object.ParseID(id)
		if err != nil {
			return kept, nil, err
		}
		kept.IDs = append(kept.IDs, number)
	}
	if e.Filter != nil {
		if err := b.Engine.CheckQuery(reader, crm.Query{Object: object.Name, Where: e.Filter}); err != nil {
			return kept, nil, err
		}
		text, err := json.Marshal(e.Filter)
		if err != nil {
			return kept, nil, fmt.Errorf("keep a filter: %w", err)
		}
		kept.Filter = text
	}
	switch e.Op {
	case models.Update:
		if len(e.Fields) == 0 {
			return kept, nil, models.FieldError("fields", "no field is to be changed").WithRemedy("Name at least one field and its new value.")
		}
	case models.Delete, models.Restore:
		if len(e.Fields) > 0 {
			return kept, nil, models.FieldError("fields", "fields belong to an update")
		}
	default:
		return kept, nil, models.FieldError("op", "%q is none of update, delete, restore", e.Op)
	}
	sets, err := b.Engine.Patch(object, e.Fields)
	return kept, sets, err
}

// titleOf says what an edit does: "Set stage and owner of deals".
func titleOf(object *models.Object, op models.Op, sets []models.Set) string {
	plural := strings.ToLower(object.Plural)
	switch op {
	case models.Delete:
		return "Delete " + plural
	case models.Restore:
		return "Restore " + plural
	}
	labels := map[string]bool{}
	for _, set := range sets {
		labels[strings.ToLower(set.Field.Label)] = true
	}
	names := slices.Sorted(maps.Keys(labels))
	if len(names) > 3 {
		names = append(names[:2], fmt.Sprintf("%d other fields", len(names)-2))
	}
	last := len(names) - 1
	if last > 0 {
		return fmt.Sprintf("Set %s and %s of %s", strings.Join(names[:last], ", "), names[last], plural)
	}
	return fmt.Sprintf("Set %s of %s", names[0], plural)
}

// Tidy has nothing to do.
func (b *Bulk) Tidy(context.Context) error { return nil }

// Work fixes the records, writes them chunk by chunk, or takes them back.
func (b *Bulk) Work(ctx context.Context, t *Task) error {
	if t.Job.Undo {
		return b.takeBack(ctx, t)
	}
	w, err := b.open(t)
	if err != nil {
		return err
	}
	if !t.Job.Frozen {
		if err := w.freeze(ctx); err != nil {
			return err
		}
	}
	for !w.ended() {
		if err := retrying(ctx, func() error { return w.chunk(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// bulkWork is one bulk edit at work.
type bulkWork struct {
	*Bulk
	t      *Task
	object *models.Object
	edit   edit
	filter *predicate.Node
	sets   []models.Set
	size   int // records of the next chunk
}

func (b *Bulk) open(t *Task) (*bulkWork, error) {
	w := &bulkWork{Bulk: b, t: t, size: firstChunk}
	if err := json.Unmarshal(t.Job.Request, &w.edit); err != nil {
		return nil, fmt.Errorf("read what %s was asked for: %w", t.Job.ID, err)
	}
	var err error
	if w.object, err = b.Engine.Registry().Need(t.Job.Object); err != nil {
		return nil, err
	}
	if len(w.edit.Filter) > 0 {
		if w.filter, err = predicate.Parse(w.edit.Filter); err != nil {
			return nil, err
		}
	}
	w.sets, err = b.Engine.Patch(w.object, w.edit.Fields)
	return w, err
}

// freeze writes down which records the edit is about, so that one that leaves the filter by it is neither missed nor met twice.
func (w *bulkWork) freeze(ctx context.Context) error {
	reader, err := w.t.Reader(ctx)
	if err != nil {
		return err
	}
	numbers := slices.Clone(w.edit.IDs)
	if w.filter != nil {
		if numbers, err = w.Engine.Numbers(ctx, reader, w.object.Name, w.filter, w.edit.Op == models.Restore, MaxBulk); err != nil {
			return err
		}
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	j := *w.t.Job
	total := int64(len(numbers))
	j.Total, j.Frozen = &total, true
	if j.Floor, err = w.Store.LastSequence(ctx); err != nil {
		return err
	}
	err = w.Engine.Bulk(ctx, func(ctx context.Context) error {
		if err := w.Store.Freeze(ctx, j.Number, numbers); err != nil {
			return err
		}
		return w.t.Save(ctx, &j)
	})
	if err == nil {
		w.t.Saved(j)
	}
	return err
}

func (w *bulkWork) ended() bool { return w.t.Job.State == models.JobDone }

// errDryRun takes a chunk of a dry run back.
var errDryRun = errors.New("job: a dry run writes nothing")

// chunk writes some records in one transaction with the progress that counts them.
func (w *bulkWork) chunk(ctx context.Context) error {
	reader, err := w.t.Reader(ctx)
	if err != nil {
		return err
	}
	if err := mayWrite(reader, w.object); err != nil {
		return err
	}
	numbers, err := w.Store.Frozen(ctx, w.t.Job.Number, w.t.Job.Done, w.size)
	if err != nil {
		return err
	}
	commands := make([]models.Command, len(numbers))
	for i, n := range numbers {
		commands[i] = models.Command{Op: w.edit.Op, Object: w.object.Name, Number: n, Sets: w.sets, Cause: w.t.Job.Cause()}
	}
	var progress models.Job
	var refused []models.JobRefusal
	var begun time.Time
	counted := false
	err = w.Engine.Bulk(ctx, func(ctx context.Context) error {
		begun = time.Now()
		results, err := w.Engine.Batch(ctx, reader, commands)
		if err != nil {
			return err
		}
		progress, refused = w.count(numbers, results)
		counted = true
		if progress.DryRun {
			return errDryRun
		}
		return w.save(ctx, &progress, refused)
	})
	if errors.Is(err, errDryRun) {
		err = w.Engine.Bulk(ctx, func(ctx context.Context) error { return w.save(ctx, &progress, refused) })
	}
	if err != nil && (!counted || !landed(ctx, w.Store, &progress)) {
		return err
	}
	w.size = nextSize(len(numbers), w.size, time.Since(begun))
	w.t.Saved(progress)
	return nil
}

// count gives the progress after a chunk, and what of it was not written.
func (w *bulkWork) count(numbers []uint64, results []models.Result) (models.Job, []models.JobRefusal) {
	progress := *w.t.Job
	var refused []models.JobRefusal
	for i := range results {
		switch r := &results[i]; {
		case r.Err != nil:
			reason, remedy := r.Err.Explain()
			refused = append(refused, models.JobRefusal{Record: w.object.ID(numbers[i]), Field: r.Err.Field, Reason: reason, Remedy: remedy})
			progress.Refused++
		case r.Change == 0:
			progress.Unchanged++
		default:
			progress.Changed++
		}
	}
	if progress.Done += int64(len(numbers)); progress.Done >= *progress.Total {
		now := w.t.Now()
		progress.State, progress.FinishedAt = models.JobDone, &now
	}
	return progress, refused
}

// save writes a chunk's progress in the transaction of ctx.
func (w *bulkWork) save(ctx context.Context, progress *models.Job, refused []models.JobRefusal) error {
	if err := w.t.Save(ctx, progress); err != nil {
		return err
	}
	if progress.State == models.JobDone {
		if err := w.Store.Unfreeze(ctx, progress.Number); err != nil {
			return err
		}
	}
	return w.Store.Refuse(ctx, progress.Number, refused)
}

// landed tells whether a chunk was written although its transaction ended with an error.
func landed(ctx context.Context, store Store, progress *models.Job) bool {
	now, err := store.Get(ctx, progress.Number)
	return err == nil && now != nil && now.Generation == progress.Generation && now.State == progress.State &&
		now.Done == progress.Done && now.UndoBefore == progress.UndoBefore && now.Undone == progress.Undone && now.Kept == progress.Kept
}

// takeBack undoes a bulk edit, newest change first, some records a transaction.
func (b *Bulk) takeBack(ctx context.Context, t *Task) error {
	size := firstChunk
	task := models.UndoTask{Cause: t.Job.Cause(), UndoCause: t.Job.UndoCause(), Work: "the bulk edit", Floor: t.Job.Floor}
	if t.Job.UndoTotal == 0 {
		total, err := b.Undo.Count(ctx, task)
		if err != nil {
			return err
		}
		t.Job.UndoTotal = total
	}
	for t.Job.State != models.JobUndone {
		err := retrying(ctx, func() (err error) {
			if task.Reader, err = t.Reader(ctx); err != nil {
				return err
			}
			task.Before = t.Job.UndoBefore
			size, err = b.undoChunk(ctx, t, task, size)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// undoChunk takes some records back with the progress that counts them, and gives the size of the next chunk.
func (b *Bulk) undoChunk(ctx context.Context, t *Task, task models.UndoTask, size int) (int, error) {
	var progress models.Job
	var begun time.Time
	counted := false
	err := b.Engine.Bulk(ctx, func(ctx context.Context) error {
		begun = time.Now()
		step, err := b.Undo.Step(ctx, task, size)
		if err != nil {
			return err
		}
		progress = *t.Job
		progress.UndoBefore = step.Next
		progress.Undone += step.Undone
		progress.Kept += int64(len(step.Kept))
		if step.Next == 0 {
			now := t.Now()
			progress.State, progress.FinishedAt = models.JobUndone, &now
			if err := b.Store.Unfreeze(ctx, progress.Number); err != nil {
				return err
			}
		}
		counted = true
		if err := t.Save(ctx, &progress); err != nil {
			return err
		}
		return b.Store.Refuse(ctx, progress.Number, step.Kept)
	})
	if err != nil && (!counted || !landed(ctx, b.Store, &progress) || progress.UndoBefore == t.Job.UndoBefore) {
		return size, err
	}
	t.Saved(progress)
	return nextSize(size, size, time.Since(begun)), nil
}
