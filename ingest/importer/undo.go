package importer

import (
	"context"
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
		total, err := u.s.c.Undo.Count(ctx, u.task())
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
		step, err := u.s.c.Undo.Step(ctx, u.task(), u.size)
		if err != nil {
			return err
		}
		more, looked = step.Next != 0, u.size
		progress.UndoBefore = step.Next
		progress.Undone += step.Undone
		progress.Conflicts += int64(len(step.Kept))
		if err := u.keep(ctx, step.Kept); err != nil {
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
	u.size = nextSize(looked, u.size, time.Since(begun), 0)
	u.s.notify()
	return more, nil
}

// task says what is to be taken back next.
func (u *undo) task() models.UndoTask {
	return models.UndoTask{Reader: u.reader, Cause: u.i.Cause(), UndoCause: u.i.UndoCause(), Work: "the import", Before: u.i.UndoBefore}
}

// keep lists the records that stay as they are.
func (u *undo) keep(ctx context.Context, kept []models.JobRefusal) error {
	conflicts := make([]models.ImportRefusal, len(kept))
	for n, k := range kept {
		conflicts[n] = models.ImportRefusal{Kept: k.Record, Reason: k.Reason, Remedy: k.Remedy}
	}
	return u.s.c.Jobs.Refuse(ctx, u.i.ID, conflicts)
}

// landed tells whether a chunk was written although its transaction ended with an error.
func (u *undo) landed(ctx context.Context, progress *models.Import) bool {
	now, err := u.s.c.Jobs.Get(ctx, u.i.ID)
	return err == nil && now != nil && now.Generation == progress.Generation && now.State == progress.State && now.UndoBefore == progress.UndoBefore &&
		(progress.State == models.ImportUndone || progress.UndoBefore != u.i.UndoBefore)
}
