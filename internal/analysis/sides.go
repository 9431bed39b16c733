package analysis

import (
	"cmp"
	"slices"

	"kobling/internal/lexicon"
)

// What a side keeps.
const (
	MaxDemand = 32  // features of a demand: the heaviest
	MaxSupply = 256 // features of a supply

	demandTotal = 1 << 16 // what a demand's weights add up to
	maxImpact   = 255     // the greatest weight of a supply's feature
)

const (
	// enough is the weight at which a demand has said enough to be matched: three
	// specific concepts. What is missing goes to a feature that no supply has, so
	// that a demand of one common word is never well covered.
	enough = 3 * 1000 * FullPresence / 2
	// fullPresence is the presence at which a supply answers in full: a word of its
	// title and two of its description.
	fullPresence = FullPresence * 4 / 5
	// A supply that talks about everything is about nothing: beyond this many
	// concepts each counts for less.
	broadSupply = 24
)

// Demand weighs raw for the demand side: at most [MaxDemand] features, in order
// of term, whose weights are at least 1 and add up to 65536; none if raw is
// empty.
func (a *Analyzer) Demand(raw []Raw) []Feature {
	type weighed struct {
		term   string
		weight uint64
	}
	heavy := make([]weighed, 0, len(raw)+1)
	for _, r := range raw {
		if w := uint64(r.Worth) * uint64(r.Presence); w > 0 {
			heavy = append(heavy, weighed{r.Term, w})
		}
	}
	if len(heavy) == 0 {
		return nil
	}
	slices.SortFunc(heavy, func(x, y weighed) int {
		return cmp.Or(cmp.Compare(y.weight, x.weight), cmp.Compare(x.term, y.term))
	})
	heavy = heavy[:min(len(heavy), MaxDemand-1)]
	var total uint64
	for _, w := range heavy {
		total += w.weight
	}
	if total < enough {
		heavy = append(heavy, weighed{unknownTerm, enough - total})
		total = enough
	}

	// Largest remainders: round down, then give what is left over, one each, to
	// those that lost most.
	type share struct {
		Feature

		lost uint64
	}
	shares := make([]share, 0, len(heavy))
	left := uint32(demandTotal)
	for _, w := range heavy {
		n := uint32(w.weight * demandTotal / total) //nolint:gosec // at most demandTotal
		shares = append(shares, share{Feature{w.term, n}, w.weight * demandTotal % total})
		left -= n
	}
	slices.SortStableFunc(shares, func(x, y share) int { return cmp.Compare(y.lost, x.lost) })
	for i := range shares {
		if left == 0 {
			break
		}
		shares[i].Weight++
		left--
	}
	features := make([]Feature, 0, len(shares))
	for _, s := range shares {
		if s.Weight > 0 {
			features = append(features, s.Feature)
		}
	}
	sortByTerm(features)
	return features
}

// Supply weighs raw for the supply side: at most [MaxSupply] features, in order
// of term, with weights of 1 to 255. A concept also brings those it is a kind
// of, each at half the weight of the one below.
func (a *Analyzer) Supply(raw []Raw) []Feature {
	impact := make(map[string]uint32, len(raw)+len(raw)/2)
	worth := make(map[string]uint32, len(impact))
	concepts := 0
	for _, r := range raw {
		if r.concept >= 0 && a.lexicon.Concepts[r.concept].Weight == lexicon.Specific {
			concepts++
		}
	}
	for _, r := range raw {
		n := min(r.Presence*maxImpact/fullPresence, maxImpact)
		if concepts > broadSupply {
			n = n * broadSupply / uint32(concepts)
		}
		impact[r.Term] = max(impact[r.Term], n)
		worth[r.Term] = r.Worth
		if r.concept < 0 {
			continue
		}
		for up := a.broader[r.concept]; up >= 0; up = a.broader[up] {
			if n /= 2; n == 0 {
				break
			}
			impact[a.terms[up]] = max(impact[a.terms[up]], n)
			worth[a.terms[up]] = worthOf(a.lexicon.Concepts[up].Weight)
		}
	}
	features := make([]Feature, 0, len(impact))
	for term, n := range impact {
		if n > 0 && worth[term] > 0 {
			features = append(features, Feature{term, n})
		}
	}
	if len(features) > MaxSupply {
		slices.SortFunc(features, func(x, y Feature) int {
			return cmp.Or(cmp.Compare(y.Weight*worth[y.Term], x.Weight*worth[x.Term]), cmp.Compare(x.Term, y.Term))
		})
		features = features[:MaxSupply]
	}
	sortByTerm(features)
	return features
}

func sortByTerm(features []Feature) {
	slices.SortFunc(features, func(x, y Feature) int { return cmp.Compare(x.Term, y.Term) })
}
