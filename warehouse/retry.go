package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"

	"canopy/models"
)

// pauses lie between the tries of repeat: a dead idle socket is replaced at once, an engine that starts again is back
// within about a second.
var pauses = []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond, 600 * time.Millisecond, 1500 * time.Millisecond}

// repeat does something that may safely be done twice, again where the connection and not ClickHouse said no. A pool hands
// out sockets that died with a server that was started again, since their health check passes; hence the retry here.
func (w *Warehouse) repeat(ctx context.Context, what string, try func() error) error {
	var err error
	for _, pause := range pauses {
		if err = try(); err == nil || !IsConnection(err) || ctx.Err() != nil {
			break
		}
		w.config.Logger.Debug("the warehouse did not answer, trying again", "what", what, "error", err)
		if pause > 0 {
			pause += rand.N(pause / 2) //nolint:gosec // spreads the tries of several callers, keeps no secret
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		case <-time.After(pause):
		}
	}
	return explain(what, err)
}

// IsConnection tells whether an error came from the way to ClickHouse and not from ClickHouse, nor from a caller who gave up.
func IsConnection(err error) bool {
	var (
		exception *clickhouse.Exception
		native    *ch.Exception
		socket    *net.OpError
		away      unreachable
	)
	switch {
	case err == nil, errors.As(err, &exception), errors.As(err, &native), errors.Is(err, context.Canceled):
		return false
	}
	// A deadline of a context is a net.Error too, so only what a socket says counts.
	return errors.As(err, &socket) || errors.As(err, &away) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNREFUSED) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, clickhouse.ErrAcquireConnTimeout) || errors.Is(err, ch.ErrClosed)
}

// Codes of ClickHouse's exceptions that a caller is told in other words.
const (
	codeTimeoutExceeded     = 159
	codeTooManyQueries      = 202
	codeMemoryLimitExceeded = 241
	codeTooSlow             = 160
	codeAuthentication      = 516
	codeUnknownUser         = 192
	codeWrongPassword       = 193
	codeAccessDenied        = 497
)

// explain wraps an error once and gives it the code that a caller may be told.
func explain(what string, err error) error {
	if err == nil {
		return nil
	}
	if IsConnection(err) {
		return fmt.Errorf("%s: %w", what, errors.Join(
			models.Errorf(models.Unavailable, "ClickHouse does not answer").WithRemedy("It is tried again by itself; writes go on meanwhile."), err))
	}
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) {
		return fmt.Errorf("%s: %w", what, err)
	}
	var told *models.Error
	switch exception.Code {
	case codeTimeoutExceeded, codeTooSlow:
		told = models.Errorf(models.Exhausted, "the question took longer than it may").WithRemedy("Ask for a shorter range or fewer groups.")
	case codeMemoryLimitExceeded:
		told = models.Errorf(models.Exhausted, "the question needs more memory than it may").WithRemedy("Ask for a shorter range or fewer groups.")
	case codeTooManyQueries:
		told = models.Errorf(models.Exhausted, "ClickHouse is busy").WithRemedy("Ask again in a moment.")
	case codeAuthentication, codeUnknownUser, codeWrongPassword:
		told = models.Errorf(models.Unauthenticated, "ClickHouse refuses the user or the password").WithRemedy("Check warehouse.user and warehouse.password.")
	case codeAccessDenied:
		told = models.Errorf(models.Forbidden, "ClickHouse does not let its user do this").WithRemedy("Grant Canopy's user all rights on its database.")
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w", what, errors.Join(told, err))
}
