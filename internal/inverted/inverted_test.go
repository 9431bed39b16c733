package inverted_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/analysis"
	"kobling/internal/inverted"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// model is what an index must answer, worked out by comparing with everything.
type model map[string]inverted.Document

func (m model) apply(docs []inverted.Document, ids []string) {
	for _, id := range ids {
		delete(m, id)
	}
	for _, d := range docs {
		m[d.ID] = d
	}
}

func (m model) find(features []analysis.Feature, floor uint32) []inverted.Hit {
	weights := map[string]uint32{}
	for _, f := range features {
		weights[f.Term] = f.Weight
	}
	var found []inverted.Hit
	for _, d := range m {
		h := inverted.Hit{ID: d.ID, Meta: d.Meta}
		for _, f := range d.Features {
			if w := weights[f.Term]; w > 0 {
				h.Text += w * f.Weight
				h.Top = append(h.Top, score.Contribution{Term: f.Term, Points: w * f.Weight})
			}
		}
		if h.Text >= floor {
			slices.SortFunc(h.Top, func(a, b score.Contribution) int {
				return cmp.Or(cmp.Compare(b.Points, a.Points), cmp.Compare(a.Term, b.Term))
			})
			h.Top = h.Top[:min(len(h.Top), suggestion.MaxReasons)]
			found = append(found, h)
		}
	}
	return sorted(found)
}

func sorted(hits []inverted.Hit) []inverted.Hit {
	slices.SortFunc(hits, func(a, b inverted.Hit) int { return cmp.Compare(a.ID, b.ID) })
	return hits
}

// document draws a document from few terms, so that they meet.
func document(rng *rand.Rand, id string, seq, terms, size int) inverted.Document {
	d := inverted.Document{ID: id, Meta: fmt.Appendf(nil, "%d", seq)}
	taken := map[string]bool{}
	for range rng.IntN(size) {
		taken[fmt.Sprintf("s:%03d", int(float64(terms)*rng.Float64()*rng.Float64()))] = true
	}
	for _, term := range slices.Sorted(maps.Keys(taken)) {
		w := uint32(1 + rng.IntN(255))
		switch rng.IntN(10) {
		case 0:
			w = 1
		case 1:
			w = 255
		}
		d.Features = append(d.Features, analysis.Feature{Term: term, Weight: w})
	}
	return d
}

// batch draws changes to documents that there are, or not.
func batch(rng *rand.Rand, seq, n, ids, terms int) (docs []inverted.Document, gone []string) {
	seen := map[string]bool{}
	for range n {
		id := fmt.Sprintf("d%d", rng.IntN(ids))
		switch {
		case seen[id]:
		case rng.IntN(5) == 0:
			gone = append(gone, id)
		default:
			docs = append(docs, document(rng, id, seq, terms, 30))
		}
		seen[id] = true
	}
	return docs, gone
}

// TestFindEqualsBruteForce lets random histories run against the index and the
// model.
func TestFindEqualsBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		ids := rapid.SampledFrom([]int{3, 40, 300}).Draw(t, "ids")
		terms := rapid.SampledFrom([]int{1, 20, 600}).Draw(t, "terms")
		x, m := inverted.New(), model{}
		for step := range rapid.IntRange(1, 8).Draw(t, "steps") {
			docs, gone := batch(rng, step, 1+rng.IntN(ids), ids, terms)
			x.Apply(docs, gone)
			m.apply(docs, gone)
			if rng.IntN(3) == 0 {
				x.Wait()
			}
			for _, floor := range []uint32{1, 1 << 14, 1 << 17} {
				q := document(rng, "", 0, terms, 40)
				want := m.find(q.Features, floor)
				if diff := gocmp.Diff(want, sorted(x.Find(q.Features, floor))); diff != "" {
					t.Fatalf("Find(%v, %d) (-want +got):\n%s", q.Features, floor, diff)
				}
				checkTop(t, x, want, q.Features, floor, 1+rng.IntN(20))
			}
			all := maps.Collect(x.All())
			if x.Len() != len(m) || len(all) != len(m) {
				t.Fatalf("%d documents, Len = %d, want %d", len(all), x.Len(), len(m))
			}
			for id, meta := range all {
				if string(m[id].Meta) != string(meta) {
					t.Fatalf("%s has %q, want %q", id, meta, m[id].Meta)
				}
			}
		}
		x.Wait()
		if n := x.Blocks(); n > 9 {
			t.Errorf("%d blocks of %d documents", n, x.Len())
		}
	})
}

