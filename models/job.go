package models

import (
	"strconv"
	"strings"
	"time"
)

// JobKind says what a long job does.
type JobKind string

// The kinds of long jobs.
const (
	ImportJob JobKind = "import"
	ExportJob JobKind = "export"
	BulkJob   JobKind = "bulk"
)

// JobState says where a long job stands.
type JobState string

// The states. Waiting, running and undoing jobs go on by themselves after a restart; cancelled and failed ones when asked to.
const (
	JobWaiting   JobState = "waiting"
	JobRunning   JobState = "running"
	JobDone      JobState = "done"
	JobCancelled JobState = "cancelled"
	JobFailed    JobState = "failed"
	JobUndoing   JobState = "undoing"
	JobUndone    JobState = "undone"
)

// Active tells whether the job is at work or about to be.
func (s JobState) Active() bool { return s == JobWaiting || s == JobRunning || s == JobUndoing }

// JobNote counts one thing that was accepted and is worth knowing: "deals without an account".
type JobNote struct {
	Text  string `json:"text"`
	Count int64  `json:"count"`
}

// JobUser names who started a job; ID is empty for Canopy itself.
type JobUser struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
}

// JobAction is something that can be done with a job as it stands.
type JobAction string

// The actions.
const (
	CancelJob JobAction = "cancel"
	ResumeJob JobAction = "resume"
	UndoJob   JobAction = "undo"
)

// Job is one long job and how far it has come: the same description for imports, exports and bulk edits. Counts are of records,
// but Refused, Done and Total of an import are of rows.
type Job struct {
	ID         string      `json:"id" doc:"Kind and number, as in bulk_12"`
	Kind       JobKind     `json:"kind" enum:"import,export,bulk"`
	State      JobState    `json:"state" enum:"waiting,running,done,cancelled,failed,undoing,undone"`
	Object     string      `json:"object" doc:"What its records mainly are"`
	Title      string      `json:"title" doc:"What it does, as a person says it"`
	DryRun     bool        `json:"dry_run"`
	Done       int64       `json:"done" doc:"Records (rows of an import) that are dealt with"`
	Total      *int64      `json:"total,omitempty" doc:"Left out while it is not known"`
	Created    int64       `json:"created" doc:"Records made"`
	Changed    int64       `json:"changed" doc:"Records that were there and were changed, deleted or restored"`
	Unchanged  int64       `json:"unchanged" doc:"Records that already said so"`
	Refused    int64       `json:"refused" doc:"Records (rows of an import) that were not written"`
	Undone     int64       `json:"undone" doc:"Records that the undo has put back"`
	Kept       int64       `json:"kept" doc:"Records that the undo left as they are, because others have worked with them since"`
	Notes      []JobNote   `json:"notes"`
	Error      string      `json:"error,omitempty"`
	By         JobUser     `json:"by"`
	CreatedAt  time.Time   `json:"created_at"`
	FinishedAt *time.Time  `json:"finished_at"`
	Actions    []JobAction `json:"actions" doc:"What the reader may ask of it as it stands"`
	RefusedURL string      `json:"refused_url,omitempty" doc:"The records that were refused or kept, as CSV; left out where there are none"`
	File       *JobFile    `json:"file,omitempty" doc:"What an export has written"`

	Number     int64  `json:"-"` // of the job among exports and bulk edits
	Request    []byte `json:"-"` // JSON: what was asked for, as its kind reads it
	Place      string `json:"-"` // the data directory that holds its file; empty where any server may do the job
	Reader     Reader `json:"-"` // who started it
	Undoer     Reader `json:"-"` // who asked for the undo
	Undo       bool   `json:"-"` // it is past its work: cancelled, failed and running mean the undo
	Frozen     bool   `json:"-"` // the list of its records is fixed
	Floor      int64  `json:"-"` // its changes have greater sequence numbers
	UndoBefore int64  `json:"-"` // changes from this sequence number on are undone; 0: none yet
	UndoTotal  int64  `json:"-"` // records to undo
	Generation int64  `json:"-"` // who works on it: a save under another generation is refused
}

// JobFile is a file that an export has written.
type JobFile struct {
	Name      string     `json:"name"`
	Format    string     `json:"format" enum:"csv,parquet,arrow"`
	Bytes     int64      `json:"bytes"`
	SHA256    string     `json:"sha256"`
	URL       string     `json:"url,omitempty" doc:"Where it is fetched; left out once it has expired"`
	Position  uint64     `json:"position" doc:"The position of the change log as of which the file stands"`
	Exact     bool       `json:"exact" doc:"No later change is in the file: all changes had their position when it was read"`
	ReadAt    time.Time  `json:"read_at" doc:"When the records were read, all at one moment"`
	ExpiresAt time.Time  `json:"expires_at"`
	Rights    string     `json:"-"` // fingerprint of the rights under which it was read
	Before    *time.Time `json:"happened_before,omitempty" doc:"It holds the records as they stood before this instant"`
}

// JobID is a job's public id.
func JobID(kind JobKind, number int64) string {
	return string(kind) + "_" + strconv.FormatInt(number, 10)
}

// ParseJobID reads a public id; a malformed one is not_found.
func ParseJobID(id string) (JobKind, int64, error) {
	kind, digits, _ := strings.Cut(id, "_")
	n, err := strconv.ParseInt(digits, 10, 64)
	switch k := JobKind(kind); {
	case err != nil || n < 1 || JobID(k, n) != id:
	case k == ImportJob || k == ExportJob || k == BulkJob:
		return k, n, nil
	}
	return "", 0, Errorf(NotFound, "there is no job %q", id)
}

// Cause is the cause that the job's changes carry.
func (j *Job) Cause() string { return string(j.Kind) + ":" + strconv.FormatInt(j.Number, 10) }

// UndoCause is the cause that the changes of its undo carry.
func (j *Job) UndoCause() string { return "undo:" + j.Cause() }

// JobRefusal is one record that a job did not write, or that its undo left as it is.
type JobRefusal struct {
	Record string `json:"record"` // public id
	Kept   bool   `json:"kept,omitempty"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
	Remedy string `json:"remedy,omitempty"`
}

// UndoTask asks for taking back what one cause wrote.
type UndoTask struct {
	Reader    Reader
	Cause     string
	UndoCause string
	Work      string // what it was, as told to people: "the import"
	Floor     int64  // changes of the cause have greater sequence numbers
	Before    int64  // changes from here on are dealt with; 0: none
}

// UndoStep is what one step of an undo did.
type UndoStep struct {
	Undone int64
	Kept   []JobRefusal // records that stay, with the reason
	Next   int64        // where to go on; 0: nothing is left
}
