package score

import (
	"fmt"

	"kobling/internal/analysis"
	"kobling/internal/lexicon"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// version names the predicate. Raise it whenever the same features and facts
// give another score.
const version = "2"

// Thresholds are the bounds of the bands.
type Thresholds struct {
	Floor    uint32 // least text part of a suggestion, 1 to TextMax
	Possible int    // least score of band possible, in ten-thousandths
	Strong   int    // least score of band strong
	Twin     int    // least likeness of near-duplicates, in ten-thousandths; 0: there are none
}

// DefaultThresholds are the bounds for the embedded lexicon: of the demonstration
// every intended pair is strong and no near-miss is, and on the domain collection
// a need has about two suggestions. They are not calibrated on a corpus yet. Of
// near-duplicates see duplicate_test.go: translations begin at 4500, different
// offers of one group end at 3000; of real projects of one organisation one pair in
// 3,000 is above, and many of those continue each other.
func DefaultThresholds() Thresholds {
	return Thresholds{Floor: TextMax / 100 * 20, Possible: 4000, Strong: 6500, Twin: 4000}
}

// Epoch is one version of the predicate: the analysis, its lexicon and the
// thresholds. Scores of different epochs are not compared. It is safe for
// concurrent use.
type Epoch struct {
	number     int
	analyzer   *analysis.Analyzer
	thresholds Thresholds
}

// NewEpoch returns the epoch with this number.
func NewEpoch(number int, a *analysis.Analyzer, t Thresholds) *Epoch {
	return &Epoch{number: number, analyzer: a, thresholds: t}
}

// DefaultEpoch returns an epoch made of the embedded lexicon and
// [DefaultThresholds]. It costs half a second: keep it.
func DefaultEpoch(number int) (*Epoch, error) {
	lex, err := lexicon.Default()
	if err != nil {
		return nil, err
	}
	a, err := analysis.New(lex)
	if err != nil {
		return nil, err
	}
	return NewEpoch(number, a, DefaultThresholds()), nil
}

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
func (e *Epoch) Fingerprint() string {
	t := e.thresholds
	return fmt.Sprintf("score-%s/%s/floor-%d-possible-%d-strong-%d-twin-%d", version, e.analyzer.Version(), t.Floor, t.Possible, t.Strong, t.Twin)
}

// Side analyses p.
func (e *Epoch) Side(p *profile.Profile) Side {
	raw := e.analyzer.Features(p.Texts)
	side := Side{Facts: FactsOf(p), Signature: signatureOf(raw), Entity: p.Organisation.LegalEntityID}
	if p.ID.Side() == profile.Demand {
		side.Features = e.analyzer.Demand(raw)
	} else {
		side.Features = e.analyzer.Supply(raw)
	}
	return side
}

// band returns the band of a score in ten-thousandths.
func (t Thresholds) band(points int) suggestion.Band {
	switch {
	case points >= t.Strong:
		return suggestion.Strong
	case points >= t.Possible:
		return suggestion.Possible
	}
	return ""
}
