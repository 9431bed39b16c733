package analysis_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/analysis"
	"kobling/internal/fault"
	"kobling/internal/lexicon"
	"kobling/internal/profile"
	"kobling/internal/testkit"
)

// Whoever writes a label can trust that a text which uses it is understood, and
// that what is to weigh nothing does.
func TestEveryLabelOfTheLexiconFindsItsConcept(t *testing.T) {
	t.Parallel()
	l, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range l.Concepts {
		for lang, labels := range c.Labels {
			for _, label := range labels {
				found := slices.Contains(terms(analyzer(), "c:", profile.Text{Lang: lang, Title: label.Text}), c.ID)
				if found != (c.Weight != lexicon.Empty) {
					t.Errorf("%s label %q of the %s concept %s: found is %v", lang, label.Text, c.Weight, c.ID, found)
				}
			}
		}
	}
}

const phrases = `
[fall]
en: fall
sv: fall
[detection]
en: detection
[fall-detection]
en: fall detection; detection of falls
[fall-detection-at-home < fall-detection]
en: fall detection at home
[elderly-care]
en: care of the elderly
[ct]
en: CT; computed tomography
[in-silico]
en: in silico
[long-covid]
en: long covid
[covid]
en: corona virus
[bank-money]
en: ~bank
[bank-river]
en: ~bank
[call] empty
en: looking for a partner; partner
[hospital] common
en: hospital
[prototype] formal
en: prototype
`

func TestTheLongestLabelIsTaken(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, phrases)
	for words, want := range map[string]string{
		"fall detection":                    "fall-detection",
		"fall detection at home":            "fall-detection-at-home",
		"Falls, detections":                 "detection fall", // a comma parts the phrase
		"fall. detection":                   "detection fall",
		"fall\ndetection":                   "detection fall",
		"fall-detection":                    "fall-detection", // a hyphen does not
		"“fall” detection":                  "fall-detection",
		"fall® detection":                   "fall-detection",
		"the fall of detection":             "fall-detection", // nor do function words
		"detection of a fall":               "fall-detection",
		"fall fall detection":               "fall fall-detection",
		"fall detection detection":          "detection fall-detection",
		"fall detectors":                    "fall",
		"care of elderly":                   "elderly-care",
		"the elderly":                       "", // a part of a label is none
		"a CT scan":                         "ct",
		"a ct scan":                         "", // short abbreviations are known only in capitals
		"in silico trials":                  "in-silico",
		"the silico trials":                 "", // this function word belongs to the label
		"in. Silico":                        "",
		"long covid":                        "long-covid",
		"covid is long":                     "",
		"a bank":                            "bank-money bank-river",
		"looking for a partner in hospital": "hospital",
		"a prototype":                       "prototype",
	} {
		if got := strings.Join(terms(a, "c:", text("en", words)...), " "); got != want {
			t.Errorf("%q speaks of %q, want %q", words, got, want)
		}
	}
}

// A concept weighs what its class says; a word that may mean two things counts
// half for each.
func TestWeightsAndMeanings(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, phrases)
	raw := a.Features(text("en", "fall bank hospital prototype partner"))
	weights := make(map[string]uint64)
	for _, w := range a.Weights(raw).Heaviest() {
		weights[w.Term] = w.Weight
	}
	if fall, hospital, prototype := weights["c:fall"], weights["c:hospital"], weights["c:prototype"]; fall < 4*hospital || hospital < 2*prototype || prototype == 0 {
		t.Errorf("a specific concept weighs %d, a common one %d, a formal one %d", fall, hospital, prototype)
	}
	if weights["c:call"] > 0 || weights["s:partner"] > 0 {
		t.Errorf("boilerplate weighs %v", weights)
	}
	units := make(map[string]uint32)
	for _, c := range raw.Counts {
		units[c.Term] = c.Units
	}
	if units["c:fall"] != analysis.Unit || units["c:bank-money"] != analysis.Unit/2 || units["c:bank-river"] != analysis.Unit/2 {
		t.Errorf("units of words with one meaning and with two: %v", units)
	}
}

// A text understands its neighbours' labels where its own language has none, and
// English ones of some length.
func TestNeighboursAreUnderstood(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, `
[poison]
da: gift
nb: gift
[marriage]
sv: gift
[home]
nb: heim
[sensor]
en: sensor
[eye]
en: eye
[mri]
en: MRI; magnetic resonance
[dane]
da: dansker; om natten
`)
	for _, tt := range []struct{ lang, words, want string }{
		{"da", "gift", "poison"},
		{"nn", "gift i heimen", "home poison"},
		{"sv", "gift", "marriage"},
		{"fi", "gift", ""}, // Finnish understands no Danish
		{"fi", "sensor", "sensor"},
		{"fr", "magnetic resonance", "mri"},
		{"da", "eye", ""}, // too short to mean anything in Danish
		{"da", "MRI", "mri"},
		{"da", "mri", ""},
		{"en", "dansker", ""}, // English understands only itself
		{"nb", "dansker", "dane"},
		{"nb", "om natten", ""}, // a function word beside it is of one language only
		{"", "gift", "marriage poison"},
	} {
		if got := strings.Join(terms(a, "c:", text(tt.lang, tt.words)...), " "); got != tt.want {
			t.Errorf("%s %q speaks of %q, want %q", tt.lang, tt.words, got, tt.want)
		}
	}
}

func TestLabelsThatNoTextCanHaveAreRefused(t *testing.T) {
	t.Parallel()
	l, err := lexicon.Parse(fstest.MapFS{"bad.txt": {Data: []byte("[a]\nen: the of and; fine\nda: og\n[b]\nen: care, nursing; Ph.D. student\n[c] empty\nen: in the\n")}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = analysis.New(l)
	if !errors.Is(err, fault.ErrInvalid) {
		t.Fatalf("New = %v, want an invalid lexicon", err)
	}
	var got []string
	for line := range strings.Lines(err.Error()) {
		_, label, _ := strings.Cut(line, "concept ")
		got = append(got, strings.Join(strings.SplitAfterN(label, `"`, 3)[:2], ""))
	}
	want := []string{`a: da label "og"`, `a: en label "the of and"`, `b: en label "care, nursing"`, `c: en label "in the"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refused labels (-want +got):\n%s\n%v", diff, err)
	}
}

// Which words weigh nothing depends on the language.
func TestFunctionWordsWeighNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ lang, words string }{
		{"en", "we would like to have it with them carefully"},
		{"nb", "ho veit ikkje kvifor dei gjer det"}, // nynorsk in a text that is said to be bokmål
		{"sv", "vi vill inte att det ska vara så"},
		{"fi", "se on ollut jo niin"},
		{"nl", "wij hebben dat niet meer"},
		{"", "the und mais niet"}, // any language's in a text of unknown language
	} {
		if got := terms(analyzer(), "", text(tt.lang, tt.words)...); len(slices.DeleteFunc(got, func(s string) bool { return s == "s:veit" })) > 0 {
			t.Errorf("%s %q has the terms %v", tt.lang, tt.words, got)
		}
	}
	if got := terms(analyzer(), "s:", text("en", "und")...); len(got) != 1 {
		t.Errorf("a German function word in English has the terms %v", got)
	}
}
