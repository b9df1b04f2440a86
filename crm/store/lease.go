package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"canopy/crm"
)

// lease is a right that one process holds until it lets go or does not renew in time. The database's clock counts, so the
// holders' clocks may differ. PostgreSQL only: SQLite has one process.
type lease struct {
	db     *DB
	name   string
	holder string
	ttl    time.Duration
	fence  int64 // of the right held; 0 while it is another's
}

// take tries to get the lease or to renew it, and tells whether it is held now.
func (l *lease) take(ctx context.Context) (bool, error) {
	held := l.fence
	err := l.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		err := l.db.queryRow(ctx, `insert into leases as held (name, holder, until, fence)
    values (?, ?, clock_timestamp() + make_interval(secs => ?), 1)
    on conflict (name) do update set holder = excluded.holder, until = excluded.until,
        fence = case when held.holder = excluded.holder and held.fence = ? then held.fence else held.fence + 1 end
    where held.until < clock_timestamp() or held.holder = excluded.holder and held.fence = ?
    returning fence`, l.name, l.holder, l.ttl.Seconds(), l.fence, l.fence).Scan(&held)
		if errors.Is(err, sql.ErrNoRows) {
			held = 0
			return nil
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("take the lease %s: %w", l.name, err)
	}
	l.fence = held
	return held != 0, nil
}

// release lets go, so that another need not wait for the end of the lease.
func (l *lease) release(ctx context.Context) error {
	if l.fence == 0 {
		return nil
	}
	err := l.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		_, err := l.db.exec(ctx, "update leases set until = clock_timestamp() where name = ? and holder = ? and fence = ?", l.name, l.holder, l.fence)
		return err
	})
	l.fence = 0
	if err != nil {
		return fmt.Errorf("release the lease %s: %w", l.name, err)
	}
	return nil
}
