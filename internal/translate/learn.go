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
	return learn(ctx, entries, keys, progress, runtime.GOMAXPROCS(0))
}

// learn is Learn on this many processors.
func learn(ctx context.Context, entries iter.Seq[Entry], keys Keys, progress func(done, total int), processors int) (*Tables, error) {
	l := learner{words: make(map[string]*words), blocks: make(map[direction][]block)}
	for e := range entries {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		l.add(e, keys)
	}
	size := make(map[direction]int) // in pairs
	for way, blocks := range l.blocks {
		for _, b := range blocks {
			size[way] += b.from.len() * b.to.len()
		}
	}
	ways := slices.SortedFunc(maps.Keys(l.blocks), func(a, b direction) int { // the longest first
		return cmp.Or(cmp.Compare(size[b], size[a]), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	models := make([]*model, len(ways))
	finished := make(chan struct{}, len(ways))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(processors + 1) // and the one that tells the progress
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
			models[i] = newModel(ctx, &l.corpus, l.blocks[way], len(l.words[way.from].keys))
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

// learner holds what was read: words by language, and blocks by direction. They
// lead into the pivot language where an entry has it, else from every language to
// every other.
type learner struct {
	words  map[string]*words
	blocks map[direction][]block
	corpus corpus
}

type direction struct{ from, to string }

// span is a part of a list.
type span struct{ start, end int32 }

func (s span) len() int { return int(s.end - s.start) }

// block is the labels of an entry in two languages. Each of one is a translation
// of each of the other: a pair.
type block struct{ from, to span }

// corpus holds the labels that blocks are of, and the words that labels are of.
type corpus struct {
	labels []span
	words  []int32
}

// of returns the labels of one side of a block.
func (c *corpus) of(s span) []span { return c.labels[s.start:s.end] }

// in returns the words of a label.
func (c *corpus) in(s span) []int32 { return c.words[s.start:s.end] }

// pairs yields the pairs of blocks, and the weight of each: its share among the
// synonyms of the translation.
func (c *corpus) pairs(blocks []block, yield func(from, to []int32, weight float64)) {
	for _, b := range blocks {
		weight := 1 / float64(b.to.len())
		for _, from := range c.of(b.from) {
			for _, to := range c.of(b.to) {
				yield(c.in(from), c.in(to), weight)
			}
		}
	}
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
	var langs []string
	of := make(map[string][]span) // labels by language
	for _, t := range e.Terms {
		list := keys(t.Lang, t.Text)
		if e.Parallel {
			list = list[:min(len(list), maxText)]
		}
		if len(list) == 0 || len(list) > maxLabel && !e.Parallel {
			continue
		}
		w := l.of(t.Lang)
		start := len(l.corpus.words)
		for _, k := range list {
			l.corpus.words = append(l.corpus.words, w.id(k))
		}
		if of[t.Lang] == nil {
			langs = append(langs, t.Lang)
		}
		of[t.Lang] = append(of[t.Lang], spanOf(start, len(l.corpus.words)))
	}
	sides := make([]span, len(langs))
	for i, lang := range langs {
		start := len(l.corpus.labels)
		l.corpus.labels = append(l.corpus.labels, of[lang]...)
		sides[i] = spanOf(start, len(l.corpus.labels))
	}
	for i, from := range langs {
		for j, to := range langs {
			if i == j || from == Pivot || of[Pivot] != nil && to != Pivot {
				continue
			}
			way := direction{from, to}
			l.blocks[way] = append(l.blocks[way], block{sides[i], sides[j]})
		}
	}
}

func spanOf(start, end int) span {
	return span{int32(start), int32(end)} //nolint:gosec // fewer words than 2^31
}
