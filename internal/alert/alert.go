// Package alert says what is told to whom: subscriptions, notifications and the
// states a notification goes through. Pure: no I/O, no clock.
package alert

import (
	"time"

	"github.com/google/uuid"

	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// Channel is a way to tell a person or a system.
type Channel string

// The channels.
const (
	Email   Channel = "email"
	Webhook Channel = "webhook"
)

// State is where a notification stands.
type State string

// The states. Pending, Sending and Held can still change; the others are final.
const (
	Pending    State = "pending"    // waits for its job
	Sending    State = "sending"    // an attempt has started
	Sent       State = "sent"       // delivered at least once
	Failed     State = "failed"     // given up; kept for an operator
	Held       State = "held"       // the pair is not live at the moment; comes back with it
	Suppressed State = "suppressed" // consent withdrawn or endpoint disabled
)

// Subscription is a wish to be told about the suggestions of a cluster.
type Subscription struct {
	ID        uuid.UUID       `json:"id"`
	Cluster   string          `json:"cluster"`
	Name      string          `json:"name,omitempty"` // of the advisor, for the greeting
	Channel   Channel         `json:"channel"`
	Address   string          `json:"address"`            // e-mail address or webhook URL
	Secret    string          `json:"-"`                  // webhook signing secret
	Language  string          `json:"language,omitempty"` // of the reader: da nb nn sv fi nl en de fr
	MinBand   suggestion.Band `json:"min_band"`
	Active    bool            `json:"active"`
	CreatedAt time.Time       `json:"created_at"`
}

// Kind is what a notification is about.
type Kind string

// KindMatch tells of a suggestion that became live or rose to a higher band.
const KindMatch Kind = "match"

// Notification is one thing told to one subscription over one channel. Its ID
// (UUIDv7) is the idempotency key, the webhook-id and the local part of the
// e-mail's Message-ID: repeats of one notification carry the same id.
type Notification struct {
	ID           uuid.UUID
	Subscription Subscription
	Kind         Kind
	Band         suggestion.Band
	Pair         suggestion.Pair
	Demand       *profile.Profile
	Supply       *profile.Profile
	CreatedAt    time.Time
	Attempt      int // 1 for the first
	// AlsoPostedAs is set when a near-duplicate of one side was told with the same
	// other side: this notification then only adds that there is another posting.
	AlsoPostedAs *Twin
}

// Twin is a near-duplicate that was told in full before.
type Twin struct {
	Notification uuid.UUID        // by which it was told
	Profile      *profile.Profile // in place of the demand or the supply
}

// SendError is an attempt that failed in a way the channel understands.
type SendError struct {
	// Final says that another attempt would fail alike.
	Final bool
	// Disable says that the address should not be tried for anything again:
	// its owner said so (HTTP 410).
	Disable bool
	// After is how long to wait before the next attempt; 0 leaves it to the
	// queue.
	After time.Duration
	Err   error
}

// Error implements error.
func (e *SendError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// RetryAfter is the pause before the next attempt, for the queue of jobs.
func (e *SendError) RetryAfter() time.Duration { return e.After }
