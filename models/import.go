package models

import (
	"strconv"
	"time"
)

// ImportState says where an import stands.
type ImportState = JobState

// The states of an import are those of any long job.
const (
	ImportWaiting   = JobWaiting
	ImportRunning   = JobRunning
	ImportDone      = JobDone
	ImportCancelled = JobCancelled
	ImportFailed    = JobFailed
	ImportUndoing   = JobUndoing
	ImportUndone    = JobUndone
)

// ImportNote counts one thing that was accepted and is worth knowing.
type ImportNote = JobNote

// ImportUser names who started an import.
type ImportUser = JobUser

// Import is one file on its way into records, and how far it has come. The counts of records are of different records: one that a
// file names ten times counts once, and what an import has itself created is never counted as updated.
type Import struct {
	ID         int64        `json:"id"`
	FileName   string       `json:"file_name"`
	Object     string       `json:"object"` // what the file's rows mainly are
	State      ImportState  `json:"state"`
	DryRun     bool         `json:"dry_run"`
	RowsRead   int64        `json:"rows_read"`
	RowsTotal  *int64       `json:"rows_total,omitempty"` // nil while not known
	BytesRead  int64        `json:"bytes_read"`
	BytesTotal int64        `json:"bytes_total"`
	Created    int64        `json:"created"`   // records
	Updated    int64        `json:"updated"`   // records
	Unchanged  int64        `json:"unchanged"` // records that were there and already said so
	Refused    int64        `json:"refused"`   // rows
	Undone     int64        `json:"undone"`    // records that the undo has put back
	Conflicts  int64        `json:"conflicts"` // records that the undo kept, because others have worked with them since
	Notes      []ImportNote `json:"notes"`
	Error      string       `json:"error,omitempty"`
	CreatedAt  time.Time    `json:"created_at"`
	FinishedAt *time.Time   `json:"finished_at"`
	By         ImportUser   `json:"by"`

	Mapping    string `json:"-"` // YAML, as it was given or proposed
	SHA256     string `json:"-"` // of the stored file, lower-case hex
	Format     string `json:"-"` // what was detected, as the importer wrote it
	Reader     Reader `json:"-"` // who started it
	Undoer     Reader `json:"-"` // who asked for the undo
	Undo       bool   `json:"-"` // it is past reading: cancelled, failed and running mean the undo
	Pass       int    `json:"-"` // 1; 2 when references to later rows are filled
	PassRows   int64  `json:"-"` // rows of this pass that are done
	Later      bool   `json:"-"` // a second pass is needed
	UndoBefore int64  `json:"-"` // changes from this sequence number on are undone; 0: none yet
	Generation int64  `json:"-"` // who works on it: a save under another generation is refused
	UndoTotal  int64  `json:"-"` // records to undo
}

// Cause is the cause that the import's changes carry.
func (i *Import) Cause() string { return "import:" + strconv.FormatInt(i.ID, 10) }

// UndoCause is the cause that the changes of its undo carry.
func (i *Import) UndoCause() string { return "undo:" + strconv.FormatInt(i.ID, 10) }

// ImportRefusal is one row that was not written, or one record that an undo kept (Kept, without a row).
type ImportRefusal struct {
	Row    int64    `json:"row,omitempty"` // as a spreadsheet counts: the header is row 1
	Field  string   `json:"field,omitempty"`
	Reason string   `json:"reason"`
	Remedy string   `json:"remedy,omitempty"`
	Cells  []string `json:"cells,omitempty"`
	Kept   string   `json:"kept,omitempty"` // public id of the record
}

// TouchedRecord is a record that one import has written, with all its changes in the order of the log.
type TouchedRecord struct {
	Object  *Object
	Number  uint64
	Changes []Change
	// Sequence is the greatest sequence number of the cause's own changes of the record, restated images apart.
	Sequence int64
}

// ImportPreview is what an import would make of the first rows of a file.
type ImportPreview struct {
	Mapping   string         `json:"mapping" doc:"In YAML: as it was given, or proposed"`
	Draft     map[string]any `json:"draft" doc:"The mapping as JSON, for a form"`
	Columns   []ImportColumn `json:"columns"`
	Object    string         `json:"object,omitempty" doc:"What the rows mainly are"`
	Rows      []ImportRow    `json:"rows" doc:"The first rows and the fate of each; none where the mapping does not fit"`
	Created   int64          `json:"created"`
	Updated   int64          `json:"updated"`
	Unchanged int64          `json:"unchanged"`
	Refused   int64          `json:"refused"`
	Notes     []ImportNote   `json:"notes"`
	Problem   *Error         `json:"problem,omitempty" doc:"What is wrong with the mapping as a whole"`
}

// ImportColumn is a column of a file with some of its values.
type ImportColumn struct {
	Name    string   `json:"name"`
	Samples []string `json:"samples"`
}

// ImportRow is one row of a file and what would become of it.
type ImportRow struct {
	Row    int64    `json:"row" doc:"As a spreadsheet counts: the header is row 1"`
	Fate   string   `json:"fate" enum:"created,updated,unchanged,refused,left out"`
	Field  string   `json:"field,omitempty"`
	Reason string   `json:"reason,omitempty"`
	Remedy string   `json:"remedy,omitempty"`
	Cells  []string `json:"cells"`
}
