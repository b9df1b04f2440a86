package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"canopy/models"
)

// rebuildCommand makes the warehouse anew from the change log and proves that both hold the same.
type rebuildCommand struct {
	Config `embed:""`
}

// Run takes the data directory for this process: no server may be running on it. It can be repeated after an interruption.
func (c *rebuildCommand) Run(ctx context.Context, s *streams) error {
	return withRecords(ctx, &c.Config, s, func(ctx context.Context, p *parts) (err error) {
		back := &columnar{p: p, log: p.log}
		defer func() { err = errors.Join(err, back.close()) }()
		if back.engine, err = p.startEngine(ctx); err != nil {
			return err
		}
		a, err := back.reach(ctx)
		if err != nil {
			return err
		}
		back.open.Store(a)
		return a.rebuild(ctx, s)
	})
}

func (a *analysis) rebuild(ctx context.Context, s *streams) error {
	if _, err := a.p.db.NewSequencer(sequencerOptions(a.p)).Step(ctx); err != nil {
		return err
	}
	head, err := a.p.db.Head(ctx)
	if err != nil {
		return err
	}
	if err := a.relay.Rebuild(ctx); err != nil {
		return fmt.Errorf("empty the warehouse: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	relayed := make(chan error, 1)
	go func() { relayed <- a.relay.Run(ctx) }()
	arrived := make(chan error, 1)
	go func() { arrived <- a.relay.WaitFor(ctx, head) }()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for waiting := true; waiting; {
		select {
		case <-tick.C:
			fmt.Fprintf(s.err, "\r%d of %d changes", a.relay.Status(ctx).Position, head)
		case err := <-arrived:
			if err != nil {
				return err
			}
			waiting = false
		case err := <-relayed:
			return errors.Join(errors.New("the relay ended before it was through"), err)
		}
	}
	stop()
	if err := <-relayed; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	differences, err := a.relay.Audit(context.WithoutCancel(ctx))
	if err != nil {
		return fmt.Errorf("compare the two stores: %w", err)
	}
	fmt.Fprintf(s.err, "\r")
	for _, d := range differences {
		fmt.Fprintf(s.out, "differs: %+v\n", d)
	}
	if len(differences) > 0 {
		return models.Errorf(models.Internal, "%d objects differ between the change log and the warehouse", len(differences))
	}
	fmt.Fprintf(s.out, "rebuilt from %d changes; change log and warehouse hold the same\n", head)
	return nil
}
