package analysis_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/analysis"
	"kobling/internal/lexicon"
	"kobling/internal/profile"
	"kobling/internal/testkit"
)

// sameRaw compares features with all that is in them.
var sameRaw = cmp.AllowUnexported(analysis.Raw{}, analysis.Count{})

// someWords are labels of the lexicon in all languages, and a few other words.
var someWords = sync.OnceValue(func() []string {
	words := []string{"prosjekt", "ISO 13485", "and", "ihmisten", "kräftskiva", "zorgbreed", "2024", ".", "—"}
	l, err := lexicon.Default()
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(l.Concepts); i += 3 {
		for _, lang := range lexicon.Languages {
			for _, label := range l.Concepts[i].Labels[lang] {
				words = append(words, label.Text)
			}
		}
	}
	return words
})

// anyTexts draws the texts of a profile: nothing, a few words, or far more than
// anybody writes.
func anyTexts() *rapid.Generator[[]profile.Text] {
	field := rapid.Custom(func(t *rapid.T) string {
		n := rapid.SampledFrom([]int{0, 0, 1, 3, 10, 40, 120}).Draw(t, "words")
		all := someWords()
		at := rapid.SliceOfN(rapid.IntRange(0, len(all)-1), n, n).Draw(t, "at")
		var b strings.Builder
		for _, i := range at {
			b.WriteString(all[i] + " ")
		}
		return b.String()
	})
	one := rapid.Custom(func(t *rapid.T) profile.Text {
		return profile.Text{
			Lang:  rapid.SampledFrom(append([]string{"", "xx"}, lexicon.Languages...)).Draw(t, "lang"),
			Title: field.Draw(t, "title"), Summary: field.Draw(t, "summary"), Description: field.Draw(t, "description"),
			Requirements: field.Draw(t, "requirements"), PartnerRole: field.Draw(t, "partner role"),
		}
	})
	return rapid.SliceOfN(one, 0, 3)
}

// The index refuses features that break one of these, and scores add up because
// of them.
func TestBothSidesKeepTheirBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := anyTexts().Draw(t, "texts")
		raw := analyzer().Features(texts)
		checkSides(t, raw)
		turned := slices.Clone(texts)
		slices.Reverse(turned)
		if diff := cmp.Diff(raw, analyzer().Features(turned), sameRaw); diff != "" {
			t.Fatalf("the order of texts matters:\n%s", diff)
		}
		shuffled := raw
		shuffled.Counts = rapid.Permutation(raw.Counts).Draw(t, "shuffled")
		if diff := cmp.Diff(analyzer().Weights(raw).Demand(), analyzer().Weights(shuffled).Demand()); diff != "" {
			t.Fatalf("the order of terms matters to a demand:\n%s", diff)
		}
		if diff := cmp.Diff(analyzer().Weights(raw).Supply(), analyzer().Weights(shuffled).Supply()); diff != "" {
			t.Fatalf("the order of terms matters to a supply:\n%s", diff)
		}
	})
}

// checkSides fails unless raw and both its sides are as promised.
func checkSides(tb rapid.TB, raw analysis.Raw) {
	tb.Helper()
	for i, c := range raw.Counts {
		if i > 0 && raw.Counts[i-1].Term >= c.Term {
			tb.Fatalf("count %d is %+v after %+v", i, c, raw.Counts[max(i-1, 0)])
		}
	}
	demand, supply := analyzer().Weights(raw).Demand(), analyzer().Weights(raw).Supply()
	if total := checkSide(tb, "demand", demand, 1<<16); total != 1<<16 && len(demand) > 0 || len(demand) > analysis.MaxDemand {
		tb.Fatalf("%d demand features add up to %d", len(demand), total)
	}
	if checkSide(tb, "supply", supply, 255); len(supply) > 256 {
		tb.Fatalf("%d supply features", len(supply))
	}
	if slices.ContainsFunc(supply, func(f analysis.Feature) bool { return f.Term == "u:" }) {
		tb.Fatalf("a supply has the feature that no supply has: %v", supply)
	}
}

// checkSide returns what the weights add up to.
func checkSide(tb rapid.TB, side string, features []analysis.Feature, most uint32) (total uint32) {
	tb.Helper()
	for i, f := range features {
		if f.Weight < 1 || f.Weight > most || f.Term == "" || i > 0 && features[i-1].Term >= f.Term {
			tb.Fatalf("%s feature %d of %v", side, i, features)
		}
		total += f.Weight
	}
	return total
}

func TestADemandOfFewWordsIsMostlyUnsaid(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[one]\nen: fallradar\n[two]\nen: robotics\n[three]\nen: dosing\n[usual] common\nen: hospital\n")
	unsaid := func(words string) uint32 {
		f := a.Weights(a.Features(text("en", words))).Demand()
		i := slices.IndexFunc(f, func(f analysis.Feature) bool { return f.Term == "u:" })
		if i < 0 {
			return 0
		}
		return f[i].Weight
	}
	common, one, two, three := unsaid("hospital"), unsaid("fallradar"), unsaid("fallradar robotics"), unsaid("fallradar robotics dosing")
	if common < 60_000 || common <= one || one <= two || two <= three || three == 0 {
		t.Errorf("unsaid of a common word %d, of one concept %d, two %d, three %d", common, one, two, three)
	}
	var many strings.Builder
	for i := range 30 {
		fmt.Fprintf(&many, "%cfallradar ", 'a'+i%26)
	}
	if n := unsaid(many.String()); n != 0 {
		t.Errorf("unsaid of many words %d", n)
	}
	if f := a.Weights(analysis.Raw{}).Demand(); len(f) != 0 {
		t.Errorf("a demand that says nothing has the features %v", f)
	}
}

