package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/event"
)

// Extent is what a stream holds and how far its consumers have come.
type Extent struct {
	FirstSeq, LastSeq uint64
	Messages, Bytes   uint64
	// Settled is, for each durable consumer, the sequence up to which everything is
	// settled, Delivered that of the last message that was handed out.
	Settled, Delivered map[string]uint64
	// Pulling is how many requests for messages are waiting: not 0 while somebody
	// works on the stream and has nothing to do.
	Pulling int
}

// Extent asks the leader of a stream. The error wraps fault.ErrNotFound if there
// is no such stream.
func (c *Conn) Extent(ctx context.Context, name string) (Extent, error) {
	s, err := c.js.Stream(ctx, name)
	if err != nil {
		return Extent{}, lookUp(name, err)
	}
	st := s.CachedInfo().State
	e := Extent{FirstSeq: st.FirstSeq, LastSeq: st.LastSeq, Messages: st.Msgs, Bytes: st.Bytes, Settled: map[string]uint64{}, Delivered: map[string]uint64{}}
	list := s.ListConsumers(ctx)
	for i := range list.Info() {
		if i.Config.Durable != "" {
			e.Settled[i.Config.Durable], e.Delivered[i.Config.Durable] = i.AckFloor.Stream, i.Delivered.Stream
			e.Pulling += i.NumWaiting
		}
	}
	if err := list.Err(); err != nil {
		return Extent{}, classify("list consumers of "+name, err)
	}
	return e, nil
}

// Walk calls f for every message of a stream from sequence first to last, in
// order, and leaves out those that are no more. It needs no consumer, only the
// right to read. It returns f's error as it is.
func (c *Conn) Walk(ctx context.Context, name string, first, last uint64, f func(event.Message) error) error {
	s, err := c.js.Stream(ctx, name)
	if err != nil {
		return lookUp(name, err)
	}
	for next := max(first, 1); next <= last; {
		raw, err := s.GetMsg(ctx, next, jetstream.WithGetMsgSubject(">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return classify(fmt.Sprintf("read %s from %d", name, next), err)
		}
		if raw.Sequence > last {
			return nil
		}
		if err := f(stored(raw)); err != nil {
			return err
		}
		next = raw.Sequence + 1
	}
	return nil
}
