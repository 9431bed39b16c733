package analysis_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/analysis"
	"kobling/internal/profile"
	"kobling/internal/testkit"
)

// terms returns the terms with this prefix of a text, without the prefix.
func terms(a *analysis.Analyzer, prefix string, texts ...profile.Text) []string {
	all := []string{}
	for _, r := range a.Features(texts).Counts {
		if prefix == "" && strings.HasPrefix(r.Term, "g:") { // the beginnings of words
			continue
		}
		if id, ok := strings.CutPrefix(r.Term, prefix); ok {
			all = append(all, id)
		}
	}
	return all
}

// parts are words to build compounds from, a concept for each.
const parts = `
[home]
da: hjem
nb: hjem
sv: hem
fi: koti
nl: huis
de: Heim
[care]
da: pleje
nb: pleie
sv: vård
fi: hoito
nl: zorg
de: Pflege
en: care
[illness]
da: sygdom
nb: syke
sv: sjuk
fi: sairaus
nl: ziekte
de: Krankheit
en: illness
[patient]
da: patient
nb: pasient
sv: patient
fi: potilas
nl: patiënt
de: Patient
[child]
da: barn
nb: barn
sv: barn
fi: lapsi
nl: kind
de: Kind
[sensor]
da: sensor
nb: sensor
sv: sensor
fi: anturi
nl: sensor
de: Sensor
en: sensor
[hospital]
da: sygehus
nb: sykehus
sv: sjukhus
fi: sairaala
nl: ziekenhuis
de: Krankenhaus
[lung-disease]
da: KOL; lungesygdom
nb: kols
sv: KOL
fi: keuhkosairaus
nl: longziekte
de: COPD
[place]
da: plads; bolig
nb: plass; bolig; avdeling
sv: plats; avdelning
fi: paikka; osasto
nl: plek; afdeling
de: Platz; Abteilung
[side-by-side]
sv: vård sensor
nl: zorg sensor
`

func TestCompoundsAreSplitOverKnownWords(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, parts)
	for _, tt := range []struct{ lang, word, concepts string }{
		{"da", "hjemsensorerne", "home sensor"}, // the last part is inflected
		{"da", "sygehusplads", "hospital place"},
		{"da", "hjemspleje", "care home"},         // with s
		{"da", "barnebolig", "child place"},       // with e
		{"da", "patienterbolig", "patient place"}, // with er
		{"nb", "sykehusavdelingen", "hospital place"},
		{"nb", "pasientsensor", "patient sensor"},
		{"nb", "hjemspleien", "care home"},
		{"nb", "barneavdelinger", "child place"},
		{"nn", "barnesensor", "child sensor"}, // bokmål's words are understood in nynorsk
		{"sv", "hemsjukvården", "care home illness"},
		{"sv", "sjukhusplatser", "hospital place"},
		{"sv", "sensorsplats", "place sensor"},
		{"fi", "kotihoidossa", "care home"},
		{"fi", "sairaalaosaston", "hospital place"},
		{"fi", "sairaalanhoito", "care hospital"}, // with n
		{"fi", "anturihoidon", "care sensor"},
		{"nl", "ziekenhuiszorg", "care hospital"},
		{"nl", "patiëntenzorg", "care patient"}, // with en
		{"nl", "ziekenhuisafdelingen", "hospital place"},
		{"nl", "kindersensoren", ""}, // Dutch has no er between parts here
		{"de", "Krankenhausabteilung", "hospital place"},
		{"de", "Patientenpflege", "care patient"}, // with en
		{"de", "Kinderpflege", "care child"},      // with er
		{"de", "Krankheitssensoren", "illness sensor"},
		{"sv", "vårdsensor", "side-by-side"}, // the parts together are a label
		{"nl", "zorgsensoren", "side-by-side"},
		{"da", "sygehuspatientsensorplads", "hospital patient place sensor"}, // four parts
	} {
		if got := strings.Join(terms(a, "c:", text(tt.lang, tt.word)...), " "); got != tt.concepts {
			t.Errorf("%s %s means %q, want %q", tt.lang, tt.word, got, tt.concepts)
		}
	}
}

