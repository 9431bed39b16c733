package peer

import (
	"context"
	"math"
	"slices"
	"sync"

	"kobling/internal/analysis"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Memory is the plain inverted index: for each term the numbers of its documents and
// a byte of weight, one after the other in two arrays. A query adds up the products
// term by term. Nothing is written to a disk, so it is no engine to work with; it
// shows what the machine can do.
//
// The weights of a supply fit in a byte; those of a demand are rounded up to one.
type Memory struct {
	mu    sync.RWMutex
	terms map[string]uint32
	sides map[profile.Side]*postings
	pool  sync.Pool // of *accumulator
}

// postings are the documents of one side.
type postings struct {
	ids  []profile.ID
	docs map[profile.ID]uint32 // the present number of each
	gone []bool                // by number: it was replaced

	loading []posting // until Ready
	ends    []uint32  // the postings of term i end before ends[i], those that were loaded
	flatDoc []uint32
	flatW   []uint8
	live    map[uint32]*tail // of terms: what was added since
}

type posting struct {
	term, doc uint32
	weight    uint8
}

// tail is the postings of a term that came one by one.
type tail struct {
	docs    []uint32
	weights []uint8
}

// accumulator is the memory of one query.
type accumulator struct {
	sums []uint32 // by document number; all 0 between two queries
	seen []uint32
}

var _ Engine = (*Memory)(nil)

// NewMemory returns an empty index.
func NewMemory() *Memory {
	m := &Memory{terms: map[string]uint32{}, sides: map[profile.Side]*postings{}}
	for _, side := range sides() {
		m.sides[side] = &postings{docs: map[profile.ID]uint32{}, live: map[uint32]*tail{}}
	}
	m.pool.New = func() any { return new(accumulator) }
	return m
}

// Load implements [Engine].
func (m *Memory) Load(_ context.Context, docs []Document) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range docs {
		p := m.sides[d.ID.Side()]
		doc := p.number(d.ID)
		for _, f := range d.Features {
			p.loading = append(p.loading, posting{m.term(f.Term), doc, quantise(f.Weight, d.ID.Side())})
		}
	}
	return nil
}

// term returns the number of a term, a new one if need be.
func (m *Memory) term(t string) uint32 {
	n, ok := m.terms[t]
	if !ok {
		n = uint32(len(m.terms)) //nolint:gosec // a vocabulary has no 2^32 terms
		m.terms[t] = n
	}
	return n
}

// number returns the number of a document that is new, or replaces its earlier self.
func (p *postings) number(id profile.ID) uint32 {
	if old, ok := p.docs[id]; ok {
		p.gone[old] = true
	}
	n := uint32(len(p.ids)) //nolint:gosec // a corpus has no 2^32 documents
	p.ids, p.gone = append(p.ids, id), append(p.gone, false)
	p.docs[id] = n
	return n
}

// quantise returns a weight as a byte, never 0.
func quantise(weight uint32, side profile.Side) uint8 {
	if side == profile.Demand {
		const step = (score.DemandTotal + math.MaxUint8 - 1) / math.MaxUint8
		weight = (weight + step - 1) / step
	}
	return uint8(min(weight, math.MaxUint8))
}

// Ready implements [Engine]: the postings are laid out by term.
func (m *Memory) Ready(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, side := range sides() {
		m.sides[side].layOut(len(m.terms))
	}
	return nil
}

// layOut sorts what was loaded by term, by counting.
func (p *postings) layOut(terms int) {
	p.ends = make([]uint32, terms)
	for _, x := range p.loading {
		p.ends[x.term]++
	}
	var from uint32
	for i, n := range p.ends { // ends are first where each term begins, and move as it fills
		p.ends[i] = from
		from += n
	}
	p.flatDoc, p.flatW = make([]uint32, len(p.loading)), make([]uint8, len(p.loading))
	for _, x := range p.loading {
		at := p.ends[x.term]
		p.flatDoc[at], p.flatW[at] = x.doc, x.weight
		p.ends[x.term]++
	}
	p.loading = nil
}

// Add implements [Engine].
func (m *Memory) Add(_ context.Context, docs []Document) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range docs {
		p := m.sides[d.ID.Side()]
		doc := p.number(d.ID)
		for _, f := range d.Features {
			n := m.term(f.Term)
			t := p.live[n]
			if t == nil {
				t = new(tail)
				p.live[n] = t
			}
			t.docs, t.weights = append(t.docs, doc), append(t.weights, quantise(f.Weight, d.ID.Side()))
		}
	}
	return nil
}

// Search implements [Engine]. The score is the sum of the products of both weights.
func (m *Memory) Search(_ context.Context, in profile.Side, features []analysis.Feature, n int) ([]Hit, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p := m.sides[in]
	if p == nil {
		return nil, unknownSide(in)
	}
	a, ok := m.pool.Get().(*accumulator)
	if !ok {
		a = new(accumulator)
	}
	defer m.pool.Put(a)
	if len(p.ids) > len(a.sums) {
		a.sums = make([]uint32, len(p.ids))
	}
	for _, f := range features {
		term, known := m.terms[f.Term]
		if !known {
			continue
		}
		if int(term) < len(p.ends) {
			var from uint32
			if term > 0 {
				from = p.ends[term-1]
			}
			a.add(p.flatDoc[from:p.ends[term]], p.flatW[from:p.ends[term]], f.Weight)
		}
		if t := p.live[term]; t != nil {
			a.add(t.docs, t.weights, f.Weight)
		}
	}
	return p.best(a, n), nil
}

// add adds what one term brings.
func (a *accumulator) add(docs []uint32, weights []uint8, weight uint32) {
	weights = weights[:len(docs)]
	for i, doc := range docs {
		if a.sums[doc] == 0 {
			a.seen = append(a.seen, doc)
		}
		a.sums[doc] += weight * uint32(weights[i])
	}
}

// best returns the n greatest sums and clears a for the next query.
func (p *postings) best(a *accumulator, n int) []Hit {
	top := make([]uint64, 0, n+1) // a heap with the worst on top: the sum, and the higher the earlier the number
	for _, doc := range a.seen {
		key := uint64(a.sums[doc])<<32 | uint64(math.MaxUint32-doc)
		a.sums[doc] = 0
		if p.gone[doc] || n == 0 || len(top) == n && key <= top[0] {
			continue
		}
		top = keep(top, key, n)
	}
	a.seen = a.seen[:0]
	slices.Sort(top)
	hits := make([]Hit, 0, len(top))
	for _, key := range slices.Backward(top) {
		hits = append(hits, Hit{p.ids[math.MaxUint32-uint32(key)], float64(key >> 32)}) //nolint:gosec // the lower half of key
	}
	return hits
}

// keep puts key into a heap of at most n, in place of the least if it is full.
func keep(heap []uint64, key uint64, n int) []uint64 {
	if len(heap) < n {
		heap = append(heap, key)
		for i := len(heap) - 1; i > 0 && heap[i] < heap[(i-1)/2]; i = (i - 1) / 2 {
			heap[i], heap[(i-1)/2] = heap[(i-1)/2], heap[i]
		}
		return heap
	}
	heap[0] = key
	for i := 0; ; {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(heap) && heap[child] < heap[least] {
				least = child
			}
		}
		if least == i {
			return heap
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}

// Stats implements [Engine]: the bytes of the flat arrays.
func (m *Memory) Stats(context.Context) (Stats, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var s Stats
	for _, p := range m.sides {
		s.Bytes += int64(4*len(p.flatDoc) + len(p.flatW) + 4*len(p.ends))
	}
	return s, nil
}

// Close implements [Engine].
func (m *Memory) Close() error { return nil }
