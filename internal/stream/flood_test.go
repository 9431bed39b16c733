package stream_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/stream"
	"kobling/internal/testkit"
)

// gauge is a meter that keeps what it is told.
type gauge struct {
	mu      sync.Mutex
	batches []int
	ages    []time.Duration
	took    time.Duration
}

func (g *gauge) Batch(messages int, took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.batches, g.took = append(g.batches, messages), g.took+took
}

func (g *gauge) Settled(age time.Duration, _ fault.Verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ages = append(g.ages, age)
}

// TestAFloodStaysOnTheStream has producers be faster than three replicas can be: what
// these have in hand, and thereby in memory, is bounded by their batches, and what is
// out altogether by MaxAckPending. How old it became is told.
func TestAFloodStaysOnTheStream(t *testing.T) {
	t.Parallel()
	const flood, batch, out = 400, 16, 40
	s := start(t)
	s.publish(t, flood) // first: whoever has fetched a few waits for ever with these
	var inHand, most, done atomic.Int64
	step := make(chan struct{}) // closed once the replicas may go on
	goOn := sync.OnceFunc(func() { close(step) })
	handle := func(_ context.Context, ms []event.Message) []error {
		most.Store(max(most.Load(), inHand.Add(int64(len(ms)))))
		<-step
		inHand.Add(-int64(len(ms)))
		done.Add(int64(len(ms)))
		return nil
	}
	meters := make([]gauge, 3)
	var first *stream.Consumer
	for i := range meters {
		c, _ := s.consumer()
		c.Batch, c.MaxAckPending, c.Meter = batch, out, &meters[i]
		run(t, c, handle)
		first = c
	}
	t.Cleanup(goOn) // before they are stopped, or their handlers would never end
	testkit.Eventually(t, limit, "the replicas have all they may have", func() bool { return inHand.Load() == out })
	b, err := first.Backlog(t.Context())
	if err != nil || b.AckPending != out || b.Pending != flood-out || b.Oldest.IsZero() {
		t.Errorf("Backlog = %+v, %v; want %d out of %d", b, err, out, flood)
	}
	if st := first.Stats(); st.InHand == 0 || st.InHand > batch {
		t.Errorf("%d in hand in one replica, want 1 to %d", st.InHand, batch)
	}
	goOn()
	testkit.Eventually(t, limit, "all is done", func() bool { return done.Load() == flood })
	s.empty(t, first)
	if n := most.Load(); n > out {
		t.Errorf("%d messages were in hand at once, want at most %d", n, out)
	}
	if st := first.Stats(); st.InHand != 0 {
		t.Errorf("%d are still in hand", st.InHand)
	}
	messages, settled := 0, 0
	for i := range meters {
		g := &meters[i]
		g.mu.Lock()
		for _, n := range g.batches {
			messages += n
		}
		settled += len(g.ages)
		if slices.Max(g.batches) > batch || slices.Min(g.ages) <= 0 || g.took <= 0 {
			t.Errorf("replica %d was measured with batches of %v, ages from %s, %s in all", i, g.batches, slices.Min(g.ages), g.took)
		}
		g.mu.Unlock()
	}
	if messages != flood || settled != flood {
		t.Errorf("%d handled and %d settled were told, want %d", messages, settled, flood)
	}
}

