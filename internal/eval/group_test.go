package eval

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// fixed is an engine that always finds the same; what it finds is for the test to
// say, so that scores can be worked out by hand.
type fixed []Hit

func (f fixed) Rank(_ context.Context, _ Document, n int) ([]Hit, error) {
	return f[:min(n, len(f))], nil
}
func (fixed) Close() error { return nil }

// byQuery is an engine that finds the same for a query each time.
type byQuery map[string]fixed

func (b byQuery) Rank(ctx context.Context, q Document, n int) ([]Hit, error) {
	return b[q.ID].Rank(ctx, q, n)
}
func (byQuery) Close() error { return nil }

func (b byQuery) engine(context.Context, []Document) (Index, error) { return b, nil }

func (f fixed) engine(context.Context, []Document) (Index, error) { return f, nil }

func TestAGroupHasTheSquaresOfItsBestDocuments(t *testing.T) {
	t.Parallel()
	docs := []Document{
		{ID: "a1", Group: "a"},
		{ID: "b1", Group: "b"},
		{ID: "b2", Group: "b"},
		{ID: "b3", Group: "b"},
		{ID: "alone"},
	}
	found := fixed{{ID: "a1", Score: 5}, {ID: "b1", Score: 4}, {ID: "b2", Score: 3.5}, {ID: "alone", Score: 2}, {ID: "b3", Score: 1}}
	for name, tt := range map[string]struct {
		votes, n int
		want     []Hit
	}{
		"two weak documents beat a strong one": {4, 10, []Hit{{ID: "b", Score: 28.25}, {ID: "a", Score: 25}, {ID: "alone", Score: 4}}},
		"all vote":                             {50, 10, []Hit{{ID: "b", Score: 29.25}, {ID: "a", Score: 25}, {ID: "alone", Score: 4}}},
		"the best only":                        {1, 10, []Hit{{ID: "a", Score: 25}}},
		"at most n groups":                     {50, 1, []Hit{{ID: "b", Score: 29.25}}},
	} {
		x, err := GroupBy(found.engine, tt.votes)(t.Context(), docs)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Rank(t.Context(), Document{}, tt.n)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// Where each document is a group of its own, grouping changes no order.
func TestGroupsOfOneAreRankedAsTheirDocuments(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		found := fixed(rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Hit {
			return Hit{ID: rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "id"), Score: float64(rapid.IntRange(1, 9).Draw(t, "score"))}
		}), 0, 20, func(h Hit) string { return h.ID }).Draw(t, "found"))
		SortHits(found)
		docs := make([]Document, len(found))
		for i, h := range found {
			docs[i] = Document{ID: h.ID, Group: "of " + h.ID}
		}
		x, err := GroupBy(found.engine, 50)(t.Context(), docs)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Rank(t.Context(), Document{}, len(found))
		if err != nil || len(got) != len(found) {
			t.Fatalf("%d groups of %d documents, %v", len(got), len(found), err)
		}
		for i := range got {
			if got[i].ID != "of "+found[i].ID {
				t.Fatalf("place %d: %v of %v", i, got, found)
			}
		}
	})
}

func TestGroupsAreJudgedByTheirNames(t *testing.T) {
	t.Parallel()
	docs := []Document{
		{ID: "1", Group: "care", Text: "Painehaavojen hoito", Lang: "fi"},
		{ID: "2", Group: "care", Text: "Painehaavat ja patjat", Lang: "fi"},
		{ID: "3", Group: "falls", Text: "Kaatumisen tunnistus kotihoidossa", Lang: "fi"},
	}
	queries := []Document{{ID: "q", Text: "Behandling af tryksår", Lang: "da"}, {ID: "unknown", Text: "Fald", Lang: "da"}}
	qrels := Qrels{"q": {"care": 1}, "unknown": {"elsewhere": 1}}
	for name, measure := range map[string]func() (Metrics, []Worst, error){
		"votes": func() (Metrics, []Worst, error) {
			return Retrieval(t.Context(), GroupBy(Kobling(epoch(t)), Votes), docs, queries, qrels, 1, func() {})
		},
		"one long document": func() (Metrics, []Worst, error) {
			return Retrieval(t.Context(), Kobling(epoch(t)), Join(docs), queries, qrels, 1, func() {})
		},
	} {
		m, worst, err := measure()
		if err != nil || m.Queries != 1 || m.Hit1 != 1 || worst[0].First != "care" || len(worst[0].Why) == 0 {
			t.Errorf("%s: %+v, %+v, %v", name, m, worst, err)
		}
	}
}

func TestAGroupsDocumentsBecomeOne(t *testing.T) {
	t.Parallel()
	got := Join([]Document{
		{ID: "1", Group: "x", Title: "One", Text: "first", Lang: "en"},
		{ID: "2", Group: "y", Text: "other", Lang: "fi", Country: "FI"},
		{ID: "3", Group: "x", Title: "Three", Lang: "en"},
		{ID: "4", Text: "alone"},
	})
	want := []Document{
		{ID: "x", Group: "x", Text: "One\nfirst\nThree", Lang: "en"},
		{ID: "y", Group: "y", Text: "other", Lang: "fi", Country: "FI"},
		{ID: "4", Text: "alone"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
