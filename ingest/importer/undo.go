package importer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"canopy/models"
)

// undo takes an import back, newest change first.
type undo struct {
	s      *Service
	i      *models.Import
	reader models.Reader
	size   int // changes of the next chunk
}

func (u *undo) run(ctx context.Context) error {
	if u.i.UndoTotal == 0 {
		total, err := u.s.c.Jobs.CountTouched(ctx, u.i.Cause())
		if err != nil {
			return err
		}
		u.i.UndoTotal = total
	}
	for {
		more := false
		err := retrying(ctx, func() (err error) {
			more, err = u.chunk(ctx)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// chunk undoes some records in one transaction with the progress that counts them. more tells that there are others.
func (u *undo) chunk(ctx context.Context) (more bool, err error) {
	var begun time.Time
	var progress models.Import
	looked := 0
	err = u.s.c.Commands.RunBulk(ctx, func(ctx context.Context) error {
		begun = time.Now()
		progress = *u.i
		records, next, err := u.s.c.Jobs.Touched(ctx, u.i.Cause(), u.i.UndoBefore, u.size)
		if err != nil {
			return err
		}
		more, looked = next != 0, u.size
		progress.UndoBefore = next
		if err := u.takeBack(ctx, &progress, records); err != nil {
			return err
		}
		if !more {
			now := u.s.c.Now().UTC().Truncate(time.Millisecond)
			progress.State, progress.FinishedAt = models.ImportUndone, &now
		}
		mine, err := u.s.c.Jobs.Save(ctx, &progress)
		if err == nil && !mine {
			err = errFenced
		}
		return err
	})
	if err != nil && (looked == 0 || !u.landed(ctx, &progress)) {
		return false, err
	}
	*u.i = progress
	u.size = nextSize(looked, u.size, time.Since(begun))
	u.s.notify()
	return more, nil
}

// landed tells whether a chunk was written although its transaction ended with an error.
func (u *undo) landed(ctx context.Context, progress *models.Import) bool {
	now, err := u.s.c.Jobs.Get(ctx, u.i.ID)
	return err == nil && now != nil && now.Generation == progress.Generation && now.State == progress.State && now.UndoBefore == progress.UndoBefore &&
		(progress.State == models.ImportUndone || progress.UndoBefore != u.i.UndoBefore)
}

// takeBack undoes records in the transaction of ctx. Of a record with several changes by the import the newest one decides when its turn
// comes; when an older one is met again, nothing is left to do. Records go in runs of those that were made and those that were changed, so
// that what refers to a record is taken back before the record is looked at.
func (u *undo) takeBack(ctx context.Context, progress *models.Import, records []models.TouchedRecord) error {
	var conflicts []models.ImportRefusal
	for start := 0; start < len(records); {
		end := start + 1
		for end < len(records) && (u.made(&records[end]) != nil) == (u.made(&records[start]) != nil) && records[end].Object == records[start].Object {
			end++
		}
		kept, err := u.takeBackRun(ctx, progress, records[start:end])
		if err != nil {
			return err
		}
		conflicts = append(conflicts, kept...)
		start = end
	}
	return u.s.c.Jobs.Refuse(ctx, u.i.ID, conflicts)
}

func (u *undo) takeBackRun(ctx context.Context, progress *models.Import, records []models.TouchedRecord) ([]models.ImportRefusal, error) {
	kept := make([]string, len(records)) // why a record stays as it is
	var todo []int
	for n := range records {
		r := &records[n]
		if u.met(r) || r.Changes[len(r.Changes)-1].Deleted {
			continue
		}
		if c := u.foreign(r); c != nil {
			kept[n] = whyForeign(c)
		}
		todo = append(todo, n)
	}
	if err := u.keepReferred(ctx, records, todo, kept); err != nil {
		return nil, err
	}
	var commands []models.Command
	var owners []int
	for _, n := range todo {
		if kept[n] == "" {
			for _, c := range u.commands(&records[n]) {
				commands, owners = append(commands, c), append(owners, n)
			}
		}
	}
	var results []models.Result
	if len(commands) > 0 {
		var err error
		if results, err = u.s.c.Commands.Batch(ctx, u.reader, commands); err != nil {
			return nil, err
		}
	}
	partly := map[int]bool{}
	for n, result := range results {
		if result.Err != nil {
			kept[owners[n]], _ = explain(result.Err)
		} else {
			partly[owners[n]] = true
		}
	}
	var conflicts []models.ImportRefusal
	for _, n := range todo {
		if kept[n] == "" {
			progress.Undone++
			continue
		}
		progress.Conflicts++
		if partly[n] {
			kept[n] += "; other changes of it are taken back"
		}
		conflicts = append(conflicts, models.ImportRefusal{Kept: records[n].Object.ID(records[n].Number), Reason: kept[n], Remedy: "Look at the record, and change or delete it by hand."})
	}
	return conflicts, nil
}

// met tells whether an earlier chunk has dealt with a record, by a newer change of the import.
func (u *undo) met(r *models.TouchedRecord) bool {
	return u.i.UndoBefore != 0 && r.Sequence >= u.i.UndoBefore
}

// foreign gives the first change that others made after the import's first; nil where there is none. What rules did in its wake is not foreign.
func (u *undo) foreign(r *models.TouchedRecord) *models.Change {
	begun := false
	for n := range r.Changes {
		c := &r.Changes[n]
		switch {
		case c.Cause == u.i.Cause():
			begun = true
		case begun && c.Cause != u.i.UndoCause() && c.Kind != models.Restated && !strings.HasPrefix(c.Cause, "rule:"):
			return c
		}
	}
	return nil
}

func whyForeign(c *models.Change) string {
	by := "Canopy"
	if c.Actor.User != 0 {
		by = fmt.Sprintf("user_%d", c.Actor.User)
	}
	return fmt.Sprintf("%s by %s (%s) on %s, after the import", c.Kind, by, c.Cause, c.RecordedAt.UTC().Format(models.DateLayout))
}

// made gives the change by which the import made a record; nil where it was there before.
func (u *undo) made(r *models.TouchedRecord) *models.Change {
	if c := &r.Changes[0]; c.Kind == models.Created && c.Cause == u.i.Cause() {
		return c
	}
	return nil
}

// commands take one record back. One that the import made is deleted as of the instant at which it came to be, so that it was never there.
// Of others, each change is answered at its own instant, oldest first, with the value that the field would have had without the import.
func (u *undo) commands(r *models.TouchedRecord) []models.Command {
	command := models.Command{Object: r.Object.Name, Number: r.Number, Cause: u.i.UndoCause(), Version: r.Changes[len(r.Changes)-1].Version}
	if c := u.made(r); c != nil {
		command.Op, command.HappenedAt = models.Delete, c.HappenedAt
		return []models.Command{command}
	}
	var changes []*models.Change
	for n := range r.Changes {
		if c := &r.Changes[n]; c.Cause == u.i.Cause() && c.Kind == models.Updated {
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
		if len(next.Sets) > 0 {
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
	found, err := u.s.c.Jobs.Referrers(ctx, object, numbers)
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
			histories, err := u.s.c.Jobs.Histories(ctx, by.object, []uint64{by.number})
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
