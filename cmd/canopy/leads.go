package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/robfig/cron/v3"

	"canopy/crm"
	"canopy/crm/job"
	"canopy/models"
)

// conversions takes back the conversions of leads, for the API.
type conversions struct{ p *parts }

// undoChunk is how many changes of a conversion one step looks at.
const undoChunk = 500

// UndoConversion takes back all that the conversion of a lead wrote, in one transaction.
func (c conversions) UndoConversion(ctx context.Context, reader models.Reader, lead uint64) ([]models.JobRefusal, error) {
	undoing := job.Undoing{Traces: c.p.db.Traces(), Commands: c.p.records}
	cause := crm.ConversionCause(lead)
	var kept []models.JobRefusal
	err := c.p.records.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		kept = nil
		task := models.UndoTask{Reader: reader, Cause: cause, UndoCause: "undo:" + cause, Work: "the conversion"}
		for {
			step, err := undoing.Step(ctx, task, undoChunk)
			if err != nil {
				return err
			}
			kept = append(kept, step.Kept...)
			if step.Next == 0 {
				return nil
			}
			task.Before = step.Next
		}
	})
	return kept, err
}

// lifecycleHour is when time alone moves accounts and contacts through the lifecycle, on the workspace's clock.
const lifecycleHour = "10 3 * * *"

// sweepLifecycle runs the daily sweep of lifecycle stages until ctx ends, once at the start too: after an import, stages are behind.
// Of several processes on one store, one does it.
func (p *parts) sweepLifecycle(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		host = "canopy"
	}
	lease := p.db.NewLease("lifecycle", fmt.Sprintf("%s/%d", host, os.Getpid()), 30*time.Minute)
	log := p.log.With("part", "lifecycle")
	sweep := func() {
		held, err := lease.Take(ctx)
		if err != nil || !held {
			if err != nil && ctx.Err() == nil {
				log.Warn("take the lease", "error", err)
			}
			return
		}
		seen, err := p.records.SweepLifecycle(ctx)
		switch {
		case err == nil:
			log.Info("lifecycle stages are up to date", "looked_at", seen)
		case ctx.Err() == nil:
			log.Error("lifecycle sweep broke off", "error", err)
		}
		if err := lease.Release(context.WithoutCancel(ctx)); err != nil {
			log.Warn("release the lease", "error", err)
		}
	}
	table := cron.New(cron.WithLocation(p.records.Calendar().Zone), cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	if _, err := table.AddFunc(lifecycleHour, sweep); err != nil {
		return errors.Join(errors.New("plan the lifecycle sweep"), err)
	}
	sweep()
	table.Start()
	<-ctx.Done()
	<-table.Stop().Done()
	return nil
}
