package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go"

	"canopy/models"
	"canopy/warehouse"
)

// insertTimeout bounds one block's insert, so that a server that hangs is noticed.
const insertTimeout = 2 * time.Minute

// attempt is one connection's life: from what the state says until something goes wrong.
type attempt struct {
	*Relay
	client   *ch.Client
	progress models.RelayProgress
	fits     *models.Registry // the registry that the warehouse was made to fit
}

// try relays until an error. It starts from the durable progress alone, so nothing that an earlier try left in memory matters.
func (r *Relay) try(ctx context.Context) error {
	r.running.Lock()
	defer r.running.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.mu.Lock()
	r.cancel = cancel
	r.mu.Unlock()

	a := &attempt{Relay: r}
	if err := a.begin(ctx); err != nil {
		return err
	}
	defer a.client.Close()      //nolint:errcheck // nothing is in flight any more
	ready := make(chan next, 1) // one waits, one is being sent, one is being read
	go func() {
		defer close(ready)
		err := a.readAll(ctx, ready)
		select {
		case ready <- next{err: err}: // after the batches before it, which are none the worse for it
		case <-ctx.Done():
		}
	}()
	err := a.sendAll(ctx, ready)
	cancel()
	for range ready {
		continue // the reader ends first, since the next try uses what it uses
	}
	return err
}

// next is what the reader hands to the sender: a batch, or why there is no more.
type next struct {
	*batch
	err error
}

// begin loads the progress, makes the warehouse fit and proves that the two belong together.
func (a *attempt) begin(ctx context.Context) error {
	var err error
	if a.progress, err = a.config.State.Load(ctx); err != nil {
		return fmt.Errorf("load the relay's progress: %w", err)
	}
	if a.progress.Incarnation == "" {
		if err := a.renew(ctx, 0); err != nil {
			return err
		}
	}
	a.show()
	if err := a.findPending(ctx); err != nil {
		return err
	}
	if err := a.fit(ctx, a.config.Registry()); err != nil {
		return err
	}
	if err := a.check(ctx); err != nil {
		return err
	}
	a.client, err = a.config.Warehouse.Native(ctx)
	return err
}

func (a *attempt) renew(ctx context.Context, acknowledged uint64) error {
	a.progress = models.RelayProgress{Incarnation: newIncarnation(), Acknowledged: acknowledged}
	if err := a.config.State.Renew(ctx, a.progress.Incarnation, acknowledged); err != nil {
		return fmt.Errorf("begin a copy of the log: %w", err)
	}
	return nil
}

// show puts the durable progress into the status.
func (a *attempt) show() {
	a.update(func(s *models.RelayStatus) {
		s.Position, s.Batch, s.Incarnation = a.progress.Acknowledged, a.progress.Batch, a.progress.Incarnation
	})
}

// findPending reads when the oldest change that is still to come was recorded, so that the lag is told while ClickHouse is away.
func (a *attempt) findPending(ctx context.Context) error {
	head, err := a.config.Feed.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the head of the change log: %w", err)
	}
	position := a.progress.Acknowledged
	if head < position {
		return models.Errorf(models.Internal, "the change log ends at position %d, but the warehouse was given everything up to %d: the log was put back to an earlier state", head, position).
			WithRemedy(remedyRebuild)
	}
	var pending time.Time
	if head > position {
		err = a.config.Feed.Each(ctx, position, position+1, func(row *models.LogRow) error {
			pending = row.RecordedAt
			return nil
		})
		if err != nil {
			return fmt.Errorf("read the change log after position %d: %w", position, err)
		}
	}
	a.setPending(pending)
	a.update(func(s *models.RelayStatus) { s.Head = head })
	return nil
}

func (a *attempt) setPending(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pending = t
}

// fit makes the warehouse's tables fit a registry, before any row of it is sent.
func (a *attempt) fit(ctx context.Context, registry *models.Registry) error {
	if registry == a.fits {
		return nil
	}
	if err := a.config.Warehouse.EnsureObjects(ctx, registry); err != nil {
		return err
	}
	a.fits = registry
	return nil
}

// readAll reads and decodes batch after batch from the progress on: the frozen one first.
func (a *attempt) readAll(ctx context.Context, ready chan<- next) error {
	position := a.progress.Acknowledged
	if f := a.progress.Frozen; f != nil {
		b := a.free.Get().(*batch)
		if err := a.fill(ctx, b, f.After, f.Through, true); err != nil {
			return err
		}
		b.RelayBatch, b.frozen = *f, true
		if err := a.pass(ctx, ready, b); err != nil {
			return err
		}
		position = f.Through
	}
	for {
		head, err := a.config.Feed.Head(ctx)
		if err != nil {
			return fmt.Errorf("read the head of the change log: %w", err)
		}
		a.update(func(s *models.RelayStatus) { s.Head = max(s.Head, head) })
		if head <= position {
			if err := a.config.Feed.Wait(ctx, position); err != nil {
				return fmt.Errorf("wait for changes: %w", err)
			}
			continue
		}
		if rows := uint64(a.config.BatchRows); head-position < rows/2 { //nolint:gosec // positive
			if err := a.linger(ctx); err != nil {
				return err
			}
			if head, err = a.config.Feed.Head(ctx); err != nil {
				return fmt.Errorf("read the head of the change log: %w", err)
			}
		}
		b := a.free.Get().(*batch)
		if err := a.fill(ctx, b, position, min(head, position+uint64(a.config.BatchRows)), false); err != nil { //nolint:gosec // positive
			return err
		}
		if err := a.pass(ctx, ready, b); err != nil {
			return err
		}
		position = b.Through
	}
}

