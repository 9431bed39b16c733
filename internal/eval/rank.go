package eval

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"kobling/internal/score"
)

// depth is how many documents are looked at for each query.
const depth = 100

// Hit is one document that was found.
type Hit struct {
	ID    string
	Score float64              // means something within one engine only
	Why   []score.Contribution // what it shares with the query, if the engine can say
}

// Ranker finds documents. It is safe for concurrent use.
type Ranker interface {
	// Rank returns at most n documents for q, best first. What has nothing in
	// common with q is not among them.
	Rank(ctx context.Context, q Document, n int) ([]Hit, error)
}

// Index is a ranker that holds something.
type Index interface {
	Ranker
	io.Closer
}

// Engine puts documents into a new index. Kobling is one; package baseline has
// those to compare it with.
type Engine func(ctx context.Context, docs []Document) (Index, error)

// SortHits puts hits in order: best first, and by id among equals.
func SortHits(hits []Hit) {
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID))
	})
}

// ask finds n documents for each query, all processors at work. done is called
// once a query.
func ask(ctx context.Context, r Ranker, queries []Document, n int, done func()) ([][]Hit, error) {
	answers := make([][]Hit, len(queries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, q := range queries {
		g.Go(func() (err error) {
			if answers[i], err = r.Rank(ctx, q, n); err != nil {
				return fmt.Errorf("query %s: %w", q.ID, err)
			}
			done()
			return nil
		})
	}
	return answers, g.Wait()
}

// ids are the documents of hits, in their order.
func ids(hits []Hit) []string {
	list := make([]string, len(hits))
	for i, h := range hits {
		list[i] = h.ID
	}
	return list
}
