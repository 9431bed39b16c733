package match

import (
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Change is what one message of PROFILES means for an index.
type Change struct {
	ID    profile.ID
	Seq   uint64
	Side  score.Side // empty when not alive
	Alive bool
}

// Changes reads and analyses messages, in order of their sequence. A message
// that cannot be read, or whose analysis panics, takes its profile out of the
// index: the worker quarantines it, and the index moves on.
func Changes(s Scorer, ms []event.Message) []Change {
	all := make([]Change, len(ms))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, m := range ms {
		g.Go(func() error {
			all[i] = change(s, m)
			return nil
		})
	}
	_ = g.Wait() // no part of it returns an error
	return slices.DeleteFunc(all, func(c Change) bool { return c.ID == "" })
}

func change(s Scorer, m event.Message) (c Change) {
	id, err := event.SubjectID(m.Subject)
	if err != nil {
		return Change{} // no profile is meant
	}
	c = Change{ID: id, Seq: m.Sequence}
	defer func() {
		if recover() != nil {
			c = Change{ID: id, Seq: m.Sequence}
		}
	}()
	r, err := event.DecodeRevision(m)
	if err != nil || r.Status != profile.Published || r.Profile == nil {
		return c
	}
	c.Side = s.Side(r.Profile)
	c.Alive = true
	return c
}
