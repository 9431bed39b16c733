package score

import (
	"fmt"
	"strings"
	"sync"

	"kobling/internal/analysis"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// version names the predicate. Raise it whenever the same features and facts
// give another score.
const version = "3"

// Thresholds are the bounds of the bands.
type Thresholds struct {
	Floor    uint32 `json:"floor"`    // least text part of a suggestion, 1 to TextMax
	Possible int    `json:"possible"` // least score of band possible, in ten-thousandths
	Strong   int    `json:"strong"`   // likewise of band strong, also without the facts
	Twin     int    `json:"twin"`     // least likeness of near-duplicates, in ten-thousandths; 0: there are none
}

// DefaultThresholds are the bounds for the embedded lexicon: of the demonstration
// every intended pair is strong and no near-miss is; of the domain collection no
// wrong pair is strong, and a need has about four suggestions, see
// internal/eval/README.md. Of near-duplicates see duplicate_test.go: translations
// begin at 3800, different offers of one group end at 2800; of pairs of different
// Danish and English descriptions of software, one in 10,000 is above 3500. Words
// that translate others would tell twins apart worse than concepts alone do.
func DefaultThresholds() Thresholds {
	return Thresholds{Floor: TextMax / 100 * 5, Possible: 4200, Strong: 5700, Twin: 3500}
}

// Epoch is one version of the predicate: the analysis, its lexicon and the
// thresholds. Scores of different epochs are not compared. It is safe for
// concurrent use.
type Epoch struct {
	number     int
	analyzer   *analysis.Analyzer
	thresholds Thresholds

	fingerprint func() string // hashes all that there is: once
}

// NewEpoch returns the epoch with this number.
func NewEpoch(number int, a *analysis.Analyzer, t Thresholds) *Epoch {
	e := &Epoch{number: number, analyzer: a, thresholds: t}
	e.fingerprint = sync.OnceValue(func() string {
		return "score-" + version + "/" + a.Version() + "/" + t.name()
	})
	return e
}

// DefaultEpoch returns the epoch of the program alone: the embedded lexicon and
// [DefaultThresholds].
func DefaultEpoch(number int) (*Epoch, error) { return Model{}.Epoch(number) }

// Number is the epoch's number.
func (e *Epoch) Number() int { return e.number }

// Analyzer is the epoch's analysis.
func (e *Epoch) Analyzer() *analysis.Analyzer { return e.analyzer }

// Thresholds are the bounds of the epoch's bands.
func (e *Epoch) Thresholds() Thresholds { return e.thresholds }

// Floor is the least text part of a pair that can be a suggestion.
func (e *Epoch) Floor() uint32 { return e.thresholds.Floor }

// Fingerprint names everything that decides a score: two epochs with the same
// fingerprint score alike, and an index made under one serves the other.
func (e *Epoch) Fingerprint() string { return e.fingerprint() }

// Maker names the program that made the epoch: what its fingerprint owes to no
// model. Two programs with the same maker make the same epoch of the same model.
func (e *Epoch) Maker() string {
	parts, _, _ := strings.Cut(e.Fingerprint(), "/tables-")
	return parts + "/" + DefaultThresholds().name()
}

// name names the bounds.
func (t Thresholds) name() string {
	return fmt.Sprintf("floor-%d-possible-%d-strong-%d-twin-%d", t.Floor, t.Possible, t.Strong, t.Twin)
}

// Side analyses p.
func (e *Epoch) Side(p *profile.Profile) Side {
	w := e.analyzer.Weights(e.analyzer.Features(p.Texts))
	side := Side{Facts: FactsOf(p), Signature: signatureOf(w.Heaviest()), Entity: p.Organisation.LegalEntityID}
	if p.ID.Side() == profile.Demand {
		side.Features = w.Demand()
	} else {
		side.Features = w.Supply()
	}
	return side
}

// band returns the band of a pair with so many points, and bare as it would have
// them if neither side had said anything but its texts, in ten-thousandths. Facts
// that fit make no pair strong: near-misses have them too.
func (t Thresholds) band(points, bare int) suggestion.Band {
	switch {
	case min(points, bare) >= t.Strong:
		return suggestion.Strong
	case points >= t.Possible:
		return suggestion.Possible
	}
	return ""
}
