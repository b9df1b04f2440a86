package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"canopy/crm"
	"canopy/models"
)

// Runs keeps the computations of the rooms, their results, and how far each room is. It is the run store of package metrics.
type Runs struct{ db *DB }

// Runs gives the metrics' side of the store.
func (db *DB) Runs() *Runs { return &Runs{db} }

// runDetails is what the JSON column of a run holds.
type runDetails struct {
	Definition string          `json:"definition"`
	Params     json.RawMessage `json:"params,omitempty"`
	Position   uint64          `json:"position"`
	Seed       int64           `json:"seed,omitempty"`
	Weeks      []models.Date   `json:"weeks"`
	Done       int             `json:"done"`
	Changed    int             `json:"changed"`
	RowsRead   uint64          `json:"rows_read"`
	Duration   time.Duration   `json:"duration_ns"`
	OutputHash string          `json:"output_hash,omitempty"`
	Error      string          `json:"error,omitempty"`
	By         uint64          `json:"by,omitempty"`
}

func detailsOf(r *models.Run) (string, error) {
	text, err := json.Marshal(runDetails{r.Definition, r.Params, r.Position, r.Seed, r.Weeks, r.Done, r.Changed, r.RowsRead, r.Duration, r.OutputHash, r.Error, r.By})
	return string(text), err
}

const runColumns = "id, room, status, cause, tracks, created_at, started_at, finished_at, details"

func scanRun(scan func(...any) error) (models.Run, error) {
	var r models.Run
	var created, started, finished instant
	var text []byte
	if err := scan(&r.ID, &r.Room, &r.Status, &r.Cause, &r.Tracks, &created, &started, &finished, &text); err != nil {
		return r, err
	}
	var d runDetails
	if err := json.Unmarshal(text, &d); err != nil {
		return r, fmt.Errorf("read run %d: %w", r.ID, err)
	}
	r.CreatedAt, r.StartedAt, r.FinishedAt = created.Time, started.Time, finished.Time
	r.Definition, r.Params, r.Position, r.Seed, r.Weeks, r.Done, r.Changed = d.Definition, d.Params, d.Position, d.Seed, d.Weeks, d.Done, d.Changed
	r.RowsRead, r.Duration, r.OutputHash, r.Error, r.By = d.RowsRead, d.Duration, d.OutputHash, d.Error, d.By
	return r, nil
}

func (s *Runs) instantOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return s.db.d.instant(t)
}

// Add keeps a new run and sets its ID. A second tracking run of a room, while one waits or runs, is a conflict.
func (s *Runs) Add(ctx context.Context, r *models.Run) error {
	details, err := detailsOf(r)
	if err != nil {
		return err
	}
	return s.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		if r.Tracks {
			var active bool
			err := s.db.queryRow(ctx, "select exists (select 1 from runs where room = ? and tracks = ? and status in ('waiting', 'running'))", r.Room, true).Scan(&active)
			if err != nil {
				return fmt.Errorf("add run: %w", err)
			}
			if active {
				return models.Errorf(models.Conflict, "the room %s is being brought up to date already", r.Room)
			}
		}
		id, err := s.db.insert(ctx, `insert into runs (room, status, cause, tracks, worker, created_at, details) values (?, ?, ?, ?, '', ?, ?)`, "id",
			r.Room, string(r.Status), string(r.Cause), r.Tracks, s.db.d.instant(r.CreatedAt), details)
		if err != nil {
			return fmt.Errorf("add run: %w", err)
		}
		r.ID = id
		return nil
	})
}

// Get reads one run; not_found where there is none.
func (s *Runs) Get(ctx context.Context, id int64) (models.Run, error) {
	return s.get(ctx, id, "")
}

