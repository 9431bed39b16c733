package suggestion_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/suggestion"
)

// A pair is told again only when its rank rises.
func TestBandsRank(t *testing.T) {
	t.Parallel()
	for i, b := range []suggestion.Band{"", suggestion.Possible, suggestion.Strong} {
		if got := b.Rank(); got != i {
			t.Errorf("band %q has rank %d, want %d", b, got, i)
		}
	}
	if got := suggestion.Band("STRONG").Rank(); got != 0 {
		t.Errorf("an unknown band has rank %d", got)
	}
}

// Reasons are stored as JSON and read back; explained ones are a contract with
// those who ask.
func TestReasonsHaveAFixedForm(t *testing.T) {
	t.Parallel()
	x := suggestion.Explained{
		Reason: suggestion.Reason{Feature: "c:home-care", Points: 0.25}, Kind: "concept", Label: "kotihoito",
		Demand: []suggestion.Span{{Lang: "nb", Field: "title", Start: 3, End: 5, Text: "på"}},
	}
	body, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"feature":"c:home-care","points":0.25,"kind":"concept","label":"kotihoito","demand":[{"lang":"nb","field":"title","start":3,"end":5,"text":"på"}]}`
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Errorf("written form (-want +got):\n%s", diff)
	}
	var back suggestion.Explained
	if err := json.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(x, back); diff != "" {
		t.Errorf("read back (-was +is):\n%s", diff)
	}
}
