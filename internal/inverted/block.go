package inverted

import (
	"hash/maphash"
	"math/bits"

	"kobling/internal/analysis"
)

// block is some documents, numbered from 0. It never changes.
type block struct {
	terms names
	// The postings of term i are docs and weights from starts[i] to starts[i+1]:
	// documents ascending, and the term's weight in each, less 1.
	starts  []uint32
	numbers []uint32
	weights []uint16

	ids   names
	metas []byte
	ends  []uint32 // the meta of document i ends before ends[i]
}

// docs is the number of documents, gone or not.
func (b *block) docs() int { return len(b.ends) }

// meta is that of a document.
func (b *block) meta(doc uint32) []byte {
	from := uint32(0)
	if doc > 0 {
		from = b.ends[doc-1]
	}
	return b.metas[from:b.ends[doc]:b.ends[doc]]
}

// postings are the documents that have a term, ascending, and its weights in
// them, each less 1.
type postings struct {
	docs    []uint32
	weights []uint16
}

// weight is the term's weight in the ith document.
func (p postings) weight(i int) uint32 { return uint32(p.weights[i]) + 1 }

// of returns the postings of term i.
func (b *block) of(i uint32) postings {
	from, to := b.starts[i], b.starts[i+1]
	return postings{b.numbers[from:to], b.weights[from:to]}
}

// seed is of all hashes. They differ from one process to the next, so that
// nobody can choose terms that collide.
var seed = maphash.MakeSeed()

func hashOf(s string) uint64 { return maphash.String(seed, s) }

// names numbers strings, each once, from 0.
type names struct {
	text   string
	ends   []uint32 // string i ends before ends[i]
	hashes []uint64
	// slots is a hash table, at least half empty: the upper half of a hash, and
	// below it 1 + the number; 0 is an empty slot. What is not there is so mostly
	// found out with one look at memory.
	slots []uint64
}

func (n *names) len() int { return len(n.ends) }

func (n *names) get(i uint32) string {
	from := uint32(0)
	if i > 0 {
		from = n.ends[i-1]
	}
	return n.text[from:n.ends[i]]
}

const upper = 0xffffffff00000000

// find returns the number of s.
func (n *names) find(s string) (uint32, bool) { return n.lookup(s, hashOf(s)) }

func (n *names) lookup(s string, hash uint64) (uint32, bool) {
	if len(n.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(n.slots) - 1) //nolint:gosec // not negative
	for at := hash & mask; n.slots[at] != 0; at = (at + 1) & mask {
		if (n.slots[at]^hash)&upper != 0 {
			continue
		}
		if i := uint32(n.slots[at]) - 1; n.get(i) == s { //nolint:gosec // its lower half
			return i, true
		}
	}
	return 0, false
}

// namer makes names.
type namer struct {
	text   []byte
	ends   []uint32
	hashes []uint64
	slots  []uint64
}

// grow makes room for n strings.
func (n *namer) grow(count int) {
	n.ends, n.hashes = make([]uint32, 0, count), make([]uint64, 0, count)
	n.slots = make([]uint64, 2<<bits.Len(uint(count)))
}

// number returns that of s, a new one if s is new.
func (n *namer) number(s string, hash uint64) uint32 {
	if 2*(len(n.ends)+1) > len(n.slots) { // a full table would be searched for ever
		n.rehash()
	}
	mask := uint64(len(n.slots) - 1) //nolint:gosec // not negative
	at := hash & mask
	for ; n.slots[at] != 0; at = (at + 1) & mask {
		if (n.slots[at]^hash)&upper != 0 {
			continue
		}
		i := uint32(n.slots[at]) - 1 //nolint:gosec // its lower half
		from := uint32(0)
		if i > 0 {
			from = n.ends[i-1]
		}
		if string(n.text[from:n.ends[i]]) == s {
			return i
		}
	}
	n.text = append(n.text, s...)
	n.ends = append(n.ends, uint32(len(n.text))) //nolint:gosec // see maxBlock
	n.hashes = append(n.hashes, hash)
	n.slots[at] = hash&upper | uint64(len(n.ends))
	return uint32(len(n.ends) - 1) //nolint:gosec // see maxBlock
}

// rehash doubles the slots.
func (n *namer) rehash() {
	n.slots = make([]uint64, max(16, 2*len(n.slots)))
	mask := uint64(len(n.slots) - 1) //nolint:gosec // not negative
	for i, hash := range n.hashes {
		at := hash & mask
		for n.slots[at] != 0 {
			at = (at + 1) & mask
		}
		n.slots[at] = hash&upper | uint64(i+1)
	}
}

func (n *namer) names() names {
	return names{text: string(n.text), ends: n.ends, hashes: n.hashes, slots: n.slots}
}

// builder makes a block of documents.
type builder struct {
	terms, ids namer
	metas      []byte
	ends       []uint32

	// The postings by document, as they come.
	numbers []uint32 // of terms
	weights []uint16
	stops   []uint32 // those of document i end before stops[i]
	counts  []uint32 // of the postings of each term
}

// add adds a document whose id is new.
func (b *builder) add(d Document) {
	b.ids.number(d.ID, hashOf(d.ID))
	b.metas = append(b.metas, d.Meta...)
	b.ends = append(b.ends, uint32(len(b.metas))) //nolint:gosec // see maxBlock
	for _, f := range d.Features {
		b.posting(f)
	}
	b.stops = append(b.stops, uint32(len(b.numbers))) //nolint:gosec // see maxBlock
}

func (b *builder) posting(f analysis.Feature) {
	i := b.terms.number(f.Term, hashOf(f.Term))
	if int(i) == len(b.counts) {
		b.counts = append(b.counts, 0)
	}
	b.counts[i]++
	b.numbers = append(b.numbers, i)
	b.weights = append(b.weights, uint16(f.Weight-1)) //nolint:gosec // 1 to 65,536
}

// build returns the block. The builder is not to be used any more.
func (b *builder) build() *block {
	out := &block{
		terms: b.terms.names(), ids: b.ids.names(), metas: b.metas, ends: b.ends,
		numbers: make([]uint32, len(b.numbers)), weights: make([]uint16, len(b.numbers)),
	}
	var next []uint32
	out.starts, next = starts(b.counts)
	from := uint32(0)
	for doc, stop := range b.stops {
		for i := from; i < stop; i++ {
			at := next[b.numbers[i]]
			next[b.numbers[i]]++
			out.numbers[at], out.weights[at] = uint32(doc), b.weights[i]
		}
		from = stop
	}
	return out
}

// starts returns where the postings of each term begin, and a copy without the
// end.
func starts(counts []uint32) (starts, next []uint32) {
	starts = make([]uint32, len(counts)+1)
	for i, n := range counts {
		starts[i+1] = starts[i] + n
	}
	return starts, append([]uint32(nil), starts[:len(counts)]...)
}
