package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"canopy/crm"
)

// Sequencer gives PostgreSQL's committed changes their positions: from 1, without gaps, in an order that keeps causes before
// effects. Transactions commit in another order than they insert, so a change is numbered only once it is visible; and
// whoever writes a record has locked its row before, so that of two changes of a record (or of a record and one that refers to it)
// the earlier is visible whenever the later is, and has the smaller seq. Readers of the log see numbered changes only.
//
// One sequencer works at a time, under a lease; numbering locks one row besides, and the lease's fence in it stops a holder who
// was suspended and does not know that he lost it. On SQLite the position is seq, and Run has nothing to do.
type Sequencer struct {
	db     *DB
	lease  lease
	poll   time.Duration
	chunk  int
	logger *slog.Logger
}

// SequencerOptions tune a sequencer; zero values take the defaults named.
type SequencerOptions struct {
	Holder string        // names the process in the lease; host, process id and a random part
	Lease  time.Duration // how long a lease lasts without renewal; 10 s
	Poll   time.Duration // how often commits of other processes are looked for; 100 ms
	Chunk  int           // changes numbered in one transaction; 5,000
	Logger *slog.Logger  // slog.Default()
}

// NewSequencer makes a sequencer; nothing happens before Run or Step.
func (db *DB) NewSequencer(o SequencerOptions) *Sequencer {
	if o.Holder == "" {
		var b [6]byte
		_, _ = rand.Read(b[:]) // never fails
		host, _ := os.Hostname()
		o.Holder = fmt.Sprintf("%s/%d/%s", host, os.Getpid(), hex.EncodeToString(b[:]))
	}
	if o.Lease <= 0 {
		o.Lease = 10 * time.Second
	}
	if o.Poll <= 0 {
		o.Poll = 100 * time.Millisecond
	}
	if o.Chunk <= 0 {
		o.Chunk = 5_000
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Sequencer{db: db, lease: lease{db: db, name: "sequencer", holder: o.Holder, ttl: o.Lease}, poll: o.Poll, chunk: o.Chunk, logger: o.Logger}
}

// errLeaseLost ends a turn: another sequencer has numbered since.
var errLeaseLost = errors.New("the lease of the sequencer went to another process")

// Run numbers changes until ctx ends, whenever the lease is this process's, and then lets the lease go. Errors of the database are
// logged and tried again.
func (s *Sequencer) Run(ctx context.Context) error {
	if !s.db.IsPostgres() {
		return nil
	}
	for ctx.Err() == nil {
		err := s.turn(ctx)
		if err != nil && ctx.Err() == nil {
			s.logger.Warn("sequencer: trying again", "error", err)
		}
		s.pause(ctx, nil)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.lease.release(ctx)
}

// turn works as long as the lease can be had; without it, it returns at once.
func (s *Sequencer) turn(ctx context.Context) error {
	renewed := time.Time{}
	for ctx.Err() == nil {
		if time.Since(renewed) > s.lease.ttl/3 {
			held, err := s.lease.take(ctx)
			if err != nil || !held {
				return err
			}
			renewed = time.Now()
		}
		woken := s.db.signal.wait() // before the look, so that no commit falls between
		n, err := s.number(ctx)
		switch {
		case errors.Is(err, errLeaseLost):
			s.lease.fence = 0
			return nil
		case err != nil:
			return err
		case n == 0:
			s.pause(ctx, woken)
		}
	}
	return nil
}

func (s *Sequencer) pause(ctx context.Context, woken <-chan struct{}) {
	timer := time.NewTimer(s.poll)
	defer timer.Stop()
	select {
	case <-woken:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// number gives positions to at most a chunk of visible changes, in seq order, in one transaction, and tells how many.
func (s *Sequencer) number(ctx context.Context) (int, error) {
	var n int
	err := s.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		var position, fence int64
		if err := s.db.queryRow(ctx, "select position, fence from sequencer where id = 1 for update").Scan(&position, &fence); err != nil {
			return fmt.Errorf("lock the sequencer: %w", err)
		}
		if fence > s.lease.fence {
			return errLeaseLost
		}
		// A statement of its own, after the lock: its snapshot holds all that the sequencer before this one has numbered.
		result, err := s.db.exec(ctx, `update changes set position = ? + pending.n
    from (select seq, row_number() over (order by seq) as n from (
        select seq from changes where position is null order by seq limit ?) as next) as pending
    where changes.seq = pending.seq`, position, s.chunk)
		if err != nil {
			return fmt.Errorf("number changes: %w", err)
		}
		count, err := result.RowsAffected()
		if err != nil {
			return err
		}
		if n = int(count); n == 0 && fence == s.lease.fence {
			return nil
		}
		_, err = s.db.exec(ctx, "update sequencer set position = ?, fence = ? where id = 1", position+count, s.lease.fence)
		return err
	})
	if err == nil && n > 0 {
		s.db.Notify()
	}
	return n, err
}

// Step takes the lease if it can be had and numbers everything that is committed now; it tells how many changes that were.
// Commands that run beside no service use it. On SQLite it does nothing.
func (s *Sequencer) Step(ctx context.Context) (int, error) {
	if !s.db.IsPostgres() {
		return 0, nil
	}
	held, err := s.lease.take(ctx)
	if err != nil || !held {
		return 0, err
	}
	total := 0
	for {
		n, err := s.number(ctx)
		if total += n; err != nil || n == 0 {
			return total, err
		}
	}
}
