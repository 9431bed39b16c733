package analysis

import (
	"cmp"
	"math"
	"slices"
)

// What a side keeps. Measured: of long texts, 128 features of a demand instead of
// 32 bring .05 of recall@10 from projects to organisations and .04 of recall@1
// from Swedish to English abstracts; of a supply, 400 instead of 256 bring nothing.
const (
	MaxDemand = 128 // features of a demand: the heaviest
	MaxSupply = 256 // features of a supply

	demandTotal = 1 << 16 // what a demand's weights add up to
	maxImpact   = 255     // the greatest weight of a supply's feature
)

// BM25's parameters, in hundredths. A word that stands once tells most: with the
// usual k1 of 1.2 the translations of a word, each a part of it, would be worth
// too little.
const (
	k1 = 60
	b  = 75
	k3 = 100
)

const (
	// enough is the weight at which a demand has said enough to be matched, in
	// 1024ths of a bit. What is missing goes to a feature that no supply has, so that
	// a demand of one common word is never well covered.
	enough = 150 * 1024
	// usualLength is the length of a supply before any corpus is known, in words of
	// its description.
	usualLength = 80
)

// Weighed is a term and what it weighs: how much sharing it tells, times how much
// the texts are about it.
type Weighed struct {
	Term   string
	Weight uint64
}

// Weights are the terms of a profile and what each is worth: the two sides are
// made of them. They are not safe for concurrent use.
type Weights struct {
	analyzer *Analyzer
	look     appraiser
	raw      Raw
	worths   []uint32 // by place in raw.Counts
	heavy    []uint64 // the weights above 0, the heaviest first, as packed has them
}

// Weights weighs raw.
func (a *Analyzer) Weights(raw Raw) *Weights {
	inOrder := func(x, y Count) int { return cmp.Compare(x.Term, y.Term) }
	if !slices.IsSortedFunc(raw.Counts, inOrder) {
		raw.Counts = slices.Clone(raw.Counts)
		slices.SortFunc(raw.Counts, inOrder)
	}
	w := &Weights{analyzer: a, look: a.background.appraiser(raw.langs), raw: raw}
	w.worths = make([]uint32, len(raw.Counts))
	w.heavy = make([]uint64, 0, len(raw.Counts))
	for i := range raw.Counts {
		c := &raw.Counts[i]
		w.worths[i] = w.look.worth(c)
		units := uint64(c.Units)
		if n := uint64(w.worths[i]) * units * (k3 + 100) / (100*units + k3*Unit); n > 0 {
			w.heavy = append(w.heavy, packed(n, i))
		}
	}
	slices.Sort(w.heavy)
	return w
}

// packed is a number below 2^32 and a place: in order, the greatest numbers come
// first, and of equal ones the first place.
func packed(n uint64, place int) uint64 {
	return (math.MaxUint32-n)<<32 | uint64(place) //nolint:gosec // not negative
}

// unpacked returns what was packed.
func unpacked(p uint64) (n uint64, place int) {
	return math.MaxUint32 - p>>32, int(p & math.MaxUint32)
}

// Heaviest returns the terms that weigh anything, the heaviest first.
func (w *Weights) Heaviest() []Weighed {
	list := make([]Weighed, len(w.heavy))
	for i, p := range w.heavy {
		n, at := unpacked(p)
		list[i] = Weighed{w.raw.Counts[at].Term, n}
	}
	return list
}

// Demand returns the features of the demand side: at most [MaxDemand], in order
// of term, whose weights are at least 1 and add up to 65536; none if nothing is
// worth anything.
func (w *Weights) Demand() []Feature {
	if len(w.heavy) == 0 {
		return nil
	}
	heavy := w.heavy[:min(len(w.heavy), MaxDemand-1)]
	var total uint64
	for _, p := range heavy {
		n, _ := unpacked(p)
		total += n
	}
	var missing uint64
	if total < enough {
		missing = enough - total
		total = enough
	}

	// Largest remainders: round down, then give what is left over, one each, to
	// those that lost most.
	type share struct {
		at     int // in raw.Counts; behind all for what is missing
		weight uint32
	}
	var shares [MaxDemand]share
	lost := make([]uint64, 0, MaxDemand)
	left := uint32(demandTotal)
	add := func(at int, weight uint64) {
		n := uint32(weight * demandTotal / total) //nolint:gosec // at most demandTotal
		shares[len(lost)] = share{at, n}
		lost = append(lost, packed(weight*demandTotal%total, len(lost)))
		left -= n
	}
	for _, p := range heavy {
		n, at := unpacked(p)
		add(at, n)
	}
	if missing > 0 {
		add(len(w.raw.Counts), missing)
	}
	slices.Sort(lost)
	for _, p := range lost[:min(len(lost), int(left))] {
		_, at := unpacked(p)
		shares[at].weight++
	}
	all := shares[:len(lost)]
	slices.SortFunc(all, func(x, y share) int { return cmp.Compare(x.at, y.at) })
	features := make([]Feature, 0, len(all))
	for _, s := range all {
		switch {
		case s.weight == 0:
		case s.at == len(w.raw.Counts):
			features = append(features, Feature{unknownTerm, s.weight})
		default:
			features = append(features, Feature{w.raw.Counts[s.at].Term, s.weight})
		}
	}
	return features
}

