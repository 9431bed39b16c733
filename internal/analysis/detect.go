package analysis

import (
	"math/bits"
	"strings"

	"kobling/internal/lexicon"
)

// Detect returns the language that text seems to be in, one of
// lexicon.Languages, or "" if it is not sure. It is a hint: nb and da, and nb and
// nn, are often alike.
func (a *Analyzer) Detect(text string) string { return a.functionWords.detect(text) }

// letters are the letters that speak for languages, and against all others of
// this list.
var letters = []struct{ letters, langs string }{
	{"æø", "da nb nn"},
	{"å", "da nb nn sv"},
	{"ä", "sv fi de"},
	{"ö", "sv fi de"},
	{"üß", "de"},
	{"éèêàçœ", "fr"},
}

// What evidence counts for: a function word of one language alone, one letter,
// and what the best language must have, and be ahead, to be believed.
const (
	wordEvidence   = 24
	letterEvidence = 8
	sureEvidence   = 3 * wordEvidence
)

// letterRows says for each letter below 384, where those of these languages end,
// in which rows of letters it is, a bit for each; rowLangs are the languages of
// each row.
var letterRows, rowLangs = func() (rows [0x180]uint8, langs []langSet) {
	for i, ev := range letters {
		for _, r := range ev.letters {
			rows[r] |= 1 << i
		}
		var set langSet
		for lang := range strings.FieldsSeq(ev.langs) {
			set |= 1 << langIndex(lang)
		}
		langs = append(langs, set)
	}
	return rows, langs
}()

// evidence is what speaks for each language.
type evidence [languages]int

// detect returns the language of text, "" if it is not sure.
func (l wordLists) detect(text string) string {
	var e evidence
	e.add(l, tokenise(nil, text))
	return e.best()
}

// add scores each language by its function words (the fewer languages have a
// word, the more it says) and its letters.
func (e *evidence) add(l wordLists, tokens []token) {
	for i := range tokens {
		word := tokens[i].word
		if set := l.of[word]; set != 0 {
			share := wordEvidence / set.len()
			for lang := range set.all {
				e[lang] += share
			}
		}
		rows := uint8(0)
		for _, r := range word {
			if r >= 0x80 && r < 0x180 {
				rows |= letterRows[r]
			}
		}
		for ; rows != 0; rows &= rows - 1 {
			for lang := range rowLangs[bits.TrailingZeros8(rows)].all {
				e[lang] += letterEvidence
			}
		}
		if soundsFinnish(word) {
			e[finnishAt] += letterEvidence
		}
	}
}

// finnishAt is the place of Finnish.
var finnishAt = langIndex("fi")

// best returns the language for which most speaks, "" if that is not sure.
func (e *evidence) best() string {
	best, most, next := "", -1, -1
	for lang, n := range e[:len(lexicon.Languages)] {
		if n > most {
			best, most, next = lexicon.Languages[lang], n, most
		} else {
			next = max(next, n)
		}
	}
	// Sure: enough evidence, and an eighth more than the next.
	if most < sureEvidence || most*8 < next*9 {
		return ""
	}
	return best
}

// soundsFinnish reports whether a word ends as hardly any but Finnish words do.
func soundsFinnish(word string) bool {
	if word == "" || !strings.Contains("ansä", word[len(word)-1:]) {
		return false // as most: no ending below ends so
	}
	for _, end := range []string{"ssa", "ssä", "llä", "stä", "iin", "inen", "ksen", "uus", "yys", "ään", "jen", "tta", "ttä"} {
		if len(word) > len(end)+2 && strings.HasSuffix(word, end) {
			return true
		}
	}
	return false
}
