package translate

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
)

// model says how likely the words of one language are said by those of another:
// IBM model 1 (Brown, Della Pietra, Della Pietra, Mercer 1993), without its empty
// word.
type model struct {
	to       [][]likely // by source word, the likeliest first
	evidence []float64  // by source word: how many target words it accounts for
}

type likely struct {
	word int32
	p    float64
}

// cell is a source and a target word that stand in one pair or more.
type cell struct{ from, to int32 }

// newModel learns from the pairs of blocks, whose source words are numbered below
// words. It ends early, with a model of no worth, when ctx does.
func newModel(ctx context.Context, c *corpus, blocks []block, words int) *model {
	cells, at := cellsOf(c, blocks)
	p := make([]float64, len(cells))
	for i := range p {
		p[i] = 1
	}
	counts := make([]float64, len(cells))
	sums := make([]float64, words)
	for range rounds {
		if ctx.Err() != nil {
			break
		}
		expect(c, blocks, at, p, counts)
		clear(sums)
		for i, c := range cells {
			sums[c.from] += counts[i]
		}
		for i, c := range cells {
			p[i] = counts[i] / sums[c.from]
		}
	}
	return &model{to: byWord(cells, p, words), evidence: sums}
}

// byWord returns the likeliest translations of each source word.
func byWord(cells []cell, p []float64, words int) [][]likely {
	ends := make([]int, words+1)
	for _, c := range cells {
		ends[c.from+1]++
	}
	for i := range words {
		ends[i+1] += ends[i]
	}
	all := make([]likely, len(cells))
	next := slices.Clone(ends)
	for i, c := range cells {
		all[next[c.from]] = likely{c.to, p[i]}
		next[c.from]++
	}
	to := make([][]likely, words)
	for from := range to {
		to[from] = likeliest(all[ends[from]:ends[from+1]], 2*keep, leastShare/2)
	}
	return to
}

// cellsOf numbers the cells of pairs: at holds, for one pair after the other, the
// cells of its first target word with each source word, then those of the second,
// and so on.
func cellsOf(c *corpus, blocks []block) (cells []cell, at []int32) {
	size := 0
	c.pairs(blocks, func(from, to []int32, _ float64) { size += len(from) * len(to) })
	at = make([]int32, 0, size)
	var number numbering
	c.pairs(blocks, func(from, to []int32, _ float64) {
		for _, t := range to {
			for _, f := range from {
				pair := cell{f, t}
				i := number.of(pair, cells)
				if int(i) == len(cells) {
					cells = append(cells, pair)
				}
				at = append(at, i)
			}
		}
	})
	return cells, at
}

// numbering finds the numbers of cells. It is a hash table of open addresses: a
// map takes most of the time that a model does.
type numbering struct {
	slots []int32 // number of a cell and 1, 0 for none
	shift int
}

// of returns the number of c among cells; of one that is not there it is the next
// number, by which it is known from now on.
func (n *numbering) of(c cell, cells []cell) int32 {
	if 2*len(cells) >= len(n.slots) {
		n.grow(cells)
	}
	slot := n.slot(c, cells)
	if n.slots[slot] == 0 {
		n.slots[slot] = int32(len(cells)) + 1 //nolint:gosec // memory ends before
	}
	return n.slots[slot] - 1
}

// slot returns where c is or would be.
func (n *numbering) slot(c cell, cells []cell) int {
	const mix = 0x9e3779b97f4a7c15                                 // Fibonacci hashing
	h := (uint64(uint32(c.from))<<32 | uint64(uint32(c.to))) * mix //nolint:gosec // the bits count
	h ^= h >> 32                                                   // the high word of from is in the high bits alone
	slot := int(h * mix >> n.shift)                                //nolint:gosec // fewer slots than 2^31
	for ; n.slots[slot] != 0 && cells[n.slots[slot]-1] != c; slot = (slot + 1) & (len(n.slots) - 1) {
	}
	return slot
}

func (n *numbering) grow(cells []cell) {
	size := max(1<<10, 2*len(n.slots))
	n.slots = make([]int32, size)
	n.shift = 64 - bits.TrailingZeros(uint(size))
	for i, c := range cells {
		n.slots[n.slot(c, cells)] = int32(i) + 1
	}
}

// expect fills counts with how often each cell is the translation, as p has it:
// each target word is shared out over the source words of its pair.
func expect(c *corpus, blocks []block, at []int32, p, counts []float64) {
	clear(counts)
	c.pairs(blocks, func(from, to []int32, weight float64) {
		for range to {
			row := at[:len(from)]
			at = at[len(from):]
			var total float64
			for _, c := range row {
				total += p[c]
			}
			if total == 0 {
				continue
			}
			share := weight / (total * float64(len(to)))
			for _, c := range row {
				counts[c] += float64(share * p[c]) // not fused: the same on every machine
			}
		}
	})
}

// likeliest sorts list and keeps at most n that are at least least.
func likeliest(list []likely, n int, least float64) []likely {
	slices.SortFunc(list, func(a, b likely) int { return cmp.Or(cmp.Compare(b.p, a.p), cmp.Compare(a.word, b.word)) })
	list = list[:min(len(list), n)]
	for len(list) > 0 && list[len(list)-1].p < least {
		list = list[:len(list)-1]
	}
	return slices.Clone(list)
}
