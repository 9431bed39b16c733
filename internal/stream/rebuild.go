package stream

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/event"
	"kobling/internal/fault"
)

// heldSuffix and heldRoot name the stream in which the messages of another one lie
// while that one is made anew, and its subjects.
const (
	heldSuffix = "_REBUILD"
	heldRoot   = "rebuild."
)

// Again has consumer durable of a stream deliver everything once more, from the
// beginning. Whoever runs it goes on, with that.
func (c *Conn) Again(ctx context.Context, name, durable string) error {
	_, err := c.js.Consumer(ctx, name, durable) // a reset of what is not there is not answered
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil // it will begin there
	}
	if err != nil {
		return classify("look up consumer "+durable, err)
	}
	return c.Rewind(ctx, name, durable, 1)
}

// Held calls f for the messages that [Conn.Recreate] left behind when it was cut
// off, as they were; there are none otherwise.
func (c *Conn) Held(ctx context.Context, name string, f func(event.Message) error) error {
	e, err := c.Extent(ctx, name+heldSuffix)
	if errors.Is(err, fault.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.Walk(ctx, name+heldSuffix, 1, e.LastSeq, func(m event.Message) error {
		m.Subject = strings.TrimPrefix(m.Subject, heldRoot)
		return f(m)
	})
}

// Recreate makes a stream anew, as cfg says, that holds ms in their order, and
// returns the sequence of its last one. It may be cut off at any moment: the messages
// lie in a stream beside it until it is done, from where [Conn.Held] reads them, and
// what lies there already goes first. Nobody else may use the stream.
func (c *Conn) Recreate(ctx context.Context, name string, cfg Config, ms iter.Seq2[event.Message, error]) (uint64, error) {
	var want jetstream.StreamConfig
	for _, s := range cfg.streams() {
		if s.Name == name {
			want = s
		}
	}
	if err := c.hold(ctx, want, ms); err != nil {
		return 0, err
	}
	if err := c.js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, classify("delete stream "+name, err)
	}
	if _, err := c.js.CreateStream(ctx, want); err != nil {
		return 0, classify("create stream "+name, err)
	}
	held := func(yield func(event.Message, error) bool) {
		stop := errors.New("enough")
		err := c.Held(ctx, name, func(m event.Message) error {
			if !yield(m, nil) {
				return stop
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			yield(event.Message{}, err)
		}
	}
	if err := c.fill(ctx, name, held); err != nil {
		return 0, err
	}
	e, err := c.Extent(ctx, name)
	if err != nil {
		return 0, err
	}
	return e.LastSeq, classify("delete stream "+name+heldSuffix, c.js.DeleteStream(ctx, name+heldSuffix))
}

// hold keeps ms beside the stream that is about to be made anew. Where a subject
// has one message, the later replaces the earlier.
func (c *Conn) hold(ctx context.Context, want jetstream.StreamConfig, ms iter.Seq2[event.Message, error]) error {
	name := want.Name + heldSuffix
	held := want
	held.Name, held.FirstSeq, held.MaxBytes, held.MaxAge = name, 0, -1, 0
	held.Description = "The messages of " + want.Name + " while that is made anew; kobling rebuild stream goes on from here"
	held.DenyDelete, held.DenyPurge = false, false
	held.Subjects = nil
	for _, subject := range want.Subjects {
		held.Subjects = append(held.Subjects, heldRoot+subject)
	}
	if _, err := c.js.CreateOrUpdateStream(ctx, held); err != nil {
		return classify("create stream "+name, err)
	}
	return c.fill(ctx, name, func(yield func(event.Message, error) bool) {
		for m, err := range ms {
			m.Subject = heldRoot + m.Subject
			if !yield(m, err) {
				return
			}
		}
	})
}

// fillAhead is how many messages may be on their way to the server.
const fillAhead = 256

// fill publishes ms to a stream, in order, and returns once all are safe.
func (c *Conn) fill(ctx context.Context, name string, ms iter.Seq2[event.Message, error]) error {
	var under []jetstream.PubAckFuture
	await := func(left int) error {
		for len(under) > left {
			select {
			case <-under[0].Ok():
			case err := <-under[0].Err():
				return classify("publish on "+under[0].Msg().Subject, err)
			case <-ctx.Done():
				return ctx.Err()
			}
			under = under[1:]
		}
		return nil
	}
	for m, err := range ms {
		if err != nil {
			return err
		}
		future, err := c.js.PublishMsgAsync(outgoing(withoutServerHeaders(m)), jetstream.WithExpectStream(name))
		if err != nil {
			return classify("publish on "+m.Subject, err)
		}
		under = append(under, future)
		if err := await(fillAhead); err != nil {
			return err
		}
	}
	return await(0)
}

// withoutServerHeaders returns m without what a server or a publisher's library put
// into it for its own ends.
func withoutServerHeaders(m event.Message) event.Message {
	header := make(map[string][]string, len(m.Header))
	for name, values := range m.Header {
		if !strings.HasPrefix(name, "Nats-") {
			header[name] = values
		}
	}
	m.Header = header
	return m
}
