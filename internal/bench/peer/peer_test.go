package peer_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/analysis"
	"kobling/internal/bench/peer"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// some draws n documents of 20 terms each; terms with a quote and a space are among
// them.
func some(n int) []peer.Document {
	r := rand.New(rand.NewPCG(1, 2))
	docs := make([]peer.Document, n)
	for i := range docs {
		docs[i] = document(r, i)
	}
	return docs
}

func document(r *rand.Rand, i int) peer.Document {
	kind := []profile.Kind{profile.Need, profile.Offer}[i%2]
	d := peer.Document{ID: profile.ID(fmt.Sprintf("%s.org.n%d", kind, i))}
	words := map[string]bool{}
	for len(words) < 20 {
		words[fmt.Sprintf(`s:it's \a %d`, r.IntN(120))] = true
	}
	for w := range words {
		d.Features = append(d.Features, analysis.Feature{Term: w, Weight: 1 + r.Uint32N(score.MaxImpact)})
	}
	if kind.Side() == profile.Demand {
		for i := range d.Features {
			d.Features[i].Weight *= 10
		}
	}
	slices.SortFunc(d.Features, func(a, b analysis.Feature) int { return strings.Compare(a.Term, b.Term) })
	return d
}

// exact ranks everything by the definition of the text part.
func exact(docs []peer.Document, in profile.Side, features []analysis.Feature, n int) []peer.Hit {
	var hits []peer.Hit
	for _, d := range docs {
		if d.ID.Side() != in {
			continue
		}
		if text, _ := score.Text(features, d.Features); text > 0 {
			hits = append(hits, peer.Hit{ID: d.ID, Score: float64(text)})
		}
	}
	slices.SortStableFunc(hits, func(a, b peer.Hit) int { return int(b.Score) - int(a.Score) })
	return hits[:min(n, len(hits))]
}

// filled loads half of docs in bulk and adds the others.
func filled(tb testing.TB, e peer.Engine, docs []peer.Document) {
	tb.Helper()
	ctx, half := tb.Context(), len(docs)/2
	if err := e.Load(ctx, docs[:half/2]); err != nil {
		tb.Fatal(err)
	}
	if err := e.Load(ctx, docs[half/2:half]); err != nil {
		tb.Fatal(err)
	}
	if err := e.Ready(ctx); err != nil {
		tb.Fatal(err)
	}
	if err := e.Add(ctx, docs[half:]); err != nil {
		tb.Fatal(err)
	}
}

func TestTheMemoryIndexIsExact(t *testing.T) {
	t.Parallel()
	docs := some(400)
	m := peer.NewMemory()
	filled(t, m, docs)
	for _, q := range docs[:40] {
		if q.ID.Side() == profile.Supply {
			continue // demands are found by rounded weights
		}
		for _, n := range []int{0, 1, 7, 500} {
			got, err := m.Search(t.Context(), profile.Supply, q.Features, n)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(exact(docs, profile.Supply, q.Features, n), got, cmp.Transformer("", func(h []peer.Hit) map[peer.Hit]bool {
				set := map[peer.Hit]bool{}
				for _, x := range h {
					set[x] = true
				}
				return set
			})); diff != "" && n != 7 && n != 1 { // equals may stand on either side of the cut
				t.Fatalf("%d of %s (-exact +got):\n%s", n, q.ID, diff)
			}
			if want := exact(docs, profile.Supply, q.Features, n); !slices.EqualFunc(want, got, func(a, b peer.Hit) bool { return a.Score == b.Score }) {
				t.Fatalf("%d of %s: scores %v, want %v", n, q.ID, got, want)
			}
		}
	}
}

// engines makes each engine.
func engines(tb testing.TB) map[string]peer.Engine {
	tb.Helper()
	b, err := peer.NewBleve(filepath.Join(tb.TempDir(), "bleve"))
	if err != nil {
		tb.Fatal(err)
	}
	p, err := peer.NewPostgres(tb.Context(), testkit.DatabaseURL(tb, nil))
	if err != nil {
		tb.Fatal(err)
	}
	all := map[string]peer.Engine{"memory": peer.NewMemory(), "bleve": b, "postgres": p}
	tb.Cleanup(func() {
		for name, e := range all {
			if err := e.Close(); err != nil {
				tb.Errorf("%s: %v", name, err)
			}
		}
	})
	return all
}

// TestEnginesFindWhatSharesMost: they rank in their own ways, but a document finds its
// twin on the other side first, and nothing that shares no term.
func TestEnginesFindWhatSharesMost(t *testing.T) {
	t.Parallel()
	docs := some(300)
	for i := 1; i < len(docs); i += 2 { // each offer is the twin of the need before it
		docs[i].Features = slices.Clone(docs[i-1].Features)
		for k := range docs[i].Features {
			docs[i].Features[k].Weight = 200
			docs[i-1].Features[k].Weight = 1000
		}
	}
	for name, e := range engines(t) {
		filled(t, e, docs)
		for i := 0; i < 60; i += 2 {
			for _, pair := range [][2]peer.Document{{docs[i], docs[i+1]}, {docs[i+1], docs[i]}} {
				got, err := e.Search(t.Context(), pair[1].ID.Side(), pair[0].Features, 5)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if len(got) != 5 || got[0].ID != pair[1].ID || got[0].Score < got[4].Score {
					t.Errorf("%s: %s finds %v, want its twin first", name, pair[0].ID, got)
				}
			}
		}
		none, err := e.Search(t.Context(), profile.Supply, []analysis.Feature{{Term: "s:nobody", Weight: 9}}, 5)
		if err != nil || len(none) != 0 {
			t.Errorf("%s finds %v, %v for a word that nobody has", name, none, err)
		}
		if stats, err := e.Stats(t.Context()); err != nil || stats.Bytes < 1000 {
			t.Errorf("%s: %+v, %v", name, stats, err)
		}
	}
}

func TestEnginesReplaceWhatTheyHave(t *testing.T) {
	t.Parallel()
	docs := some(40)
	for name, e := range engines(t) {
		filled(t, e, docs)
		changed := peer.Document{ID: docs[1].ID, Features: []analysis.Feature{{Term: "s:changed", Weight: 100}}}
		if err := e.Add(t.Context(), []peer.Document{changed}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		search := func(features []analysis.Feature) []peer.Hit {
			got, err := e.Search(t.Context(), profile.Supply, features, 100)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return got
		}
		is := func(h peer.Hit) bool { return h.ID == changed.ID }
		if got := search(changed.Features); len(got) != 1 || !is(got[0]) {
			t.Errorf("%s finds %v by its new word", name, got)
		}
		if got := search(docs[1].Features); slices.ContainsFunc(got, is) {
			t.Errorf("%s still finds %s by its old words", name, changed.ID)
		}
		if _, err := e.Search(t.Context(), "", changed.Features, 1); err == nil {
			t.Errorf("%s knows a third side", name)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	docs := some(5000)
	for name, e := range engines(b) {
		filled(b, e, docs)
		b.Run("engine="+name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				q := docs[i%1000]
				if _, err := e.Search(context.WithoutCancel(b.Context()), q.ID.Side().Other(), q.Features, 10); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
