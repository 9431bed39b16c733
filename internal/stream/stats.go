package stream

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Stats are what a consumer did since it was made.
type Stats struct {
	Batches     uint64        // calls of the handler
	Messages    uint64        // handed to it, repeats included
	Redelivered uint64        // of them delivered before
	Done        uint64        // settled: never again
	Retried     uint64        // settled: later again
	Rejected    uint64        // settled: given up
	Panics      uint64        // of the handler
	Busy        time.Duration // spent with messages in hand
}

type counters struct {
	batches, messages, redelivered, done, retried, rejected, panics atomic.Uint64
	busy                                                            atomic.Int64
}

// Stats returns the counters. It may be called at any time.
func (c *Consumer) Stats() Stats {
	return Stats{
		Batches:     c.stats.batches.Load(),
		Messages:    c.stats.messages.Load(),
		Redelivered: c.stats.redelivered.Load(),
		Done:        c.stats.done.Load(),
		Retried:     c.stats.retried.Load(),
		Rejected:    c.stats.rejected.Load(),
		Panics:      c.stats.panics.Load(),
		Busy:        time.Duration(c.stats.busy.Load()),
	}
}

// Backlog is how far a durable consumer is behind its stream, over all replicas.
type Backlog struct {
	Pending     uint64    // not yet delivered
	AckPending  int       // delivered, not settled
	Redelivered int       // of those in AckPending delivered before
	Oldest      time.Time // when the oldest unsettled message was stored; zero: none
}

// Backlog asks the server. Before the consumer has run for the first time all of
// its stream is pending.
func (c *Consumer) Backlog(ctx context.Context) (Backlog, error) {
	s, err := c.From.conn.js.Stream(ctx, c.Stream)
	if err != nil {
		return Backlog{}, classify("look up stream "+c.Stream, err)
	}
	var b Backlog
	var floor uint64
	consumer, err := s.Consumer(ctx, c.Durable)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		b.Pending = s.CachedInfo().State.Msgs
	case err != nil:
		return Backlog{}, classify("look up consumer "+c.Durable, err)
	default:
		i := consumer.CachedInfo()
		b = Backlog{Pending: i.NumPending, AckPending: i.NumAckPending, Redelivered: i.NumRedelivered}
		floor = i.AckFloor.Stream
	}
	if b.Pending == 0 && b.AckPending == 0 {
		return b, nil
	}
	oldest, err := s.GetMsg(ctx, floor+1, jetstream.WithGetMsgSubject(">"))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound): // settled or superseded meanwhile
	case err != nil:
		return Backlog{}, classify("read oldest message of "+c.Stream, err)
	default:
		b.Oldest = oldest.Time
	}
	return b, nil
}
