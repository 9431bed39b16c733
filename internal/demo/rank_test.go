package demo_test

import (
	"cmp"
	"slices"
	"testing"

	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// TestIntendedSuppliesRankFirst asks the predicate itself, without an index: for
// each demand, every intended supply must be strong and above all others.
func TestIntendedSuppliesRankFirst(t *testing.T) {
	t.Parallel()
	d := load(t)
	epoch, err := score.DefaultEpoch(1)
	if err != nil {
		t.Fatal(err)
	}
	sides := make(map[profile.ID]score.Side, len(d.Profiles))
	for i := range d.Profiles {
		sides[d.Profiles[i].ID] = epoch.Side(&d.Profiles[i])
	}
	type ranked struct {
		id profile.ID
		score.Result
	}
	for _, demand := range d.Demands() {
		a := sides[demand]
		var list []ranked
		for id, b := range sides {
			if id.Side() == profile.Supply {
				text, shared := score.Text(a.Features, b.Features)
				list = append(list, ranked{id, epoch.Pair(a.Facts, b.Facts, text, shared)})
			}
		}
		slices.SortFunc(list, func(x, y ranked) int {
			return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.id, y.id))
		})
		for _, r := range list[:len(d.Intended[demand])] {
			if !slices.Contains(d.Intended[demand], r.id) || r.Band != suggestion.Strong {
				t.Errorf("%s: %s (%.4f, band %q) is where an intended supply should be, as strong", demand, r.id, r.Score, r.Band)
			}
		}
	}
}

// What only shares its setting or its words with a demand is never strong.
func TestNearMissesAreNotStrong(t *testing.T) {
	t.Parallel()
	d := load(t)
	epoch, err := score.DefaultEpoch(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range d.NearMisses {
		a, b := epoch.Side(find(t, d, pair[0])), epoch.Side(find(t, d, pair[1]))
		text, shared := score.Text(a.Features, b.Features)
		if r := epoch.Pair(a.Facts, b.Facts, text, shared); r.Band == suggestion.Strong {
			t.Errorf("%s and %s are strong: %.4f", pair[0], pair[1], r.Score)
		}
	}
}
