package score_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

const concepts = `
[home-care < care]
nb: hjemmetjeneste
fi: kotihoito
en: home care
sv: hemtjänst
[care]
nb: omsorg
fi: hoiva
en: care
[older-people] common
nb: eldre
fi: ikääntynyt
en: older people
`

// norwegian and finnish are a need and a test place that fit.
func norwegian() *profile.Profile {
	return &profile.Profile{
		ID: "need.vaktsom.dispenser", Organisation: profile.Organisation{Type: profile.SME, Country: "NO"},
		Texts: []profile.Text{{
			Lang: "nb", Title: "Testmiljø i hjemmetjenesten", Description: "Utprøving hos eldre med Vivago. Omsorg på kveldstid.",
		}},
		Cooperation: []profile.Cooperation{profile.TestWithEndUsers}, TRL: &profile.TRL{Min: 5, Max: 7},
	}
}

func finnish() *profile.Profile {
	return &profile.Profile{
		ID: "test_place.oulu.koti", Organisation: profile.Organisation{Type: profile.Municipality, Country: "FI"},
		Texts: []profile.Text{
			{Lang: "fi", Title: "Kotihoidon testipaikka", Description: "Kotihoitoa ikääntyneille"},
			{Lang: "en", Title: "Test place", Description: "Home-care with VIVAGO"},
		},
	}
}

// matched returns the epoch and what Pair says of the two.
func matched(t *testing.T) (*score.Epoch, []suggestion.Reason) {
	t.Helper()
	e := score.NewEpoch(1, testkit.Analyzer(t, concepts), score.DefaultThresholds())
	d, s := e.Side(norwegian()), e.Side(finnish())
	text, shared := score.Text(d.Features, s.Features)
	return e, e.Pair(d.Facts, s.Facts, text, shared).Reasons
}

func TestReasonsAreExplainedInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	e, reasons := matched(t)
	for lang, want := range map[string][]string{
		"fi": {"kotihoito", "hoiva", "ikääntynyt", "vivago", "Yhteistyö, haettu ja tarjottu: testaus loppukäyttäjillä"},
		"nb": {"hjemmetjeneste", "omsorg", "eldre", "vivago", "Samarbeid, søkt og tilbudt: test med sluttbrukere"},
		"nn": {"hjemmetjeneste", "omsorg", "eldre", "vivago", "Samarbeid, søkt og tilbudt: test med sluttbrukere"},
		"sv": {"hemtjänst", "care", "older people", "vivago", "Samarbete, sökt och erbjudet: test med slutanvändare"},
		"de": {"home care", "care", "older people", "vivago", "Cooperation, asked and offered: test with end users"},
	} {
		var got []string
		for _, x := range e.Explain(norwegian(), finnish(), reasons, lang) {
			got = append(got, x.Label)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("for a reader of %s (-want +got):\n%s", lang, diff)
		}
	}
}

// What is one word to a reader is one reason, whatever it is to the analysis: here
// a concept, its translations and its beginning.
func TestReasonsQuoteBothSides(t *testing.T) {
	t.Parallel()
	e, reasons := matched(t)
	demand, supply := norwegian(), finnish()
	explained := e.Explain(demand, supply, reasons, "nb")
	words := map[string][2]string{ // the demand's and the supply's
		"c:home-care":                          {"nb:title:hjemmetjenesten", "fi:title:Kotihoidon fi:description:Kotihoitoa en:description:Home-care"},
		"c:care":                               {"nb:description:Omsorg", "fi:title:Kotihoidon fi:description:Kotihoitoa en:description:Home-care"}, // the supply's narrower concept answers
		"c:older-people":                       {"nb:description:eldre", "fi:description:ikääntyneille"},
		"s:vivago":                             {"nb:description:Vivago", "en:description:VIVAGO"},
		"fact:cooperation:test_with_end_users": {"", ""},
	}
	kinds := map[string]string{"c": "concept", "s": "word", "fact": "fact"}
	sum := func(n, points float64) float64 { return math.Round((n+points)*10_000) / 10_000 }
	var all, shown float64
	for _, r := range reasons {
		all = sum(all, r.Points)
	}
	for i, x := range explained {
		shown = sum(shown, x.Points)
		if i > 0 && x.Points > explained[i-1].Points {
			t.Errorf("%s brings more than the one before it", x.Feature)
		}
		if prefix, _, _ := strings.Cut(x.Feature, ":"); x.Kind != kinds[prefix] {
			t.Errorf("%s is of kind %s", x.Feature, x.Kind)
		}
		want, ok := words[x.Feature]
		if got := [2]string{quoted(t, demand, x.Demand), quoted(t, supply, x.Supply)}; !ok || got != want {
			t.Errorf("%s quotes %q, want %q", x.Feature, got, want)
		}
		delete(words, x.Feature)
	}
	if len(words) > 0 {
		t.Errorf("not among the reasons: %v", words)
	}
	if all != shown {
		t.Errorf("the reasons bring %v, as explained %v", all, shown)
	}
}

