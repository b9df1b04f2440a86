package job

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"canopy/models"
)

// Traces finds in the log what a cause has written.
type Traces interface {
	// Touched gives records that a cause has written, newest first, from at most limit of its changes between two sequence numbers
	// (before 0: up to the newest). Each comes with its whole history, without images. next is where to go on; 0 at the end.
	Touched(ctx context.Context, cause string, floor, before int64, limit int) (records []models.TouchedRecord, next int64, err error)
	CountTouched(ctx context.Context, cause string, floor int64) (int64, error)
	Histories(ctx context.Context, object string, numbers []uint64) ([]models.TouchedRecord, error)
	// Referrers finds live records that refer to any of the given ones (object and number only).
	Referrers(ctx context.Context, object string, numbers []uint64) (map[uint64][]*models.Record, error)
}

// Batcher executes commands.
type Batcher interface {
	Batch(ctx context.Context, reader models.Reader, commands []models.Command) ([]models.Result, error)
}

// Undoing takes back what imports and bulk edits wrote.
type Undoing struct {
	Traces   Traces
	Commands Batcher
}

// Count gives how many records a task is about.
func (u *Undoing) Count(ctx context.Context, t models.UndoTask) (int64, error) {
	return u.Traces.CountTouched(ctx, t.Cause, t.Floor)
}

// Step takes back some records, newest change first, in the transaction of ctx: it looks at no more than limit changes. A record that
// others have changed since, or that is still referred to, is left as it is and reported.
func (u *Undoing) Step(ctx context.Context, t models.UndoTask, limit int) (models.UndoStep, error) {
	records, next, err := u.Traces.Touched(ctx, t.Cause, t.Floor, t.Before, limit)
	if err != nil {
		return models.UndoStep{}, err
	}
	w := &undo{Undoing: u, t: t, step: models.UndoStep{Next: next}}
	err = w.takeBack(ctx, records)
	return w.step, err
}

// undo is one step at work.
type undo struct {
	*Undoing
	t    models.UndoTask
	step models.UndoStep
}

type recordKey struct {
	object string
	number uint64
}

// takeBack undoes records in the transaction of ctx. Of a record with several changes by the import the newest one decides when its turn
// comes; when an older one is met again, nothing is left to do. Records go in runs of those that were made and those that were changed, so
// that what refers to a record is taken back before the record is looked at.
func (u *undo) takeBack(ctx context.Context, records []models.TouchedRecord) error {
	for start := 0; start < len(records); {
		end := start + 1
		for end < len(records) && (u.made(&records[end]) != nil) == (u.made(&records[start]) != nil) && records[end].Object == records[start].Object {
			end++
		}
		if err := u.takeBackRun(ctx, records[start:end]); err != nil {
			return err
		}
		start = end
	}
	return nil
}

func (u *undo) takeBackRun(ctx context.Context, records []models.TouchedRecord) error {
	kept := make([]string, len(records)) // why a record stays as it is
	var todo []int
	for n := range records {
		r := &records[n]
		if u.met(r) || u.made(r) != nil && r.Changes[len(r.Changes)-1].Deleted {
			continue
		}
		if c := u.foreign(r); c != nil {
			kept[n] = u.whyForeign(c)
		}
		todo = append(todo, n)
	}
	if err := u.keepReferred(ctx, records, todo, kept); err != nil {
		return err
	}
	partly, err := u.write(ctx, records, todo, kept)
	if err != nil {
		return err
	}
	for _, n := range todo {
		if kept[n] == "" {
			u.step.Undone++
			continue
		}
		if partly[n] {
			kept[n] += "; other changes of it are taken back"
		}
		u.step.Kept = append(u.step.Kept, models.JobRefusal{
			Record: records[n].Object.ID(records[n].Number), Kept: true, Reason: kept[n], Remedy: "Look at the record, and change or delete it by hand.",
		})
	}
	return nil
}

// write runs the commands of the records that do not stay; what is refused stays, too. partly tells of which some was written.
func (u *undo) write(ctx context.Context, records []models.TouchedRecord, todo []int, kept []string) (partly map[int]bool, err error) {
	var commands []models.Command
	var owners []int
	for _, n := range todo {
		if kept[n] == "" {
			for _, c := range u.commands(&records[n]) {
				commands, owners = append(commands, c), append(owners, n)
			}
		}
	}
	if len(commands) == 0 {
		return nil, nil
	}
	results, err := u.Commands.Batch(ctx, u.t.Reader, commands)
	if err != nil {
		return nil, err
	}
	partly = map[int]bool{}
	for n, result := range results {
		if result.Err != nil {
			kept[owners[n]], _ = result.Err.Explain()
		} else {
			partly[owners[n]] = true
		}
	}
	return partly, nil
}

// met tells whether an earlier step has dealt with a record, by a newer change of the same cause.
func (u *undo) met(r *models.TouchedRecord) bool {
	return u.t.Before != 0 && r.Sequence >= u.t.Before
}

// foreign gives the first change that others made after the cause's first; nil where there is none. What rules did in its wake is not foreign.
func (u *undo) foreign(r *models.TouchedRecord) *models.Change {
	begun := false
	for n := range r.Changes {
		c := &r.Changes[n]
		switch {
		case c.Cause == u.t.Cause:
			begun = true
		case begun && c.Cause != u.t.UndoCause && c.Kind != models.Restated && !strings.HasPrefix(c.Cause, "rule:"):
			return c
		}
	}
	return nil
}

