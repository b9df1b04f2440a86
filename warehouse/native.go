package warehouse

import (
	"context"
	"net"
	"time"

	"github.com/ClickHouse/ch-go"
)

// Native opens one connection of ch-go, for whoever sends columns in bulk. It is not safe for concurrent use, does not reconnect,
// and is closed by the caller. Errors: unavailable when ClickHouse does not answer.
func (w *Warehouse) Native(ctx context.Context) (*ch.Client, error) {
	options := ch.Options{
		Address:    w.config.Addr,
		Database:   w.config.Database,
		User:       w.config.User,
		Password:   w.config.Password,
		ClientName: "canopy relay",
		Settings: []ch.Setting{
			{Key: "async_insert", Value: "0", Important: true},
			{Key: "session_timezone", Value: "UTC", Important: true},
		},
		ReadTimeout:      w.config.MaxExecution,
		DialTimeout:      dialTimeout,
		HandshakeTimeout: 10 * time.Second,
		Dialer:           dialer{w},
	}
	if w.config.Compress {
		options.Compression = ch.CompressionLZ4
	}
	client, err := ch.Dial(ctx, options)
	return client, explain("connect to the warehouse", err)
}

type dialer struct{ w *Warehouse }

// DialContext goes where ClickHouse is now, whatever address it is given.
func (d dialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) { return d.w.dial(ctx) }