// TestWhatWaitsForItsTurnIsKept has messages that have failed often, and are handled
// one by one: the last waits longer than AckWait.
func TestWhatWaitsForItsTurnIsKept(t *testing.T) {
	t.Parallel()
	const messages, failures = 3, 5
	s := start(t)
	s.publish(t, messages)
	c, ch := s.consumer()
	c.AckWait = 300 * time.Millisecond
	raw, err := s.js.CreateOrUpdateConsumer(t.Context(), stream.Intake, jetstream.ConsumerConfig{
		Durable: c.Durable, AckPolicy: jetstream.AckExplicitPolicy, AckWait: c.AckWait, MaxDeliver: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	for range failures {
		batch, err := raw.Fetch(messages)
		if err != nil {
			t.Fatal(err)
		}
		var all []jetstream.Msg
		for m := range batch.Messages() {
			all = append(all, m)
		}
		for _, m := range all { // no sooner: it would be in this batch again
			if err := m.Nak(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var sizes []int
	entered := make(chan struct{}, messages)
	stop := run(t, c, func(_ context.Context, ms []event.Message) []error {
		sizes = append(sizes, len(ms))
		entered <- struct{}{}
		<-time.After(400 * time.Millisecond)
		return nil
	})
	<-entered
	other, _ := s.consumer()
	other.AckWait = c.AckWait
	run(t, other, func(_ context.Context, ms []event.Message) []error {
		t.Errorf("message %d is in hand, and another replica has it too", ms[0].Sequence)
		return nil
	})
	for _, m := range await(t, ch, messages) {
		if m.Attempt != failures+1 {
			t.Errorf("message %d came %d times, want %d", m.Sequence, m.Attempt, failures+1)
		}
	}
	s.empty(t, c)
	stop()
	if !slices.Equal(sizes, []int{1, 1, 1}) {
		t.Errorf("batches of %v, want each message alone", sizes)
	}
}

// A consumer that is told when to ask asks only then, with nothing in hand.
func TestAConsumerKeepsItsPace(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 3)
	c, ch := s.consumer()
	c.Batch = 1
	pace := make(chan struct{}, 10)
	c.Pace = func(ctx context.Context) {
		if n := c.Stats().InHand; n != 0 {
			t.Errorf("it waits with %d in hand", n)
		}
		select {
		case <-pace:
		case <-ctx.Done():
		}
	}
	stop := run(t, c, func(context.Context, []event.Message) []error { return nil })
	pace <- struct{}{}
	pace <- struct{}{}
	await(t, ch, 2)
	stop() // while it waits
	if n := len(ch); n != 0 || c.Stats().Done != 2 {
		t.Errorf("%d were settled, want 2", c.Stats().Done)
	}
}

func TestADurableIsListedPassedAndForgotten(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 3)
	c, ch := s.consumer()
	if passed, err := c.Passed(t.Context(), 0); passed || err != nil {
		t.Errorf("before it ran it had passed: %t, %v", passed, err)
	}
	hold := atomic.Bool{}
	hold.Store(true)
	stop := run(t, c, func(_ context.Context, ms []event.Message) []error {
		errs := make([]error, len(ms))
		for i, m := range ms {
			if m.Sequence == 2 && hold.Load() {
				errs[i] = fault.ErrUnavailable
			}
		}
		return errs
	})
	await(t, ch, 3)
	testkit.Eventually(t, limit, "the first is passed", func() bool {
		first, err := c.Passed(t.Context(), 1)
		return err == nil && first
	})
	if passed, err := c.Passed(t.Context(), 3); passed || err != nil {
		t.Errorf("with the second to come again it had passed the third: %t, %v", passed, err)
	}
	hold.Store(false)
	testkit.Eventually(t, limit, "all are passed", func() bool {
		all, err := c.Passed(t.Context(), 1000)
		return err == nil && all
	})
	stop()
	if names, err := s.streams.Durables(t.Context(), stream.Intake, "wo"); err != nil || !slices.Equal(names, []string{"work"}) {
		t.Errorf("Durables = %v, %v, want work", names, err)
	}
	if names, err := s.streams.Durables(t.Context(), stream.Intake, "rematch-"); err != nil || len(names) != 0 {
		t.Errorf("Durables = %v, %v, want none", names, err)
	}
	for range 2 { // it may be repeated
		if err := s.streams.Forget(t.Context(), stream.Intake, "work"); err != nil {
			t.Error(err)
		}
	}
	if names, err := s.streams.Durables(t.Context(), stream.Intake, ""); err != nil || len(names) != 0 {
		t.Errorf("Durables = %v, %v, want none", names, err)
	}
}
