package stream_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/stream"
	"kobling/internal/testkit"
)

// run runs c until stop is called, which waits for it and may be called twice.
func run(tb testing.TB, c *stream.Consumer, h stream.Handle) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, h) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Run = %v", err)
		}
	})
	tb.Cleanup(stop)
	return stop
}

type settled struct {
	event.Message
	fault.Verdict
}

// consumer returns a consumer of INTAKE and where it tells what it settled.
func (s server) consumer() (*stream.Consumer, chan settled) {
	ch := make(chan settled, 1024)
	return &stream.Consumer{
		From: s.streams, Stream: stream.Intake, Durable: "work",
		Settled: func(m event.Message, v fault.Verdict) { ch <- settled{m, v} },
	}, ch
}

// await returns the next n settlements.
func await(tb testing.TB, ch <-chan settled, n int) []settled {
	tb.Helper()
	var all []settled
	deadline := time.After(limit)
	for len(all) < n {
		select {
		case s := <-ch:
			all = append(all, s)
		case <-deadline:
			tb.Fatalf("%d settled, want %d", len(all), n)
		}
	}
	return all
}

func (s server) empty(tb testing.TB, c *stream.Consumer) {
	tb.Helper()
	testkit.Eventually(tb, limit, "nothing is pending", func() bool {
		b, err := c.Backlog(tb.Context())
		return err == nil && b.Pending == 0 && b.AckPending == 0
	})
}

func TestConsumerHandsOutFullBatches(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 150)
	c, ch := s.consumer()
	if b, err := c.Backlog(t.Context()); err != nil || b.Pending != 150 {
		t.Errorf("Backlog before = %+v, %v", b, err)
	}
	var sizes []int
	stop := run(t, c, func(_ context.Context, ms []event.Message) []error {
		sizes = append(sizes, len(ms))
		return nil
	})
	got := await(t, ch, 150)
	s.empty(t, c)
	stop()
	if !slices.Equal(sizes, []int{64, 64, 22}) {
		t.Errorf("batches of %v, want 64 64 22", sizes)
	}
	for i, m := range got {
		if m.Sequence != uint64(i+1) || m.Verdict != fault.Done || m.Attempt != 1 {
			t.Fatalf("settled %d: %+v", i, m)
		}
	}
	if st := c.Stats(); st.Batches != 3 || st.Messages != 150 || st.Done != 150 || st.Redelivered != 0 || st.Busy <= 0 {
		t.Errorf("Stats = %+v", st)
	}
}

func TestEachMessageGetsItsOwnVerdict(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 4)
	c, ch := s.consumer()
	run(t, c, func(_ context.Context, ms []event.Message) []error {
		errs := make([]error, len(ms))
		for i, m := range ms {
			switch {
			case m.Sequence == 2:
				errs[i] = fault.ErrInvalid
			case m.Sequence == 3 && m.Attempt == 1:
				errs[i] = fault.ErrUnavailable
			case m.Sequence == 4:
				errs[i] = fault.ErrStale
			}
		}
		return errs
	})
	var got []fault.Verdict
	for _, m := range await(t, ch, 5) {
		got = append(got, m.Verdict)
	}
	want := []fault.Verdict{fault.Done, fault.Reject, fault.Retry, fault.Done, fault.Done}
	if !slices.Equal(got, want) {
		t.Errorf("verdicts %v, want %v", got, want)
	}
	s.empty(t, c)
	if st := c.Stats(); st.Retried != 1 || st.Rejected != 1 || st.Redelivered != 1 {
		t.Errorf("Stats = %+v", st)
	}
}

func TestAPanicHitsOnlyItsOwnMessage(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 5)
	c, ch := s.consumer()
	var kept []uint64
	c.Quarantine = func(_ context.Context, m event.Message, reason string) error {
		kept = append(kept, m.Sequence)
		if len(kept) == 1 {
			return errors.New("database is away")
		}
		return nil
	}
	stop := run(t, c, func(_ context.Context, ms []event.Message) []error {
		for _, m := range ms {
			if m.Sequence == 3 {
				panic("boom")
			}
		}
		return nil
	})
	verdicts := map[uint64][]fault.Verdict{}
	for _, m := range await(t, ch, 6) {
		verdicts[m.Sequence] = append(verdicts[m.Sequence], m.Verdict)
	}
	stop()
	for _, seq := range []uint64{1, 2, 4, 5} {
		if !slices.Equal(verdicts[seq], []fault.Verdict{fault.Done}) {
			t.Errorf("message %d: %v, want done", seq, verdicts[seq])
		}
	}
	if !slices.Equal(verdicts[3], []fault.Verdict{fault.Retry, fault.Reject}) || !slices.Equal(kept, []uint64{3, 3}) {
		t.Errorf("message 3: %v, kept %v; want retried until it is kept, then rejected", verdicts[3], kept)
	}
}

