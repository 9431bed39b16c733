package score_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/analysis"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// features draws features of one side: a demand's add up to DemandTotal, and few
// terms make them meet.
func features(t *rapid.T, side profile.Side) []analysis.Feature {
	least := rapid.SampledFrom([]int{0, 0, 10, 28}).Draw(t, "least")
	terms := rapid.SliceOfNDistinct(rapid.IntRange(0, 30), least, 31, rapid.ID[int]).Draw(t, "terms")
	slices.Sort(terms)
	var list []analysis.Feature
	left := uint32(score.DemandTotal)
	for i, n := range terms {
		f := analysis.Feature{Term: fmt.Sprintf("s:%02d", n), Weight: rapid.Uint32Range(1, score.MaxImpact).Draw(t, "impact")}
		if side == profile.Demand {
			if f.Weight = left; i < len(terms)-1 {
				f.Weight = rapid.Uint32Range(1, left-uint32(len(terms)-1-i)).Draw(t, "weight")
			}
			left -= f.Weight
		}
		list = append(list, f)
	}
	return list
}

// facts draws what a profile of one of these kinds says.
func facts(t *rapid.T, kinds ...profile.Kind) score.Facts {
	countries := rapid.SampledFrom([]string{"", "NO", "FI", "SE"})
	level := rapid.IntRange(1, 9)
	f := score.Facts{
		Kind:        rapid.SampledFrom(kinds).Draw(t, "kind"),
		OrgType:     rapid.SampledFrom([]profile.OrganisationType{"", profile.SME, profile.University, profile.Municipality}).Draw(t, "type"),
		Country:     countries.Draw(t, "country"),
		Seeks:       rapid.SliceOfN(rapid.SampledFrom([]profile.OrganisationType{profile.SME, profile.University}), 0, 1).Draw(t, "seeks"),
		Cooperation: rapid.SliceOfN(rapid.SampledFrom([]profile.Cooperation{profile.TestWithEndUsers, profile.ClinicalStudy, profile.Licence}), 0, 3).Draw(t, "cooperation"),
		Targets:     rapid.SliceOfN(rapid.SampledFrom([]string{"NO", "FI"}), 0, 1).Draw(t, "targets"),
	}
	if rapid.Bool().Draw(t, "has TRL") {
		f.TRL.Min = level.Draw(t, "from")
		f.TRL.Max = max(f.TRL.Min, level.Draw(t, "to"))
	}
	return f
}

// The index may sum a text part from either side.
func TestTheTextPartIsTheSameFromBothSides(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		demand, supply := features(t, profile.Demand), features(t, profile.Supply)
		d, s := slices.Clone(demand), slices.Clone(supply)
		text, shared := score.Text(demand, supply)
		turned, sharedTurned := score.Text(supply, demand)
		if text != turned || !cmp.Equal(shared, sharedTurned) {
			t.Fatalf("from the demand %d %v, from the supply %d %v", text, shared, turned, sharedTurned)
		}
		if !slices.Equal(d, demand) || !slices.Equal(s, supply) {
			t.Fatal("Text changed its arguments")
		}
		var sum uint32
		for i, c := range shared {
			sum += c.Points
			if i > 0 && (shared[i-1].Points < c.Points || shared[i-1].Points == c.Points && shared[i-1].Term >= c.Term) {
				t.Fatalf("contributions are not in order: %v", shared)
			}
		}
		var products uint32
		for _, x := range demand {
			for _, y := range supply {
				if x.Term == y.Term {
					products += x.Weight * y.Weight
				}
			}
		}
		if text != sum || text != products || text > score.TextMax {
			t.Fatalf("text %d, contributions %d, products %d", text, sum, products)
		}
	})
}

func TestASupplyThatCoversADemandHasTheGreatestText(t *testing.T) {
	t.Parallel()
	demand := []analysis.Feature{{Term: "a", Weight: 65_535}, {Term: "b", Weight: 1}}
	supply := []analysis.Feature{{Term: "a", Weight: 255}, {Term: "aa", Weight: 255}, {Term: "b", Weight: 255}}
	if text, _ := score.Text(demand, supply); text != score.TextMax {
		t.Errorf("text %d, want %d", text, score.TextMax)
	}
}

// What holds for every pair.
func TestAScoreIsTheSumOfItsParts(t *testing.T) {
	t.Parallel()
	epoch := score.NewEpoch(1, nil, score.DefaultThresholds()) // a pair needs no analysis
	rapid.Check(t, func(t *rapid.T) {
		demand, supply := facts(t, profile.Need, profile.PublicNeed), facts(t, profile.Offer, profile.TestPlace)
		text, shared := score.Text(features(t, profile.Demand), features(t, profile.Supply))
		r := epoch.Pair(demand, supply, text, shared)
		if again := epoch.Pair(demand, supply, text, shared); !cmp.Equal(r, again) {
			t.Fatalf("scored again: %s", cmp.Diff(r, again))
		}
		if top := epoch.Pair(demand, supply, text, shared[:min(len(shared), suggestion.MaxReasons)]); !cmp.Equal(r, top) {
			t.Fatalf("the reasons depend on how many contributions are known (-all +heaviest):\n%s", cmp.Diff(r, top))
		}
		if len(r.Blockers) > 0 {
			if r.Score != 0 || r.Band != "" || len(r.Reasons)+len(r.Parts) > 0 {
				t.Fatalf("blocked, but %+v", r)
			}
			return
		}
		if r.Score < 0 || r.Score > 1 || math.Round(r.Score*10000)/10000 != r.Score {
			t.Fatalf("score %v", r.Score)
		}
		var sum float64
		var names []string
		for _, p := range r.Parts {
			sum += p.Points
			names = append(names, p.Name)
		}
		if math.Abs(sum-r.Score) > 1e-9 || strings.Join(names, " ") != "text cooperation organisation trl" {
			t.Fatalf("parts %v of score %v", r.Parts, r.Score)
		}
		var told float64
		for i, reason := range r.Reasons {
			told += reason.Points
			if i > 0 && r.Reasons[i-1].Points < reason.Points || reason.Points < 0 {
				t.Fatalf("reasons are not in order: %v", r.Reasons)
			}
		}
		if told > r.Score+1e-9 || len(r.Reasons) > suggestion.MaxReasons {
			t.Fatalf("%d reasons bring %v of score %v", len(r.Reasons), told, r.Score)
		}
		if th := epoch.Thresholds(); (r.Band != "") != (text >= th.Floor && r.Score >= float64(th.Possible)/10000) {
			t.Fatalf("band %q of score %v and text %d", r.Band, r.Score, text)
		}
	})
}

