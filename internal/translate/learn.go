package translate

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Term is what something is called in one language (an ISO 639-1 code).
type Term struct{ Lang, Text string }

// Entry says that its terms mean the same: labels of a concept, or, if it is
// Parallel, whole texts.
type Entry struct {
	Terms    []Term
	Parallel bool
}

// What is learned from, and what is kept. Measured on the cross-language
// collections: none of the last four moves recall@1 by more than .01 when halved
// or doubled.
const (
	maxLabel   = 6   // words; longer labels are descriptions
	maxText    = 60  // words of a parallel text; the rest is passed over
	rounds     = 4   // of expectation and maximisation
	keep       = 4   // translations of a word
	leastShare = .02 // of a translation that is kept
	stepWeight = .5  // of evidence through a third language
)

// Keys turns a text of a language into the keys of its words, function words left
// out.
type Keys func(lang, text string) []string

// Learn learns tables from entries. What it learns depends on the entries and
// their order alone. Progress, if it is set, is told how many pairs of languages
// are done. The error is that of ctx.
func Learn(ctx context.Context, entries iter.Seq[Entry], keys Keys, progress func(done, total int)) (*Tables, error) {
	l := learner{words: make(map[string]*words), pairs: make(map[direction][]pair)}
	for e := range entries {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		l.add(e, keys)
	}
	ways := slices.SortedFunc(maps.Keys(l.pairs), func(a, b direction) int { // the longest first
		return cmp.Or(cmp.Compare(len(l.pairs[b]), len(l.pairs[a])), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	models := make([]*model, len(ways))
	finished := make(chan struct{}, len(ways))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	g.Go(func() error {
		for n := range ways {
			if progress != nil {
				progress(n, len(ways))
			}
			select {
			case <-finished:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for i, way := range ways {
		g.Go(func() error {
			models[i] = newModel(ctx, l.pairs[way], len(l.words[way.from].keys))
			finished <- struct{}{}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	byWay := make(map[direction]*model, len(ways))
	for i, way := range ways {
		byWay[way] = models[i]
	}
	return l.tables(byWay), nil
}

// learner holds what was read: words by language, and pairs by direction. Pairs
// lead into the pivot language where an entry has it, else from every language to
// every other.
type learner struct {
	words map[string]*words
	pairs map[direction][]pair
}

type direction struct{ from, to string }

// pair is a label and its translation; weight is its share among the synonyms of
// the translation.
type pair struct {
	from, to []int32
	weight   float64
}

// words numbers the keys of a language.
type words struct {
	ids  map[string]int32
	keys []string
}

func (w *words) id(key string) int32 {
	id, ok := w.ids[key]
	if !ok {
		id = int32(len(w.keys)) //nolint:gosec // fewer words than 2^31
		w.ids[key] = id
		w.keys = append(w.keys, key)
	}
	return id
}

func (l *learner) of(lang string) *words {
	w := l.words[lang]
	if w == nil {
		w = &words{ids: make(map[string]int32)}
		l.words[lang] = w
	}
	return w
}

func (l *learner) add(e Entry, keys Keys) {
	type label struct {
		lang string
		ids  []int32
	}
	var labels []label
	synonyms := make(map[string]float64)
	for _, t := range e.Terms {
		list := keys(t.Lang, t.Text)
		if e.Parallel {
			list = list[:min(len(list), maxText)]
		}
		if len(list) == 0 || len(list) > maxLabel && !e.Parallel {
			continue
		}
		w := l.of(t.Lang)
		ids := make([]int32, len(list))
		for i, k := range list {
			ids[i] = w.id(k)
		}
		labels = append(labels, label{t.Lang, ids})
		synonyms[t.Lang]++
	}
	for _, from := range labels {
		for _, to := range labels {
			if from.lang == to.lang || from.lang == Pivot || synonyms[Pivot] > 0 && to.lang != Pivot {
				continue
			}
			way := direction{from.lang, to.lang}
			l.pairs[way] = append(l.pairs[way], pair{from.ids, to.ids, 1 / synonyms[to.lang]})
		}
	}
}
