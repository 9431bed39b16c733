// Package inverted is an inverted index in memory: which documents share so much
// with a query, exactly. A document is a list of features with integer weights;
// a query is another, and the sum of products over the features they share is
// what counts.
//
// Documents lie in blocks, which never change: flat arrays, by term and then by
// document. What was replaced is marked in a bitmap beside the block. New
// documents make a small block of their own, and blocks of like size are merged,
// so that there are about log N of them. Readers take the list of blocks there
// is and see all of a change or nothing of it; they wait for nobody.
//
// A posting takes six bytes, a profile of 150 features about a kilobyte.
package inverted

import (
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"kobling/internal/analysis"
	"kobling/internal/score"
)

// Document is one document.
type Document struct {
	ID       string
	Meta     []byte             // comes back with each hit
	Features []analysis.Feature // sorted by Term, each once; weights 1 to 65,536
}

// Hit is a document that answers a query.
type Hit struct {
	ID   string
	Meta []byte // not to be changed
	Text uint32 // the sum of products
	// Top are the heaviest shared features, heaviest first and by term among
	// equals, at most suggestion.MaxReasons.
	Top []score.Contribution
}

// Index holds documents. Use New; all methods are safe for concurrent use.
type Index struct {
	parts atomic.Pointer[[]part] // what readers see; oldest first, never changed

	mu      sync.Mutex     // one change at a time
	merging []*block       // by the goroutine in the background
	behind  sync.WaitGroup // that goroutine

	scorers sync.Pool // of *scorer
}

// part is a block and what of it is no more.
type part struct {
	*block
	gone bitmap // nil: nothing
	live int    // documents that are not gone
}

// New returns an empty index.
func New() *Index {
	x := &Index{scorers: sync.Pool{New: func() any { return new(scorer) }}}
	x.parts.Store(new([]part))
	return x
}

// Len is the number of documents.
func (x *Index) Len() (n int) {
	for _, p := range *x.parts.Load() {
		n += p.live
	}
	return n
}

// Blocks is the number of blocks.
func (x *Index) Blocks() int { return len(*x.parts.Load()) }

// All yields the id and the meta of every document, in no order. All of it is of
// one state of the index.
func (x *Index) All() iter.Seq2[string, []byte] {
	parts := *x.parts.Load()
	return func(yield func(string, []byte) bool) {
		for _, p := range parts {
			for doc := range uint32(p.docs()) { //nolint:gosec // see maxBlock
				if !p.gone.has(doc) && !yield(p.ids.get(doc), p.meta(doc)) {
					return
				}
			}
		}
	}
}

// Wait returns once no merge is under way. No change may be made meanwhile.
func (x *Index) Wait() { x.behind.Wait() }

// Apply takes out the documents of ids and brings in docs, of which each id
// occurs once; one that is there already is replaced. All becomes visible at
// once, before Apply returns.
func (x *Index) Apply(docs []Document, ids []string) {
	var b builder
	for _, d := range docs {
		b.add(d)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	parts := slices.Clone(*x.parts.Load())
	for i := range parts {
		parts[i] = parts[i].without(docs, ids)
	}
	if len(docs) > 0 {
		parts = append(parts, part{block: b.build(), live: len(docs)})
	}
	x.tidy(parts)
}

// without returns p without the documents that were replaced or taken out. Readers
// of p have the old bitmap.
func (p part) without(docs []Document, ids []string) part {
	shared := true
	take := func(id string) {
		doc, ok := p.ids.find(id)
		if !ok || p.gone.has(doc) {
			return
		}
		if shared {
			p.gone, shared = p.gone.copy(p.docs()), false
		}
		p.gone.set(doc)
		p.live--
	}
	for _, d := range docs {
		take(d.ID)
	}
	for _, id := range ids {
		take(id)
	}
	return p
}

// bitmap is a set of document numbers.
type bitmap []uint64

func (b bitmap) has(doc uint32) bool { return b != nil && b[doc/64]&(1<<(doc%64)) != 0 }

func (b bitmap) set(doc uint32) { b[doc/64] |= 1 << (doc % 64) }

// copy returns a copy with room for n documents.
func (b bitmap) copy(n int) bitmap {
	c := make(bitmap, (n+63)/64)
	copy(c, b)
	return c
}
