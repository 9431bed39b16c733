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
var sameRaw = cmp.AllowUnexported(analysis.Raw{})

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
		shuffled := rapid.Permutation(raw).Draw(t, "shuffled")
		if diff := cmp.Diff(analyzer().Demand(raw), analyzer().Demand(shuffled)); diff != "" {
			t.Fatalf("the order of terms matters to a demand:\n%s", diff)
		}
		if diff := cmp.Diff(analyzer().Supply(raw), analyzer().Supply(shuffled)); diff != "" {
			t.Fatalf("the order of terms matters to a supply:\n%s", diff)
		}
	})
}

// checkSides fails unless raw and both its sides are as promised.
func checkSides(tb rapid.TB, raw []analysis.Raw) {
	tb.Helper()
	for i, r := range raw {
		if r.Worth < 1 || r.Worth > 1000 || r.Presence >= analysis.FullPresence || i > 0 && raw[i-1].Term >= r.Term {
			tb.Fatalf("raw feature %d is %+v after %+v", i, r, raw[max(i-1, 0)])
		}
	}
	demand, supply := analyzer().Demand(raw), analyzer().Supply(raw)
	if total := checkSide(tb, "demand", demand, 1<<16); total != 1<<16 && len(raw) > 0 || len(demand) > 32 {
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
	unsaid := func(words string) (uint32, int) {
		f := a.Demand(a.Features(text("en", words)))
		i := slices.IndexFunc(f, func(f analysis.Feature) bool { return f.Term == "u:" })
		if i < 0 {
			return 0, len(f)
		}
		return f[i].Weight, len(f)
	}
	common, _ := unsaid("hospital")
	one, _ := unsaid("fallradar")
	two, _ := unsaid("fallradar robotics")
	full, n := unsaid("fallradar robotics dosing")
	if common < 58_000 || common <= one || one <= two || full != 0 || n != 6 {
		t.Errorf("unsaid of a common word %d, of one concept %d, two %d, three %d (%d features)", common, one, two, full, n)
	}
	if f := a.Demand(nil); len(f) != 0 {
		t.Errorf("a demand that says nothing has the features %v", f)
	}
}

func TestTheHeaviestFeaturesAreKept(t *testing.T) {
	t.Parallel()
	var concepts, words strings.Builder
	for i := range 40 {
		fmt.Fprintf(&concepts, "[c%02d]\nen: concept%02d\n", i, i)
		fmt.Fprintf(&words, "concept%02d. ", i)
	}
	for i := range 300 {
		fmt.Fprintf(&words, "filler%03d ", i)
	}
	a := testkit.Analyzer(t, concepts.String())
	p := profile.Text{Lang: "en", Title: "concept39", Description: words.String()}
	raw := a.Features([]profile.Text{p})
	demand, supply := a.Demand(raw), a.Supply(raw)
	if len(demand) != 31 || demand[0].Term != "c:c00" || demand[30].Term != "c:c39" {
		t.Errorf("the demand keeps %d features: %v", len(demand), demand)
	}
	kept := 0
	for _, f := range supply {
		if analysis.IsConcept(f.Term) {
			kept++
		}
	}
	if len(supply) != analysis.MaxSupply || kept != 40 {
		t.Errorf("the supply keeps %d features with %d concepts", len(supply), kept)
	}
	if one := a.Supply(a.Features(text("en", "concept00"))); one[0].Weight <= supply[0].Weight {
		t.Errorf("a supply about everything weighs %v, one about one thing %v", supply[0], one[0])
	}
}

func TestASupplyAnswersWiderDemandsByHalf(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[care]\nen: caregiving\n[home-care < care]\nen: homecare\n[night-care < home-care]\nen: nightcare\n[any] empty\nen: anything\n[some < any]\nen: something\n")
	weights := func(words string) map[string]uint32 {
		all := make(map[string]uint32)
		for _, f := range a.Supply(a.Features([]profile.Text{{Lang: "en", Title: words, Description: words + ". " + words}})) {
			if analysis.IsConcept(f.Term) {
				all[f.Term] = f.Weight
			}
		}
		return all
	}
	for words, want := range map[string]map[string]uint32{
		"nightcare":          {"c:night-care": 255, "c:home-care": 127, "c:care": 63},
		"nightcare homecare": {"c:night-care": 255, "c:home-care": 255, "c:care": 127},
		"caregiving":         {"c:care": 255},
		"something":          {"c:some": 255}, // what weighs nothing stays out
	} {
		if diff := cmp.Diff(want, weights(words)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", words, diff)
		}
	}
	for _, f := range a.Demand(a.Features(text("en", "nightcare"))) {
		if f.Term == "c:home-care" {
			t.Error("a demand asks for something wider than it says")
		}
	}
}

// What stands in the title says more; what is said in two languages, or again
// and again, is not said twice as much.
func TestPresence(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[robot]\nen: robotics\nsv: robotteknik\n")
	presence := func(texts ...profile.Text) uint32 {
		for _, r := range a.Features(texts) {
			if r.Term == "c:robot" {
				return r.Presence
			}
		}
		return 0
	}
	en, sv := profile.Text{Lang: "en", Description: "robotics"}, profile.Text{Lang: "sv", Description: "robotteknik"}
	var got []uint32
	for _, p := range []profile.Text{{PartnerRole: "robotics"}, {Description: "robotics"}, {Summary: "robotics"}, {Title: "robotics"}, {Requirements: strings.Repeat("robotics ", 100)}} {
		p.Lang = "en"
		got = append(got, presence(p))
	}
	if !slices.IsSorted(got) || got[1] != 1024 || got[3] != 1365 || got[4] >= analysis.FullPresence || got[0] >= got[1] || got[1] >= got[2] {
		t.Errorf("presence in partner role, description, summary, title, a hundred times: %v", got)
	}
	if both := presence(en, sv); both != presence(en) {
		t.Errorf("presence in two languages %d, in one %d", both, presence(en))
	}
}

func TestOneAnalyzerServesAllAtOnce(t *testing.T) {
	t.Parallel()
	var want [][]analysis.Raw
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
				analyzer().Spans(texts[n], []string{want[n][0].Term}, true)
			}
		})
	}
	all.Wait()
}
