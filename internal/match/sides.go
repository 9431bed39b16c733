package match

import (
	"sync"
	"time"

	"kobling/internal/event"
	"kobling/internal/score"
)

// Sides hands what the indexer has analysed of a message to the worker, which
// needs the same: analysing is a third of what an event costs. It belongs to one
// epoch. A nil *Sides hands over nothing. It is safe for concurrent use.
type Sides struct {
	mu      sync.Mutex
	waiting map[source]score.Side
	reached uint64 // the greatest sequence that was asked for
}

// source is one message: a stream that was made anew has other times.
type source struct {
	seq uint64
	at  time.Time
}

// maxSides bounds those that wait, to some 10 MB.
const maxSides = 2048

// passed is how far behind the newest message asked for a message is taken for
// one that nobody asks for any more: another process handled it, or a newer
// revision has replaced it.
const passed = 1024

// put keeps the side of m until it is taken. While there is no room it is not
// kept, and the worker analyses m itself.
func (s *Sides) put(m event.Message, side score.Side) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= maxSides {
		s.tidy()
	}
	if len(s.waiting) >= maxSides {
		return
	}
	if s.waiting == nil {
		s.waiting = make(map[source]score.Side)
	}
	s.waiting[source{m.Sequence, m.Time}] = side
}

// tidy drops those that nobody asks for any more.
func (s *Sides) tidy() {
	for k := range s.waiting {
		if k.seq+passed < s.reached {
			delete(s.waiting, k)
		}
	}
}

// take returns the side of m, once.
func (s *Sides) take(m event.Message) (side score.Side, ok bool) {
	if s == nil {
		return score.Side{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reached = max(s.reached, m.Sequence)
	k := source{m.Sequence, m.Time}
	if side, ok = s.waiting[k]; ok {
		delete(s.waiting, k)
	}
	return side, ok
}
