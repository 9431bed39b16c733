package analysis_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/lexicon"
	"kobling/internal/profile"
	"kobling/internal/testkit"
)

const known = `
[fall-detection]
da: faldsensor
sv: fallsensor
en: fall sensor; fall detection

[home]
da: hjem
sv: hem
en: home

[wish] empty
en: we are looking for
`

func TestUnknownWordsAreThoseThatNoConceptHas(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, known)
	for name, tt := range map[string]struct {
		texts []profile.Text
		want  string // lang:word …
	}{
		"a concept is known, a function word and a number are no matter": {
			[]profile.Text{{Lang: "en", Title: "Fall sensor for the home 2026", Description: "of cucumbers, 12 in 3D"}}, "en:cucumbers",
		},
		"every occurrence in every field, in reading order": {
			[]profile.Text{{Lang: "en", Title: "Jars", Summary: "Jar", Description: "cucumber jars", Requirements: "lids", PartnerRole: "shelf"}},
			"en:jars en:jar en:cucumber en:jars en:lids en:shelf",
		},
		"a word of a label is unknown where the label is not": {
			[]profile.Text{{Lang: "en", Title: "The sensor and the fall of a home"}}, "en:sensor en:fall",
		},
		"what is known to weigh nothing is known": {
			[]profile.Text{{Lang: "en", Title: "We are looking for cucumbers"}}, "en:cucumbers",
		},
		"a compound with a known part is known, another stands whole": {
			[]profile.Text{{Lang: "da", Title: "Faldsensorhjem, hjemfaldsensoren og Agurkeglas"}}, "da:agurkeglas",
		},
		"each text has its language": {
			[]profile.Text{{Lang: "da", Title: "Agurkeglas"}, {Lang: "sv-SE", Title: "Gurkburk"}, {Title: "Xyzzy"}}, "da:agurkeglas sv:gurkburk :xyzzy",
		},
		"nothing": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, u := range a.Unknown(tt.texts) {
				got = append(got, u.Lang+":"+u.Word)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("Unknown (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFormsOfAWordHaveOneKey(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, known)
	for _, tt := range []struct{ lang, one, other string }{
		{"sv", "Gurkburkar", "gurkburken"}, {"en", "the cucumbers", "Cucumber"}, {"da", "kverulanten", "en kverulant"}, {"fi", "kurkkupurkissa", "kurkkupurkin"}, {"", "x1y", "X1Y"},
	} {
		if one, other := a.Key(tt.lang, tt.one), a.Key(tt.lang, tt.other); one == "" || one != other {
			t.Errorf("%s: %q and %q have the keys %q and %q", tt.lang, tt.one, tt.other, one, other)
		}
	}
	for _, several := range []string{"", "the", "cucumber jar", "of - and", "jar, jar"} {
		if key := a.Key("en", several); key != "" {
			t.Errorf("%q has the key %q", several, key)
		}
	}
}

// A label that is an unknown word has the key of that word in a text: a pack that
// has it makes it known.
func TestAnUnknownWordHasTheKeyOfItsLabel(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, known)
	rapid.Check(t, func(t *rapid.T) {
		lang := rapid.SampledFrom(lexicon.Languages).Draw(t, "lang")
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-ZÆØÅa-zæøåäöé' .-]{0,40}`)).Draw(t, "text")
		for _, u := range a.Unknown([]profile.Text{{Lang: lang, Title: text}}) {
			if u.Lang != lang || u.Word == "" || u.Key == "" {
				t.Fatalf("unknown %+v", u)
			}
			if key := a.Key(lang, u.Word); key != u.Key && key != "" { // "" for one written in capitals that is a function word otherwise
				t.Errorf("%q has the key %q in the text, %q as a label", u.Word, u.Key, key)
			}
		}
	})
}

func TestKeysAreThoseOfAWordsForms(t *testing.T) {
	t.Parallel()
	for lang, pair := range map[string][2]string{
		"sv": {"vård av patienter", "patienten i vården"}, "en": {"studies of the heart", "heart study"}, "fi": {"kotihoidon laite", "laitteen kotihoito"},
	} {
		a, b := analyzer().Keys(lang, pair[0]), analyzer().Keys(lang, pair[1])
		slices.Sort(a)
		slices.Sort(b)
		if len(a) != 2 || !slices.Equal(a, b) {
			t.Errorf("%s %q has the keys %v, %q has %v", lang, pair[0], a, pair[1], b)
		}
	}
}