func TestRunFinishesTheBatchInHand(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 3)
	c, ch := s.consumer()
	entered, leave := make(chan struct{}), make(chan struct{})
	stop := run(t, c, func(ctx context.Context, ms []event.Message) []error {
		close(entered)
		<-leave
		if ctx.Err() != nil {
			t.Error("the batch in hand was cancelled")
		}
		return nil
	})
	<-entered
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	close(leave)
	<-stopped
	for _, m := range await(t, ch, 3) {
		if m.Verdict != fault.Done {
			t.Errorf("message %d: %s, want done", m.Sequence, m.Verdict)
		}
	}
	s.empty(t, c)
}

func TestRunCancelsWhatDoesNotFinish(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 1)
	c, ch := s.consumer()
	c.Drain = 50 * time.Millisecond
	entered := make(chan struct{})
	stop := run(t, c, func(ctx context.Context, _ []event.Message) []error {
		close(entered)
		<-ctx.Done()
		return []error{ctx.Err()}
	})
	<-entered
	stop()
	if got := await(t, ch, 1); got[0].Verdict != fault.Retry {
		t.Errorf("verdict %s, want retry", got[0].Verdict)
	}
}

func TestLongWorkIsNotDeliveredToAnother(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 2)
	var calls atomic.Int64
	leave := make(chan struct{})
	first, ch := s.consumer()
	second, _ := s.consumer()
	first.AckWait, second.AckWait = 300*time.Millisecond, 300*time.Millisecond
	h := func(context.Context, []event.Message) []error {
		calls.Add(1)
		<-leave
		return nil
	}
	run(t, first, h)
	run(t, second, h)
	timer := time.NewTimer(1200 * time.Millisecond) // four times AckWait
	<-timer.C
	if b, err := first.Backlog(t.Context()); err != nil || b.Redelivered != 0 || b.AckPending != 2 || b.Oldest.IsZero() {
		t.Errorf("Backlog = %+v, %v; want 2 in hand, none redelivered", b, err)
	}
	close(leave)
	_ = ch
	s.empty(t, first)
	if st := first.Stats(); st.Redelivered+second.Stats().Redelivered != 0 {
		t.Errorf("redelivered: %+v, %+v", st, second.Stats())
	}
}

func TestConsumerComesBackAfterTheServer(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 2)
	c, ch := s.consumer()
	stop := run(t, c, func(context.Context, []event.Message) []error { return nil })
	await(t, ch, 2)
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, limit, "publishing works again", func() bool {
		_, err := s.conn.Publish(t.Context(), message(event.Intake, id(77), "{}"), "after")
		return err == nil
	})
	testkit.Eventually(t, limit, "the new message arrives", func() bool {
		select {
		case m := <-ch:
			return m.Subject == event.Subject(event.Intake, id(77))
		default:
			return false
		}
	})
	stop()
}

func TestConsumerStopsWhenItsStreamIsAnother(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 1)
	c, ch := s.consumer()
	done := make(chan error, 1)
	go func() { done <- c.Run(t.Context(), func(context.Context, []event.Message) []error { return nil }) }()
	await(t, ch, 1)
	if err := s.js.DeleteStream(t.Context(), stream.Intake); err != nil {
		t.Fatal(err)
	}
	if err := stream.Migrate(t.Context(), s.conn, stream.Config{}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if !errors.Is(err, stream.ErrFence) {
			t.Errorf("Run = %v, want ErrFence", err)
		}
	case <-time.After(limit):
		t.Fatal("the consumer went on with another stream")
	}
}

func TestEachKeepsTheOrderOfASubject(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string][]uint64{}
	h := stream.Each(4, func(_ context.Context, m event.Message) error {
		mu.Lock()
		defer mu.Unlock()
		seen[m.Subject] = append(seen[m.Subject], m.Sequence)
		switch m.Sequence {
		case 4:
			return fault.ErrInvalid
		case 5:
			return fault.ErrUnavailable
		case 6:
			panic("six")
		}
		return nil
	})
	var ms []event.Message
	for i := range 12 {
		ms = append(ms, event.Message{Subject: string(rune('a' + i%3)), Sequence: uint64(i + 1)})
	}
	errs := h(t.Context(), ms)
	want := map[string][]uint64{"a": {1, 4, 7, 10}, "b": {2, 5}, "c": {3, 6, 9, 12}}
	for subject, seqs := range want {
		if !slices.Equal(seen[subject], seqs) {
			t.Errorf("subject %s: handled %v, want %v", subject, seen[subject], seqs)
		}
	}
	for i, err := range errs {
		want := fault.Done
		switch i + 1 {
		case 4, 6:
			want = fault.Reject
		case 5, 8, 11:
			want = fault.Retry
		}
		if got := fault.Judge(err); got != want {
			t.Errorf("message %d: %v, want %s", i+1, err, want)
		}
	}
}
