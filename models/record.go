package models

import "time"

// Record is one record: its values in the order of its object's Fields (shorter where fields were added since; missing is empty).
type Record struct {
	Object     *Object
	Number     uint64 // dense per object, the same in all stores
	Version    int64  // counts writes from 1
	CreatedAt  time.Time
	UpdatedAt  time.Time // when the last write was recorded
	HappenedAt time.Time // the latest instant of which the record has an image
	Deleted    bool
	Values     []Value
}

// ID is the public id.
func (r *Record) ID() string { return r.Object.ID(r.Number) }

// Get gives the value of a field; nil where it is empty or unknown.
func (r *Record) Get(field string) Value {
	f := r.Object.Field(field)
	if f == nil || f.index >= len(r.Values) {
		return nil
	}
	return r.Values[f.index]
}

// Set is one field of a patch.
type Set struct {
	Field *Field
	Value Value // normal form; nil empties the field
}

// Op is what a command does.
type Op string

// The operations.
const (
	Create  Op = "create"
	Update  Op = "update"
	Delete  Op = "delete"
	Restore Op = "restore"
)

// Command asks for one write. All paths (screen, API, batch, import, demo, undo) use it.
type Command struct {
	Op     Op
	Object string
	Number uint64 // of the record; 0 for Create
	// Version that the caller saw; 0 skips the check. A record at another version is a precondition error.
	Version int64
	Sets    []Set
	// HappenedAt is when it happened; zero: now, and HappenedKnown does not matter. Before the record's first
	// image or after now it is invalid.
	HappenedAt time.Time
	// HappenedUnknown marks a change whose source knows no instant: it is put at the instant of recording and says so.
	HappenedUnknown bool
	Cause           string // "api", "screen", "import:7", "undo:7", "demo", "rule:stage"; at most 200 characters
	IdempotencyKey  string // a repeated key of the same actor gives the first outcome again, without a write
	// Override is the reason for passing over what a stage asks for. It is honoured for administrators, and for editors where the
	// stage says so; what was passed over is kept as a stage_override. Blank: nothing is passed over.
	Override string
	Row      int64 // the caller's row or operation number, put into errors
}

// Outcome tells what became of one command.
type Outcome struct {
	Record   *Record // as it stands now
	Change   int64   // sequence number of the appended change; 0 if nothing changed
	Repeated bool    // an idempotency key was met again
}

// Result is what became of one command of a batch: an outcome, or an error that says why nothing was written for it.
type Result struct {
	Outcome
	Err *Error
}
