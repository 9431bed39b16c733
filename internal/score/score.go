package score

import (
	"kobling/internal/analysis"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// DemandTotal is what the weights of a demand's features add up to, and
// MaxImpact the greatest weight of a supply's feature; so TextMax is the text
// part of a supply that covers every feature of a demand at full weight.
const (
	DemandTotal = 1 << 16
	MaxImpact   = 255
	TextMax     = DemandTotal * MaxImpact // fits in 24 bits
)

// Facts is what the predicate needs to know of one side besides its text. It is
// kept beside each document in the index.
type Facts struct {
	Kind        profile.Kind
	OrgType     profile.OrganisationType
	Country     string
	NUTS        string
	Seeks       []profile.OrganisationType // none: any
	Cooperation []profile.Cooperation
	Targets     []string    // target countries, none: any
	TRL         profile.TRL // zero: unknown
	Langs       []string
}

// Side is one profile as the predicate sees it.
type Side struct {
	Features []analysis.Feature // sorted by Term, each term once
	Facts    Facts
	// Signature is by what a second posting of the same thing is known, Entity
	// the legal entity that the profile names, if it does.
	Signature Signature
	Entity    string
}

// Query asks the index for every profile of side In whose text part with
// Features reaches Floor. Features are a demand's when In is supply, and a
// supply's when In is demand; the sum of products is the same either way.
type Query struct {
	In       profile.Side
	Features []analysis.Feature
	Floor    uint32 // 1 to TextMax
}

// Contribution is what one shared feature brings to a text part: the product of
// both weights.
type Contribution struct {
	Term   string
	Points uint32
}

// Candidate is one answer to a Query. All of it comes from one snapshot of the
// index.
type Candidate struct {
	ID    profile.ID
	Seq   uint64 // PROFILES sequence of the revision found
	Text  uint32 // text part, Floor to TextMax
	Facts Facts
	// Top are the heaviest shared features, heaviest first and by term among
	// equals, at most suggestion.MaxReasons.
	Top []Contribution
}

// Result is what the predicate says of a pair.
type Result struct {
	Score    float64         // 0 to 1, a multiple of 1/10000; 0 when blocked
	Band     suggestion.Band // "" when the pair is not a suggestion
	Reasons  []suggestion.Reason
	Blockers []string // hard filters that forbid the pair, e.g. "organisation_type"
	Parts    []Part   // named parts, in a fixed order; they add up to Score
}

// Part is one named part of a score.
type Part struct {
	Name   string  `json:"name"`
	Points float64 `json:"points"`
}
