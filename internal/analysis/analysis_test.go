package analysis_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"kobling/internal/analysis"
	"kobling/internal/lexicon"
	"kobling/internal/profile"
)

// analyzer knows the default lexicon.
var analyzer = sync.OnceValue(func() *analysis.Analyzer {
	l, err := lexicon.Default()
	if err != nil {
		panic(err)
	}
	a, err := analysis.New(l)
	if err != nil {
		panic(err)
	}
	return a
})

func text(lang, words string) []profile.Text { return []profile.Text{{Lang: lang, Description: words}} }

// concepts returns the concepts that a text speaks of.
func concepts(lang, words string) []string {
	var all []string
	for _, r := range analyzer().Features(text(lang, words)).Counts {
		if id, ok := strings.CutPrefix(r.Term, "c:"); ok {
			all = append(all, id)
		}
	}
	return all
}

func TestConceptsAreFoundInflectedAndInCompounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ lang, words, concept string }{
		{"da", "Vi leverer falddetektionen til plejen i hjemmet", "fall-detection"},
		{"da", "hjemmeplejens medarbejdere", "home-care"},
		{"nb", "Utprøving sammen med hjemmetjenesten", "home-care"},
		{"nb", "fallsensorene virker", "fall-detection"},
		{"nn", "Vi treng ein fallsensor", "fall-detection"},
		{"sv", "inom hemtjänsten och hemsjukvården", "home-care"},
		{"fi", "kotihoidon tiimi", "home-care"},
		{"fi", "kotihoitoon ja kaatumisen tunnistukseen", "fall-detection"},
		{"nl", "wij leveren thuiszorg", "home-care"},
		{"nl", "in ziekenhuizen", "hospital"},
		{"en", "care at home for the elderly", "home-care"},
		{"en", "home-care staff", "home-care-workers"},
		{"", "Vi har utviklet en sensor som oppdager fall og varsler hjemmetjenesten når det skjer noe", "home-care"},
	} {
		if got := concepts(tt.lang, tt.words); !slices.Contains(got, tt.concept) {
			t.Errorf("%s %q speaks of %v, want %s among them", tt.lang, tt.words, got, tt.concept)
		}
	}
}

func TestWhatLooksAlikeIsNotTaken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ lang, words, concept string }{
		{"sv", "forskare vid KTH", "x-ray-ct"},
		{"en", "we scale the figure", "pharma-manufacturing"},
		{"en", "a covid vaccine", "fatigue-longcovid"},
		{"sv", "han leder arbetet", "musculoskeletal"},
		{"en", "the related work shows", "informal-care"},
	} {
		if got := concepts(tt.lang, tt.words); slices.Contains(got, tt.concept) {
			t.Errorf("%s %q speaks of %s", tt.lang, tt.words, tt.concept)
		}
	}
	for _, tt := range []struct{ words, concept string }{
		{"CT of the lungs", "x-ray-ct"}, {"patients with long covid", "fatigue-longcovid"}, {"scale-up of a vaccine", "pharma-manufacturing"},
	} {
		if got := concepts("en", tt.words); !slices.Contains(got, tt.concept) {
			t.Errorf("%q speaks of %v, want %s among them", tt.words, got, tt.concept)
		}
	}
}

func TestBoilerplateWeighsNothing(t *testing.T) {
	t.Parallel()
	for lang, words := range map[string]string{
		"da": "Vi søger en samarbejdspartner", "nb": "Vi søker samarbeidspartner", "sv": "Vi söker samarbetspartner",
		"fi": "Etsimme yhteistyökumppania", "nl": "Wij zoeken een partner", "en": "We are looking for a partner",
	} {
		if got := analyzer().Weights(analyzer().Features(text(lang, words))).Demand(); len(got) > 0 {
			t.Errorf("%s %q has features %v", lang, words, got)
		}
	}
}

func TestTheOrderOfTextsAndTheFormOfLettersDoNotMatter(t *testing.T) {
	t.Parallel()
	a := []profile.Text{{Lang: "sv", Title: "Fallsensor för äldre på Åland"}, {Lang: "fi", Description: "Kaatumistunnistin ikäihmisille"}}
	b := []profile.Text{a[1], {Lang: "sv", Title: norm.NFD.String(a[0].Title)}}
	if diff := cmp.Diff(analyzer().Features(a), analyzer().Features(b), sameRaw); diff != "" {
		t.Errorf("features differ:\n%s", diff)
	}
}

func TestSpansQuoteTheText(t *testing.T) {
	t.Parallel()
	texts := []profile.Text{{Lang: "nb", Title: "Ny fallsensor", Description: "Prøves ut i hjemmetjenesten på Ås."}}
	spans := analyzer().Spans(texts, []string{"c:fall-detection", "c:home-care", "c:robotics"}, false)
	for term, want := range map[string][]string{"c:fall-detection": {"fallsensor"}, "c:home-care": {"hjemmetjenesten"}, "c:robotics": nil} {
		var got []string
		for _, s := range spans[term] {
			got = append(got, s.In(&texts[0]))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is quoted wrongly:\n%s", term, diff)
		}
	}
}

func ExampleAnalyzer_Label() {
	fmt.Println(analyzer().Label("c:home-care", "fi"))
	// Output: kotihoito
}
