package stream

import (
	"context"
	"errors"
	"strings"
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
	InHand      int           // fetched and not settled now
	Busy        time.Duration // spent with messages in hand
}

type counters struct {
	batches, messages, redelivered, done, retried, rejected, panics atomic.Uint64
	busy, inHand                                                    atomic.Int64
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
		InHand:      int(c.stats.inHand.Load()),
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

// Passed reports whether every message up to the sequence seq is settled, over
// all replicas. It is false before the consumer has run for the first time.
func (c *Consumer) Passed(ctx context.Context, seq uint64) (bool, error) {
	consumer, err := c.From.conn.js.Consumer(ctx, c.Stream, c.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return false, nil
	}
	if err != nil {
		return false, classify("look up consumer "+c.Durable, err)
	}
	i := consumer.CachedInfo()
	return i.AckFloor.Stream >= seq || i.NumPending == 0 && i.NumAckPending == 0, nil
}

// Durables returns the names of the durable consumers of a stream that begin with
// prefix.
func (s *Streams) Durables(ctx context.Context, name, prefix string) ([]string, error) {
	from, err := s.conn.js.Stream(ctx, name)
	if err != nil {
		return nil, classify("look up stream "+name, err)
	}
	var found []string
	list := from.ConsumerNames(ctx)
	for durable := range list.Name() {
		if strings.HasPrefix(durable, prefix) {
			found = append(found, durable)
		}
	}
	if err := list.Err(); err != nil {
		return nil, classify("list consumers of "+name, err)
	}
	return found, nil
}

// Forget removes a durable consumer of a stream, if there is one. Nobody may run it
// any more.
func (s *Streams) Forget(ctx context.Context, name, durable string) error {
	err := s.conn.js.DeleteConsumer(ctx, name, durable)
	if err == nil || errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return classify("remove consumer "+durable, err)
}
