package eval

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

func TestBandsAreCounted(t *testing.T) {
	t.Parallel()
	docs := []Document{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}, {ID: "e"}, {ID: "unshared"}, {ID: "right but unshared"}}
	of := func(id string, share, score_ float64, band suggestion.Band, blockers ...string) pair {
		return pair{id, uint32(share * score.TextMax), score.Result{Score: score_, Band: band, Blockers: blockers}}
	}
	c := &counter{floor: score.TextMax / 10}
	c.add(docs, []pair{
		of("a", 1, 1, suggestion.Strong), // the greatest there is: the last bin
		of("b", .525, .58, suggestion.Strong),
		of("c", .25, .49, suggestion.Possible),
		of("d", .05, .21, ""),         // below the floor
		of("e", .53, 0, "", "target"), // blocked
	}, map[string]int{"a": 2, "c": 1, "d": 1, "right but unshared": 1})
	c.add(docs[:3], []pair{of("b", .25, .49, suggestion.Possible)}, map[string]int{"a": 1})
	want := Bands{
		Queries: 2, Right: 5, PairsPerQuery: 2,
		Bands: []Band{{suggestion.Strong, 2, 1, .5}, {suggestion.Possible, 2, 1, .5}},
		Texts: []Bin{
			{0, 2, 2}, // unshared: right and wrong of the first query, a and c of the second
			{.04, 1, 0},
			{.24, 1, 1},
			{.52, 0, 2},
			{.98, 1, 0},
		},
		Scores: []Bin{{.48, 1, 1}, {.58, 0, 1}, {.98, 1, 0}},
	}
	if diff := cmp.Diff(want, c.bands(2), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if b := new(counter).bands(1); b.Bands[0].Precision != 0 || b.PairsPerQuery != 0 {
		t.Errorf("without pairs: %+v", b)
	}
}

// The whole predicate counts: facts of the documents, thresholds of the epoch.
func TestBandsAreThoseOfThePredicate(t *testing.T) {
	t.Parallel()
	offers := append(finnish[:2:2], Document{ID: "far", Text: "Kuulokojeiden sovitus", Lang: "fi"})
	qrels := Qrels{"1": {"1": 1}, "2": {"2": 1}}
	epoch := epoch(t)
	asked := make(chan struct{}, 10)
	got, err := MeasureBands(t.Context(), epoch, offers, danish, qrels, func() { asked <- struct{}{} })
	if err != nil || len(asked) != 2 {
		t.Fatalf("%v; progress was told %d times", err, len(asked))
	}
	var want Bands
	want.Queries, want.Right = 2, 2
	want.Bands = []Band{{Band: suggestion.Strong}, {Band: suggestion.Possible}}
	for _, q := range danish { // by hand, without an index
		demand := epoch.Side(q.profile(profile.Demand, 0))
		for n, d := range offers {
			supply := epoch.Side(d.profile(profile.Supply, n))
			text, shared := score.Text(demand.Features, supply.Features)
			for i := range want.Bands {
				if epoch.Pair(demand.Facts, supply.Facts, text, shared).Band == want.Bands[i].Band {
					want.Bands[i].Pairs++
					want.PairsPerQuery += .5
					if d.ID == q.ID {
						want.Bands[i].Right++
					}
				}
			}
		}
	}
	for i := range want.Bands {
		want.Bands[i].Precision = float64(want.Bands[i].Right) / float64(max(want.Bands[i].Pairs, 1))
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Bands{}, "Texts", "Scores")); diff != "" || got.PairsPerQuery == 0 {
		t.Errorf("(-want +got):\n%s", diff)
	}
	total, right := 0, 0
	for _, b := range got.Texts {
		total += b.Right + b.Wrong
		right += b.Right
	}
	if total != 6 || right != 2 {
		t.Errorf("the histogram has %d pairs, %d of them right; want all 6, and 2: %+v", total, right, got.Texts)
	}
	if _, err := MeasureBands(t.Context(), epoch, offers, danish, Qrels{}, func() {}); err == nil {
		t.Error("a collection without judgments is measured")
	}
}

// What a collection says of a document reaches the predicate; a kind of the other
// side does not make an offer of a need.
func TestADocumentsFactsReachThePredicate(t *testing.T) {
	t.Parallel()
	d := Document{ID: "x", Kind: profile.TestPlace, Country: "fi", OrgType: profile.RTO, Text: "Testi", Lang: "fi"}
	for _, tt := range []struct {
		side profile.Side
		kind profile.Kind
		want profile.ID
	}{
		{profile.Supply, profile.TestPlace, "test_place.eval.7"},
		{profile.Supply, profile.PublicNeed, "offer.eval.7"},
		{profile.Supply, "", "offer.eval.7"},
		{profile.Supply, "nonsense", "offer.eval.7"},
		{profile.Demand, profile.PublicNeed, "public_need.eval.7"},
		{profile.Demand, profile.TestPlace, "need.eval.7"},
	} {
		d.Kind = tt.kind
		p := d.profile(tt.side, 7)
		facts := score.FactsOf(p)
		if p.ID != tt.want || facts.Country != "FI" || facts.OrgType != profile.RTO || facts.Kind.Side() != tt.side {
			t.Errorf("%s on the %s side is %s with %+v, want %s", tt.kind, tt.side, p.ID, facts, tt.want)
		}
	}
}
