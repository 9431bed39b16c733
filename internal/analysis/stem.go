package analysis

import (
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/swedish"

	"kobling/internal/lexicon"
)

// stemmers are the Snowball stemmers by place in lexicon.Languages.
func stemmers() []func(*snowballstem.Env) bool {
	byLang := map[string]func(*snowballstem.Env) bool{
		"da": danish.Stem, "nb": norwegian.Stem, "nn": norwegian.Stem, "sv": swedish.Stem, "fi": finnish.Stem,
		"nl": dutch.Stem, "en": english.Stem, "de": german.Stem, "fr": french.Stem,
	}
	list := make([]func(*snowballstem.Env) bool, len(lexicon.Languages))
	for i, lang := range lexicon.Languages {
		list[i] = byLang[lang]
	}
	return list
}

// key returns what a word of a language is known by: its stem, repaired where
// Snowball falls short, folded. A word of no known language (-1) is only folded.
func (a *Analyzer) key(s *scratch, lang int, word string) string {
	if lang < 0 || len(word) < 3 {
		return s.fold(word)
	}
	s.env.SetCurrent(refit(lexicon.Languages[lang], word))
	a.stem[lang](s.env)
	stem := s.env.Current()
	switch lexicon.Languages[lang] {
	case "fi":
		stem = repairFinnish(stem)
	case "nl":
		stem = repairDutch(stem)
	case "da", "nb", "nn", "sv":
		stem = repairNordic(stem)
	}
	return s.fold(stem)
}

// swap is the end of a word and what to put in its place.
type swap struct{ from, to string }

// misread are endings that Snowball takes for another one, and an ending of the
// same word that it reads well. The first that fits is taken.
var misread = map[string][]swap{
	"da": nordicLatin,
	"nb": append([]swap{{"pleiens", "pleie"}, {"pleien", "pleie"}}, nordicLatin...),
	"nn": append([]swap{{"pleia", "pleie"}}, nordicLatin...),
	"sv": append([]swap{ // sensor is no plural as flickor is
		{"nsorn", "nsorer"},
		{"ktorn", "ktorer"},
		{"atorn", "atorer"},
		{"itorn", "itorer"},
		{"ptorn", "ptorer"},
		{"essorn", "essorer"},
		{"nsor", "nsorer"},
		{"ktor", "ktorer"},
		{"ator", "atorer"},
		{"itor", "itorer"},
		{"ptor", "ptorer"},
		{"essor", "essorer"},
	}, nordicLatin...),
	"fi": {
		{"inen", "isen"},
		{"isten", "isen"}, // kliininen, kliinisten: kliinise-n
		{"llista", "llisen"},
		{"llistä", "llisen"},
		{"aalista", "aalisen"},
		{"iinistä", "iinisen"},
		{"usten", "uksen"},
		{"ysten", "yksen"}, // tutkimusten: tutkimukse-n
		{"musta", "muksen"},
		{"mystä", "myksen"},
		{"tusta", "tuksen"},
		{"tystä", "tyksen"},
		{"austa", "auksen"},
		{"inten", "imen"}, // eläinten: eläime-n
		{"as", "aat"},
		{"äs", "äät"}, // potilas: potilaa-t
	},
}

// nordicLatin are the ends of Latin words that are no endings: frekvens is not as
// patientens, kvalitet not as huset.
var nordicLatin = []swap{
	{"kvens", "kvenser"},
	{"petens", "petenser"},
	{"ligens", "ligenser"},
	{"valens", "valenser"},
	{"videns", "videnser"},
	{"cidens", "cidenser"},
	{"demens", "demenser"},
	{"itet", "iteten"},
}

// refit gives a word that Snowball misreads an ending that it knows.
func refit(lang, word string) string {
	for _, e := range misread[lang] {
		if rest, ok := strings.CutSuffix(word, e.from); ok {
			return rest + e.to
		}
	}
	return word
}

// repairNordic takes the s off that Snowball takes for a genitive in plats and
// analys, but leaves in platser and analyser.
func repairNordic(stem string) string {
	if n := len(stem); n > 3 && stem[n-1] == 's' && strings.IndexByte("bcdfghjklmnoprtvyz", stem[n-2]) >= 0 {
		return stem[:n-1]
	}
	return stem
}

