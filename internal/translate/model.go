package translate

import (
	"cmp"
	"context"
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

// newModel learns from pairs whose source words are numbered below words. It ends
// early, with a model of no worth, when ctx does.
func newModel(ctx context.Context, pairs []pair, words int) *model {
	cells, at := cellsOf(pairs)
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
		expect(pairs, at, p, counts)
		clear(sums)
		for i, c := range cells {
			sums[c.from] += counts[i]
		}
		for i, c := range cells {
			p[i] = counts[i] / sums[c.from]
		}
	}
	m := &model{to: make([][]likely, words), evidence: sums}
	for i, c := range cells {
		m.to[c.from] = append(m.to[c.from], likely{c.to, p[i]})
	}
	for from := range m.to {
		m.to[from] = likeliest(m.to[from], 2*keep, leastShare/2)
	}
	return m
}

// cellsOf numbers the cells of pairs: at holds, for each pair, the cells of its
// first target word with each source word, then those of the second, and so on.
func cellsOf(pairs []pair) (cells []cell, at [][]int32) {
	number := make(map[cell]int32)
	at = make([][]int32, len(pairs))
	for n, p := range pairs {
		at[n] = make([]int32, 0, len(p.from)*len(p.to))
		for _, to := range p.to {
			for _, from := range p.from {
				c := cell{from, to}
				i, ok := number[c]
				if !ok {
					i = int32(len(cells)) //nolint:gosec // memory ends before
					number[c] = i
					cells = append(cells, c)
				}
				at[n] = append(at[n], i)
			}
		}
	}
	return cells, at
}

// expect fills counts with how often each cell is the translation, as p has it:
// each target word is shared out over the source words of its pair.
func expect(pairs []pair, at [][]int32, p, counts []float64) {
	clear(counts)
	for n, pair := range pairs {
		k := len(pair.from)
		for j := range pair.to {
			row := at[n][j*k : (j+1)*k]
			var total float64
			for _, c := range row {
				total += p[c]
			}
			if total == 0 {
				continue
			}
			weight := pair.weight / (total * float64(len(pair.to)))
			for _, c := range row {
				counts[c] += weight * p[c]
			}
		}
	}
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
