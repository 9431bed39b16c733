package intake

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
)

// Durable is the name of the consumer of INTAKE that all workers share.
const Durable = "intake"

// races is how often a worker reads again when others are first, before it lets
// the message come later.
const races = 8

// Worker handles submissions. It is safe for concurrent use.
type Worker struct {
	Log      Log
	Inbox    Inbox
	Ledger   Ledger
	Detector Detector
}

// Handle takes m from INTAKE to PROFILES or to a rejection, and before it what
// was said of the same profile earlier and may not have been handled. It may be
// repeated. An error is that of a server and means that m must come again.
func (w *Worker) Handle(ctx context.Context, m event.Message) error {
	id, err := event.SubjectID(m.Subject)
	if err != nil { // no profile, so no order to keep
		s, faults := event.DecodeSubmission(m)
		_, tail, _ := strings.Cut(m.Subject, ".")
		s.ID = profile.ID(tail)
		return w.reject(ctx, s, faults)
	}
	for range races {
		err = w.inOrder(ctx, id, m)
		if !errors.Is(err, fault.ErrConflict) {
			return err
		}
	}
	return err
}

// inOrder handles what is pending before m, and then m. The error wraps
// fault.ErrConflict if another worker published in between.
func (w *Worker) inOrder(ctx context.Context, id profile.ID, m event.Message) error {
	last, err := w.last(ctx, id)
	if err != nil {
		return err
	}
	if last.IntakeSeq >= m.Sequence {
		return w.repeat(ctx, last, m)
	}
	after := last.IntakeSeq
	_, ok, err := w.Inbox.Said(ctx, id, after, m.Sequence)
	if err != nil {
		return err
	}
	if ok {
		// Rarely anything lies between; only then is it worth to ask what of it was
		// refused or settled. The newest revision is read after that, never before:
		// what was settled meanwhile must show in it.
		settled, err := w.Inbox.Settled(ctx, Durable)
		if err != nil {
			return err
		}
		if last, err = w.last(ctx, id); err != nil {
			return err
		}
		if last.IntakeSeq >= m.Sequence {
			return w.repeat(ctx, last, m)
		}
		after = max(last.IntakeSeq, settled)
	}
	for ok {
		var earlier event.Message
		if earlier, ok, err = w.Inbox.Said(ctx, id, after, m.Sequence); err != nil {
			return err
		}
		if !ok {
			break
		}
		if last, err = w.guarded(ctx, last, earlier); err != nil {
			return fmt.Errorf("message %d comes first: %w", earlier.Sequence, err)
		}
		after = earlier.Sequence
	}
	_, err = w.one(ctx, last, m)
	return err
}

// last returns the profile's newest revision; one with revision 0 if there is
// none.
func (w *Worker) last(ctx context.Context, id profile.ID) (event.Revision, error) {
	m, ok, err := w.Log.Last(ctx, id)
	if err != nil || !ok {
		return event.Revision{ID: id}, err
	}
	r, err := event.DecodeRevision(m)
	if err != nil {
		// The damage is ours, not the submission's: it waits for a repair.
		return event.Revision{}, fmt.Errorf("newest revision of %s: %v: %w", id, err, fault.ErrUnavailable) //nolint:errorlint // must not count as poison
	}
	return r, nil
}

// repeat handles a submission that is done. If the newest revision came of it,
// the worker that published it may have died before it retired the profile.
func (w *Worker) repeat(ctx context.Context, last event.Revision, m event.Message) error {
	if last.IntakeSeq != m.Sequence {
		return nil
	}
	return w.retire(ctx, last)
}

// guarded is one for a message that was not delivered to us: its panic is not
// the fault of the one in hand, which comes again once that message is given up.
func (w *Worker) guarded(ctx context.Context, last event.Revision, m event.Message) (next event.Revision, err error) {
	defer func() {
		if p := recover(); p != nil {
			next, err = last, fmt.Errorf("panic: %v: %w", p, fault.ErrUnavailable)
		}
	}()
	return w.one(ctx, last, m)
}

// one handles m, given that last is the newest revision and all before m is
// handled, and returns the newest revision after it.
func (w *Worker) one(ctx context.Context, last event.Revision, m event.Message) (event.Revision, error) {
	s, faults := event.DecodeSubmission(m)
	next, more, err := w.revise(ctx, last, s)
	if err != nil {
		return last, err
	}
	if faults = append(faults, more...); len(faults) > 0 {
		return last, w.reject(ctx, s, profile.SortFaults(faults))
	}
	out, err := event.EncodeRevision(next)
	if err == nil {
		next.Seq, err = w.Log.Publish(ctx, out, next.MessageID(), last.Seq)
	}
	if errors.Is(err, fault.ErrInvalid) {
		return last, w.reject(ctx, s, []event.Fault{{Code: event.CodeTooLarge, Message: "the profile does not fit into a message: shorten its texts"}})
	}
	if err != nil {
		return last, err
	}
	return next, w.retire(ctx, next)
}

// retire has a profile that was withdrawn or paused disappear at once, without
// waiting for the matcher.
func (w *Worker) retire(ctx context.Context, r event.Revision) error {
	if r.Status != profile.Withdrawn && r.Status != profile.Paused {
		return nil
	}
	return w.Ledger.Retire(ctx, r.ID, r.Seq)
}

func (w *Worker) reject(ctx context.Context, s event.Submission, faults []event.Fault) error {
	return w.Ledger.Reject(ctx, event.Rejection{
		ProfileID: s.ID,
		IntakeSeq: s.Sequence,
		EventID:   s.Envelope.ID,
		Faults:    faults,
		At:        s.Stored,
	})
}
