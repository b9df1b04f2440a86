package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"canopy/crm"
)

// BeginWork notes that a request's formulas are to be computed.
func (db *DB) BeginWork(ctx context.Context, request uint64, object string) error {
	_, err := db.exec(ctx, "insert into registry_work (request, object, cursor_at, done, refused, problem, is_over) values (?, ?, '', 0, 0, '', ?)",
		int64(request), object, false) //nolint:gosec // under 2^63
	if err != nil {
		return fmt.Errorf("note the formulas to compute: %w", err)
	}
	return nil
}

const workColumns = "select request, object, cursor_at, done, refused, problem, is_over from registry_work "

func scanWork(scan func(...any) error) (w crm.Work, err error) {
	err = scan(&w.Request, &w.Object, &w.Cursor, &w.Done, &w.Refused, &w.Problem, &w.Over)
	return w, err
}

// OpenWork lists work that is not over, oldest first.
func (db *DB) OpenWork(ctx context.Context) ([]crm.Work, error) {
	rows, err := db.query(ctx, workColumns+"where is_over = ? order by request", false)
	if err != nil {
		return nil, fmt.Errorf("read the formulas to compute: %w", err)
	}
	defer rows.Close()
	var open []crm.Work
	for rows.Next() {
		w, err := scanWork(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read the formulas to compute: %w", err)
		}
		open = append(open, w)
	}
	return open, rows.Err()
}

// WorkOf gives a request's work; nil where it has none. Inside a transaction its row is locked.
func (db *DB) WorkOf(ctx context.Context, request uint64) (*crm.Work, error) {
	query := workColumns + "where request = ?"
	if inTransaction(ctx) != nil {
		query += db.d.forUpdate()
	}
	w, err := scanWork(db.queryRow(ctx, query, int64(request)).Scan) //nolint:gosec // under 2^63
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the formulas to compute: %w", err)
	}
	return &w, nil
}

// SaveWork keeps how far it has come.
func (db *DB) SaveWork(ctx context.Context, w crm.Work) error {
	_, err := db.exec(ctx, "update registry_work set cursor_at = ?, done = ?, refused = ?, problem = ?, is_over = ? where request = ?",
		w.Cursor, w.Done, w.Refused, w.Problem, w.Over, int64(w.Request)) //nolint:gosec // under 2^63
	if err != nil {
		return fmt.Errorf("keep how far the formulas are computed: %w", err)
	}
	return nil
}
