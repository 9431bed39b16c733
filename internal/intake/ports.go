package intake

import (
	"context"
	"time"

	"kobling/internal/event"
	"kobling/internal/profile"
)

// Log is the PROFILES stream. internal/stream implements it.
type Log interface {
	// Last returns the newest message on the profile's subject; ok is false when
	// there is none.
	Last(ctx context.Context, id profile.ID) (m event.Message, ok bool, err error)
	// Publish appends m to the profile's subject if that subject's last message
	// still has sequence expected (0: none), and returns the new sequence.
	// msgID makes a repeat recognisable. The error wraps fault.ErrConflict if
	// somebody else was first.
	Publish(ctx context.Context, m event.Message, msgID string, expected uint64) (seq uint64, err error)
}

// Inbox is the INTAKE stream. internal/stream implements it.
type Inbox interface {
	// Said returns the oldest message about the profile, on intake.* or control.*,
	// whose sequence is above after and below before; ok is false when there is
	// none.
	Said(ctx context.Context, id profile.ID, after, before uint64) (m event.Message, ok bool, err error)
	// Settled returns the sequence up to which the consumer durable has settled
	// everything.
	Settled(ctx context.Context, durable string) (uint64, error)
}

// Ledger is what intake writes beside the stream. internal/store implements it.
type Ledger interface {
	// Reject keeps r, keyed by its intake sequence, and has its event published;
	// a repeat changes nothing.
	Reject(ctx context.Context, r event.Rejection) error
	// Retire sets the profile's head to not alive at seq, unless it is already
	// at seq or later. See "Early withdrawal" in package match.
	Retire(ctx context.Context, id profile.ID, seq uint64) error
	// Admit says whether organisation org may post into cluster: the error is
	// nil, or wraps fault.ErrInvalid with a sentence for the producer. In a
	// cluster with open enrolment the organisation becomes a member. review says
	// that profiles wait for an advisor's release before they are published.
	Admit(ctx context.Context, org, cluster string) (review bool, err error)
}

// Detector guesses the language of a text that states none. internal/analysis
// implements it.
type Detector interface {
	// Detect returns a BCP 47 code, or "" when unsure.
	Detect(text string) string
}

// Validity is how long a profile is valid unless it says otherwise.
const Validity = 365 * 24 * time.Hour
