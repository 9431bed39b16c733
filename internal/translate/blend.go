package translate

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// tables blends, for each word, what was learned straight into the pivot language
// with what leads there through one other language.
func (l *learner) tables(models map[direction]*model) *Tables {
	t := &Tables{pivots: l.of(Pivot).keys, langs: make(map[string]*table)}
	langs := slices.Sorted(maps.Keys(l.words))
	sum := summer{of: make([]float64, len(t.pivots)), seen: make([]bool, len(t.pivots))}
	for _, lang := range langs {
		if lang == Pivot {
			continue
		}
		keys := l.words[lang].keys
		order := make([]int32, len(keys))
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(keys[a], keys[b]) })
		tab := &table{words: make(map[string]uint32, len(keys))}
		for _, word := range order {
			tab.add(keys[word], sum.blend(models, langs, lang, word))
		}
		if len(tab.keys) > 0 {
			t.langs[lang] = tab
		}
	}
	return t
}

// summer adds up the likelihoods of pivot words.
type summer struct {
	of    []float64 // by pivot word, of those in words
	seen  []bool    // likewise
	words []int32
}

func (s *summer) add(word int32, p float64) {
	if !s.seen[word] {
		s.seen[word], s.of[word] = true, 0
		s.words = append(s.words, word)
	}
	s.of[word] += p
}

// blend returns the translations of one word into the pivot language.
func (s *summer) blend(models map[direction]*model, langs []string, lang string, word int32) []likely {
	for _, w := range s.words {
		s.seen[w] = false
	}
	s.words = s.words[:0]
	if m := models[direction{lang, Pivot}]; m != nil {
		for _, to := range m.to[word] {
			s.add(to.word, float64(to.p*m.evidence[word])) // not fused: the same on every machine
		}
	}
	for _, via := range langs {
		if via == Pivot {
			continue
		}
		first, second := models[direction{lang, via}], models[direction{via, Pivot}]
		if first == nil || second == nil {
			continue
		}
		for _, step := range first.to[word] {
			for _, to := range second.to[step.word] {
				s.add(to.word, float64(stepWeight*step.p*to.p*first.evidence[word]))
			}
		}
	}
	slices.Sort(s.words)
	list := make([]likely, 0, len(s.words))
	for _, to := range s.words {
		list = append(list, likely{to, s.of[to]})
	}
	var total float64
	for _, to := range list {
		total += to.p
	}
	for i := range list {
		list[i].p /= total
	}
	return likeliest(list, keep, leastShare)
}

func (t *table) add(key string, list []likely) {
	if len(list) == 0 {
		return
	}
	for _, to := range list {
		share := max(1, math.Round(to.p*Full))
		t.entries = append(t.entries, entry{uint32(to.word), uint8(share)}) //nolint:gosec // words are numbered from 0
	}
	t.words[key] = uint32(len(t.keys)) //nolint:gosec // fewer words than 2^31
	t.keys = append(t.keys, key)
	t.ends = append(t.ends, uint32(len(t.entries))) //nolint:gosec // at most keep for each word
}
