package models

import "time"

// RelayBatch is one frozen batch of the relay: the changes of a range of positions. The log never changes and has no gaps, so a
// range is the same rows in the same order each time it is read.
type RelayBatch struct {
	Incarnation string // of the warehouse's copy; a new one whenever the copy starts again, so that tokens never repeat
	Number      uint64 // counts the batches of an incarnation from 1
	After       uint64 // exclusive
	Through     uint64 // inclusive
}

// Rows is how many changes the batch holds.
func (b RelayBatch) Rows() uint64 { return b.Through - b.After }

// RelayProgress is what the relay keeps in the transactional store. The zero value is a relay that never ran.
type RelayProgress struct {
	Incarnation  string
	Batch        uint64      // number of the last batch frozen; 0 before the first
	Acknowledged uint64      // all changes up to this position stand in the warehouse
	Frozen       *RelayBatch // decided but not known to stand there; it goes first, unchanged
}

// RelayState says what the relay is doing.
type RelayState string

// The states of the relay.
const (
	RelayStopped  RelayState = "stopped"   // not started, or ended
	RelayRunning  RelayState = "running"   // there are changes to take over
	RelayCaughtUp RelayState = "caught_up" // everything stands in the warehouse
	RelayRetrying RelayState = "retrying"  // the last try ended with an error, the next is due soon
)

// RelayStatus is how far the relay is.
type RelayStatus struct {
	Position    uint64     `json:"position"` // last change that stands in the warehouse
	Head        uint64     `json:"head"`     // last change of the log
	LagChanges  uint64     `json:"lag_changes"`
	LagSeconds  float64    `json:"lag_seconds"` // age of the oldest change that is still to come; 0 when caught up
	LastError   string     `json:"last_error"`  // of the try that goes on; empty once a batch went through
	Batch       uint64     `json:"batch"`
	Incarnation string     `json:"incarnation"`
	State       RelayState `json:"state"`
}

// RelayAdvance tells that one more batch stands in the warehouse.
type RelayAdvance struct {
	Batch   RelayBatch
	Objects map[string]RelayTouched // by object name; only those with rows
}

// RelayTouched says what a batch brought for one object.
type RelayTouched struct {
	Rows         uint64
	HappenedFrom time.Time // least happened_at of the rows: windows before it stay as they are
	HappenedTo   time.Time // greatest, inclusive
}
