// Package dlq looks after dead letters: messages that broke their handler every
// time. It decides whether one may be put through again; it knows no driver.
//
// # Why a retry is safe
//
// A message is never delivered a second time from where it lay: a copy of it is
// published, which takes its place in the order of now.
//
// A revision (PROFILES) is published again only if it is still the newest of its
// profile, by compare-and-set on its own sequence. The copy carries the same intake
// sequence and revision number, so intake goes on counting where it was; and it is
// handled like any other message.
//
// A submission (INTAKE) is said again only if nothing later was said of its profile
// or accepted from it, by compare-and-set on its subject: the copy is then the
// newest word, as the letter was.
//
// The letter is removed after the copy is safe. If that fails, another retry finds
// the copy and refuses; the letter is to be dropped.
package dlq

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
)

// Ledger keeps the letters. internal/store implements it.
type Ledger interface {
	DeadLetters(ctx context.Context, limit, offset int) ([]event.DeadLetter, error)
	DeadLetter(ctx context.Context, subject string, seq uint64) (event.DeadLetter, error)
	DropDeadLetter(ctx context.Context, subject string, seq uint64) error
}

// Log is the streams. internal/stream implements it.
type Log interface {
	// Last returns the newest message of a profile on PROFILES.
	Last(ctx context.Context, id profile.ID) (m event.Message, ok bool, err error)
	// Publish appends to PROFILES if the subject's last sequence is expected.
	Publish(ctx context.Context, m event.Message, msgID string, expected uint64) (uint64, error)
	// Said returns the oldest message of INTAKE on the profile between two sequences.
	Said(ctx context.Context, id profile.ID, after, before uint64) (m event.Message, ok bool, err error)
	// Resubmit appends to INTAKE if the subject's last message is at most at last.
	Resubmit(ctx context.Context, m event.Message, msgID string, last uint64) (uint64, error)
}

// Desk looks after the letters. It is safe for concurrent use.
type Desk struct {
	Ledger
	Log Log
}

// Retry puts a letter through again and returns the sequence of its copy, in the
// letter's stream. The error wraps fault.ErrConflict if something later has taken
// its place, and fault.ErrPoison if this program cannot read it either.
func (d *Desk) Retry(ctx context.Context, subject string, seq uint64) (uint64, error) {
	l, err := d.DeadLetter(ctx, subject, seq)
	if err != nil {
		return 0, err
	}
	again, err := d.again(ctx, l)
	if err != nil {
		return 0, fmt.Errorf("retry %s: %w", l.ID(), err)
	}
	if err := d.DropDeadLetter(ctx, l.Subject, l.Sequence); err != nil && !errors.Is(err, fault.ErrNotFound) {
		return again, fmt.Errorf("%s was put through again at %d, but not removed: drop it: %w", l.ID(), again, err)
	}
	return again, nil
}

func (d *Desk) again(ctx context.Context, l event.DeadLetter) (uint64, error) {
	root, _, _ := strings.Cut(l.Subject, ".")
	id, err := event.SubjectID(l.Subject)
	if err != nil {
		return 0, fmt.Errorf("%w: it names no profile, so nobody could handle it: drop it", fault.ErrPoison)
	}
	switch root {
	case event.Profiles:
		return d.revision(ctx, id, l)
	case event.Intake, event.Control:
		return d.submission(ctx, id, l)
	}
	return 0, fmt.Errorf("%w: it is of neither INTAKE nor PROFILES: drop it", fault.ErrInvalid)
}

func (d *Desk) revision(ctx context.Context, id profile.ID, l event.DeadLetter) (uint64, error) {
	last, ok, err := d.Log.Last(ctx, id)
	switch {
	case err != nil:
		return 0, err
	case !ok || last.Sequence < l.Sequence:
		return 0, fmt.Errorf("%w: it is no more on PROFILES: run \"kobling audit\"", fault.ErrConflict)
	case last.Sequence > l.Sequence:
		return 0, fmt.Errorf("%w: a later revision is at %d: drop it", fault.ErrConflict, last.Sequence)
	}
	// What is on the stream counts, not what was kept of it.
	r, err := event.DecodeRevision(last)
	if err != nil {
		return 0, fmt.Errorf("this program cannot read it either: %w", err)
	}
	return d.Log.Publish(ctx, copyOf(last), fmt.Sprintf("%s~retry-%d", r.MessageID(), l.Sequence), l.Sequence)
}

func (d *Desk) submission(ctx context.Context, id profile.ID, l event.DeadLetter) (uint64, error) {
	last, ok, err := d.Log.Last(ctx, id)
	if err != nil {
		return 0, err
	}
	if ok {
		r, err := event.DecodeRevision(last)
		if err != nil {
			return 0, fmt.Errorf("newest revision of %s: %w", id, err)
		}
		if r.IntakeSeq >= l.Sequence {
			return 0, fmt.Errorf("%w: a later submission, %d, was accepted: drop it", fault.ErrConflict, r.IntakeSeq)
		}
	}
	later, ok, err := d.Log.Said(ctx, id, l.Sequence, math.MaxInt64)
	if err != nil {
		return 0, err
	}
	if ok {
		return 0, fmt.Errorf("%w: something later was submitted at %d: drop it", fault.ErrConflict, later.Sequence)
	}
	return d.Log.Resubmit(ctx, copyOf(l.Message), fmt.Sprintf("%s~retry-%d", id, l.Sequence), l.Sequence)
}

// copyOf returns m without what the server or the client library put into it.
func copyOf(m event.Message) event.Message {
	c := event.Message{Subject: m.Subject, Header: maps.Clone(m.Header), Data: m.Data}
	maps.DeleteFunc(c.Header, func(name string, _ []string) bool { return strings.HasPrefix(name, "Nats-") })
	return c
}
