package event

import (
	"time"

	"kobling/internal/profile"
)

// Renewal is the data of a [TypeRenewed] event.
type Renewal struct {
	ValidUntil time.Time `json:"valid_until,omitzero"` // zero: a year on
}

// Submission is what a producer, or the service on control.*, says of a profile.
type Submission struct {
	Envelope
	ID       profile.ID       // from the subject
	Control  bool             // said by the service itself, on control.*
	Quiet    bool             // raises no alert; only ever set with Control
	Profile  *profile.Profile // of TypeDrafted and TypeSubmitted, not normalised; else nil
	Renewal  Renewal          // of TypeRenewed
	Sequence uint64           // in INTAKE
	Stored   time.Time        // when the stream stored it
}
