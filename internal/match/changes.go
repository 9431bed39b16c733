package match

import (
	"runtime"

	"golang.org/x/sync/errgroup"

	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Change is what one PROFILES message does to an index.
type Change struct {
	ID    profile.ID
	Seq   uint64     // PROFILES sequence
	Side  score.Side // empty when not alive
	Alive bool       // otherwise the profile is taken out
}

// Changes returns what ms, in order of sequence, do to an index: for each
// profile what its newest message says. A message that cannot be read or
// analysed takes its profile out, whose last good revision it has replaced; the
// worker quarantines it. Only what names no profile is left out. What was analysed
// is kept in sides for the worker.
func Changes(s Scorer, ms []event.Message, sides *Sides) []Change {
	newest := make(map[profile.ID]int, len(ms)) // by profile, the place of its newest message
	ids := make([]profile.ID, len(ms))
	for i, m := range ms {
		if id, err := event.SubjectID(m.Subject); err == nil {
			ids[i], newest[id] = id, i
		}
	}
	changes := make([]Change, 0, len(newest))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, m := range ms {
		if ids[i] == "" || newest[ids[i]] != i {
			continue
		}
		changes = append(changes, Change{ID: ids[i], Seq: m.Sequence})
		c := &changes[len(changes)-1] // it stays there: there is room for one of each profile
		g.Go(func() error {
			c.analyse(s, m, sides)
			return nil
		})
	}
	_ = g.Wait() // nothing fails
	return changes
}

// analyse fills in c from m, if m can be read and its profile is published.
func (c *Change) analyse(s Scorer, m event.Message, sides *Sides) {
	defer func() {
		if recover() != nil { // the worker meets it too, and says so
			c.Alive, c.Side = false, score.Side{}
		}
	}()
	r, err := event.DecodeRevision(m)
	if err != nil || r.Status != profile.Published {
		return
	}
	c.Side = s.Side(r.Profile)
	c.Alive = true
	sides.put(m, c.Side)
}
