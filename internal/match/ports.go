package match

import (
	"context"

	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// Finder finds counterparts. internal/index implements it.
type Finder interface {
	// WaitFor returns once the index has applied the PROFILES sequence seq, or
	// an error wrapping fault.ErrUnavailable when ctx ends first.
	WaitFor(ctx context.Context, seq uint64) error
	// Find returns every profile that answers q, in order of id.
	Find(ctx context.Context, q score.Query) ([]score.Candidate, error)
	// Twins returns every profile that answers q, in order of id, but not q.ID.
	Twins(ctx context.Context, q score.TwinQuery) ([]score.Twin, error)
}

// Scorer is the predicate of one epoch. score.Epoch implements it.
type Scorer interface {
	// Number is the epoch's number.
	Number() int
	// Side analyses p.
	Side(p *profile.Profile) score.Side
	// Floor is the least text part of a pair that can be a suggestion.
	Floor() uint32
	// Twin is the least likeness of near-duplicates; 0: there are none.
	Twin() int
	// Pair scores a demand against a supply whose text part is text.
	Pair(demand, supply score.Facts, text uint32, top []score.Contribution) score.Result
}

// Ledger keeps heads, pairs and notifications. internal/store implements it.
type Ledger interface {
	// Commit writes b in one transaction, as the package comment says. The error
	// wraps fault.ErrStale if b.Epoch is not the active epoch.
	Commit(ctx context.Context, b suggestion.Batch) (suggestion.Outcome, error)
	// Quarantine keeps m with the reason why it cannot be handled, and marks the
	// profile's head quarantined, in one transaction.
	Quarantine(ctx context.Context, m event.Message, reason string) error
}