func TestTheHeaviestFeaturesAreKept(t *testing.T) {
	t.Parallel()
	var words strings.Builder
	for i := range 400 {
		fmt.Fprintf(&words, "filler%03d ", i)
	}
	a := testkit.Analyzer(t, "[one]\nen: concept\n")
	p := profile.Text{Lang: "en", Title: "concept fallradar", Description: words.String()}
	raw := a.Features([]profile.Text{p})
	demand, supply := a.Weights(raw).Demand(), a.Weights(raw).Supply()
	var want []string
	for _, w := range a.Weights(raw).Heaviest()[:analysis.MaxDemand-1] { // one is left for what is unsaid
		want = append(want, w.Term)
	}
	slices.Sort(want)
	var got []string
	for _, f := range demand {
		got = append(got, f.Term)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the demand keeps (-want +got):\n%s", diff)
	}
	has := func(f analysis.Feature) bool { return f.Term == "s:falradar" }
	if len(supply) != analysis.MaxSupply || !slices.ContainsFunc(supply, has) || !slices.ContainsFunc(demand, has) {
		t.Errorf("the supply keeps %d features: %v", len(supply), supply)
	}
	one := a.Weights(a.Features(text("en", "fallradar"))).Supply()
	if i, j := slices.IndexFunc(one, has), slices.IndexFunc(supply, has); one[i].Weight <= supply[j].Weight {
		t.Errorf("a supply about everything weighs %v, one about one thing %v", supply[j], one[i])
	}
}

func TestASupplyAnswersWiderDemandsByHalf(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[care]\nen: caregiving\n[home-care < care]\nen: homecare\n[night-care < home-care]\nen: nightcare\n[any] empty\nen: anything\n[some < any]\nen: something\n")
	weights := func(words string) map[string]uint32 {
		all := make(map[string]uint32)
		for _, f := range a.Weights(a.Features([]profile.Text{{Lang: "en", Title: words, Description: words + ". " + words}})).Supply() {
			if analysis.IsConcept(f.Term) {
				all[f.Term] = f.Weight
			}
		}
		return all
	}
	for words, want := range map[string]map[string]uint32{
		"nightcare":          {"c:night-care": 244, "c:home-care": 122, "c:care": 61},
		"nightcare homecare": {"c:night-care": 243, "c:home-care": 243, "c:care": 121},
		"caregiving":         {"c:care": 244},
		"something":          {"c:some": 244}, // what weighs nothing stays out
	} {
		if diff := cmp.Diff(want, weights(words)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", words, diff)
		}
	}
	for _, f := range a.Weights(a.Features(text("en", "nightcare"))).Demand() {
		if f.Term == "c:home-care" {
			t.Error("a demand asks for something wider than it says")
		}
	}
}

// What stands in the title says more; what is said in two languages is not said
// twice as much.
func TestUnits(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[robot]\nen: robotics\nsv: robotteknik\n")
	units := func(texts ...profile.Text) uint32 {
		for _, c := range a.Features(texts).Counts {
			if c.Term == "c:robot" {
				return c.Units
			}
		}
		return 0
	}
	en, sv := profile.Text{Lang: "en", Description: "robotics"}, profile.Text{Lang: "sv", Description: "robotteknik"}
	var got []uint32
	for _, p := range []profile.Text{{PartnerRole: "robotics"}, {Description: "robotics"}, {Summary: "robotics"}, {Title: "robotics"}, {Requirements: strings.Repeat("robotics ", 100)}} {
		p.Lang = "en"
		got = append(got, units(p))
	}
	if diff := cmp.Diff([]uint32{160, analysis.Unit, 300, 480, 100 * analysis.Unit}, got); diff != "" {
		t.Errorf("units in partner role, description, summary, title, a hundred times (-want +got):\n%s", diff)
	}
	if both := units(en, sv); both != units(en) {
		t.Errorf("units in two languages %d, in one %d", both, units(en))
	}
}

func TestOneAnalyzerServesAllAtOnce(t *testing.T) {
	t.Parallel()
	var want []analysis.Raw
	var texts [][]profile.Text
	for lang, words := range sentences {
		texts = append(texts, []profile.Text{{Title: words}, {Lang: lang, Description: words + " kotihoito hemtjänst hjemmepleje"}})
		want = append(want, analyzer().Features(texts[len(texts)-1]))
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 40 {
				n := i % len(texts)
				if diff := cmp.Diff(want[n], analyzer().Features(texts[n]), sameRaw); diff != "" {
					t.Errorf("beside others (-alone +beside):\n%s", diff)
				}
				analyzer().Spans(texts[n], []string{want[n].Counts[0].Term}, true)
			}
		})
	}
	all.Wait()
}
