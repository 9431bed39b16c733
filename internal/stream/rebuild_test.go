package stream_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/stream"
)

// contents is what a stream holds: "sequence subject body".
func (s server) contents(t *testing.T, name string) []string {
	t.Helper()
	var all []string
	e, err := s.conn.Extent(t.Context(), name)
	if err == nil {
		err = s.conn.Walk(t.Context(), name, 1, e.LastSeq, func(m event.Message) error {
			all = append(all, fmt.Sprintf("%d %s %s %s", m.Sequence, m.Subject, m.Data, m.Header["ce-type"]))
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// revisions yields n messages of PROFILES, and then err.
func revisions(n int, body string, err error) iter.Seq2[event.Message, error] {
	return func(yield func(event.Message, error) bool) {
		for i := range n {
			m := message(event.Profiles, id(i), body)
			m.Header["Nats-Expected-Stream"] = []string{"ANOTHER"} // of its first publication
			if !yield(m, nil) {
				return
			}
		}
		if err != nil {
			yield(event.Message{}, err)
		}
	}
}

func TestAStreamIsMadeAnewWhateverHappensMeanwhile(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.revise(t, 7)
	stop := errors.New("cut off")
	cfg := stream.Config{FirstProfile: 100}
	if _, err := s.conn.Recreate(t.Context(), stream.Profiles, cfg, revisions(2, "old", stop)); !errors.Is(err, stop) {
		t.Fatalf("Recreate = %v, want %v", err, stop)
	}
	if got := s.contents(t, stream.Profiles); len(got) != 1 {
		t.Errorf("the stream was touched: %v", got)
	}
	held := 0
	if err := s.conn.Held(t.Context(), stream.Profiles, func(m event.Message) error {
		held++
		if m.Subject != event.Subject(event.Profiles, id(held-1)) {
			t.Errorf("held %s", m.Subject)
		}
		return nil
	}); err != nil || held != 2 {
		t.Errorf("held %d, %v, want 2", held, err)
	}

	last, err := s.conn.Recreate(t.Context(), stream.Profiles, cfg, revisions(1, "new", nil))
	if err != nil || last != 101 {
		t.Fatalf("Recreate = %d, %v, want 101", last, err)
	}
	want := []string{"100 profiles.need.acme.n1 old [t]", "101 profiles.need.acme.n0 new [t]"}
	if diff := cmp.Diff(want, s.contents(t, stream.Profiles)); diff != "" {
		t.Errorf("PROFILES (-want +got):\n%s", diff)
	}
	if _, err := s.conn.Extent(t.Context(), "PROFILES_REBUILD"); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("what was held is still there: %v", err)
	}
	if _, err := stream.Open(t.Context(), s.conn); err != nil {
		t.Errorf("the stream is not as it must be: %v", err)
	}
	if last, err := s.conn.Recreate(t.Context(), stream.Intake, stream.Config{FirstIntake: 50}, revisions(0, "", nil)); err != nil || last != 49 {
		t.Errorf("an empty INTAKE ends at %d, %v, want 49", last, err)
	}
}

func TestExtentAndAgain(t *testing.T) {
	t.Parallel()
	s := start(t)
	if _, err := s.conn.Extent(t.Context(), "NONE"); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("Extent of a stream that is not there = %v", err)
	}
	if err := s.conn.Again(t.Context(), stream.Profiles, "match"); err != nil {
		t.Errorf("Again of a consumer that is not there = %v", err)
	}
	for i := range 3 {
		s.revise(t, i)
	}
	s.revise(t, 0) // 1 is superseded
	c, err := s.js.CreateConsumer(t.Context(), stream.Profiles, jetstream.ConsumerConfig{Durable: "match", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	deliver := func(n int) (first uint64) {
		batch, err := c.Fetch(n)
		if err != nil {
			t.Fatal(err)
		}
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			if err != nil {
				t.Fatal(err)
			}
			if first == 0 {
				first = meta.Sequence.Stream
				if err := m.DoubleAck(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		return first
	}
	if first := deliver(2); first != 2 {
		t.Errorf("the first is %d, want 2", first)
	}
	e, err := s.conn.Extent(t.Context(), stream.Profiles)
	if err != nil || e.FirstSeq != 2 || e.LastSeq != 4 || e.Messages != 3 || e.Settled["match"] != 2 || e.Delivered["match"] != 3 || e.Pulling != 0 {
		t.Errorf("extent = %+v, %v", e, err)
	}
	if err := s.conn.Again(t.Context(), stream.Profiles, "match"); err != nil {
		t.Fatal(err)
	}
	if first := deliver(3); first != 2 {
		t.Errorf("the first again is %d, want 2", first)
	}
}

func TestResubmitIsRefusedBehindSomethingLater(t *testing.T) {
	t.Parallel()
	s := start(t)
	m := message(event.Intake, id(1), "{}")
	if seq, err := s.streams.Resubmit(t.Context(), m, "a", 9); seq != 1 || err != nil {
		t.Errorf("of what is not kept any more: %d, %v", seq, err)
	}
	if seq, err := s.streams.Resubmit(t.Context(), m, "b", 1); seq != 2 || err != nil {
		t.Errorf("of the last one: %d, %v", seq, err)
	}
	if _, err := s.streams.Resubmit(t.Context(), m, "c", 1); !errors.Is(err, fault.ErrConflict) {
		t.Errorf("of one before: %v", err)
	}
}
