package score_test

import (
	"testing"

	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/testkit"
)

// An index is kept across restarts only if nothing that decides a score changed.
func TestTheFingerprintNamesWhatDecidesAScore(t *testing.T) {
	t.Parallel()
	a, th := testkit.Analyzer(t, "[a]\nen: fallradar\n"), score.DefaultThresholds()
	first := score.NewEpoch(1, a, th).Fingerprint()
	for name, same := range map[string]*score.Epoch{
		"another number":              score.NewEpoch(2, a, th),
		"the same lexicon, read anew": score.NewEpoch(1, testkit.Analyzer(t, "# said\n[a]\nen: fallradar\n"), th),
	} {
		if got := same.Fingerprint(); got != first {
			t.Errorf("%s: %s became %s", name, first, got)
		}
	}
	seen := map[string]string{first: "the first"}
	for name, other := range map[string]*score.Epoch{
		"a label":  score.NewEpoch(1, testkit.Analyzer(t, "[a]\nen: fallradar; radar\n"), th),
		"a weight": score.NewEpoch(1, testkit.Analyzer(t, "[a] common\nen: fallradar\n"), th),
		"floor":    score.NewEpoch(1, a, score.Thresholds{Floor: th.Floor + 1, Possible: th.Possible, Strong: th.Strong}),
		"possible": score.NewEpoch(1, a, score.Thresholds{Floor: th.Floor, Possible: th.Possible + 1, Strong: th.Strong}),
		"strong":   score.NewEpoch(1, a, score.Thresholds{Floor: th.Floor, Possible: th.Possible, Strong: th.Strong + 1}),
		"twin":     score.NewEpoch(1, a, score.Thresholds{Floor: th.Floor, Possible: th.Possible, Strong: th.Strong, Twin: 1}),
	} {
		got := other.Fingerprint()
		if same, ok := seen[got]; ok {
			t.Errorf("%s has the fingerprint of %s: %s", name, same, got)
		}
		seen[got] = name
	}
}

func TestAnEpochKnowsWhatItIsMadeOf(t *testing.T) {
	t.Parallel()
	a, th := testkit.Analyzer(t, "[a]\nen: fallradar\n"), score.Thresholds{Floor: 7, Possible: 8, Strong: 9}
	e := score.NewEpoch(3, a, th)
	if e.Number() != 3 || e.Analyzer() != a || e.Thresholds() != th || e.Floor() != 7 {
		t.Errorf("epoch %d, floor %d, thresholds %+v", e.Number(), e.Floor(), e.Thresholds())
	}
	if d := score.DefaultThresholds(); d.Floor < 1 || d.Floor > score.TextMax || d.Possible >= d.Strong || d.Strong > 10_000 {
		t.Errorf("default thresholds %+v", d)
	}
}

// A profile is weighed for its own side.
func TestASideIsWeighedByItsKind(t *testing.T) {
	t.Parallel()
	e := score.NewEpoch(1, testkit.Analyzer(t, "[a < b]\nen: fallradar\n[b]\nen: radar\n"), score.DefaultThresholds())
	for _, kind := range profile.Kinds {
		p := &profile.Profile{
			ID: profile.ID(string(kind) + ".org.one"), Texts: []profile.Text{{Lang: "en", Title: "fallradar"}},
			Organisation: profile.Organisation{Type: profile.SME, Country: "no"},
		}
		side := e.Side(p)
		var total uint32
		wider := false
		for _, f := range side.Features {
			total += f.Weight
			wider = wider || f.Term == "c:b"
		}
		if demand := kind.Side() == profile.Demand; demand != (total == score.DemandTotal) || demand == wider {
			t.Errorf("%s is weighed as %v", kind, side.Features)
		}
		if side.Facts.Kind != kind || side.Facts.OrgType != profile.SME || side.Facts.Country != "NO" {
			t.Errorf("facts of a %s: %+v", kind, side.Facts)
		}
	}
}