// Supply returns the features of the supply side: at most [MaxSupply], in order
// of term, with weights of 1 to 255: BM25's saturation of how often a term
// stands in a text of that length. A concept also brings those it is a kind of,
// each at half the weight of the one below.
func (w *Weights) Supply() []Feature {
	bg := w.analyzer.background
	usual := (bg.length + priorDocs*usualLength*Unit) / (uint64(bg.total) + priorDocs)
	norm := k1 * Unit * ((100-b)*usual + b*uint64(w.raw.length)) / (100 * usual) // k1 for this length, in hundredths of units

	features := make([]Feature, 0, len(w.raw.Counts)+len(w.raw.Counts)/2)
	worths := make([]uint32, 0, cap(features))
	keep := func(term string, impact uint64, worth uint32) {
		if impact > 0 && worth > 0 {
			features = append(features, Feature{term, uint32(impact)}) //nolint:gosec // at most maxImpact
			worths = append(worths, worth)
		}
	}
	// The terms of concepts come first, in the order of the lexicon.
	concepts := w.impacts(norm)
	for i, p := range concepts {
		if impact, place := unpackConcept(p); i == 0 || p>>32 != concepts[i-1]>>32 {
			keep(w.analyzer.terms[place].term, impact, w.conceptWorth(place))
		}
	}
	for i := range w.raw.Counts {
		if c := &w.raw.Counts[i]; c.concept < 0 {
			keep(c.Term, impactOf(c, norm), w.worths[i])
		}
	}
	if len(features) <= MaxSupply {
		return features
	}
	best := make([]uint64, len(features))
	for i, f := range features {
		best[i] = packed(uint64(f.Weight*worths[i]), i)
	}
	slices.Sort(best)
	places := best[:MaxSupply]
	for i, p := range places {
		places[i] = p & math.MaxUint32
	}
	slices.Sort(places)
	for i, at := range places {
		features[i] = features[at]
	}
	return slices.Clip(features[:MaxSupply])
}

// impactOf returns the impact of a term that stands in the text itself.
func impactOf(c *Count, norm uint64) uint64 {
	return maxImpact * 100 * uint64(c.Units) / (100*uint64(c.Units) + norm)
}

// impacts returns the impacts of concepts and those they are a kind of, in order
// of concept, the greatest first.
func (w *Weights) impacts(norm uint64) []uint64 {
	var list []uint64
	for i := range w.raw.Counts {
		c := &w.raw.Counts[i]
		if c.concept < 0 {
			continue
		}
		impact := impactOf(c, norm)
		list = append(list, packConcept(impact, c.concept))
		if w.analyzer.without.has(Broader) {
			continue
		}
		for up := w.analyzer.broader[c.concept]; up >= 0; up = w.analyzer.broader[up] {
			impact /= 2
			list = append(list, packConcept(impact, up))
		}
	}
	slices.Sort(list)
	return list
}

func packConcept(impact uint64, concept int32) uint64 {
	return uint64(concept)<<32 | (math.MaxUint32 - impact) //nolint:gosec // not negative
}

func unpackConcept(p uint64) (impact uint64, concept int32) {
	return math.MaxUint32 - p&math.MaxUint32, int32(p >> 32) //nolint:gosec // packed so
}

// conceptWorth returns the worth of a concept, which may be only a broader one of
// those in the text.
func (w *Weights) conceptWorth(place int32) uint32 {
	term := &w.analyzer.terms[place]
	return w.look.worth(&Count{Term: term.term, concept: place, kind: term.kind})
}
