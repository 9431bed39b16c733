package eval

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// Bands is what the whole predicate says of all pairs of a query and a document:
// facts and thresholds count.
type Bands struct {
	Queries       int     `json:"queries"`
	Right         int     `json:"right"` // pairs that are relevant, suggested or not
	Bands         []Band  `json:"bands"`
	PairsPerQuery float64 `json:"pairs_per_query"`
	// Texts are all pairs by their text part, a share of 1: for the floor. Scores
	// are those that reach the floor and are not blocked, by score: for the bands.
	Texts  []Bin `json:"texts"`
	Scores []Bin `json:"scores"`
}

// Band is one band.
type Band struct {
	Band      suggestion.Band `json:"band"`
	Pairs     int             `json:"pairs"`
	Right     int             `json:"right"`
	Precision float64         `json:"precision"` // 0 if there are no pairs
}

// Bin is a stretch of a histogram: from From, up to the next bin.
type Bin struct {
	From  float64 `json:"from"`
	Right int     `json:"right"`
	Wrong int     `json:"wrong"`
}

// bins is how many bins a histogram has between 0 and 1.
const bins = 50

// MeasureBands scores all pairs of docs and the queries that have a relevant one.
// done is called once a query.
func MeasureBands(ctx context.Context, epoch *score.Epoch, docs, queries []Document, qrels Qrels, done func()) (Bands, error) {
	queries, err := judged(docs, queries, qrels)
	if err != nil {
		return Bands{}, err
	}
	e, err := open(ctx, epoch, docs)
	if err != nil {
		return Bands{}, err
	}
	defer func() { _ = e.Close() }() // it is thrown away
	c := &counter{floor: epoch.Floor()}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, q := range queries {
		g.Go(func() error {
			found, err := e.pairs(ctx, q)
			if err != nil {
				return fmt.Errorf("query %s: %w", q.ID, err)
			}
			c.add(docs, found, qrels[q.ID])
			done()
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return Bands{}, err
	}
	return c.bands(len(queries)), nil
}

// pair is a document that shares something with a query.
type pair struct {
	id   string
	text uint32
	score.Result
}

// pairs scores everything that shares a feature with q, the best first.
func (e *engine) pairs(ctx context.Context, q Document) ([]pair, error) {
	side := e.epoch.Side(q.profile(profile.Demand, 0))
	found, err := e.index.Find(ctx, score.Query{In: profile.Supply, Features: side.Features, Floor: 1})
	if err != nil {
		return nil, err
	}
	pairs := make([]pair, len(found))
	for i, c := range found {
		id, err := e.id(c.ID)
		if err != nil {
			return nil, err
		}
		pairs[i] = pair{id, c.Text, e.epoch.Pair(side.Facts, c.Facts, c.Text, c.Top)}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.text, a.text), strings.Compare(a.id, b.id))
	})
	return pairs, nil
}

// counter counts pairs.
type counter struct {
	floor uint32

	mu               sync.Mutex
	strong, possible Band
	right            int
	texts, scores    [bins]Bin
}

// add counts the pairs of one query; of docs, those that were not found share
// nothing with it.
func (c *counter) add(docs []Document, found []pair, grades map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	shares := make(map[string]bool, len(found))
	for _, p := range found {
		right := grades[p.id] > 0
		shares[p.id] = true
		count(&c.texts, float64(p.text)/score.TextMax, right)
		if p.text >= c.floor && len(p.Blockers) == 0 {
			count(&c.scores, p.Score, right)
		}
		switch p.Band {
		case suggestion.Strong:
			c.strong.add(right)
		case suggestion.Possible:
			c.possible.add(right)
		}
	}
	for _, d := range docs {
		c.right += one(grades[d.ID] > 0)
		if !shares[d.ID] {
			count(&c.texts, 0, grades[d.ID] > 0)
		}
	}
}

func (b *Band) add(right bool) {
	b.Pairs++
	b.Right += one(right)
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// count counts one pair in a histogram; 1 belongs to the last bin. A score of 0.58
// times 50 is a little less than 29 to a machine.
func count(h *[bins]Bin, v float64, right bool) {
	b := &h[min(int(v*bins+1e-6), bins-1)]
	b.Right += one(right)
	b.Wrong += one(!right)
}

func (c *counter) bands(queries int) Bands {
	c.strong.Band, c.possible.Band = suggestion.Strong, suggestion.Possible
	b := Bands{Queries: queries, Right: c.right, Bands: []Band{c.strong, c.possible}, Texts: filled(c.texts), Scores: filled(c.scores)}
	for i := range b.Bands {
		band := &b.Bands[i]
		band.Precision = float64(band.Right) / float64(max(band.Pairs, 1))
		b.PairsPerQuery += float64(band.Pairs) / float64(queries)
	}
	return b
}

// filled are the bins with something in them.
func filled(h [bins]Bin) []Bin {
	list := []Bin{}
	for i, b := range h {
		if b.Right+b.Wrong > 0 {
			b.From = float64(i) / bins
			list = append(list, b)
		}
	}
	return list
}
