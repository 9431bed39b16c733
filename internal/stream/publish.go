package stream

import (
	"context"
	"maps"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/event"
)

// Publish stores m on its subject, in INTAKE or EVENTS, and returns the sequence
// under which it is kept. A repeat with the same msgID within two minutes is not
// stored again and returns the sequence of the first; "" asks for no such check.
// Once it returns, m survives a power failure.
func (c *Conn) Publish(ctx context.Context, m event.Message, msgID string) (uint64, error) {
	var opts []jetstream.PublishOpt
	if msgID != "" {
		opts = append(opts, jetstream.WithMsgID(msgID))
	}
	ack, err := c.js.PublishMsg(ctx, outgoing(m), opts...)
	if err != nil {
		return 0, classify("publish on "+m.Subject, err)
	}
	return ack.Sequence, nil
}

// outgoing returns m as the client library sends it. The header is copied: the
// library adds to it.
func outgoing(m event.Message) *nats.Msg {
	out := &nats.Msg{Subject: m.Subject, Data: m.Data, Header: make(nats.Header, len(m.Header)+2)}
	maps.Copy(out.Header, m.Header)
	return out
}

// stored returns a message that was read back from a stream.
func stored(m *jetstream.RawStreamMsg) event.Message {
	return event.Message{Subject: m.Subject, Sequence: m.Sequence, Time: m.Time, Header: m.Header, Data: m.Data, Attempt: 1}
}

// delivered returns a message that a consumer delivered.
func delivered(m jetstream.Msg) (event.Message, error) {
	meta, err := m.Metadata()
	if err != nil {
		return event.Message{}, classify("read metadata", err)
	}
	return event.Message{
		Subject:  m.Subject(),
		Sequence: meta.Sequence.Stream,
		Time:     meta.Timestamp,
		Header:   m.Headers(),
		Data:     m.Data(),
		Attempt:  meta.NumDelivered,
	}, nil
}
