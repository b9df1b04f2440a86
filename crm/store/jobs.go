package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"canopy/crm"
	"canopy/models"
)

// Jobs keeps exports and bulk edits: how far they have come, the records they are to write, and those they did not write.
type Jobs struct{ db *DB }

// Jobs gives the side of the store that long jobs need.
func (db *DB) Jobs() *Jobs { return &Jobs{db} }

// jobProgress is what the column holds.
type jobProgress struct {
	Object, Title                              string
	DryRun                                     bool
	Reader, Undoer                             models.Reader
	Done                                       int64
	Total                                      *int64
	Created, Changed, Unchanged, Refused       int64
	Undone, Kept, Floor, UndoBefore, UndoTotal int64
	Undo, Frozen                               bool
	Notes                                      []models.JobNote
	Error, Rights                              string
	File                                       *models.JobFile
}

func encodeJob(j *models.Job) (string, error) {
	p := jobProgress{
		Object: j.Object, Title: j.Title, DryRun: j.DryRun, Reader: j.Reader, Undoer: j.Undoer, Done: j.Done, Total: j.Total,
		Created: j.Created, Changed: j.Changed, Unchanged: j.Unchanged, Refused: j.Refused, Undone: j.Undone, Kept: j.Kept,
		Floor: j.Floor, UndoBefore: j.UndoBefore, UndoTotal: j.UndoTotal, Undo: j.Undo, Frozen: j.Frozen, Notes: j.Notes, Error: j.Error, File: j.File,
	}
	if j.File != nil {
		p.Rights = j.File.Rights
	}
	text, err := json.Marshal(p)
	return string(text), err
}

const jobColumns = "id, kind, state, place, generation, created_at, finished_at, request, progress"

func scanJob(scan func(...any) error) (*models.Job, error) {
	j := &models.Job{}
	var created, finished instant
	var progress []byte
	if err := scan(&j.Number, &j.Kind, &j.State, &j.Place, &j.Generation, &created, &finished, &j.Request, &progress); err != nil {
		return nil, err
	}
	var p jobProgress
	if err := json.Unmarshal(progress, &p); err != nil {
		return nil, fmt.Errorf("read job %d: %w", j.Number, err)
	}
	j.ID, j.CreatedAt = models.JobID(j.Kind, j.Number), created.Time
	if finished.Valid {
		j.FinishedAt = &finished.Time
	}
	j.Object, j.Title, j.DryRun, j.Reader, j.Undoer, j.Done, j.Total = p.Object, p.Title, p.DryRun, p.Reader, p.Undoer, p.Done, p.Total
	j.Created, j.Changed, j.Unchanged, j.Refused, j.Undone, j.Kept = p.Created, p.Changed, p.Unchanged, p.Refused, p.Undone, p.Kept
	j.Floor, j.UndoBefore, j.UndoTotal, j.Undo, j.Frozen = p.Floor, p.UndoBefore, p.UndoTotal, p.Undo, p.Frozen
	j.Notes, j.Error, j.File = p.Notes, p.Error, p.File
	if j.Notes == nil {
		j.Notes = []models.JobNote{}
	}
	if j.File != nil {
		j.File.Rights = p.Rights
	}
	j.By = models.JobUser{Name: j.Reader.Name}
	if j.Reader.User != 0 {
		j.By.ID = fmt.Sprintf("user_%d", j.Reader.User)
	}
	return j, nil
}

// Add keeps a new job and sets its Number and ID.
func (s *Jobs) Add(ctx context.Context, j *models.Job) error {
	progress, err := encodeJob(j)
	if err != nil {
		return err
	}
	err = s.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		return s.db.queryRow(ctx, `insert into jobs (kind, state, place, generation, started_by, created_at, request, progress)
    values (?, ?, ?, ?, ?, ?, ?, ?) returning id`, string(j.Kind), string(j.State), j.Place, j.Generation,
			int64(j.Reader.User), s.db.d.instant(j.CreatedAt), string(j.Request), progress).Scan(&j.Number) //nolint:gosec // numbers are under 2^63
	})
	if err != nil {
		return fmt.Errorf("add job: %w", err)
	}
	j.ID = models.JobID(j.Kind, j.Number)
	return nil
}

