package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/robfig/cron/v3"
)

// stagnationSchedule is when the policies act, on the workspace's clock: before people come to work.
const stagnationSchedule = "15 5 * * *"

// stagnationLease is how long a process that died keeps others from the work.
const stagnationLease = 10 * time.Minute

// runStagnation lets the stagnation policies act each morning, and at once where a morning was missed, until ctx ends. Of several servers
// on one database one does it.
func (p *parts) runStagnation(ctx context.Context) error {
	log := p.log.With("part", "stagnation")
	host, _ := os.Hostname() // only a name in the lease
	lease := p.db.NewLease("stagnation", fmt.Sprintf("%s:%d", host, os.Getpid()), stagnationLease)
	work := func(missed bool) {
		held, err := lease.Take(ctx)
		if err != nil || !held {
			if err != nil && ctx.Err() == nil {
				log.Warn("take the lease", "error", err)
			}
			return
		}
		defer func() {
			if err := lease.Release(context.WithoutCancel(ctx)); err != nil {
				log.Warn("release the lease", "error", err)
			}
		}()
		if missed {
			if due, err := p.records.StagnationDue(ctx); err != nil || !due {
				if err != nil && ctx.Err() == nil {
					log.Warn("look for a missed morning", "error", err)
				}
				return
			}
		}
		done, err := p.records.RunStagnation(ctx)
		if err != nil && ctx.Err() == nil {
			log.Error("stagnation policies", "error", err)
			return
		}
		log.Info("stagnation policies", "looked_at", done.LookedAt, "nudged", done.Nudged, "reengaged", done.Reengaged, "lost", done.Lost,
			"nurtured", done.Nurtured, "freshened", done.Freshened, "refused", done.Refused)
	}
	zone := p.records.Calendar().Zone
	table := cron.New(cron.WithLocation(zone), cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	if _, err := table.AddFunc(stagnationSchedule, func() { work(false) }); err != nil {
		return fmt.Errorf("schedule of the stagnation policies: %w", err)
	}
	if now := time.Now().In(zone); now.Hour()*60+now.Minute() > 5*60+15 {
		work(true)
	}
	table.Start()
	<-ctx.Done()
	<-table.Stop().Done()
	return nil
}
