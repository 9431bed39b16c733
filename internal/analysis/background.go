package analysis

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/bits"
	"slices"
)

// Background says how common terms are among the profiles of a corpus. It grows
// by Add; once an analyzer weighs by it, it must not grow any more.
type Background struct {
	docs   map[langSet]uint32 // profiles by the languages of their texts
	total  uint32
	length uint64 // units of all profiles
	terms  map[string]spread
}

// spread is in how many profiles a term stands, and in how many of each language.
type spread struct {
	docs uint32
	of   [languages]uint32
}

// languages is how many languages are told apart: those of the lexicon, and the
// unknown.
const languages = 10

// NewBackground returns the background of an empty corpus.
func NewBackground() *Background {
	return &Background{docs: make(map[langSet]uint32), terms: make(map[string]spread)}
}

// Add adds a profile.
func (b *Background) Add(raw Raw) {
	b.docs[raw.langs]++
	b.total++
	b.length += uint64(raw.length)
	for _, c := range raw.Counts {
		s := b.terms[c.Term]
		s.docs++
		for l := range raw.langs.all {
			s.of[l]++
		}
		b.terms[c.Term] = s
	}
}

// among returns how many of the profiles of spread are of the languages.
func (s spread) among(langs langSet) uint32 {
	var n uint32
	for l := range langs.all {
		n += s.of[l]
	}
	return min(n, s.docs)
}

// share returns the share of profiles, of 1024, that have a text in langs.
func (b *Background) share(langs langSet) uint32 {
	if b.total == 0 {
		return 0
	}
	var n uint64
	for set, docs := range b.docs {
		if set&langs != 0 {
			n += uint64(docs)
		}
	}
	return uint32(n * 1024 / uint64(b.total)) //nolint:gosec // at most 1024
}

// log2 returns the binary logarithm of x > 0 in 1024ths, rounded down. It is made
// of integers so that every machine gets the same.
func log2(x uint64) uint32 {
	whole := bits.Len64(x) - 1
	// The fraction, bit by bit: squaring doubles the logarithm.
	y := x << (63 - whole) // 1 to 2 as 1.63 fixed point
	n := uint32(whole)     //nolint:gosec // 0 to 63
	for range 10 {
		hi, _ := bits.Mul64(y, y) // 1 to 4 as 2.62
		n <<= 1
		if hi >= 1<<63 {
			n++
			y = hi
		} else {
			y = hi << 1
		}
	}
	return n
}

// Version names the content: a background that was written and read back has the
// version of the one that was written.
func (b *Background) Version() string {
	h := fnv.New64a()
	_, _ = fmt.Fprintln(h, b.total, b.length)
	for _, set := range slices.Sorted(maps.Keys(b.docs)) {
		_, _ = fmt.Fprintln(h, set, b.docs[set])
	}
	for _, term := range slices.Sorted(maps.Keys(b.terms)) {
		_, _ = fmt.Fprintln(h, term, b.terms[term])
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
