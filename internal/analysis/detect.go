package analysis

import (
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

// detect scores each language by its function words (the fewer languages have a
// word, the more it says) and its letters.
func (l wordLists) detect(text string) string {
	points := make([]int, len(lexicon.Languages))
	for _, t := range tokenise(nil, text) {
		set := l.of[t.word]
		if set != 0 {
			share := wordEvidence / set.len()
			for lang := range lexicon.Languages {
				if set.has(lang) {
					points[lang] += share
				}
			}
		}
		for _, ev := range letters {
			if !strings.ContainsAny(t.word, ev.letters) {
				continue
			}
			for lang := range strings.FieldsSeq(ev.langs) {
				points[langIndex(lang)] += letterEvidence
			}
		}
		if soundsFinnish(t.word) {
			points[langIndex("fi")] += letterEvidence
		}
	}
	best, most, next := "", -1, -1
	for lang, n := range points {
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
	for _, end := range []string{"ssa", "ssä", "llä", "stä", "iin", "inen", "ksen", "uus", "yys", "ään", "jen", "tta", "ttä"} {
		if len(word) > len(end)+2 && strings.HasSuffix(word, end) {
			return true
		}
	}
	return false
}