// quoted joins spans as lang:field:words and fails where p has other words there.
func quoted(t *testing.T, p *profile.Profile, spans []suggestion.Span) string {
	t.Helper()
	var all []string
	for _, s := range spans {
		i := slices.IndexFunc(p.Texts, func(text profile.Text) bool { return text.Lang == s.Lang })
		field := map[string]string{"title": p.Texts[i].Title, "summary": p.Texts[i].Summary, "description": p.Texts[i].Description}[s.Field]
		if field[s.Start:s.End] != s.Text {
			t.Errorf("%s has %q at %d, not %q", s.Field, field[s.Start:s.End], s.Start, s.Text)
		}
		all = append(all, s.Lang+":"+s.Field+":"+s.Text)
	}
	return strings.Join(all, " ")
}

// A common place is added for readers and brings nothing.
func TestACommonPlaceIsNamedWithoutPoints(t *testing.T) {
	t.Parallel()
	e := score.NewEpoch(1, testkit.Analyzer(t, concepts), score.DefaultThresholds())
	at := func(p *profile.Profile, country, nuts string) *profile.Profile {
		p.Place = profile.Place{Country: country, NUTS: nuts}
		p.Organisation.Country = ""
		return p
	}
	for name, tt := range map[string]struct {
		demand, supply [2]string
		want           string
	}{
		"one region":                  {[2]string{"FI", "FI1D9"}, [2]string{"FI", "FI1D5"}, "fact:region:FI1D Same region: FI1D"},
		"the shorter code says it":    {[2]string{"FI", "FI1"}, [2]string{"FI", "FI1D5"}, "fact:region:FI1 Same region: FI1"},
		"one country, another region": {[2]string{"FI", "FI1D9"}, [2]string{"FI", "FI1B1"}, "fact:country:FI Same country: FI"},
		"a country code is no region": {[2]string{"FI", "FI"}, [2]string{"FI", "FI1B1"}, "fact:country:FI Same country: FI"},
		"another country":             {[2]string{"NO", "NO0A"}, [2]string{"FI", "FI1D"}, ""},
		"no country":                  {[2]string{"", ""}, [2]string{"", ""}, ""},
	} {
		demand, supply := at(norwegian(), tt.demand[0], tt.demand[1]), at(finnish(), tt.supply[0], tt.supply[1])
		var said []string
		explained := e.Explain(demand, supply, nil, "en")
		for _, x := range explained {
			said = append(said, x.Feature+" "+x.Label)
			if x.Points != 0 || x.Kind != "fact" {
				t.Errorf("%s: %+v", name, x)
			}
		}
		if got := strings.Join(said, ", "); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		for _, x := range explained { // what is there is not said again
			if again := e.Explain(demand, supply, []suggestion.Reason{x.Reason}, "en"); len(again) != 1 {
				t.Errorf("%s: said again: %v", name, again)
			}
		}
	}
}

// Old rows may name what this version does not know.
func TestAReasonThatNobodyKnowsIsStillShown(t *testing.T) {
	t.Parallel()
	e := score.NewEpoch(1, testkit.Analyzer(t, concepts), score.DefaultThresholds())
	var got []string
	for _, feature := range []string{"c:gone", "s:gone", "g:gon", "fact:gone:now", "fact:cooperation:gone", "fact:trl"} {
		for _, x := range e.Explain(norwegian(), finnish(), []suggestion.Reason{{Feature: feature}}, "en") {
			got = append(got, x.Kind+" "+x.Label)
		}
	}
	want := []string{"concept gone", "word gone", "ngram gon", "fact gone", "fact Cooperation, asked and offered: gone", "fact The maturity (TRL) fits"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}