func (u *undo) whyForeign(c *models.Change) string {
	by := "Canopy"
	if c.Actor.User != 0 {
		by = fmt.Sprintf("user_%d", c.Actor.User)
	}
	return fmt.Sprintf("%s by %s (%s) on %s, after %s", c.Kind, by, c.Cause, c.RecordedAt.UTC().Format(models.DateLayout), u.t.Work)
}

// made gives the change by which the cause made a record; nil where it was there before.
func (u *undo) made(r *models.TouchedRecord) *models.Change {
	if c := &r.Changes[0]; c.Kind == models.Created && c.Cause == u.t.Cause {
		return c
	}
	return nil
}

// commands take one record back. One that the cause made is deleted as of the instant at which it came to be, so that it was never there.
// Of others, each change is answered at its own instant, oldest first: a field gets the value that it would have had without the cause, what
// was deleted is restored, and what was restored is deleted.
func (u *undo) commands(r *models.TouchedRecord) []models.Command {
	command := models.Command{Object: r.Object.Name, Number: r.Number, Cause: u.t.UndoCause, Version: r.Changes[len(r.Changes)-1].Version}
	if c := u.made(r); c != nil {
		command.Op, command.HappenedAt = models.Delete, c.HappenedAt
		return []models.Command{command}
	}
	var changes []*models.Change
	for n := range r.Changes {
		if c := &r.Changes[n]; c.Cause == u.t.Cause && c.Kind != models.Restated {
			changes = append(changes, c)
		}
	}
	slices.SortStableFunc(changes, func(x, y *models.Change) int { return x.HappenedAt.Compare(y.HappenedAt) })
	type answer struct{ imported, without models.Value }
	known := map[*models.Field]answer{}
	var commands []models.Command
	for _, c := range changes {
		next := command
		next.Op, next.HappenedAt = models.Update, c.HappenedAt
		switch c.Kind {
		case models.Deleted:
			next.Op = models.Restore
		case models.Restored:
			next.Op = models.Delete
		}
		for _, f := range c.Fields {
			if f.Field.ReadOnly {
				continue // it follows from the others
			}
			without := f.Before
			if earlier, ok := known[f.Field]; ok && models.ValuesEqual(earlier.imported, f.Before) {
				without = earlier.without
			}
			known[f.Field] = answer{f.After, without}
			next.Sets = append(next.Sets, models.Set{Field: f.Field, Value: without})
		}
		if len(next.Sets) > 0 || next.Op != models.Update {
			commands = append(commands, next)
			command.Version = 0 // the record is this transaction's from the first command on
		}
	}
	return commands
}

// keepReferred keeps records to which live records refer that the undo does not take back.
func (u *undo) keepReferred(ctx context.Context, records []models.TouchedRecord, todo []int, kept []string) error {
	doomed := map[recordKey]bool{}
	numbers := map[string][]uint64{}
	for _, n := range todo {
		if kept[n] == "" && u.made(&records[n]) != nil {
			doomed[recordKey{records[n].Object.Name, records[n].Number}] = true
			numbers[records[n].Object.Name] = append(numbers[records[n].Object.Name], records[n].Number)
		}
	}
	referrers := map[recordKey][]recordKey{}
	for object, list := range numbers {
		if err := u.addReferrers(ctx, object, list, referrers); err != nil {
			return err
		}
	}
	for _, n := range todo {
		key := recordKey{records[n].Object.Name, records[n].Number}
		if !doomed[key] {
			continue
		}
		by, err := u.holder(ctx, key, doomed, referrers, map[recordKey]bool{})
		if err != nil {
			return err
		}
		if by != (recordKey{}) {
			kept[n] = fmt.Sprintf("%s_%d refers to it", by.object, by.number)
		}
	}
	return nil
}

func (u *undo) addReferrers(ctx context.Context, object string, numbers []uint64, referrers map[recordKey][]recordKey) error {
	found, err := u.Traces.Referrers(ctx, object, numbers)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		key := recordKey{object, n}
		referrers[key] = []recordKey{}
		for _, r := range found[n] {
			referrers[key] = append(referrers[key], recordKey{r.Object.Name, r.Number})
		}
	}
	return nil
}

// holder finds a live record that refers to key and stays; the zero key where all who refer to it go, too. Records that refer to each other
// (a team and its manager) hold each other only if somebody else holds one of them.
func (u *undo) holder(ctx context.Context, key recordKey, doomed map[recordKey]bool, referrers map[recordKey][]recordKey, visited map[recordKey]bool) (recordKey, error) {
	visited[key] = true
	if _, ok := referrers[key]; !ok {
		if err := u.addReferrers(ctx, key.object, []uint64{key.number}, referrers); err != nil {
			return recordKey{}, err
		}
	}
	for _, by := range referrers[key] {
		if visited[by] {
			continue
		}
		goes, ok := doomed[by]
		if !ok {
			histories, err := u.Traces.Histories(ctx, by.object, []uint64{by.number})
			if err != nil {
				return recordKey{}, err
			}
			goes = len(histories) == 1 && u.made(&histories[0]) != nil && u.foreign(&histories[0]) == nil
			doomed[by] = goes
		}
		if !goes {
			return by, nil
		}
		held, err := u.holder(ctx, by, doomed, referrers, visited)
		if err != nil {
			return recordKey{}, err
		}
		if held != (recordKey{}) {
			return by, nil
		}
	}
	return recordKey{}, nil
}