func (s *Runs) get(ctx context.Context, id int64, lock string) (models.Run, error) {
	r, err := scanRun(s.db.queryRow(ctx, "select "+runColumns+" from runs where id = ?"+lock, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, models.Errorf(models.NotFound, "there is no run %d", id)
	}
	return r, err
}

// List gives runs, newest first.
func (s *Runs) List(ctx context.Context, f models.RunFilter) ([]models.Run, error) {
	query, args := "select "+runColumns+" from runs where 1 = 1", []any{}
	if f.Room != "" {
		query, args = query+" and room = ?", append(args, f.Room)
	}
	if f.Status != "" {
		query, args = query+" and status = ?", append(args, string(f.Status))
	}
	if f.Before > 0 {
		query, args = query+" and id < ?", append(args, f.Before)
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	rows, err := s.db.query(ctx, query+" order by id desc limit ?", append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	defer rows.Close()
	var runs []models.Run
	for rows.Next() {
		r, err := scanRun(rows.Scan)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, rows.Err()
}

// Claim gives worker the oldest run that waits, or whose worker's lease ran out before now, until the given instant; nil where there is
// none. Of a room only one run is worked on at a time.
func (s *Runs) Claim(ctx context.Context, worker string, now, until time.Time) (*models.Run, error) {
	var claimed *models.Run
	err := s.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		claimed = nil
		skip := ""
		if s.db.IsPostgres() {
			// Two claims at once could otherwise both find the room free.
			if _, err := s.db.exec(ctx, "select pg_advisory_xact_lock(20, 1)"); err != nil {
				return err
			}
			skip = " for update skip locked"
		}
		r, err := scanRun(s.db.queryRow(ctx, "select "+runColumns+` from runs as candidate
    where (status = 'waiting' or status = 'running' and (lease_until is null or lease_until < ?))
        and not exists (select 1 from runs as other where other.room = candidate.room and other.id <> candidate.id
            and other.status = 'running' and other.lease_until >= ?)
    order by id limit 1`+skip, s.db.d.instant(now), s.db.d.instant(now)).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		r.Status = models.RunRunning
		if r.StartedAt.IsZero() {
			r.StartedAt = now
		}
		if _, err := s.db.exec(ctx, "update runs set status = ?, worker = ?, lease_until = ?, started_at = ? where id = ?",
			string(r.Status), worker, s.db.d.instant(until), s.db.d.instant(r.StartedAt), r.ID); err != nil {
			return err
		}
		claimed = &r
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim a run: %w", err)
	}
	return claimed, nil
}

// Save writes a run's progress and the results that it counts in one transaction, and renews the worker's lease. When the run is
// done and tracks, the room's state moves with it. mine is false, and nothing was written, when the run was cancelled or another
// worker has it.
func (s *Runs) Save(ctx context.Context, worker string, r *models.Run, until time.Time, results []models.RunResult, state *models.RoomState) (mine bool, err error) {
	details, err := detailsOf(r)
	if err != nil {
		return false, err
	}
	err = s.db.Run(ctx, crm.Bulk, func(ctx context.Context) error {
		changed, err := s.db.exec(ctx, "update runs set status = ?, lease_until = ?, finished_at = ?, details = ? where id = ? and worker = ? and status = 'running'",
			string(r.Status), s.instantOrNull(until), s.instantOrNull(r.FinishedAt), details, r.ID, worker)
		if err != nil {
			return err
		}
		n, err := changed.RowsAffected()
		if mine = n == 1; err != nil || !mine {
			return err
		}
		for i := range results {
			if err := s.keep(ctx, r.ID, &results[i]); err != nil {
				return err
			}
		}
		if state == nil {
			return nil
		}
		return s.move(ctx, *state)
	})
	if err != nil {
		return false, fmt.Errorf("save run %d: %w", r.ID, err)
	}
	return mine, nil
}

func (s *Runs) keep(ctx context.Context, run int64, result *models.RunResult) error {
	_, err := s.db.exec(ctx, `insert into run_results (room, subject, definition, week, run, position, hash, is_empty, body) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (room, subject, definition, week) do update set run = excluded.run, position = excluded.position, hash = excluded.hash,
        is_empty = excluded.is_empty, body = excluded.body`,
		result.Room, result.Subject, result.Definition, result.Week.String(), run, int64(result.Position), result.Hash, result.Empty, result.Body) //nolint:gosec // positions are under 2^63
	return err
}

// Release gives a worker's running runs back, so that they are taken up at once: at its clean end, or for every worker ("") at the start
// of the only process.
func (s *Runs) Release(ctx context.Context, worker string) error {
	query, args := "update runs set status = 'waiting', worker = '', lease_until = null where status = 'running'", []any{}
	if worker != "" {
		query, args = query+" and worker = ?", []any{worker}
	}
	return s.db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		_, err := s.db.exec(ctx, query, args...)
		return err
	})
}

// Cancel ends a run that is not over; a conflict for one that is. Results stored so far stay.
func (s *Runs) Cancel(ctx context.Context, id int64, now time.Time) (models.Run, error) {
	var r models.Run
	err := s.db.Run(ctx, crm.Interactive, func(ctx context.Context) (err error) {
		if r, err = s.get(ctx, id, s.db.d.forUpdate()); err != nil {
			return err
		}
		if r.Status.IsOver() {
			return models.Errorf(models.Conflict, "run %d is over: it is %s", id, r.Status)
		}
		r.Status, r.FinishedAt = models.RunCancelled, now
		_, err = s.db.exec(ctx, "update runs set status = ?, worker = '', lease_until = null, finished_at = ? where id = ?", string(r.Status), s.db.d.instant(now), id)
		return err
	})
	return r, err
}

// StoredWeeks lists the weeks that a run has stored with all its subjects, ascending.
func (s *Runs) StoredWeeks(ctx context.Context, run int64) ([]models.Date, error) {
	rows, err := s.db.query(ctx, "select distinct week from run_results where run = ? order by week", run)
	if err != nil {
		return nil, fmt.Errorf("list weeks of run %d: %w", run, err)
	}
	defer rows.Close()
	var weeks []models.Date
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		week, err := models.ParseDate(text)
		if err != nil {
			return nil, err
		}
		weeks = append(weeks, week)
	}
	return weeks, rows.Err()
}

// Results gives the stored results of a subject ("": all subjects) from one week to another (exclusive), by subject and week. Weeks
// that were never stored are left out.
func (s *Runs) Results(ctx context.Context, room, subject, definition string, from, to models.Date) ([]models.RunResult, error) {
	query := "select subject, week, run, position, hash, is_empty, body from run_results where room = ? and definition = ? and week >= ? and week < ?"
	args := []any{room, definition, from.String(), to.String()}
	if subject != "" {
		query, args = query+" and subject = ?", append(args, subject)
	}
	rows, err := s.db.query(ctx, query+" order by subject, week", args...)
	if err != nil {
		return nil, fmt.Errorf("read stored results: %w", err)
	}
	defer rows.Close()
	var results []models.RunResult
	for rows.Next() {
		r := models.RunResult{Room: room, Definition: definition}
		var week string
		if err := rows.Scan(&r.Subject, &week, &r.RunID, &r.Position, &r.Hash, &r.Empty, &r.Body); err != nil {
			return nil, err
		}
		if r.Week, err = models.ParseDate(week); err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, rows.Err()
}

// FirstWeek is the first week of a subject with something to tell; nil where there is none.
func (s *Runs) FirstWeek(ctx context.Context, room, subject, definition string) (*models.Date, error) {
	var text sql.Null[string]
	err := s.db.queryRow(ctx, "select min(week) from run_results where room = ? and subject = ? and definition = ? and is_empty = ?", room, subject, definition, false).Scan(&text)
	if err != nil || !text.Valid {
		return nil, err
	}
	week, err := models.ParseDate(text.V)
	return &week, err
}

// State tells how far a room is; the zero value with the room's name before its first run.
func (s *Runs) State(ctx context.Context, room string) (models.RoomState, error) {
	state := models.RoomState{Room: room}
	var watermark instant
	err := s.db.queryRow(ctx, "select definition, position, watermark from room_states where room = ?", room).Scan(&state.Definition, &state.Position, &watermark)
	if errors.Is(err, sql.ErrNoRows) {
		return state, nil
	}
	state.Watermark = watermark.Time
	return state, err
}

// Move writes how far a room is, without a run: nothing that it tells has changed.
func (s *Runs) Move(ctx context.Context, state models.RoomState) error {
	return s.db.Run(ctx, crm.Interactive, func(ctx context.Context) error { return s.move(ctx, state) })
}

// move never goes back under the same definition; results of other definitions are dropped when a new one begins.
func (s *Runs) move(ctx context.Context, state models.RoomState) error {
	if _, err := s.db.exec(ctx, `insert into room_states (room, definition, position, watermark) values (?, ?, ?, ?)
    on conflict (room) do update set definition = excluded.definition, position = excluded.position, watermark = excluded.watermark
    where room_states.definition <> excluded.definition or room_states.position <= excluded.position`,
		state.Room, state.Definition, int64(state.Position), s.db.d.instant(state.Watermark)); err != nil { //nolint:gosec // positions are under 2^63
		return err
	}
	if _, err := s.db.exec(ctx, "delete from run_results where room = ? and definition <> ?", state.Room, state.Definition); err != nil {
		return err
	}
	_, err := s.db.exec(ctx, `delete from runs where id <= (select max(id) from runs) - ? and room = ? and cause = 'late' and status = 'done'
    and not exists (select 1 from run_results where run_results.run = runs.id)`, keptRuns, state.Room)
	return err
}

// keptRuns is how many runs stay in any case. Of older ones those go that followed late changes and whose every number was computed again since.
const keptRuns = 1_000

// LastChange is the position of the last change of any of the objects; 0 where there is none.
func (s *Runs) LastChange(ctx context.Context, objects ...string) (uint64, error) {
	column := "seq"
	if s.db.IsPostgres() {
		column = "position"
	}
	var last uint64
	for _, object := range objects {
		var position sql.Null[int64]
		if err := s.db.queryRow(ctx, "select max("+column+") from changes where object = ?", object).Scan(&position); err != nil {
			return 0, fmt.Errorf("find the last change of %s: %w", object, err)
		}
		last = max(last, uint64(position.V)) //nolint:gosec // positions count from 1
	}
	return last, nil
}