func TestOtherWordsAreLeftWhole(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, parts)
	for _, tt := range []struct{ lang, word, why string }{
		{"sv", "hemfärd", "its end is no known word"},
		{"sv", "kringvård", "its beginning is no known word"},
		{"sv", "hemhem", "it is too short"},
		{"en", "caresensor", "English writes compounds apart"},
		{"fr", "caresensor", "French has no compounds"},
		{"", "hemsjukvård", "its language is unknown"},
		{"de", "copdsensor", "an abbreviation is no part"},
		{"sv", "hemxsensor", "x links nothing"},
		{"sv", "hemsesensor", "only one link stands between parts"},
		{"da", "hjemsensorhjemsensorplads", "it would have five parts"},
	} {
		got := terms(a, "", text(tt.lang, tt.word)...)
		if len(got) != 1 || !strings.HasPrefix(got[0], "s:") {
			t.Errorf("%s %s has the terms %v, want its stem alone: %s", tt.lang, tt.word, got, tt.why)
		}
	}
}

// Of several ways to split, the first part is as long as can be.
func TestTheLongestFirstPartWins(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[sick]\nnb: syk\n[house]\nnb: hus\n[hospital]\nnb: sykehus\n[bed]\nnb: seng\n[nurse]\nnb: hussenger\n")
	want := []string{"c:bed", "c:hospital", "s:seng", "s:sikehus"}
	if diff := cmp.Diff(want, terms(a, "", text("nb", "sykehussengene")...)); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
}

// A word that is a label is not taken apart, and a label of several words is
// found over a compound and the words beside it.
func TestAWholeLabelBeatsItsParts(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[home]\nsv: hem\n[care]\nsv: vård\n[home-care]\nsv: hemvård\n[night-care]\nsv: vård natt\n")
	for words, want := range map[string][]string{
		"hemvården":            {"home-care"},
		"hemvården natten":     {"home-care"},
		"hemmavård":            {},
		"vårdhem":              {"care", "home"},
		"hemvårdsvård om natt": {"home-care", "night-care"},
	} {
		if diff := cmp.Diff(want, terms(a, "c:", text("sv", words)...)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", words, diff)
		}
	}
}

// Words of the field with the lexicon that ships.
func TestCompoundsOfTheFieldAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ lang, word, concept string }{
		{"da", "hjemmesygeplejen", "home-care"},
		{"da", "faldsensorerne", "fall-detection"},
		{"da", "hjemmeplejemedarbejdere", "home-care"},
		{"nb", "hjemmesykepleiens", "home-care"},
		{"nb", "velferdsteknologiløsninger", "welfare-technology"},
		{"nb", "helsedataplattformen", "health-data"},
		{"nn", "fallsensorane", "fall-detection"},
		{"sv", "hemsjukvårdens", "home-care"},
		{"sv", "sjukhusavdelningar", "hospital"},
		{"sv", "fallsensorerna", "fall-detection"},
		{"sv", "välfärdsteknikprojekt", "welfare-technology"},
		{"fi", "kotihoidon", "home-care"},
		{"fi", "kotihoitotiimin", "home-care"},
		{"fi", "kaatumistunnistimen", "fall-detection"},
		{"fi", "hyvinvointiteknologiaa", "welfare-technology"},
		{"nl", "thuiszorgteams", "home-care"},
		{"nl", "valdetectiesystemen", "fall-detection"},
		{"nl", "ziekenhuisafdelingen", "hospital"},
		{"de", "Schlafsensor", "sensor"},
	} {
		if got := concepts(tt.lang, tt.word); !slices.Contains(got, tt.concept) {
			t.Errorf("%s %s means %v, want %s among them", tt.lang, tt.word, got, tt.concept)
		}
	}
	for _, tt := range []struct{ lang, word, concept string }{
		{"da", "kollagen", "copd"},
		{"nb", "tilfeller", "fall-detection"},
		{"sv", "fallskärm", "fall-detection"},
		{"nl", "aanvallen", "fall-detection"},
		{"fi", "kotimainen", "home-care"},
	} {
		if label := analyzer().Label("c:"+tt.concept, tt.lang); label == tt.concept {
			t.Errorf("there is no concept %s", tt.concept)
		}
		if got := concepts(tt.lang, tt.word); slices.Contains(got, tt.concept) {
			t.Errorf("%s %s means %v: it has nothing to do with %s", tt.lang, tt.word, got, tt.concept)
		}
	}
}
