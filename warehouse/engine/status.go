package engine

import (
	"context"
	"net"
	"time"

	"canopy/models"
)

// State is where an engine stands.
type State string

// The states of an engine.
const (
	Starting   State = "starting"   // not yet answered since Start
	Ready      State = "ready"      // answers
	Restarting State = "restarting" // its process died, or hung and was ended; a new one is on its way
	Stopped    State = "stopped"    // by Close
)

// Status is what health checks show of an engine.
type Status struct {
	State     State     `json:"state"`
	Since     time.Time `json:"since"`                // of the state
	Addr      string    `json:"addr"`                 // of the native protocol, host:port
	HTTPAddr  string    `json:"http_addr"`            // host:port
	PID       int       `json:"pid"`                  // of the child
	Restarts  int       `json:"restarts"`             // since Start
	LastError string    `json:"last_error,omitempty"` // why it was last restarted, or why a restart did not succeed
}

// Status gives the present state.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status
}

// Ready gives a channel that is closed while the engine answers; while it does not, one that closes as soon as it does.
// After Close it stays open: wait for Done beside it.
func (e *Engine) Ready() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ready
}

// Done gives a channel that closes when Close has ended the engine.
func (e *Engine) Done() <-chan struct{} { return e.finished }

// Addr is the address of the native protocol. It stays the same over restarts unless another process took the port
// meanwhile; Resolve is for callers who want to be right even then.
func (e *Engine) Addr() string { return e.Status().Addr }

// HTTPAddr is the address of the HTTP protocol, host:port.
func (e *Engine) HTTPAddr() string { return e.Status().HTTPAddr }

// User is the name to log in with.
func (e *Engine) User() string { return User }

// Password is the password of User. It belongs into no log, URL or command line.
func (e *Engine) Password() string { return e.password }

// Directory is the engine's data directory.
func (e *Engine) Directory() string { return e.config.Directory }

// BackupDirectory is where the engine may write and read backups: BACKUP … TO File('<name below it>').
func (e *Engine) BackupDirectory() string { return e.layout.backups() }

// Resolve waits until the engine answers and gives its native address. Errors: unavailable, when ctx ends first or the
// engine is closed.
func (e *Engine) Resolve(ctx context.Context) (string, error) {
	select {
	case <-e.Ready():
		return e.Addr(), nil
	case <-e.closing.Done():
		return "", models.Errorf(models.Unavailable, "the engine is stopped")
	case <-ctx.Done():
		return "", models.Errorf(models.Unavailable, "the engine is %s", e.Status().State)
	}
}

// Dial connects to the native port wherever it is now; the address is not looked at. It fits clickhouse-go's DialContext.
func (e *Engine) Dial(ctx context.Context, _ string) (net.Conn, error) {
	addr, err := e.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}

func (e *Engine) becomeReady(p *process) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status.State, e.status.Since = Ready, time.Now()
	e.status.Addr, e.status.HTTPAddr, e.status.PID = p.ports.addr(), p.ports.httpAddr(), p.cmd.Process.Pid
	close(e.ready)
}

// become leaves the ready state; reason "" keeps the last one.
func (e *Engine) become(s State, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.status.State == Ready {
		e.ready = make(chan struct{})
	}
	e.status.State, e.status.Since, e.status.PID = s, time.Now(), 0
	if s == Restarting {
		e.status.Restarts++
	}
	if reason != "" {
		e.status.LastError = reason
	}
}

func (e *Engine) note(reason string) {
	e.mu.Lock()
	e.status.LastError = reason
	e.mu.Unlock()
}