// repairDutch undoes the voicing that Snowball leaves: ziekenhuiz-en and
// ziekenhuis, briev-en and brief.
func repairDutch(stem string) string {
	switch {
	case strings.HasSuffix(stem, "z"):
		return stem[:len(stem)-1] + "s"
	case strings.HasSuffix(stem, "v"):
		return stem[:len(stem)-1] + "f"
	}
	return stem
}

// finnishEndings are what is left of a Finnish stem after Snowball, and the
// form that all cases of the word share. The first that fits is taken.
var finnishEndings = []swap{
	{"ks", "s"}, // kuntoutus, kuntoutukse-n
	{"uud", "ut"},
	{"yyd", "yt"},
	{"uut", "ut"},
	{"yyt", "yt"}, // turvallisuus, turvallisuude-n
	{"aud", "aut"},
	{"eud", "eut"},
	{"iud", "iut"},
	{"eyd", "eyt"}, // sairaus, sairaude-n
	{"im", ""},     // puhelin, puhelime-n
	{"kk", "k"},
	{"pp", "p"},
	{"tt", "t"},
	{"d", "t"}, // verkko, verko-n; hoito, hoido-n
	{"lt", "l"},
	{"nt", "n"},
	{"rt", "r"},
	{"mp", "m"},
	{"nk", "n"}, // valta, valla-n; ranta, ranna-n
	{"ll", "l"},
	{"nn", "n"},
	{"rr", "r"},
	{"mm", "m"},
	{"ng", "n"},
	{"v", "p"}, // apu, avu-n; leipä, leivä-n
}

// minStem is what a Finnish stem keeps, in bytes.
const minStem = 3

// repairFinnish meets the consonant gradation that Snowball leaves alone:
// kotihoito and kotihoidon become the same. It conflates more than grammar
// would; the words of a lexicon are long enough to bear it.
func repairFinnish(stem string) string {
	if utf8.RuneCountInString(stem) < 5 {
		return stem
	}
	bare := strings.TrimRight(stem, "aeiouyäö")
	if len(bare) < minStem {
		return stem
	}
	for _, e := range finnishEndings {
		if rest, ok := strings.CutSuffix(bare, e.from); ok && len(rest)+len(e.to) >= minStem {
			bare = rest + e.to
			break
		}
	}
	// kuntoutus ends in a consonant and s; terveys, leikkaus in two vowels and s.
	if n := len(bare); n > 3 && bare[n-1] == 's' && (bare[n-2] == 'u' || bare[n-2] == 'y') && strings.IndexByte("aeiouy", bare[n-3]) >= 0 {
		bare = bare[:n-1] + "t"
	}
	return bare
}

// fold returns what is left of a word when the spelling habits of languages are
// taken off, so that cognates meet: vården and varden, kollagen and collagen,
// biopsi and biopsy. Long words also lose doubled letters.
func (s *scratch) fold(word string) string { return string(s.foldBytes(word)) }

// foldBytes is fold without the copy: the result lasts until the next call.
func (s *scratch) foldBytes(word string) []byte {
	long := len(word) >= 6
	b := s.folded[:0]
	put := func(c byte) {
		if !long || len(b) == 0 || b[len(b)-1] != c {
			b = append(b, c)
		}
	}
	for i, r := range word {
		next := byte(0)
		if j := i + utf8.RuneLen(r); j < len(word) {
			next = word[j]
		}
		switch r {
		case 'æ', 'ä', 'é', 'è', 'ê', 'ë', 'œ':
			put('e')
		case 'ø', 'ö', 'ô', 'ó', 'ò':
			put('o')
		case 'å', 'à', 'â', 'á':
			put('a')
		case 'ü', 'ù', 'û', 'ú':
			put('u')
		case 'î', 'ï', 'í', 'y':
			put('i')
		case 'ß':
			put('s')
		case 'ç', 'z':
			put('s')
		case 'w':
			put('v')
		case 'q':
			put('k')
		case 'x':
			put('k')
			put('s')
		case 'c':
			if next == 'e' || next == 'i' || next == 'y' {
				put('s')
			} else {
				put('k')
			}
		case 'p':
			if next == 'h' {
				put('f')
				continue
			}
			put('p')
		case 'h':
			if i > 0 && strings.IndexByte("cprt", word[i-1]) >= 0 { // ch, ph, rh, th
				continue
			}
			put('h')
		default:
			if c := word[i]; c < utf8.RuneSelf {
				put(c)
			} else {
				b = utf8.AppendRune(b, r)
			}
		}
	}
	s.folded = b
	return b
}
