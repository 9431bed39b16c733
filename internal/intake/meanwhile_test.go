package intake_test

import (
	"context"
	"testing"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/intake"
	"kobling/internal/profile"
	"kobling/internal/stream"
)

// between runs f once, right after the newest revision was read.
type between struct {
	*stream.Streams
	f func()
}

func (b *between) Last(ctx context.Context, id profile.ID) (event.Message, bool, error) {
	m, ok, err := b.Streams.Last(ctx, id)
	if f := b.f; f != nil {
		b.f = nil
		f()
	}
	return m, ok, err
}

func TestWhatAnotherReplicaSettlesMeanwhileIsSeen(t *testing.T) {
	t.Parallel()
	h := start(t)
	h.say(t, submit("A"))
	m2 := h.say(t, simply(event.TypeWithdrawn))
	other := func() { // another replica handles message 1, whole
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := &stream.Consumer{
			From: h.streams, Stream: stream.Intake, Durable: intake.Durable, Batch: 1, MaxAckPending: 1,
			Settled: func(event.Message, fault.Verdict) { cancel() },
		}
		if err := c.Run(ctx, stream.Each(1, h.Worker.Handle)); err != nil {
			t.Error(err)
		}
	}
	w := h.Worker
	w.Log = &between{h.streams, other}
	if err := w.Handle(t.Context(), m2); err != nil {
		t.Fatal(err)
	}
	if r, ok := h.rejected[m2.Sequence]; ok {
		t.Errorf("the withdrawal is refused: %+v", r.Faults)
	}
}