// linger lets a small batch wait for company: a part in the warehouse for each click would be many.
func (a *attempt) linger(ctx context.Context) error {
	if a.config.Linger == 0 {
		return nil
	}
	select {
	case <-time.After(a.config.Linger):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *attempt) pass(ctx context.Context, ready chan<- next, b *batch) error {
	if err := a.fit(ctx, b.registry); err != nil {
		return err
	}
	select {
	case ready <- next{batch: b}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sendAll takes batch after batch over, in order.
func (a *attempt) sendAll(ctx context.Context, ready <-chan next) error {
	for n := range ready {
		if n.err != nil {
			return n.err
		}
		if err := a.send(ctx, n.batch); err != nil {
			return err
		}
		a.advanced(n.batch)
		a.free.Put(n.batch)
	}
	return ctx.Err()
}

// send freezes a batch, inserts its blocks and moves the position.
func (a *attempt) send(ctx context.Context, b *batch) error {
	a.setPending(b.first)
	if !b.frozen {
		b.Incarnation, b.Number = a.progress.Incarnation, a.progress.Batch+1
		if err := a.config.at("freeze"); err != nil {
			return err
		}
		if err := a.config.State.Freeze(ctx, b.RelayBatch); err != nil {
			return fmt.Errorf("freeze batch %d: %w", b.Number, err)
		}
		b.frozen = true
	}
	a.update(func(s *models.RelayStatus) { s.State, s.Batch = models.RelayRunning, b.Number })
	for _, name := range b.objects() {
		if err := a.config.at("insert"); err != nil {
			return err
		}
		if err := a.insert(ctx, b, b.tables[name]); err != nil {
			return err
		}
		if err := a.config.at("inserted"); err != nil {
			return err
		}
	}
	if err := a.config.at("acknowledge"); err != nil {
		return err
	}
	if err := a.config.State.Acknowledge(ctx, b.RelayBatch); err != nil {
		return fmt.Errorf("acknowledge batch %d: %w", b.Number, err)
	}
	a.progress.Batch, a.progress.Acknowledged, a.progress.Frozen = b.Number, b.Through, nil
	return a.config.at("acknowledged")
}

// insert sends one table's rows as one block. The token names the block for good: what stands already is not added again, in the
// log as in the present state that it feeds.
func (a *attempt) insert(ctx context.Context, b *batch, t *table) error {
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	err := a.client.Do(ctx, ch.Query{
		Body:  t.insert,
		Input: t.input,
		Settings: []ch.Setting{
			{Key: "insert_deduplication_token", Value: Token(b.RelayBatch, t.name), Important: true},
			{Key: "insert_deduplicate", Value: "1", Important: true},
			{Key: "deduplicate_blocks_in_dependent_materialized_views", Value: "1", Important: true},
			{Key: "log_comment", Value: "relay"},
		},
	})
	if err == nil {
		return nil
	}
	what := fmt.Sprintf("insert %d rows of batch %d (positions %d to %d) into %s", t.rows, b.Number, b.After+1, b.Through, t.name)
	if warehouse.IsConnection(err) {
		err = errors.Join(models.Errorf(models.Unavailable, "ClickHouse does not answer"), err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Token is the deduplication token of a batch's block for a table.
func Token(b models.RelayBatch, table string) string {
	return fmt.Sprintf("%s:%d:%s", b.Incarnation, b.Number, table)
}

// advanced tells everybody that a batch stands.
func (a *attempt) advanced(b *batch) {
	a.setPending(time.Time{})
	a.confirm(b.Through)
	a.update(func(s *models.RelayStatus) {
		s.Position, s.Head, s.LastError = b.Through, max(s.Head, b.Through), ""
		if s.State = models.RelayRunning; s.Head == s.Position {
			s.State = models.RelayCaughtUp
		}
	})
	if a.config.OnAdvance == nil {
		return
	}
	advance := models.RelayAdvance{Batch: b.RelayBatch, Objects: map[string]models.RelayTouched{}}
	for _, name := range b.objects() {
		advance.Objects[name] = b.tables[name].touched()
	}
	a.config.OnAdvance(advance)
}
