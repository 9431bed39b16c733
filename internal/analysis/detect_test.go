package analysis_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/profile"
	"kobling/internal/testkit"
)

// sentences say the same in each language, with function words that tell them
// apart.
var sentences = map[string]string{
	"da": "Hvordan kan vi hjælpe dem, der ikke længere selv kan åbne deres medicin? Vi søger nogen, som vil afprøve det hos sig.",
	"nb": "Hvordan kan vi hjelpe dem som ikke lenger kan åpne medisinen selv? Nå ser vi etter noen som vil prøve det ut hjemme hos seg.",
	"nn": "Korleis kan vi hjelpe dei som ikkje lenger kan opne medisinen sjølve? No ser vi etter nokon som vil prøve det ut heime hjå seg.",
	"sv": "Hur kan vi hjälpa dem som inte längre själva kan öppna sin medicin? Vi söker någon som vill pröva det hemma hos sig.",
	"fi": "Miten voimme auttaa niitä, jotka eivät enää itse saa lääkettään auki? Etsimme sellaisia, jotka haluavat kokeilla sitä kotonaan.",
	"nl": "Hoe kunnen wij hen helpen die hun medicijn niet meer zelf kunnen openen? Wij zoeken iemand die het thuis wil proberen.",
	"en": "How can we help those who can no longer open their medicine by themselves? We would like somebody to try it at their home.",
	"de": "Wie können wir denen helfen, die ihre Medizin nicht mehr selbst öffnen können? Wir suchen jemand, der es zu Hause erprobt.",
	"fr": "Comment pouvons-nous aider ceux qui ne peuvent plus ouvrir eux-mêmes leur médicament ? Nous cherchons quelqu'un pour l'essayer.",
}

// submissions are what a company might write, in each language.
var submissions = map[string]string{
	"da": "Vi har udviklet en sensor, som registrerer fald, og vi vil gerne afprøve den hos ældre borgere i deres eget hjem.",
	"nb": "Hva trenger dere? Vi har utviklet en sensor, og nå ser vi etter noen som kan prøve den ut; det blir ikke mye arbeid av det.",
	"sv": "Vi har utvecklat en sensor som upptäcker fall och vill pröva den tillsammans med äldre i deras egna hem.",
	"fi": "Olemme kehittäneet anturin, joka havaitsee kaatumiset, ja haluamme testata sitä ikäihmisten kanssa heidän kotonaan.",
	"nl": "Wij hebben een sensor ontwikkeld die valincidenten opmerkt en willen deze met ouderen in hun eigen huis testen.",
	"en": "We have developed a sensor that notices falls, and we would like to try it with older people in their own homes.",
	"de": "Wir haben einen Sensor entwickelt, der Stürze erkennt, und möchten ihn mit älteren Menschen bei ihnen zu Hause erproben.",
	"fr": "Nous avons développé un capteur qui détecte les chutes et nous voulons l'essayer avec des personnes âgées chez elles.",
}

func TestEachLanguageIsDetected(t *testing.T) {
	t.Parallel()
	for lang, words := range submissions {
		if got := analyzer().Detect(words); got != lang {
			t.Errorf("%q is taken for %q, want %q", words, got, lang)
		}
	}
	for lang, words := range sentences {
		if got := analyzer().Detect(words); got != lang {
			t.Errorf("%q is taken for %q, want %q", words, got, lang)
		}
		if got := analyzer().Detect(strings.ToUpper(words)); got != lang {
			t.Errorf("in capitals: %q is taken for %q, want %q", words, got, lang)
		}
	}
}

func TestDetectionIsUnsureWhereItShouldBe(t *testing.T) {
	t.Parallel()
	for name, words := range map[string]string{
		"nothing":                 "",
		"no words":                "2024 – 13485:2016 (…)",
		"one function word":       "the sensor",
		"a name and a number":     "Radar 2000",
		"names":                   "Radar Oulu Philips Vivago",
		"Chinese":                 "我们开发了一种传感器",
		"what nb and da share":    "vi har en sensor til det",
		"English and Dutch alike": sentences["en"] + " " + sentences["nl"],
		"German and Dutch alike":  sentences["de"] + "\n" + sentences["nl"],
	} {
		if got := analyzer().Detect(words); got != "" {
			t.Errorf("%s: %q is taken for %q", name, words, got)
		}
	}
}

// The word gift means poison in Danish and a present in English.
func TestAStatedLanguageWins(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[poison]\nda: gift\nnb: gift\n[present]\nen: gift\nsv: gåva\n")
	english := "This is the gift that we would like to give to them"
	for _, tt := range []struct {
		lang string
		want string
	}{
		{"", "present"},
		{"en", "present"},
		{"en-GB", "present"},
		{"EN", "present"},
		{"xx", "present"},
		{"da", "poison"},
		{"nb", "poison"},
		{"no", "poison"},
		{"no-NO", "poison"},
		{"nn", "poison"},
		{"DA", "poison"},
	} {
		if diff := cmp.Diff([]string{tt.want}, terms(a, "c:", text(tt.lang, english)...)); diff != "" {
			t.Errorf("stated %q (-want +got):\n%s", tt.lang, diff)
		}
	}
}

// The language is found from all fields together; each alone is too short.
func TestAllFieldsTellTheLanguage(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[poison]\nda: gift\n[present]\nen: gift\n[both]\nfr: gift\n")
	p := profile.Text{Title: "The gift", Summary: "We would", Description: "like that", Requirements: "to be", PartnerRole: "from them"}
	if diff := cmp.Diff([]string{"present"}, terms(a, "c:", p)); diff != "" {
		t.Errorf("concepts (-want +got):\n%s", diff)
	}
	if got := terms(a, "c:", profile.Text{Title: "gift"}); len(got) != 3 {
		t.Errorf("one word of unknown language means %v, want all it may mean", got)
	}
}

// TestDetectionOfRealTexts reads the texts of the domain collection, which state
// their language.
func TestDetectionOfRealTexts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testkit.EvalData(t), "domain")
	right, wrong, unsure := 0, 0, 0
	for _, name := range []string{"needs.jsonl", "offers.jsonl"} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }() // only read
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			var doc struct{ Lang, Title, Text string }
			if err := json.Unmarshal(lines.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			switch analyzer().Detect(doc.Title + "\n" + doc.Text) {
			case doc.Lang:
				right++
			case "":
				unsure++
			default:
				wrong++
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d right, %d wrong, %d unsure", right, wrong, unsure)
	if right < 140 || wrong > 3 {
		t.Error("languages are told apart less well than they were")
	}
}
