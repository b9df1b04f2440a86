package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"canopy/crm"
)

// NoteUpload notes that a user has uploaded contents. Contents that are known already keep what is known of them.
func (db *DB) NoteUpload(ctx context.Context, f crm.StoredFile, user uint64) error {
	now := db.d.instant(db.now())
	_, err := db.exec(ctx, `insert into contents (sha256, media_type, size, uploaded_at, is_used) values (?, ?, ?, ?, ?)
    on conflict (sha256) do update set uploaded_at = excluded.uploaded_at, media_type = case when contents.is_used then contents.media_type else excluded.media_type end`,
		f.SHA256, f.MediaType, f.Size, now, false)
	if err == nil {
		_, err = db.exec(ctx, "insert into uploads (sha256, user_number, uploaded_at) values (?, ?, ?) on conflict (sha256, user_number) do update set uploaded_at = excluded.uploaded_at",
			f.SHA256, int64(user), now) //nolint:gosec // under 2^63
	}
	if err != nil {
		return fmt.Errorf("note upload: %w", err)
	}
	return nil
}

// UploadOf finds contents, and whether the user has uploaded them.
func (db *DB) UploadOf(ctx context.Context, sha string, user uint64) (*crm.StoredFile, error) {
	query := "select sha256, media_type, size, is_used, exists (select 1 from uploads where uploads.sha256 = contents.sha256 and user_number = ?) from contents where sha256 = ?"
	if inTransaction(ctx) != nil {
		query += db.d.forUpdate()
	}
	var f crm.StoredFile
	err := db.queryRow(ctx, query, int64(user), sha).Scan(&f.SHA256, &f.MediaType, &f.Size, &f.Used, &f.Mine) //nolint:gosec // under 2^63
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up upload: %w", err)
	}
	return &f, nil
}

// UseUpload says that a record refers to contents.
func (db *DB) UseUpload(ctx context.Context, sha string) error {
	if _, err := db.exec(ctx, "update contents set is_used = ? where sha256 = ? and is_used = ?", true, sha, false); err != nil {
		return fmt.Errorf("keep upload: %w", err)
	}
	return nil
}

// forgetAtOnce bounds how much one sweep drops in a transaction.
const forgetAtOnce = 500

// ForgetUnused drops contents that no record has referred to, and gives their hashes.
func (db *DB) ForgetUnused(ctx context.Context, before time.Time) ([]string, error) {
	rows, err := db.query(ctx, "select sha256 from contents where is_used = ? and uploaded_at < ? order by sha256 limit ?"+db.d.forUpdate(), false, db.d.instant(before), forgetAtOnce)
	if err != nil {
		return nil, fmt.Errorf("look for unused uploads: %w", err)
	}
	defer rows.Close()
	var forgotten []string
	for rows.Next() {
		var sha string
		if err := rows.Scan(&sha); err != nil {
			return nil, fmt.Errorf("look for unused uploads: %w", err)
		}
		forgotten = append(forgotten, sha)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, fmt.Errorf("look for unused uploads: %w", err)
	}
	for _, sha := range forgotten {
		for _, statement := range []string{"delete from uploads where sha256 = ?", "delete from contents where sha256 = ?"} {
			if _, err := db.exec(ctx, statement, sha); err != nil {
				return nil, fmt.Errorf("forget an unused upload: %w", err)
			}
		}
	}
	return forgotten, nil
}
