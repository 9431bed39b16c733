// Package fault names the few kinds of failure and what each means at every
// edge: for a message, for an HTTP client and for a command's exit code. An
// error is given its kind where the failure is understood, and asked for it
// once, where it is settled.
package fault

import (
	"context"
	"errors"
)

// The kinds. Wrap one with fmt.Errorf("…: %w", fault.ErrInvalid). An error that
// wraps none of them is unexpected: a 500 for a client, a retry for a message.
var (
	ErrInvalid     = errors.New("invalid")     // will be just as wrong next time
	ErrNotFound    = errors.New("not found")   // the thing named does not exist
	ErrConflict    = errors.New("conflict")    // somebody else was first; read again and decide anew
	ErrStale       = errors.New("stale")       // something newer was already applied
	ErrUnavailable = errors.New("unavailable") // a dependency is down or behind; try later
	ErrPoison      = errors.New("poison")      // the input breaks us every time (cannot decode, panic)
)

// Verdict is what becomes of a message once its handler has returned.
type Verdict int

// The verdicts.
const (
	Retry  Verdict = iota // deliver again, later
	Done                  // never deliver again: it worked, or it no longer matters
	Reject                // never deliver again: it cannot work; it was kept for a person
)

// String returns the verdict's name as logs and metrics show it.
func (v Verdict) String() string {
	switch v {
	case Done:
		return "done"
	case Reject:
		return "reject"
	case Retry:
	}
	return "retry"
}

// kinds is the one table; its order decides when an error wraps several kinds.
var kinds = []struct {
	err     error
	status  int
	verdict Verdict
}{
	{ErrPoison, 422, Reject},
	{ErrInvalid, 422, Reject},
	{ErrNotFound, 404, Reject},
	{ErrStale, 409, Done},
	{ErrConflict, 409, Retry},
	{ErrUnavailable, 503, Retry},
	{context.DeadlineExceeded, 503, Retry},
	{context.Canceled, 503, Retry},
}

// Judge returns the verdict on a message whose handler returned err.
func Judge(err error) Verdict {
	if err == nil {
		return Done
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.verdict
		}
	}
	return Retry
}

// Status returns the HTTP status code for err: 200 for nil, 500 for an error of
// no known kind.
func Status(err error) int {
	if err == nil {
		return 200
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.status
		}
	}
	return 500
}

// Kind returns the kind's own text ("invalid", "not found", …) and "internal"
// for an error of no known kind. It is what an outsider may be told.
func Kind(err error) string {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.err.Error()
		}
	}
	return "internal"
}