// Get reads one job; nil where there is none.
func (s *Jobs) Get(ctx context.Context, number int64) (*models.Job, error) {
	return s.get(ctx, number, "")
}

func (s *Jobs) get(ctx context.Context, number int64, lock string) (*models.Job, error) {
	j, err := scanJob(s.db.queryRow(ctx, "select "+jobColumns+" from jobs where id = ?"+lock, number).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return j, err
}

// List gives jobs, newest first, at most limit: one user's, or for user 0 everybody's; of one kind where kind is not empty.
func (s *Jobs) List(ctx context.Context, user uint64, kind models.JobKind, limit int) ([]*models.Job, error) {
	query, args := "select "+jobColumns+" from jobs where 1 = 1", []any{}
	if user != 0 {
		query, args = query+" and started_by = ?", append(args, int64(user)) //nolint:gosec // the same
	}
	if kind != "" {
		query, args = query+" and kind = ?", append(args, string(kind))
	}
	return s.list(ctx, query+" order by id desc limit ?", append(args, limit)...)
}

// Active gives the jobs of a kind and place that wait, run or are being undone, oldest first.
func (s *Jobs) Active(ctx context.Context, kind models.JobKind, place string) ([]*models.Job, error) {
	return s.list(ctx, "select "+jobColumns+" from jobs where state in ('waiting', 'running', 'undoing') and kind = ? and place = ? order by id", string(kind), place)
}

// WithFiles gives the jobs of a place whose files may still be there, oldest first.
func (s *Jobs) WithFiles(ctx context.Context, place string) ([]*models.Job, error) {
	return s.list(ctx, "select "+jobColumns+" from jobs where kind = 'export' and place = ? order by id", place)
}

func (s *Jobs) list(ctx context.Context, query string, args ...any) ([]*models.Job, error) {
	rows, err := s.db.query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	defer rows.Close()
	var jobs []*models.Job
	for rows.Next() {
		j, err := scanJob(rows.Scan)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, rows.Err()
}

// Change reads a job, lets fn change it and writes it under a new generation, so that whoever worked on it stops.
// nil where there is no such job; an error of fn writes nothing.
func (s *Jobs) Change(ctx context.Context, number int64, fn func(*models.Job) error) (*models.Job, error) {
	var changed *models.Job
	err := s.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		j, err := s.get(ctx, number, s.db.d.forUpdate())
		changed = j
		if err != nil || j == nil {
			return err
		}
		if err := fn(j); err != nil {
			return err
		}
		j.Generation++
		return s.write(ctx, j)
	})
	return changed, err
}

// Save writes a job's progress, in the transaction of ctx if there is one. mine is false, and nothing was written, when somebody else
// has changed or taken over the job since.
func (s *Jobs) Save(ctx context.Context, j *models.Job) (mine bool, err error) {
	err = s.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		var generation int64
		if err := s.db.queryRow(ctx, "select generation from jobs where id = ?"+s.db.d.forUpdate(), j.Number).Scan(&generation); err != nil {
			return fmt.Errorf("save job %s: %w", j.ID, err)
		}
		if mine = generation == j.Generation; !mine {
			return nil
		}
		return s.write(ctx, j)
	})
	return mine, err
}

func (s *Jobs) write(ctx context.Context, j *models.Job) error {
	progress, err := encodeJob(j)
	if err != nil {
		return err
	}
	var finished any
	if j.FinishedAt != nil {
		finished = s.db.d.instant(*j.FinishedAt)
	}
	_, err = s.db.exec(ctx, "update jobs set state = ?, generation = ?, finished_at = ?, progress = ? where id = ?", string(j.State), j.Generation, finished, progress, j.Number)
	if err != nil {
		return fmt.Errorf("save job %s: %w", j.ID, err)
	}
	return nil
}

// numbersPart is how many records one row of job_records names.
const numbersPart = 1000

