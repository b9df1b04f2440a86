package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"canopy/models"
)

// Imports keeps the jobs of the importer, their refused rows, and what an undo needs to know of the log.
type Imports struct{ db *DB }

// Imports gives the importer's side of the store.
func (db *DB) Imports() *Imports { return &Imports{db} }

// importRequest and importProgress are what the two JSON columns hold.
type importRequest struct {
	Mapping    string        `json:"mapping"`
	Format     string        `json:"format"`
	BytesTotal int64         `json:"bytes_total"`
	Reader     models.Reader `json:"reader"`
	Undoer     models.Reader `json:"undoer"`
}

type importProgress struct {
	RowsRead, BytesRead                  int64
	RowsTotal                            *int64
	Created, Updated, Unchanged, Refused int64
	Undone, Conflicts, UndoTotal         int64
	UndoBefore, PassRows                 int64
	Pass                                 int
	Later, Undo                          bool
	Notes                                []models.ImportNote
	Error                                string
}

func encodeImport(i *models.Import) (request, progress string, err error) {
	r, err := json.Marshal(importRequest{i.Mapping, i.Format, i.BytesTotal, i.Reader, i.Undoer})
	if err != nil {
		return "", "", err
	}
	p, err := json.Marshal(importProgress{
		RowsRead: i.RowsRead, BytesRead: i.BytesRead, RowsTotal: i.RowsTotal, Created: i.Created, Updated: i.Updated, Unchanged: i.Unchanged, Refused: i.Refused,
		Undone: i.Undone, Conflicts: i.Conflicts, UndoTotal: i.UndoTotal, UndoBefore: i.UndoBefore, PassRows: i.PassRows,
		Pass: i.Pass, Later: i.Later, Undo: i.Undo, Notes: i.Notes, Error: i.Error,
	})
	return string(r), string(p), err
}

const importColumns = "id, state, object, file_name, sha256, dry_run, generation, created_at, finished_at, request, progress"

func scanImport(scan func(...any) error) (*models.Import, error) {
	i := &models.Import{}
	var created, finished instant
	var request, progress []byte
	if err := scan(&i.ID, &i.State, &i.Object, &i.FileName, &i.SHA256, &i.DryRun, &i.Generation, &created, &finished, &request, &progress); err != nil {
		return nil, err
	}
	var r importRequest
	var p importProgress
	if err := errors.Join(json.Unmarshal(request, &r), json.Unmarshal(progress, &p)); err != nil {
		return nil, fmt.Errorf("read import %d: %w", i.ID, err)
	}
	i.CreatedAt = created.Time
	if finished.Valid {
		i.FinishedAt = &finished.Time
	}
	i.Mapping, i.Format, i.BytesTotal, i.Reader, i.Undoer = r.Mapping, r.Format, r.BytesTotal, r.Reader, r.Undoer
	i.RowsRead, i.BytesRead, i.RowsTotal, i.Created, i.Updated, i.Unchanged, i.Refused = p.RowsRead, p.BytesRead, p.RowsTotal, p.Created, p.Updated, p.Unchanged, p.Refused
	i.Undone, i.Conflicts, i.UndoTotal, i.UndoBefore, i.PassRows = p.Undone, p.Conflicts, p.UndoTotal, p.UndoBefore, p.PassRows
	i.Pass, i.Later, i.Undo, i.Notes, i.Error = p.Pass, p.Later, p.Undo, p.Notes, p.Error
	i.By = models.ImportUser{Name: r.Reader.Name}
	if r.Reader.User != 0 {
		i.By.ID = fmt.Sprintf("user_%d", r.Reader.User)
	}
	return i, nil
}

// Add keeps a new import and sets its ID.
func (s *Imports) Add(ctx context.Context, i *models.Import) error {
	request, progress, err := encodeImport(i)
	if err != nil {
		return err
	}
	return s.db.Run(ctx, 0, func(ctx context.Context) error {
		return s.db.queryRow(ctx, `insert into imports (state, object, file_name, sha256, dry_run, generation, started_by, created_at, request, progress)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning id`, string(i.State), i.Object, i.FileName, i.SHA256, i.DryRun, i.Generation,
			int64(i.Reader.User), s.db.d.instant(i.CreatedAt), request, progress).Scan(&i.ID) //nolint:gosec // numbers are under 2^63
	})
}

// Get reads one import; nil where there is none.
func (s *Imports) Get(ctx context.Context, id int64) (*models.Import, error) {
	return s.get(ctx, id, "")
}

