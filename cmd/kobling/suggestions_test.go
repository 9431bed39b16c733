package main

import (
	"strings"
	"testing"

	"kobling/internal/suggestion"
)

// The mark stands under the side that was posted twice.
func TestSuggestionsMarkWhatIsPostedTwice(t *testing.T) {
	t.Parallel()
	pair := suggestion.Suggestion{DemandID: "need.acme.en", SupplyID: "offer.uni.o1", DemandTitle: "Demand", SupplyTitle: "Supply", Band: suggestion.Strong}
	columns := func(also *suggestion.Twin) (demand, supply string) {
		pair.AlsoPostedAs = also
		var out strings.Builder
		printSuggestions(&out, []suggestion.Suggestion{pair})
		for line := range strings.Lines(out.String()) {
			if cells := strings.Split(line, "│"); len(cells) > 3 {
				demand, supply = demand+cells[1], supply+cells[2]
			}
		}
		return demand, supply
	}
	const mark = "also posted as"
	if d, s := columns(nil); strings.Contains(d+s, mark) || !strings.Contains(d, "need.acme.en") {
		t.Errorf("unmarked: %q, %q", d, s)
	}
	if d, s := columns(&suggestion.Twin{ID: "need.acme.da"}); !strings.Contains(d, mark+" need.acme.da") || strings.Contains(s, mark) {
		t.Errorf("a demand posted twice: %q, %q", d, s)
	}
	if d, s := columns(&suggestion.Twin{ID: "offer.uni.o2"}); !strings.Contains(s, mark+" offer.uni.o2") || strings.Contains(d, mark) {
		t.Errorf("a supply posted twice: %q, %q", d, s)
	}
}
