package models

import "time"

// ChangeKind says what a change row does to its record.
type ChangeKind string

// The kinds. A restated image carries no change of its own: it is a later instant as an earlier, back-dated change left it.
const (
	Created  ChangeKind = "created"
	Updated  ChangeKind = "updated"
	Deleted  ChangeKind = "deleted"
	Restored ChangeKind = "restored"
	Restated ChangeKind = "restated"
)

// FieldChange is one field's before and after.
type FieldChange struct {
	Field  *Field
	Before Value
	After  Value
}

// Change is one row of the log. Up to the cut-offs (HappenedAt < D, Position ≤ P) the image with the greatest
// (HappenedAt, Position) is the record's state; the greatest Position is always its present.
type Change struct {
	Position        uint64 // order of the log, from 1 without gaps; 0 while not sequenced
	Object          *Object
	Number          uint64
	Version         int64
	Kind            ChangeKind
	HappenedAt      time.Time
	HappenedUnknown bool
	RecordedAt      time.Time
	Actor           Actor
	Cause           string
	Fields          []FieldChange
	Deleted         bool    // state after the change
	Image           []Value // whole record as of HappenedAt, in the order of Object.Fields
}

// Cutoff says as of when a question is asked. Zero fields do not cut.
type Cutoff struct {
	HappenedBefore time.Time // exclusive
	Position       uint64    // inclusive
}

// IsZero tells whether the question is about the present.
func (c Cutoff) IsZero() bool { return c.HappenedBefore.IsZero() && c.Position == 0 }

// LogRow is one row of the change log as it is stored, for the relay: Image is the JSON text of the whole record.
type LogRow struct {
	Position        uint64
	Object          string
	Number          uint64
	Version         int64
	Kind            ChangeKind
	HappenedAt      time.Time
	HappenedUnknown bool
	RecordedAt      time.Time
	ActorKind       ActorKind
	ActorUser       uint64
	Cause           string
	Deleted         bool
	Image           []byte // valid only until the callback that got the row returns
}
