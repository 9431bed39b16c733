package epoch

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"kobling/internal/analysis"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Bounds of the suggestions that a profile has on average.
const (
	aim  = 20 // the band possible begins so high that there are no more
	most = 50 // above this no epoch is made
)

// step is by how much the bound of the band possible is raised at a time.
const step = 50

// ErrTooMany says that profiles would have more suggestions than people read.
var ErrTooMany = errors.New("too many suggestions")

// Corpus is what an installation holds.
type Corpus struct {
	// Profiles yields all profiles that take part in matching, each time anew.
	Profiles iter.Seq2[*profile.Profile, error]
	Total    int // about how many, for the progress
	// Index is empty and used for nothing else.
	Index Index
	// Progress, if set, is told how far each stage is.
	Progress func(stage string, done, total int)
}

func (c *Corpus) progress(stage string, done, total int) {
	if c.Progress != nil {
		c.Progress(stage, done, max(done, total))
	}
}

// Make completes a model that has its tables and what these are about: it adds the
// background of the corpus and, if there would be too many suggestions, a higher
// bound of the band possible. The error wraps [ErrTooMany] if the highest bound
// does not help; the volume says how many there would be.
func Make(ctx context.Context, m score.Model, c Corpus) (score.Model, *score.Epoch, Volume, error) {
	bare, err := score.Model{Tables: m.Tables}.Epoch(0)
	if err != nil {
		return m, nil, Volume{}, err
	}
	n := 0
	texts := func(yield func([]profile.Text, error) bool) {
		for p, err := range c.Profiles {
			if err != nil {
				yield(nil, err)
				return
			}
			if n++; !yield(p.Texts, nil) {
				return
			}
			c.progress("Counting words", n, c.Total)
		}
	}
	b, err := Background(ctx, bare.Analyzer(), texts)
	if err != nil {
		return m, nil, Volume{}, err
	}
	a := bare.Analyzer()
	if m.Background = nil; b.Profiles() > 0 {
		m.Background = b
		if a, err = a.With(analysis.WithBackground(b)); err != nil {
			return m, nil, Volume{}, err
		}
	}
	m.About.Profiles, m.About.Total, m.About.Terms = b.ByLanguage(), b.Profiles(), b.Terms()

	e := score.NewEpoch(0, a, score.DefaultThresholds())
	v, err := measure(ctx, e, &c)
	if err != nil {
		return m, nil, v, err
	}
	m.Thresholds = score.Thresholds{} // the program's own, also after an upgrade
	if v.raise(); v.Thresholds != e.Thresholds() {
		m.Thresholds = v.Thresholds
		e = score.NewEpoch(0, a, v.Thresholds)
	}
	if m.About.Pairs = v.PerProfile(); m.About.Pairs > most {
		return m, e, v, fmt.Errorf("%w: %.0f of a profile on average, also if \"possible\" begins at %.2f; at most %d can be read: look for profiles that say next to nothing, or packs that translate everything by everything",
			ErrTooMany, m.About.Pairs, float64(v.Thresholds.Possible)/10000, most)
	}
	return m, e, v, nil
}
