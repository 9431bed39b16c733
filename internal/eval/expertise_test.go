package eval

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPairsAreInOrderOrNot(t *testing.T) {
	t.Parallel()
	type scores = map[string]map[string]float64
	for name, tt := range map[string]struct {
		ratings []Rating
		scores  scores
		want    PairOrder
	}{
		"right": {
			[]Rating{{"e", "p", 5}, {"e", "q", 2}},
			scores{"p": {"e": .9}, "q": {"e": .1}},
			PairOrder{1, 1, 1, 0},
		},
		"wrong": {
			[]Rating{{"e", "p", 2}, {"e", "q", 5}},
			scores{"p": {"e": .9}, "q": {"e": .1}},
			PairOrder{1, 1, 0, 1},
		},
		"a tie is half right": {
			[]Rating{{"e", "p", 2}, {"e", "q", 5}},
			scores{"p": {}, "q": {}},
			PairOrder{1, 1, .5, .5},
		},
		"like ratings are no pair": {
			[]Rating{{"e", "p", 2}, {"e", "q", 2}, {"e", "r", 4}},
			scores{"p": {"e": .9}, "q": {"e": .1}, "r": {"e": .5}},
			PairOrder{1, 2, .5, .5},
		},
		// e: 5 > 3 right (2), 5 > 1 right (4), 3 > 1 wrong (2); f: 4 > 1.5 wrong (2.5).
		"losses weigh, and each expert is for herself": {
			[]Rating{{"e", "p", 5}, {"e", "q", 3}, {"e", "r", 1}, {"f", "p", 1.5}, {"f", "q", 4}},
			scores{"p": {"e": .9, "f": .7}, "q": {"e": .1, "f": .6}, "r": {"e": .2}},
			PairOrder{2, 4, .5, 4.5 / 10.5},
		},
		"a paper without a text does not count": {
			[]Rating{{"e", "p", 5}, {"e", "q", 2}, {"e", "gone", 1}},
			scores{"p": {"e": .9}, "q": {"e": .1}},
			PairOrder{1, 1, 1, 0},
		},
	} {
		got, err := order(tt.ratings, tt.scores)
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	if _, err := order([]Rating{{"e", "p", 2}, {"e", "q", 2}}, scores{"p": {}, "q": {}}); err == nil {
		t.Error("ratings without an order are measured")
	}
}

// Three of an expert's papers speak for her, and the fourth does not.
func TestAnExpertsThreeBestPapersSpeakForHer(t *testing.T) {
	t.Parallel()
	profiles := []Document{
		{ID: "x", Group: "many"}, {ID: "x", Group: "one"}, {ID: "y", Group: "many"}, {ID: "z", Group: "many"}, {ID: "w", Group: "many"},
	}
	// Numbers are the places in profiles: two experts wrote x.
	found := byQuery{
		"four":  {{ID: "0", Score: 3}, {ID: "2", Score: 3}, {ID: "3", Score: 2}, {ID: "4", Score: 2}, {ID: "1", Score: 1}},
		"eight": {{ID: "0", Score: 8.5}},
		"nine":  {{ID: "1", Score: 9}},
	}
	papers := []Document{{ID: "four"}, {ID: "eight"}, {ID: "nine"}, {ID: "unrated"}}
	// many: four scores 3+3+2 = 8 < 8.5 of eight, and would win with its fourth; one: nine scores 9,
	// four 1, as the last that is found, eight nothing.
	ratings := []Rating{{"many", "four", 1}, {"many", "eight", 2}, {"one", "nine", 5}, {"one", "four", 4}, {"one", "eight", 1}}
	asked := make(chan struct{}, 10)
	got, err := Expertise(t.Context(), found.engine, profiles, papers, ratings, func() { asked <- struct{}{} })
	if diff := cmp.Diff(PairOrder{2, 4, 1, 0}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if len(asked) != 3 {
		t.Errorf("%d papers were asked for, want the three that are rated", len(asked))
	}
	if profiles[0].ID != "x" {
		t.Error("the profiles were changed")
	}
}

func TestThePredicateKnowsWhoKnows(t *testing.T) {
	t.Parallel()
	profiles := []Document{
		{ID: "1", Group: "nurse", Title: "Painehaavojen hoito", Lang: "fi"},
		{ID: "2", Group: "engineer", Title: "Kaatumisen tunnistus antureilla", Lang: "fi"},
	}
	papers := []Document{{ID: "sores", Title: "Behandling af tryksår", Lang: "da"}, {ID: "falls", Title: "Sensorer til faldetektion", Lang: "da"}}
	ratings := []Rating{{"nurse", "sores", 5}, {"nurse", "falls", 1}, {"engineer", "sores", 1}, {"engineer", "falls", 4}}
	got, err := Expertise(t.Context(), Kobling(epoch(t)), profiles, papers, ratings, func() {})
	if diff := cmp.Diff(PairOrder{2, 2, 1, 0}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
