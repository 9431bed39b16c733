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
	"kobling/internal/fault"
)

// Defaults of a Consumer.
const (
	defaultBatch  = 64
	defaultLinger = 20 * time.Millisecond
	// What a killed process had in hand comes again after this. With 30 s, the server's
	// default, a service that was killed under load had worked all off 30 s after its
	// next start; with 5 s after 7 to 12 s. While a process works it says so every third
	// of it, so nothing came twice in a flood of 3,000 profiles on a machine with five
	// times more to do than processors; if it did, its handling would be a no-op.
	defaultAckWait       = 5 * time.Second
	defaultMaxAckPending = 4 * defaultBatch
	defaultTimeout       = 5 * time.Minute
	defaultDrain         = 20 * time.Second
	idlePull             = 500 * time.Millisecond // also the longest wait for an idle consumer to stop
)

// Handle processes a batch and returns one error for each message, in order, or
// nil if all went well. What it returns decides the messages' fate (see
// [fault.Judge]); it never acknowledges anything itself. Every message may be
// delivered again, so a Handle must be safe to repeat. It must not keep ms.
type Handle func(ctx context.Context, ms []event.Message) []error

// Meter measures what a Consumer does, which calls it from one goroutine.
type Meter interface {
	// Batch is told of each call of the handler: of how many messages and how long.
	Batch(messages int, took time.Duration)
	// Settled is told of each message how old it was, since the stream stored it.
	Settled(age time.Duration, v fault.Verdict)
}

// Consumer runs one Handle over one durable consumer, which all replicas share.
// The zero values of the numbers mean the defaults of the protocol. Run may be
// called again once it has returned.
type Consumer struct {
	From    *Streams
	Stream  string   // Intake or Profiles
	Durable string   // e.g. "match"; the server keeps under it what was settled
	Filter  []string // subjects; none: all

	Batch         int           // most messages handed out at once: 64
	Linger        time.Duration // how long a batch may fill up when the one before was full: 20 ms
	AckWait       time.Duration // after which an unsettled message comes again, to anybody: 5 s
	MaxAckPending int           // most messages out at once, over all replicas: 256
	Timeout       time.Duration // for one call of Handle: 5 min
	Drain         time.Duration // for the batch in hand once Run's context has ended: 20 s

	// Quarantine, if set, keeps a message whose handler panicked before it is
	// given up; if that fails the message is tried again.
	Quarantine func(ctx context.Context, m event.Message, reason string) error
	// Pace, if set, is called before messages are asked for, with none in hand, and
	// may wait until ctx ends.
	Pace func(ctx context.Context)
	// Meter, if set, is told what happens.
	Meter Meter
	// Settled, if set, is called after each message is settled. Tests wait on it.
	Settled func(m event.Message, v fault.Verdict)
	Log     *zap.Logger

	stats counters
}

// Run handles messages until ctx ends, finishes the batch in hand and returns
// nil. It waits out every failure of the server; it returns an error, wrapping
// [ErrFence], when the stream is no longer the one it began with.
func (c *Consumer) Run(ctx context.Context, h Handle) error {
	c.defaults()
	var created time.Time
	for attempt := uint64(1); ctx.Err() == nil; attempt++ {
		from, at, err := c.bind(ctx)
		if err == nil {
			if !created.IsZero() && !created.Equal(at) {
				return fmt.Errorf("stream %s: %w", c.Stream, ErrFence)
			}
			created, attempt = at, 1
			err = c.consume(ctx, from, h)
		}
		if err == nil || ctx.Err() != nil {
			return nil //nolint:nilerr // the caller ended it
		}
		c.Log.Warn("consumer waits", zap.String("consumer", c.Durable), zap.Error(err))
		pause(ctx, min(backoff(attempt), 5*time.Second))
	}
	return nil
}

func (c *Consumer) defaults() {
	setDefault(&c.Batch, defaultBatch)
	setDefault(&c.Linger, defaultLinger)
	setDefault(&c.AckWait, defaultAckWait)
	setDefault(&c.MaxAckPending, defaultMaxAckPending)
	setDefault(&c.Timeout, defaultTimeout)
	setDefault(&c.Drain, defaultDrain)
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// bind returns the durable consumer, making it if it is not there, and when its
// stream was created.
func (c *Consumer) bind(ctx context.Context) (jetstream.Consumer, time.Time, error) {
	s, err := c.From.conn.js.Stream(ctx, c.Stream)
	if err != nil {
		return nil, time.Time{}, classify("look up stream "+c.Stream, err)
	}
	from, err := s.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:        c.Durable,
		DeliverPolicy:  jetstream.DeliverAllPolicy,
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        c.AckWait,
		MaxDeliver:     -1,
		MaxAckPending:  c.MaxAckPending,
		FilterSubjects: c.Filter,
	})
	if err != nil {
		return nil, time.Time{}, classify("bind consumer "+c.Durable, err)
	}
	return from, s.CachedInfo().Created, nil
}

// consume fetches and handles batches until ctx ends (nil) or the server fails.
func (c *Consumer) consume(ctx context.Context, from jetstream.Consumer, h Handle) error {
	full := false
	for c.ready(ctx) {
		msgs, err := c.fetch(from, full)
		if len(msgs) > 0 { // also after an error: what was delivered is ours to settle
			c.work(ctx, msgs, h)
		}
		if err != nil {
			return err
		}
		full = len(msgs) == c.Batch
	}
	return nil
}

// ready waits as Pace wants it, and reports whether to go on.
func (c *Consumer) ready(ctx context.Context) bool {
	if c.Pace != nil && ctx.Err() == nil {
		c.Pace(ctx)
	}
	return ctx.Err() == nil
}

// fetch returns the messages that are there now, at most Batch. If there are
// none it waits a while for one. After a full batch it lets the next one fill.
// Nothing is asked for ahead: what waits in a client's buffer only grows old.
func (c *Consumer) fetch(from jetstream.Consumer, full bool) ([]jetstream.Msg, error) {
	if full {
		return collect(from.Fetch(c.Batch, jetstream.FetchMaxWait(c.Linger)))
	}
	msgs, err := collect(from.FetchNoWait(c.Batch))
	if err != nil || len(msgs) > 0 {
		return msgs, err
	}
	// The wait is short and is never broken off, as a message delivered at that
	// moment would be lost to us until AckWait is over.
	msgs, err = collect(from.Fetch(1, jetstream.FetchMaxWait(idlePull)))
	if err != nil || len(msgs) == 0 || c.Batch == 1 {
		return msgs, err
	}
	more, err := collect(from.FetchNoWait(c.Batch - 1))
	return append(msgs, more...), err
}

func collect(b jetstream.MessageBatch, err error) ([]jetstream.Msg, error) {
	if err != nil {
		return nil, classify("fetch", err)
	}
	var msgs []jetstream.Msg
	for m := range b.Messages() {
		msgs = append(msgs, m)
	}
	if err := b.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
		return msgs, classify("fetch", err)
	}
	return msgs, nil
}
