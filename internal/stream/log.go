package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
)

// Last returns the newest message on the profile's subject in PROFILES; ok is
// false when there is none.
func (s *Streams) Last(ctx context.Context, id profile.ID) (m event.Message, ok bool, err error) {
	raw, err := s.profiles.GetLastMsgForSubject(ctx, event.Subject(event.Profiles, id))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return event.Message{}, false, nil
	}
	if err != nil {
		return event.Message{}, false, classify("read newest revision of "+string(id), err)
	}
	return stored(raw), true, nil
}

// Publish appends m to PROFILES if its subject's last message still has sequence
// expected (0: none) and returns the new sequence. A repeat of a publish that
// went through returns the sequence of the first; msgID tells. The error wraps
// fault.ErrConflict if somebody else was first.
func (s *Streams) Publish(ctx context.Context, m event.Message, msgID string, expected uint64) (uint64, error) {
	doing := "publish on " + m.Subject
	ack, err := s.conn.js.PublishMsg(ctx, outgoing(m),
		jetstream.WithMsgID(msgID), jetstream.WithExpectLastSequencePerSubject(expected), jetstream.WithExpectStream(Profiles))
	if err == nil {
		return ack.Sequence, nil
	}
	if !raced(err) {
		return 0, classify(doing, err)
	}
	// A single server checks the expectation before it recognises a repeat, so
	// the one who was first may have been we.
	last, getErr := s.profiles.GetLastMsgForSubject(ctx, m.Subject)
	switch {
	case errors.Is(getErr, jetstream.ErrMsgNotFound):
		return 0, classify(doing, err)
	case getErr != nil:
		return 0, classify(doing, getErr)
	case last.Header.Get(jetstream.MsgIDHeader) == msgID:
		return last.Sequence, nil
	}
	return 0, classify(doing, err)
}

// Said returns the oldest message that says something of the profile, on
// intake.* or control.*, whose sequence in INTAKE is above after and below
// before; ok is false when there is none. INTAKE is read through its leader, so
// nothing that was acknowledged is missed.
func (s *Streams) Said(ctx context.Context, id profile.ID, after, before uint64) (m event.Message, ok bool, err error) {
	raw, err := s.intake.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject("*."+string(id)))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return event.Message{}, false, nil
	}
	if err != nil {
		return event.Message{}, false, classify("read what was said of "+string(id), err)
	}
	return stored(raw), raw.Sequence < before, nil
}

// Resubmit appends m to INTAKE if the last message on its subject is at most at
// sequence last, and returns the new sequence. The error wraps fault.ErrConflict if
// somebody said something later.
func (s *Streams) Resubmit(ctx context.Context, m event.Message, msgID string, last uint64) (uint64, error) {
	doing := "publish on " + m.Subject
	expected := uint64(0) // nothing is kept for ever
	switch raw, err := s.intake.GetLastMsgForSubject(ctx, m.Subject); {
	case errors.Is(err, jetstream.ErrMsgNotFound):
	case err != nil:
		return 0, classify(doing, err)
	case raw.Sequence > last:
		return 0, fmt.Errorf("%s: %w: message %d is later", doing, fault.ErrConflict, raw.Sequence)
	default:
		expected = raw.Sequence
	}
	ack, err := s.conn.js.PublishMsg(ctx, outgoing(m),
		jetstream.WithMsgID(msgID), jetstream.WithExpectLastSequencePerSubject(expected), jetstream.WithExpectStream(Intake))
	if err != nil {
		return 0, classify(doing, err)
	}
	return ack.Sequence, nil
}

// Settled returns the sequence of INTAKE up to which the consumer durable has
// settled everything; 0 if there is no such consumer yet.
func (s *Streams) Settled(ctx context.Context, durable string) (uint64, error) {
	consumer, err := s.intake.Consumer(ctx, durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, classify("look up consumer "+durable, err)
	}
	return consumer.CachedInfo().AckFloor.Stream, nil
}

// Info is what PROFILES says of itself: what an index or a ledger compares with
// what it applied before it trusts its own sequences.
type Info struct {
	Created           time.Time // a stream created anew has another time, and its sequences mean other messages
	FirstSeq, LastSeq uint64
	Messages, Bytes   uint64
}

// Info returns the state of PROFILES.
func (s *Streams) Info(ctx context.Context) (Info, error) {
	i, err := s.profiles.Info(ctx)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return Info{}, fmt.Errorf("stream %s is gone: %w", Profiles, ErrFence)
	}
	if err != nil {
		return Info{}, classify("look up stream "+Profiles, err)
	}
	return Info{
		Created:  i.Created,
		FirstSeq: i.State.FirstSeq,
		LastSeq:  i.State.LastSeq,
		Messages: i.State.Msgs,
		Bytes:    i.State.Bytes,
	}, nil
}

// At returns the message of PROFILES at seq; ok is false when it is not there
// (any more): a newer revision of its profile then lies above it.
func (s *Streams) At(ctx context.Context, seq uint64) (m event.Message, ok bool, err error) {
	raw, err := s.profiles.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return event.Message{}, false, nil
	}
	if err != nil {
		return event.Message{}, false, classify(fmt.Sprintf("read message %d of %s", seq, Profiles), err)
	}
	return stored(raw), true, nil
}

// ErrFence is the error of a stream that is not the one that was read before, or
// that lost what had been read. Nothing may go on; a person must look.
var ErrFence = errors.New("the stream is not the one that was read before")

// fence checks that PROFILES was created at created (zero: unknown yet) and still
// reaches applied.
func (s *Streams) fence(ctx context.Context, created time.Time, applied uint64) (Info, error) {
	i, err := s.Info(ctx)
	switch {
	case err != nil:
		return Info{}, err
	case !created.IsZero() && !i.Created.Equal(created):
		return i, fmt.Errorf("%w: it was created %s, not %s", ErrFence, i.Created.UTC().Format(time.RFC3339Nano), created.UTC().Format(time.RFC3339Nano))
	case i.LastSeq < applied:
		return i, fmt.Errorf("%w: it ends at %d, but %d has been applied", ErrFence, i.LastSeq, applied)
	}
	return i, nil
}