// The more of a demand is answered, the higher the score.
func TestTheScoreRisesWithTheText(t *testing.T) {
	t.Parallel()
	epoch := score.NewEpoch(1, nil, score.DefaultThresholds())
	demand, supply := score.Facts{Kind: profile.Need}, score.Facts{Kind: profile.Offer}
	last, gain := -1.0, math.Inf(1)
	const steps = 64
	for i := range steps + 1 {
		s := epoch.Pair(demand, supply, uint32(i*(score.TextMax/steps)), nil).Parts[0].Points
		if s <= last || i > 1 && s-last > gain+2e-4 {
			t.Errorf("step %d: text brings %v after %v and %v", i, s, last, gain)
		}
		if i > 0 {
			gain = s - last
		}
		last = s
	}
	if got := epoch.Pair(demand, supply, score.TextMax, nil).Parts[0].Points; got != 0.8 {
		t.Errorf("all of the text brings %v, want 0.8", got)
	}
}

// Region orders equals; it decides nothing.
func TestRegionTouchesNoScore(t *testing.T) {
	t.Parallel()
	epoch := score.NewEpoch(1, nil, score.DefaultThresholds())
	rapid.Check(t, func(t *rapid.T) {
		demand, supply := facts(t, profile.Need, profile.PublicNeed), facts(t, profile.Offer, profile.TestPlace)
		text, shared := score.Text(features(t, profile.Demand), features(t, profile.Supply))
		want := epoch.Pair(demand, supply, text, shared)
		demand.NUTS, supply.NUTS = "FI1D9", "FI1D9"
		if diff := cmp.Diff(want, epoch.Pair(demand, supply, text, shared)); diff != "" {
			t.Fatalf("(-without +with):\n%s", diff)
		}
	})
}

// A common language counts for nothing but the words that are shared because of it,
// and those are too many by three tenths.
func TestACommonLanguageMakesTheTextCountLess(t *testing.T) {
	t.Parallel()
	in := func(langs ...string) score.Facts { return score.Facts{Langs: langs} }
	for _, tt := range []struct {
		demand, supply score.Facts
		want           uint32
	}{
		{in("nb"), in("fi"), 1_000_000},
		{in("nb"), in("nb"), 700_000},
		{in("nb", "en"), in("fi", "en"), 700_000},
		{in(), in("fi"), 1_000_000},
		{in(), in(), 1_000_000},
	} {
		if got, back := score.Counts(tt.demand, tt.supply, 1_000_000), score.Counts(tt.supply, tt.demand, 1_000_000); got != tt.want || back != got {
			t.Errorf("%v and %v: %d, the other way round %d, want %d", tt.demand.Langs, tt.supply.Langs, got, back, tt.want)
		}
	}
	epoch := score.NewEpoch(1, nil, score.DefaultThresholds())
	far, near := score.Facts{Kind: profile.Offer, Langs: []string{"fi"}}, score.Facts{Kind: profile.Offer, Langs: []string{"nb"}}
	need := score.Facts{Kind: profile.Need, Langs: []string{"nb"}}
	if a, b := epoch.Pair(need, far, score.TextMax/8, nil), epoch.Pair(need, near, score.TextMax/8, nil); b.Score >= a.Score {
		t.Errorf("the same text part scores %v across languages and %v within one", a.Score, b.Score)
	}
}

// A need that asks for a test with end users ranks a test place above an expert
// whose text fits as well or a little better, and below one whose text fits much better.
func TestATestPlaceComesBeforeAnExpertOfEqualText(t *testing.T) {
	t.Parallel()
	epoch := score.NewEpoch(1, nil, score.DefaultThresholds())
	need := score.Facts{Kind: profile.Need, Cooperation: []profile.Cooperation{profile.TestWithEndUsers}}
	place := score.Facts{Kind: profile.TestPlace}
	expert := score.Facts{Kind: profile.Offer}
	other := score.Facts{Kind: profile.Offer, Cooperation: []profile.Cooperation{profile.Licence}}
	const text = score.TextMax / 10
	first := epoch.Pair(need, place, text, nil).Score
	if silent, wrong := epoch.Pair(need, expert, text, nil).Score, epoch.Pair(need, other, text, nil).Score; first <= silent || silent <= wrong {
		t.Errorf("a test place scores %v, an expert who says nothing of cooperation %v, one who gives another %v", first, silent, wrong)
	}
	if better := epoch.Pair(need, expert, text*5/4, nil).Score; first <= better {
		t.Errorf("a test place scores %v, an expert whose text fits a quarter better %v", first, better)
	}
	if much := epoch.Pair(need, expert, text*2, nil).Score; first >= much {
		t.Errorf("a test place scores %v, an expert whose text fits twice as well %v", first, much)
	}
}
