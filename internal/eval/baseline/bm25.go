package baseline

import (
	"context"
	"math"
	"strings"
	"unicode"

	"kobling/internal/eval"
)

// The parameters of BM25, as everybody has them.
const (
	k1 = 1.2
	b  = 0.75
)

// bm25 is an inverted index in memory.
type bm25 struct {
	ids      []string
	lengths  []float64 // in words, by document
	mean     float64   // of lengths
	postings map[string][]posting
}

type posting struct {
	doc   int
	count float64
}

// BM25 is plain BM25 over lower-case words: no stemming, no stop words, nothing
// known of any language.
func BM25(ctx context.Context, docs []eval.Document) (eval.Index, error) {
	x := &bm25{postings: map[string][]posting{}}
	var total float64
	for i, d := range docs {
		counts := map[string]float64{}
		n := 0.
		for word := range words(whole(d)) {
			counts[word]++
			n++
		}
		for word, count := range counts {
			x.postings[word] = append(x.postings[word], posting{i, count})
		}
		x.ids = append(x.ids, d.ID)
		x.lengths = append(x.lengths, n)
		total += n
	}
	x.mean = total / float64(max(len(docs), 1))
	return x, ctx.Err()
}

// Rank implements eval.Ranker. A word that the query says twice counts twice.
func (x *bm25) Rank(ctx context.Context, q eval.Document, n int) ([]eval.Hit, error) {
	scores := make([]float64, len(x.ids))
	for word := range words(whole(q)) {
		list := x.postings[word]
		idf := math.Log(1 + (float64(len(x.ids)-len(list))+.5)/(float64(len(list))+.5))
		for _, p := range list {
			scores[p.doc] += idf * p.count * (k1 + 1) / (p.count + k1*(1-b+b*x.lengths[p.doc]/x.mean))
		}
	}
	var hits []eval.Hit
	for i, s := range scores {
		if s > 0 {
			hits = append(hits, eval.Hit{ID: x.ids[i], Score: s})
		}
	}
	eval.SortHits(hits)
	return hits[:min(n, len(hits))], ctx.Err()
}

// Close implements io.Closer.
func (*bm25) Close() error { return nil }

// words are the runs of letters, digits and underscores in text, in lower case:
// what \w+ is elsewhere.
func words(text string) func(yield func(string) bool) {
	return strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '_'
	})
}
