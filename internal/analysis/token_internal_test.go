package analysis

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestTextIsCutIntoWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{ // | before a word says that a phrase cannot reach back over it
		{"", ""},
		{" – … ", ""},
		{"Fall detection", "|fall detection"},
		{"home-care, at home", "|home care |at home"},
		{"care/nursing \"at\" “home”", "|care nursing at home"},
		{"one\ntwo (three) [four] five; six: seven! eight? nine", "|one |two |three |four |five |six |seven |eight |nine"},
		{"patient's patients’ GPS:en MDR:n", "|patient patients gps mdr"},
		{"l'hôpital d'une région", "|l hôpital d une région"},
		{"kl. 12:30", "|kl |12 |30"},
		{"en ph.d.-studerende. Ny", "|en ph d studerende |ny"},
		{"C. elegans lives. In soil", "|c elegans lives |in soil"},
		{"3D-print ISO 13485:2016", "|3d print iso 13485 |2016"},
		{"CO₂ måling®", "|co måling"}, // ₂ is no digit of a word
		{"ÅRHUS Ångström", "|århus ångström"},
		{"a\xffb", "|a b"},
		{strings.Repeat("a", maxWord), "|" + strings.Repeat("a", maxWord)},
		{"one " + strings.Repeat("a", maxWord+1) + " two", "|one |two"},
	} {
		var got []string
		for _, w := range tokenise(nil, tt.text) {
			if w.apart {
				w.word = "|" + w.word
			}
			got = append(got, w.word)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%q is cut into %q, want %q", tt.text, s, tt.want)
		}
	}
}

func TestCapitalsAreNoted(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]bool{"ALS": true, "als": false, "Als": false, "A": false, "ÆØ": true, "COVID19": true, "mRNA": false, "42": false} {
		if got := tokenise(nil, word); len(got) != 1 || got[0].caps != want {
			t.Errorf("%s is cut into %+v, want capitals %v", word, got, want)
		}
	}
}

// anyText draws text of the kinds of pieces in which offsets could go wrong.
func anyText() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{
			" ", "-", ". ", ", ", "'s", ":n", "’", "\n", "A\u030arhus", "e\u0301", "Å", "ß", "İ", "ǅ", "ﬁ", "№", "日本", "\u0301", "\u200d", "\xff", "\xc3", "😀",
			"hjemmesykepleie", "KOTIHOITO", "l'hôpital", "x1", strings.Repeat("ø", 40),
		}),
		rapid.String(),
	)
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "") })
}

// Spans are cut out of the original text with these offsets and shown to people.
func TestOffsetsQuoteTheOriginalText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := anyText().Draw(t, "text")
		end := 0
		for _, w := range tokenise(nil, text) {
			if w.start < end || w.end <= w.start || w.end > len(text) {
				t.Fatalf("word %+v after offset %d of %d", w, end, len(text))
			}
			end = w.end
			quoted := text[w.start:w.end]
			if !utf8.ValidString(quoted) || !utf8.ValidString(w.word) {
				t.Fatalf("%q is cut inside a character", quoted)
			}
			if got := norm.NFC.String(strings.ToLower(quoted)); got != w.word {
				t.Fatalf("%q is read as %q, want %q", quoted, w.word, got)
			}
			if strings.ContainsFunc(quoted, func(r rune) bool { return !inWord(r) }) {
				t.Fatalf("%q is not one word", quoted)
			}
		}
	})
}

func TestDecomposedTextIsReadAsComposed(t *testing.T) {
	t.Parallel()
	words := func(text string) (all []string) {
		for _, w := range tokenise(nil, text) {
			all = append(all, w.word)
		}
		return all
	}
	text := "Fallsensor för äldre på Åland: prøvd på Ærø, kägel-hôpital"
	if got := words(norm.NFD.String(text)); !slices.Equal(got, words(text)) {
		t.Errorf("decomposed: %q, composed: %q", got, words(text))
	}
}

// Spelling habits go, so that cognates meet; long words also lose doubled letters.
func TestFolding(t *testing.T) {
	t.Parallel()
	var s scratch
	for word, want := range map[string]string{
		"vården": "varden", "kollagen": "kolagen", "collagen": "kolagen", "biopsy": "biopsi", "æble": "eble", "äpple": "eple",
		"pharma": "farma", "rhythm": "ritm", "chronisch": "kronisk", "cell": "sell", "zelle": "selle", "straße": "strase",
		"weight": "veight", "hus": "hus", "huss": "huss", "œdème": "edeme", "naïve": "naive", "übung": "ubung", "日本": "日本", "xq": "ksk",
	} {
		if got := s.fold(word); got != want {
			t.Errorf("%s is folded to %s, want %s", word, got, want)
		}
	}
}
