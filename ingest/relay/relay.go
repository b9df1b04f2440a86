package relay

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"canopy/models"
	"canopy/warehouse"
)

// Config connects a relay to its ports. Zero numbers take the defaults named.
type Config struct {
	Feed      Feed
	State     State
	Warehouse *warehouse.Warehouse
	// Registry gives the registry as it is now. A field must be in it before the first change that names the field.
	Registry func() *models.Registry
	// Refresh, if given, brings Registry up with what other processes have approved; it is asked before a field or an object that
	// Registry does not have is given up.
	Refresh func(ctx context.Context) error

	BatchRows  int           // of one batch at most; 100,000
	BatchBytes int           // of one batch's images, after which it is closed; 64 MiB
	Linger     time.Duration // how long a small batch waits for company; 100 ms, negative: not at all
	BackoffMax time.Duration // longest pause between two tries; 5 s

	// OnAdvance is told of every acknowledged batch, in order, from the relay's goroutine: it must not block.
	OnAdvance func(models.RelayAdvance)
	Logger    *slog.Logger
	Now       func() time.Time

	// at is called at the named points of a batch's way; an error ends the try there. Tests cut the relay off with it.
	at func(point string) error
}

// Relay takes the change log over into the warehouse. Its methods are safe for concurrent use.
type Relay struct {
	config Config
	free   sync.Pool // of *batch; what is idle goes with the next garbage collection

	running sync.Mutex // held by Run while a try goes on, and by Rebuild

	mu        sync.Mutex
	status    models.RelayStatus
	pending   time.Time     // recorded_at of the oldest change that is known and not taken over
	confirmed uint64        // status.Position as far as the warehouse itself was seen to hold it
	moved     chan struct{} // closed and renewed when confirmed changes
	cancel    func()        // ends the running try
}

// New checks the configuration. Nothing runs before Run.
func New(c Config) (*Relay, error) {
	if c.Feed == nil || c.State == nil || c.Warehouse == nil || c.Registry == nil {
		return nil, errors.New("relay: feed, state, warehouse and registry are needed")
	}
	if c.Warehouse.Topology().Shards() != 1 {
		return nil, errors.New("relay: it sends to one server")
	}
	if c.BatchRows <= 0 {
		c.BatchRows = 100_000
	}
	if c.BatchBytes <= 0 {
		c.BatchBytes = 64 << 20
	}
	switch {
	case c.Linger == 0:
		c.Linger = 100 * time.Millisecond
	case c.Linger < 0:
		c.Linger = 0
	}
	if c.BackoffMax <= 0 {
		c.BackoffMax = 5 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.at == nil {
		c.at = func(string) error { return nil }
	}
	return &Relay{config: c, free: sync.Pool{New: func() any { return &batch{} }},
		status: models.RelayStatus{State: models.RelayStopped}, moved: make(chan struct{})}, nil
}

const backoffLeast = 100 * time.Millisecond

// Run relays until ctx ends, and then returns nil. What goes wrong is kept in Status and tried again after a pause that
// doubles up to BackoffMax: the log waits, nothing is lost.
func (r *Relay) Run(ctx context.Context) error {
	defer r.update(func(s *models.RelayStatus) { s.State = models.RelayStopped })
	pause := backoffLeast
	for {
		before := r.position()
		err := r.try(ctx)
		if ctx.Err() != nil {
			return nil // it was asked to end
		}
		if r.position() > before {
			pause = backoffLeast
		}
		r.update(func(s *models.RelayStatus) {
			s.State, s.LastError = models.RelayRetrying, err.Error()
		})
		r.config.Logger.Warn("relay: trying again", "error", err, "in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause + mathrand.N(pause/4)): //nolint:gosec // spreads tries, keeps no secret
		}
		pause = min(2*pause, r.config.BackoffMax)
	}
}

func (r *Relay) position() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status.Position
}

func (r *Relay) update(change func(*models.RelayStatus)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.status)
}

// confirm says up to where the warehouse is known to hold everything.
func (r *Relay) confirm(position uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.confirmed = position
	close(r.moved)
	r.moved = make(chan struct{})
}

// Status tells how far the relay is. The head is asked anew; where the log does not answer it is the last one known.
func (r *Relay) Status(ctx context.Context) models.RelayStatus {
	head, err := r.config.Feed.Head(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.status.Head = head
	}
	s := r.status
	if s.Head <= s.Position {
		return s
	}
	s.LagChanges = s.Head - s.Position
	if s.State == models.RelayCaughtUp {
		s.State = models.RelayRunning
	}
	if !r.pending.IsZero() {
		s.LagSeconds = max(0, r.config.Now().Sub(r.pending).Seconds())
	}
	return s
}

// WaitFor returns once the warehouse is seen to hold everything up to a position, or with ctx's error.
func (r *Relay) WaitFor(ctx context.Context, position uint64) error {
	for {
		r.mu.Lock()
		reached, moved := r.confirmed >= position, r.moved
		r.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("wait for position %d in the warehouse: %w", position, ctx.Err())
		}
	}
}

// newIncarnation names a copy of the log: 64 random bits.
func newIncarnation() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
