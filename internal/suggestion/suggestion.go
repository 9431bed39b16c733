// Package suggestion says what a suggested collaboration is: one pair of a
// demand and a supply with a score, a band and reasons, and the rows by which
// the match protocol keeps it. Pure: no I/O, no clock.
package suggestion

import (
	"time"

	"kobling/internal/profile"
)

// Band is how sure the system is of a pair.
type Band string

// The bands. A pair below Possible is not a suggestion and is not stored.
const (
	Possible Band = "possible"
	Strong   Band = "strong"
)

// Rank orders bands: a pair is told again only when its rank rises.
func (b Band) Rank() int {
	switch b {
	case Strong:
		return 2
	case Possible:
		return 1
	}
	return 0
}

// Reason is one feature that both sides share, or one fact that fits, as kept
// in a stored row. Words, spans and labels are derived on reading by
// score.Explain.
type Reason struct {
	// Feature is an analysis term ("c:…" concept, "s:…" stem, "g:…" n-gram) or
	// a fact ("fact:cooperation:test_with_end_users").
	Feature string `json:"feature"`
	// Points is the share of the score that the feature brought, 0 to 1.
	Points float64 `json:"points"`
}

// MaxReasons is how many reasons a row keeps: the heaviest.
const MaxReasons = 12

// Pair is the row of one pair at one revision of each side under one epoch.
type Pair struct {
	Demand, Supply       profile.ID
	DemandSeq, SupplySeq uint64 // sequences in the PROFILES stream
	Epoch                int
	Score                float64 // 0 to 1, a multiple of 1/10000
	Band                 Band
	Reasons              []Reason // heaviest first, at most MaxReasons
}

// Duplicate is the row of two profiles of one side and one organisation that say
// the same, at one revision of each under one epoch. It is a relation of these
// two: what is like the one need not be like the other.
type Duplicate struct {
	A, B       profile.ID // A before B
	ASeq, BSeq uint64     // sequences in the PROFILES stream
	Epoch      int
}

// Head is what the ledger knows of the newest revision of a profile.
type Head struct {
	ID          profile.ID
	Seq         uint64 // sequence in the PROFILES stream
	Epoch       int
	IntakeSeq   uint64
	Alive       bool             // published: may take part in suggestions
	Quiet       bool             // imported history: raises no alert by itself
	Quarantined bool             // broke the matcher; kept for an operator
	Profile     *profile.Profile // nil for a tombstone
	Raw         []byte           // the body as published, JSON; nil for a tombstone
}

// Batch is what one match transaction writes: at most one head per profile and
// one row per pair and per two near-duplicates.
type Batch struct {
	Epoch      int
	Rematch    bool // written by the re-match of a new epoch: raises no alert at once
	Heads      []Head
	Pairs      []Pair
	Duplicates []Duplicate
}

// Outcome is what became of a Batch.
type Outcome struct {
	Superseded []profile.ID // heads that were already newer: nothing was written for them
	Told       int          // notifications that became pending
}

// Suggestion is a live pair as shown to people.
type Suggestion struct {
	DemandID profile.ID  `json:"demand_id"`
	SupplyID profile.ID  `json:"supply_id"`
	Score    float64     `json:"score"`
	Band     Band        `json:"band"`
	Reasons  []Explained `json:"reasons"`

	DemandTitle string    `json:"demand_title,omitempty"`
	SupplyTitle string    `json:"supply_title,omitempty"`
	FirstLiveAt time.Time `json:"first_live_at,omitzero"`
	// AlsoPostedAs is the near-duplicate of one side, if there is one, whose
	// suggestion with the other side came first.
	AlsoPostedAs *Twin `json:"also_posted_as,omitempty"`
}

// Twin is a near-duplicate of one side of a pair, as shown to people.
type Twin struct {
	ID    profile.ID `json:"id"`
	Title string     `json:"title,omitempty"` // not in events
}

// Explained is a reason that a person can read.
type Explained struct {
	Reason

	Kind   string `json:"kind"`             // concept, word, ngram or fact
	Label  string `json:"label"`            // in the reader's language
	Demand []Span `json:"demand,omitempty"` // where it stands in the demand's texts
	Supply []Span `json:"supply,omitempty"`
}

// Span is a quotation from one field of one text. Start and End are byte
// offsets into that field.
type Span struct {
	Lang  string `json:"lang"`
	Field string `json:"field"` // title, summary, description, requirements, partner_role
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}
