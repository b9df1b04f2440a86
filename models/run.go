package models

import (
	"encoding/json"
	"time"
)

// Reporting is how a workspace tells its numbers: on which clock weeks are cut, and in which currency.
type Reporting struct {
	Calendar Calendar
	Currency string // ISO 4217
}

// RunStatus is where a run stands.
type RunStatus string

// The states of a run. Waiting and running ones are taken up again after a restart.
const (
	RunWaiting   RunStatus = "waiting"
	RunRunning   RunStatus = "running"
	RunDone      RunStatus = "done"
	RunFailed    RunStatus = "failed"
	RunCancelled RunStatus = "cancelled"
)

// IsOver tells whether the run will do no more.
func (s RunStatus) IsOver() bool { return s == RunDone || s == RunFailed || s == RunCancelled }

// RunCause is why a run was made.
type RunCause string

// The causes.
const (
	CauseSchedule RunCause = "schedule" // its time came, or its definition changed
	CauseBackfill RunCause = "backfill" // somebody asked for a range of weeks
	CauseLate     RunCause = "late"     // changes touched weeks that were already told
	CauseDemand   RunCause = "demand"   // a reader asked for what was not stored
)

// Run is one computation of a room over some weeks, with all that it depended on.
type Run struct {
	ID         int64
	Room       string
	Definition string          // version: hash of definition, SQL, parameters of the workspace
	Params     json.RawMessage // what else the run depends on, in the room's own form
	Position   uint64          // of the change log, as of which it is told
	Seed       int64           // of its random source; 0 where it has none
	Cause      RunCause
	Status     RunStatus
	Weeks      []Date // first days, ascending
	Done       int    // weeks stored so far
	Changed    int    // of them, those whose result is another than before
	RowsRead   uint64
	Duration   time.Duration // of computing, over all tries
	OutputHash string        // SHA-256 over all results, in order; empty until done
	Error      string
	Tracks     bool   // once done, all that was known at Position is told (see RoomState)
	By         uint64 // user who asked; 0 for Canopy itself
	CreatedAt  time.Time
	StartedAt  time.Time // zero while waiting
	FinishedAt time.Time // zero until over
}

// RunResult is the stored output of a run for one subject (a tree and a split) and one week, for readers who see everything.
type RunResult struct {
	Room       string
	Subject    string // "b2b_pipeline/region"
	Week       Date   // first day
	Definition string
	Position   uint64
	RunID      int64
	Hash       string // SHA-256 of Body, lower-case hex
	Empty      bool   // there was nothing to tell in the week
	Body       []byte // in the room's own form; equal inputs give equal bytes
}

// RoomState says how far a room's stored results are: under Definition, every week whose result differs from the empty one is stored as of
// Position, and all changes recorded before Watermark are in. The zero value is a room that has told nothing yet.
type RoomState struct {
	Room       string
	Definition string
	Position   uint64
	Watermark  time.Time
}

// RunFilter chooses runs, newest first. Zero fields do not cut.
type RunFilter struct {
	Room   string
	Status RunStatus
	Before int64 // ids below this one: the next page
	Limit  int   // 0: 50
}

// RunTask is what a room computes in one go.
type RunTask struct {
	Weeks     []Date // first days, ascending
	Reporting Reporting
	Cutoff    Cutoff // zero: the present
}
