package match

import (
	"testing"
	"time"

	"kobling/internal/event"
	"kobling/internal/score"
)

// message is message seq of a stream.
func message(seq uint64) event.Message {
	return event.Message{Sequence: seq, Time: time.Unix(int64(seq), 0)}
}

func TestSidesAreTakenOnceAndOfTheSameMessageOnly(t *testing.T) {
	t.Parallel()
	var s Sides
	s.put(message(7), score.Side{Entity: "seven"})
	other := message(7)
	other.Time = other.Time.Add(1) // of a stream that was made anew
	if _, ok := s.take(other); ok {
		t.Error("the side of another stream's message was taken")
	}
	if side, ok := s.take(message(7)); !ok || side.Entity != "seven" {
		t.Errorf("take = %v, %t, want what was put", side, ok)
	}
	if _, ok := s.take(message(7)); ok {
		t.Error("a side was taken twice")
	}
	(*Sides)(nil).put(message(1), score.Side{})
	if _, ok := (*Sides)(nil).take(message(1)); ok {
		t.Error("nothing hands over something")
	}
}

// TestSidesAreBounded puts more than there is room for: those that wait for the
// worker stay, and those that it has passed make room.
func TestSidesAreBounded(t *testing.T) {
	t.Parallel()
	var s Sides
	put := func(from uint64) {
		for seq := from; seq < from+maxSides; seq++ {
			s.put(message(seq), score.Side{})
		}
	}
	has := func(seq uint64) bool {
		_, ok := s.waiting[source{seq, message(seq).Time}]
		return ok
	}
	put(1)
	put(1 + maxSides)
	if len(s.waiting) != maxSides || !has(1) || has(1+maxSides) {
		t.Errorf("%d wait, want the first %d", len(s.waiting), maxSides)
	}
	s.take(message(maxSides))
	put(1 + maxSides)
	if len(s.waiting) != maxSides || has(1) || !has(1+maxSides) {
		t.Errorf("%d wait, want those within %d of the one taken and newer ones", len(s.waiting), passed)
	}
}