func (s *Imports) get(ctx context.Context, id int64, lock string) (*models.Import, error) {
	i, err := scanImport(s.db.queryRow(ctx, "select "+importColumns+" from imports where id = ?"+lock, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return i, err
}

// List gives imports, newest first, at most limit: one user's, or for user 0 everybody's.
func (s *Imports) List(ctx context.Context, user uint64, limit int) ([]*models.Import, error) {
	query, args := "select "+importColumns+" from imports order by id desc limit ?", []any{limit}
	if user != 0 {
		query, args = "select "+importColumns+" from imports where started_by = ? order by id desc limit ?", []any{int64(user), limit} //nolint:gosec // the same
	}
	return s.list(ctx, query, args...)
}

// Active gives the imports that wait, run or are being undone, oldest first.
func (s *Imports) Active(ctx context.Context) ([]*models.Import, error) {
	return s.list(ctx, "select "+importColumns+" from imports where state in ('waiting', 'running', 'undoing') order by id")
}

func (s *Imports) list(ctx context.Context, query string, args ...any) ([]*models.Import, error) {
	rows, err := s.db.query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	defer rows.Close()
	var imports []*models.Import
	for rows.Next() {
		i, err := scanImport(rows.Scan)
		if err != nil {
			return nil, err
		}
		imports = append(imports, i)
	}
	return imports, rows.Err()
}

// InUse tells whether a stored file is still wanted: an import of it has not ended for good.
func (s *Imports) InUse(ctx context.Context, sha256 string) (bool, error) {
	var used bool
	err := s.db.queryRow(ctx, "select exists (select 1 from imports where sha256 = ? and state in ('waiting', 'running', 'cancelled', 'failed'))", sha256).Scan(&used)
	return used, err
}

// Change reads an import, lets fn change it and writes it under a new generation, so that whoever worked on it stops.
// nil where there is no such import; an error of fn writes nothing.
func (s *Imports) Change(ctx context.Context, id int64, fn func(*models.Import) error) (*models.Import, error) {
	var changed *models.Import
	err := s.db.Run(ctx, 0, func(ctx context.Context) error {
		i, err := s.get(ctx, id, s.db.d.forUpdate())
		changed = i
		if err != nil || i == nil {
			return err
		}
		if err := fn(i); err != nil {
			return err
		}
		i.Generation++
		return s.write(ctx, i)
	})
	return changed, err
}

// Save writes an import's progress, in the transaction of ctx if there is one. mine is false, and nothing was written,
// when somebody else has taken the import over since.
func (s *Imports) Save(ctx context.Context, i *models.Import) (mine bool, err error) {
	err = s.db.Run(ctx, 0, func(ctx context.Context) error {
		var generation int64
		err := s.db.queryRow(ctx, "select generation from imports where id = ?"+s.db.d.forUpdate(), i.ID).Scan(&generation)
		if err != nil {
			return fmt.Errorf("save import %d: %w", i.ID, err)
		}
		if mine = generation == i.Generation; !mine {
			return nil
		}
		return s.write(ctx, i)
	})
	return mine, err
}

func (s *Imports) write(ctx context.Context, i *models.Import) error {
	request, progress, err := encodeImport(i)
	if err != nil {
		return err
	}
	var finished any
	if i.FinishedAt != nil {
		finished = s.db.d.instant(*i.FinishedAt)
	}
	_, err = s.db.exec(ctx, "update imports set state = ?, generation = ?, finished_at = ?, request = ?, progress = ? where id = ?",
		string(i.State), i.Generation, finished, request, progress, i.ID)
	return err
}

// Refuse keeps rows that were not written. A row that was refused before keeps its first reason.
func (s *Imports) Refuse(ctx context.Context, id int64, refusals []models.ImportRefusal) error {
	return s.db.Run(ctx, 0, func(ctx context.Context) error {
		var kept int64 // records that an undo kept go to places below zero
		for _, r := range refusals {
			if r.Kept != "" {
				err := s.db.queryRow(ctx, "select coalesce(min(place), 0) from import_refusals where import = ? and place < 0", id).Scan(&kept)
				if err != nil {
					return err
				}
				break
			}
		}
		for _, r := range refusals {
			place := r.Row
			if r.Kept != "" {
				kept--
				place = kept
			}
			text, err := json.Marshal(r)
			if err != nil {
				return err
			}
			if _, err := s.db.exec(ctx, "insert into import_refusals (import, place, refusal) values (?, ?, ?) on conflict do nothing", id, place, string(text)); err != nil {
				return fmt.Errorf("keep refused row %d: %w", r.Row, err)
			}
		}
		return nil
	})
}

// refusalPage is how many refused rows are read at once; they are streamed to their reader without a transaction.
const refusalPage = 500

// Refusals streams what an import refused, in file order, then what its undo kept.
func (s *Imports) Refusals(ctx context.Context, id int64, fn func(models.ImportRefusal) error) error {
	if err := s.refusals(ctx, id, "place > ? order by place", 0, fn); err != nil {
		return err
	}
	return s.refusals(ctx, id, "place < ? order by place desc", 0, fn)
}

func (s *Imports) refusals(ctx context.Context, id int64, condition string, after int64, fn func(models.ImportRefusal) error) error {
	for {
		page, last, err := s.refusalsPage(ctx, id, condition, after)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := fn(r); err != nil {
				return err
			}
		}
		if len(page) < refusalPage {
			return nil
		}
		after = last
	}
}

func (s *Imports) refusalsPage(ctx context.Context, id int64, condition string, after int64) (page []models.ImportRefusal, last int64, err error) {
	rows, err := s.db.query(ctx, "select place, refusal from import_refusals where import = ? and "+condition+" limit ?", id, after, refusalPage)
	if err != nil {
		return nil, 0, fmt.Errorf("read refused rows: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		if err := rows.Scan(&last, &text); err != nil {
			return nil, 0, err
		}
		var r models.ImportRefusal
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, 0, err
		}
		page = append(page, r)
	}
	return page, last, rows.Err()
}

// Histories gives the whole histories of records; a record without changes is missing.
func (s *Imports) Histories(ctx context.Context, object string, numbers []uint64) ([]models.TouchedRecord, error) {
	return s.db.Traces().Histories(ctx, object, numbers)
}
