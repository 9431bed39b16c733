package inverted

import (
	"slices"

	"kobling/internal/analysis"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// Find returns every document whose sum with features reaches floor, which is 1
// at least, in no order. features are sorted by Term, each once; no sum may
// overflow 32 bits.
func (x *Index) Find(features []analysis.Feature, floor uint32) []Hit {
	s, done := x.scorer(features)
	defer done()
	return s.find(*x.parts.Load(), floor)
}

// Top returns the n documents with the greatest sums, and those whose sum equals
// the last one's, in no order; a sum of 0 does not count.
func (x *Index) Top(features []analysis.Feature, floor uint32, n int) []Hit {
	if n <= 0 {
		return nil
	}
	s, done := x.scorer(features)
	defer done()
	parts := *x.parts.Load()
	return s.find(parts, s.cutoff(parts, floor, n))
}

// scorer returns one from the pool and what puts it back.
func (x *Index) scorer(features []analysis.Feature) (*scorer, func()) {
	s, ok := x.scorers.Get().(*scorer)
	if !ok {
		s = new(scorer)
	}
	s.features = features
	s.hashes = s.hashes[:0]
	for _, f := range features {
		s.hashes = append(s.hashes, hashOf(f.Term))
	}
	return s, func() {
		s.features = nil
		x.scorers.Put(s)
	}
}

// scorer adds up the sums of one query, one block after the other, term by term.
// It keeps its memory for the next query.
type scorer struct {
	features []analysis.Feature
	hashes   []uint64 // of the features' terms

	sums  []uint32   // by document; all 0 between two blocks
	reach []uint32   // the documents whose sum is not 0, ascending
	lists []postings // of each feature in the block in hand
}

// find returns the hits of every block.
func (s *scorer) find(parts []part, floor uint32) []Hit {
	var found []Hit
	for _, p := range parts {
		s.sum(p, floor)
		from := len(found)
		for _, doc := range s.reach {
			found = append(found, Hit{ID: p.ids.get(doc), Meta: p.meta(doc), Text: s.sums[doc]})
		}
		s.contribute(found[from:])
		s.clear()
	}
	return found
}

// cutoff returns the sum of the nth best document, or floor if fewer reach it.
func (s *scorer) cutoff(parts []part, floor uint32, n int) uint32 {
	best := make(lowest, 0, min(n, 1024))
	for _, p := range parts {
		s.sum(p, floor)
		for _, doc := range s.reach {
			best.keep(s.sums[doc], n)
		}
		s.clear()
	}
	if len(best) < n {
		return floor
	}
	return best[0]
}

// sparse is how many documents there are to a posting before it is dearer to look
// through all sums than to note which are not 0.
const sparse = 2

// sum fills in the sums of one block and the documents that are there and reach
// floor; the sums of the others are 0.
func (s *scorer) sum(p part, floor uint32) {
	if n := p.docs(); n > len(s.sums) {
		s.sums = make([]uint32, n)
	}
	total := 0
	for i, f := range s.features {
		var list postings
		if t, ok := p.terms.lookup(f.Term, s.hashes[i]); ok {
			list = p.of(t)
		}
		s.lists = append(s.lists, list)
		total += len(list.docs)
	}
	if total < p.docs()/sparse {
		s.sumFew()
	} else {
		s.sumMany(p.docs(), floor)
	}
	// Gone documents are counted too: leaving them out would cost a look at each
	// posting.
	s.reach = slices.DeleteFunc(s.reach, func(doc uint32) bool {
		if s.sums[doc] >= floor && !p.gone.has(doc) {
			return false
		}
		s.sums[doc] = 0
		return true
	})
}

// sumFew notes each document at its first posting.
func (s *scorer) sumFew() {
	for i, list := range s.lists {
		for j, doc := range list.docs {
			if s.sums[doc] == 0 {
				s.reach = append(s.reach, doc)
			}
			s.sums[doc] += s.features[i].Weight * list.weight(j)
		}
	}
	slices.Sort(s.reach)
}

// sumMany looks through the sums of all n documents afterwards.
func (s *scorer) sumMany(n int, floor uint32) {
	sums := s.sums[:n]
	for i, list := range s.lists {
		weight, weights := s.features[i].Weight, list.weights[:len(list.docs)]
		for j, doc := range list.docs {
			sums[doc] += weight * (uint32(weights[j]) + 1)
		}
	}
	for doc, sum := range sums {
		if sum >= floor {
			s.reach = append(s.reach, uint32(doc))
		} else {
			sums[doc] = 0
		}
	}
}

// longList is how many postings there are to a hit before it is cheaper to search
// for each hit than to go through all postings.
const longList = 16

// contribute fills in Top of the hits of the block in hand, which are those of
// reach.
func (s *scorer) contribute(found []Hit) {
	if len(found) == 0 {
		return
	}
	for i, doc := range s.reach {
		s.sums[doc] = uint32(i + 1) // from here on its number in found, from 1
	}
	for i, list := range s.lists {
		f := s.features[i]
		add := func(hit uint32, j int) {
			h := &found[hit-1]
			h.Top = heaviest(h.Top, score.Contribution{Term: f.Term, Points: f.Weight * list.weight(j)})
		}
		if len(list.docs) < longList*len(found) {
			for j, doc := range list.docs {
				if hit := s.sums[doc]; hit > 0 {
					add(hit, j)
				}
			}
			continue
		}
		for _, doc := range s.reach {
			if j, ok := slices.BinarySearch(list.docs, doc); ok {
				add(s.sums[doc], j)
			}
		}
	}
}

// heaviest adds c to top, which holds the heaviest contributions, heaviest first
// and by term among equals. Contributions come in order of term.
func heaviest(top []score.Contribution, c score.Contribution) []score.Contribution {
	if len(top) == suggestion.MaxReasons {
		if c.Points <= top[len(top)-1].Points {
			return top
		}
		top = top[:len(top)-1]
	}
	if top == nil {
		top = make([]score.Contribution, 0, suggestion.MaxReasons)
	}
	at, _ := slices.BinarySearchFunc(top, c.Points, func(t score.Contribution, points uint32) int {
		if t.Points >= points {
			return -1
		}
		return 1
	})
	return slices.Insert(top, at, c)
}

// clear makes the scorer ready for the next block.
func (s *scorer) clear() {
	for _, doc := range s.reach {
		s.sums[doc] = 0
	}
	clear(s.lists) // they hold a block
	s.reach, s.lists = s.reach[:0], s.lists[:0]
}

// lowest is a heap with the least sum on top.
type lowest []uint32

// keep keeps the n greatest.
func (h *lowest) keep(sum uint32, n int) {
	a := *h
	if len(a) < n {
		a = append(a, sum)
		for i := len(a) - 1; i > 0 && a[i] < a[(i-1)/2]; i = (i - 1) / 2 {
			a[i], a[(i-1)/2] = a[(i-1)/2], a[i]
		}
		*h = a
		return
	}
	if sum <= a[0] {
		return
	}
	a[0] = sum
	for i := 0; ; {
		least := i
		for _, child := range []int{2*i + 1, 2*i + 2} {
			if child < len(a) && a[child] < a[least] {
				least = child
			}
		}
		if least == i {
			return
		}
		a[i], a[least] = a[least], a[i]
		i = least
	}
}
