package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"kobling/internal/event"
)

// Limits of what a Follower hands out at once.
const (
	followBatch  = 512
	followBytes  = 4 << 20
	followLinger = time.Millisecond
	heartbeat    = 5 * time.Second
)

// errGap is the end of a session in which deliveries were lost.
var errGap = errors.New("deliveries were lost")

// Follower reads PROFILES in order, for whoever keeps what was read together
// with how far that was, such as the index. No two may share what they keep.
type Follower struct {
	From *Streams
	// Created is when the stream was created that was followed before; zero if
	// nothing was read yet.
	Created time.Time
	Log     *zap.Logger
}

// Run hands every message from sequence next on to h, in order, in batches of
// what is there, and none twice; revisions that were superseded before they were
// read are left out. It waits out failures of the server and resumes behind the
// last batch that h took. It returns nil when ctx ends, h's error, or an error
// wrapping [ErrFence] when the stream is not the one created at Created or ends
// before next-1; that is checked whenever it has to resume.
func (f *Follower) Run(ctx context.Context, next uint64, h func(ctx context.Context, ms []event.Message) error) error {
	next = max(next, 1)
	created := f.Created
	for attempt := uint64(1); ctx.Err() == nil; attempt++ {
		s, err := f.open(ctx, created, next)
		if err == nil {
			created, attempt = s.created, 1
			stop := f.From.conn.onReconnect(s.msgs.Stop) // what comes after may be another stream: ask the fence
			err = s.run(ctx, h)
			stop()
			next = s.next
		}
		if refused, ok := errors.AsType[*refusedError](err); ok {
			return refused.error
		}
		if errors.Is(err, ErrFence) {
			return fmt.Errorf("follow %s: %w", Profiles, err)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the caller ended it
		}
		if errors.Is(err, jetstream.ErrMsgIteratorClosed) { // the connection is back: no reason to wait
			f.Log.Info("follower resumes", zap.Uint64("sequence", next))
			continue
		}
		f.Log.Warn("follower resumes", zap.Uint64("sequence", next), zap.Error(err))
		pause(ctx, min(backoff(attempt), 5*time.Second))
	}
	return nil
}

// refusedError is an error of the handler, which ends the following.
type refusedError struct{ error }

// session is one consumer of the server and what was read of it.
type session struct {
	created  time.Time
	next     uint64 // sequence from which the handler has seen nothing
	consumer uint64 // last delivery: they are numbered without gaps
	msgs     jetstream.MessagesContext
}

// open begins a session behind what was read, once the fence allows it.
func (f *Follower) open(ctx context.Context, created time.Time, next uint64) (*session, error) {
	info, err := f.From.fence(ctx, created, next-1)
	if err != nil {
		return nil, err
	}
	c, err := f.From.profiles.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       next,
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: time.Minute,
	})
	if err != nil {
		return nil, classify("follow "+Profiles, err)
	}
	msgs, err := c.Messages(jetstream.PullMaxMessages(2*followBatch), jetstream.PullHeartbeat(heartbeat),
		jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return nil, classify("follow "+Profiles, err)
	}
	return &session{created: info.Created, next: next, msgs: msgs}, nil
}

// run hands out batches until something fails.
func (s *session) run(ctx context.Context, h func(context.Context, []event.Message) error) error {
	defer s.msgs.Stop()
	for {
		ms, err := s.batch(ctx)
		if len(ms) > 0 {
			if herr := h(ctx, ms); herr != nil {
				return &refusedError{herr}
			}
			s.next = ms[len(ms)-1].Sequence + 1
		}
		if err != nil {
			return err
		}
	}
}

// batch waits for a message and takes those that are behind it already.
func (s *session) batch(ctx context.Context) ([]event.Message, error) {
	m, err := s.one(jetstream.NextContext(ctx))
	if err != nil {
		return nil, err
	}
	ms, size := []event.Message{m}, len(m.Data)
	for len(ms) < followBatch && size < followBytes {
		m, err := s.one(jetstream.NextMaxWait(followLinger))
		if errors.Is(err, nats.ErrTimeout) {
			break
		}
		if err != nil {
			return ms, err
		}
		ms, size = append(ms, m), size+len(m.Data)
	}
	return ms, nil
}

// one returns the next message, or errGap if it is not the next delivery.
func (s *session) one(wait jetstream.NextOpt) (event.Message, error) {
	raw, err := s.msgs.Next(wait)
	if err != nil {
		return event.Message{}, err
	}
	meta, err := raw.Metadata()
	if err != nil {
		return event.Message{}, classify("read metadata", err)
	}
	s.consumer++
	if meta.Sequence.Consumer != s.consumer {
		return event.Message{}, errGap
	}
	return delivered(raw)
}