// TestFindEqualsBruteForceWhileBlocksMerge is the same with so many documents
// that they are merged in the background, some being replaced meanwhile.
func TestFindEqualsBruteForceWhileBlocksMerge(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	x, m := inverted.New(), model{}
	for step := range 16 {
		docs, gone := batch(rng, step, 1500, 6000, 600)
		x.Apply(docs, gone)
		m.apply(docs, gone)
		q := document(rng, "", 0, 600, 40)
		const floor = 1 << 17
		if diff := gocmp.Diff(m.find(q.Features, floor), sorted(x.Find(q.Features, floor))); diff != "" {
			t.Fatalf("step %d (-want +got):\n%s", step, diff)
		}
	}
	x.Wait()
	q := document(rng, "", 0, 600, 40)
	if diff := gocmp.Diff(m.find(q.Features, 1), sorted(x.Find(q.Features, 1))); diff != "" || x.Len() != len(m) {
		t.Errorf("at the end, %d of %d (-want +got):\n%s", x.Len(), len(m), diff)
	}
}

// checkTop compares Top with all that reach the floor.
func checkTop(t *rapid.T, x *inverted.Index, all []inverted.Hit, features []analysis.Feature, floor uint32, n int) {
	t.Helper()
	if len(all) > n {
		sums := make([]uint32, len(all))
		for i, h := range all {
			sums[i] = h.Text
		}
		slices.Sort(sums)
		least := sums[len(sums)-n]
		all = slices.DeleteFunc(slices.Clone(all), func(h inverted.Hit) bool { return h.Text < least })
	}
	if diff := gocmp.Diff(all, sorted(x.Top(features, floor, n))); diff != "" {
		t.Fatalf("Top(%v, %d, %d) (-want +got):\n%s", features, floor, n, diff)
	}
}

// TestReadersSeeAllOfAChangeOrNothing replaces all documents time and again, with
// merges in the background, while readers look: they find each once, and all of
// one change.
func TestReadersSeeAllOfAChangeOrNothing(t *testing.T) {
	t.Parallel()
	const documents, rounds = 3000, 40
	x := inverted.New()
	all := func(round int) (docs []inverted.Document) {
		for i := range documents {
			docs = append(docs, inverted.Document{
				ID: fmt.Sprintf("d%d", i), Meta: []byte{byte(round)},
				Features: []analysis.Feature{{Term: "s:shared", Weight: uint32(round + 1)}},
			})
		}
		return docs
	}
	x.Apply(all(0), nil)
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			last := byte(0)
			for {
				hits := x.Find([]analysis.Feature{{Term: "s:shared", Weight: 1}}, 1)
				if len(hits) != documents {
					t.Errorf("%d documents, want %d", len(hits), documents)
					return
				}
				for _, h := range hits {
					if h.Meta[0] != hits[0].Meta[0] || h.Text != uint32(h.Meta[0])+1 {
						t.Errorf("%s of round %d with sum %d among those of round %d", h.ID, h.Meta[0], h.Text, hits[0].Meta[0])
						return
					}
				}
				if hits[0].Meta[0] < last {
					t.Errorf("round %d after %d", hits[0].Meta[0], last)
					return
				}
				last = hits[0].Meta[0]
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for round := 1; round < rounds; round++ {
		x.Apply(all(round), nil)
	}
	close(done)
	readers.Wait()
	x.Wait()
}

func TestNothingIsFoundInNothing(t *testing.T) {
	t.Parallel()
	x := inverted.New()
	features := []analysis.Feature{{Term: "s:a", Weight: 1}}
	x.Apply(nil, []string{"never there"})
	if hits := x.Find(features, 1); hits != nil {
		t.Errorf("found %v", hits)
	}
	x.Apply([]inverted.Document{{ID: "a", Features: features}, {ID: "empty"}}, nil)
	x.Apply(nil, []string{"a", "a"})
	if hits := x.Find(features, 1); hits != nil || x.Len() != 1 {
		t.Errorf("found %v among %d", hits, x.Len())
	}
	if hits := x.Top(features, 1, 0); hits != nil {
		t.Errorf("the best 0 are %v", hits)
	}
	// A document without features is merged with one that has a single one.
	x = inverted.New()
	x.Apply([]inverted.Document{{ID: "empty"}}, nil)
	x.Apply([]inverted.Document{{ID: "single", Features: []analysis.Feature{{Term: "s:b", Weight: 1}}}}, nil)
	if hits := x.Find(features, 1); hits != nil {
		t.Errorf("found %v", hits)
	}
}
