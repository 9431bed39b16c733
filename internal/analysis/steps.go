package analysis

import "math/bits"

// steps lead from the nodes of a trie to others by one word: a hash table of open
// addresses, in which the words of texts are looked up much faster than in a map.
type steps struct {
	slots []slot
	n     int32
}

// slot is one step; word is 0 where there is none.
type slot struct {
	from int32
	word wordID
	to   int32
}

// to returns the node that word leads to.
func (s *steps) to(from int32, word wordID) (int32, bool) {
	if s.n == 0 {
		return 0, false
	}
	found := s.slots[s.find(from, word)]
	return found.to, found.word != 0
}

// add returns the node that word, which is not 0, leads to: a new one, with the
// next number, if there was none.
func (s *steps) add(from int32, word wordID) int32 {
	if 2*int(s.n) >= len(s.slots) {
		s.grow()
	}
	at := &s.slots[s.find(from, word)]
	if at.word == 0 {
		s.n++
		*at = slot{from, word, s.n}
	}
	return at.to
}

// find returns where a step is or would be.
func (s *steps) find(from int32, word wordID) int {
	const mix = 0x9e3779b97f4a7c15                       // Fibonacci hashing
	h := uint64(uint32(from))*mix + uint64(uint32(word)) //nolint:gosec // the bits count
	h ^= h >> 32
	at := int(h * mix >> (64 - bits.Len(uint(len(s.slots)-1)))) //nolint:gosec // below the length
	for s.slots[at].word != 0 && (s.slots[at].word != word || s.slots[at].from != from) {
		at = (at + 1) & (len(s.slots) - 1)
	}
	return at
}

func (s *steps) grow() {
	old := s.slots
	s.slots = make([]slot, max(1<<8, 2*len(old)))
	for _, step := range old {
		if step.word != 0 {
			s.slots[s.find(step.from, step.word)] = step
		}
	}
}
