package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"canopy/crm"
)

var _ crm.SecretStore = (*DB)(nil)

// Secret gives a secret; nil where there is none.
func (db *DB) Secret(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := db.queryRow(ctx, "select value from secrets where name = ?", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return value, err
}

// KeepSecret writes a secret where there is none, and with replace also where there is one. It gives the one that stands.
func (db *DB) KeepSecret(ctx context.Context, name string, value []byte, at time.Time, replace bool) ([]byte, error) {
	onConflict := "do nothing"
	if replace {
		onConflict = "do update set value = excluded.value, replaced_at = excluded.replaced_at"
	}
	err := db.write(ctx, "insert into secrets (name, value, replaced_at) values (?, ?, ?) on conflict (name) "+onConflict, name, value, db.d.instant(at))
	if err != nil {
		return nil, err
	}
	return db.Secret(ctx, name)
}
