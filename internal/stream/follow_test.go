package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"

	"kobling/internal/event"
	"kobling/internal/stream"
	"kobling/internal/testkit"
)

// revise publishes a revision of profile n, whatever was there before, and
// returns its sequence.
func (s server) revise(tb testing.TB, n int) uint64 {
	tb.Helper()
	last, _, err := s.streams.Last(tb.Context(), id(n))
	if err != nil {
		tb.Fatal(err)
	}
	seq, err := s.streams.Publish(tb.Context(), message(event.Profiles, id(n), "{}"), fmt.Sprintf("%d-%d", n, last.Sequence+1), last.Sequence)
	if err != nil {
		tb.Fatal(err)
	}
	return seq
}

func (s server) follow(tb testing.TB, next uint64) (<-chan uint64, <-chan error, context.CancelFunc) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	seen, done, ended := make(chan uint64, 10_000), make(chan error, 1), make(chan struct{})
	f := stream.Follower{From: s.streams, Log: zap.NewNop()}
	go func() {
		defer close(ended)
		done <- f.Run(ctx, next, func(_ context.Context, ms []event.Message) error {
			for _, m := range ms {
				seen <- m.Sequence
			}
			return nil
		})
	}()
	tb.Cleanup(func() { cancel(); <-ended })
	return seen, done, cancel
}

func take(tb testing.TB, seen <-chan uint64, n int) []uint64 {
	tb.Helper()
	var got []uint64
	deadline := time.After(limit)
	for len(got) < n {
		select {
		case seq := <-seen:
			got = append(got, seq)
		case <-deadline:
			tb.Fatalf("followed %v, want %d", got, n)
		}
	}
	return got
}

func TestFollowerReadsInOrderAcrossGapsAndRestarts(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 700 { // 1 to 700, of which 1 to 300 are superseded by 401 to 700
		s.revise(t, i%400)
	}
	seen, done, cancel := s.follow(t, 350)
	got := take(t, seen, 351)
	if !slices.IsSorted(got) || got[0] != 350 || got[350] != 700 {
		t.Errorf("followed %d … %d, sorted %t", got[0], got[350], slices.IsSorted(got))
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, limit, "the server is back", func() bool { return s.streams.Probe(t.Context(), "x") == nil })
	want := []uint64{s.revise(t, 1), s.revise(t, 2), s.revise(t, 3)}
	if got := take(t, seen, 3); !slices.Equal(got, want) {
		t.Errorf("after the restart %v, want %v", got, want)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestFollowerRefusesAnotherStream(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.revise(t, 1)
	never := func(context.Context, []event.Message) error { return errors.New("must not be called") }
	f := stream.Follower{From: s.streams, Log: zap.NewNop()}
	if err := f.Run(t.Context(), 3, never); !errors.Is(err, stream.ErrFence) { // 2 was applied, the stream ends at 1
		t.Errorf("stream that lost data: %v, want ErrFence", err)
	}
	f.Created = time.Now().Add(-time.Hour)
	if err := f.Run(t.Context(), 1, never); !errors.Is(err, stream.ErrFence) {
		t.Errorf("stream created anew: %v, want ErrFence", err)
	}
}

func TestFollowerRefusesAStreamReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.revise(t, 1)
	seen, done, _ := s.follow(t, 0)
	take(t, seen, 1)
	if err := s.js.DeleteStream(t.Context(), stream.Profiles); err != nil {
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
		t.Fatal("the follower went on with another stream")
	}
}

func TestFollowerEndsWithItsHandlersError(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.revise(t, 1)
	full := errors.New("disk full")
	f := stream.Follower{From: s.streams, Log: zap.NewNop()}
	if err := f.Run(t.Context(), 0, func(context.Context, []event.Message) error { return full }); !errors.Is(err, full) {
		t.Errorf("Run = %v, want %v", err, full)
	}
}
