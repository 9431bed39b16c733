package analysis

// tally counts the terms of a text. It is a hash table of open addresses that is
// used again for the next text: a map of strings takes most of the time that the
// analysis of a text does.
type tally struct {
	counts []counted
	slots  []int32 // place in counts and 1, 0 for none
	length uint32
}

// counted is a term, its units, those of them that mean something, and those
// that translate a word.
type counted struct {
	word

	concept           int32 // place in the lexicon, -1 for a word
	units, firm, free uint32
}

// What a tally has room for at first, and what it keeps for the next text.
const (
	tallyRoom = 1 << 11
	keptRoom  = 1 << 14
)

func (t *tally) reset() {
	if len(t.slots) > keptRoom {
		*t = tally{}
	}
	clear(t.slots)
	t.counts = t.counts[:0]
	t.length = 0
}

// of returns the count of a term, until the next call.
func (t *tally) of(w word, concept int32) *counted {
	if 2*len(t.counts) >= len(t.slots) {
		t.grow()
	}
	slot := t.find(w)
	if t.slots[slot] == 0 {
		t.counts = append(t.counts, counted{word: w, concept: concept})
		t.slots[slot] = int32(len(t.counts)) //nolint:gosec // memory ends before
	}
	return &t.counts[t.slots[slot]-1]
}

// find returns the slot that a term has or would have.
func (t *tally) find(w word) int {
	last := len(t.slots) - 1
	slot := int(w.hash) & last
	for t.slots[slot] != 0 {
		if c := &t.counts[t.slots[slot]-1]; c.hash == w.hash && c.term == w.term {
			break
		}
		slot = (slot + 1) & last
	}
	return slot
}

func (t *tally) grow() {
	t.slots = make([]int32, max(tallyRoom, 2*len(t.slots)))
	for i := range t.counts {
		t.slots[t.find(t.counts[i].word)] = int32(i) + 1
	}
}

// raise keeps the greater count of each term: a profile in two languages says
// everything twice.
func (t *tally) raise(by *tally) {
	for i := range by.counts {
		n := &by.counts[i]
		old := t.of(n.word, n.concept)
		old.units, old.firm, old.free = max(old.units, n.units), max(old.firm, n.firm), max(old.free, n.free)
	}
	t.length = max(t.length, by.length)
}