// Freeze fixes a job's records (ascending), in place of those of an earlier try. It joins the transaction of ctx.
func (s *Jobs) Freeze(ctx context.Context, number int64, numbers []uint64) error {
	return s.db.Run(ctx, crm.Bulk, func(ctx context.Context) error {
		if _, err := s.db.exec(ctx, "delete from job_records where job = ?", number); err != nil {
			return fmt.Errorf("fix records: %w", err)
		}
		for start := 0; start < len(numbers); start += numbersPart {
			var packed []byte
			last := uint64(0)
			for _, n := range numbers[start:min(start+numbersPart, len(numbers))] {
				packed = binary.AppendUvarint(packed, n-last)
				last = n
			}
			if _, err := s.db.exec(ctx, "insert into job_records (job, place, numbers) values (?, ?, ?)", number, start, packed); err != nil {
				return fmt.Errorf("fix records: %w", err)
			}
		}
		return nil
	})
}

// Frozen gives a job's records from place on (from 0), at most limit.
func (s *Jobs) Frozen(ctx context.Context, number, place int64, limit int) ([]uint64, error) {
	first := place - place%numbersPart
	rows, err := s.db.query(ctx, "select numbers from job_records where job = ? and place >= ? and place < ? order by place", number, first, place+int64(limit))
	if err != nil {
		return nil, fmt.Errorf("read fixed records: %w", err)
	}
	defer rows.Close()
	var list []uint64
	for rows.Next() {
		var packed []byte
		if err := rows.Scan(&packed); err != nil {
			return nil, err
		}
		last := uint64(0)
		for len(packed) > 0 {
			step, n := binary.Uvarint(packed)
			if n <= 0 {
				return nil, fmt.Errorf("the fixed records of job %d are damaged", number)
			}
			packed, last = packed[n:], last+step
			list = append(list, last)
		}
	}
	list = list[min(int(place-first), len(list)):]
	return list[:min(limit, len(list))], rows.Err()
}

// Unfreeze forgets a job's records once it cannot go on any more.
func (s *Jobs) Unfreeze(ctx context.Context, number int64) error {
	return s.db.Run(ctx, crm.Bulk, func(ctx context.Context) error {
		_, err := s.db.exec(ctx, "delete from job_records where job = ?", number)
		return err
	})
}

// Refuse keeps records that were not written, in the transaction of ctx.
func (s *Jobs) Refuse(ctx context.Context, number int64, refusals []models.JobRefusal) error {
	for _, r := range refusals {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := s.db.exec(ctx, "insert into job_refusals (job, refusal) values (?, ?)", number, string(text)); err != nil {
			return fmt.Errorf("keep refused record %s: %w", r.Record, err)
		}
	}
	return nil
}

// Refusals streams what a job refused and what its undo kept, in the order they were met.
func (s *Jobs) Refusals(ctx context.Context, number int64, fn func(models.JobRefusal) error) error {
	after := int64(0)
	for {
		page, last, err := s.refusalsPage(ctx, number, after)
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

func (s *Jobs) refusalsPage(ctx context.Context, number, after int64) (page []models.JobRefusal, last int64, err error) {
	rows, err := s.db.query(ctx, "select id, refusal from job_refusals where job = ? and id > ? order by id limit ?", number, after, refusalPage)
	if err != nil {
		return nil, 0, fmt.Errorf("read refused records: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		if err := rows.Scan(&last, &text); err != nil {
			return nil, 0, err
		}
		var r models.JobRefusal
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, 0, err
		}
		page = append(page, r)
	}
	return page, last, rows.Err()
}

// LastSequence gives the greatest sequence number of the change log; 0 while it is empty.
func (s *Jobs) LastSequence(ctx context.Context) (n int64, err error) {
	err = s.db.queryRow(ctx, "select coalesce(max(seq), 0) from changes").Scan(&n)
	return n, err
}

// Lease is the right to do the jobs of one name, which one process has at a time. On SQLite there is one process, and it has all.
type Lease struct{ lease *lease }

// NewLease makes a lease that nobody holds yet.
func (db *DB) NewLease(name, holder string, lasts time.Duration) *Lease {
	if !db.IsPostgres() {
		return &Lease{}
	}
	return &Lease{&lease{db: db, name: name, holder: holder, ttl: lasts}}
}

// Take gets or renews the lease, and tells whether it is held now.
func (l *Lease) Take(ctx context.Context) (bool, error) {
	if l.lease == nil {
		return true, nil
	}
	return l.lease.take(ctx)
}

// Release lets go, so that another need not wait for the end of the lease.
func (l *Lease) Release(ctx context.Context) error {
	if l.lease == nil {
		return nil
	}
	return l.lease.release(ctx)
}
