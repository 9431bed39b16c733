package analysis

import (
	"strings"
	"unicode"

	"kobling/internal/lexicon"
	"kobling/internal/profile"
)

// Unknown is a word of a text that went into no concept.
type Unknown struct {
	Lang string // of lexicon.Languages; "" if the text's language cannot be told
	Key  string // alike for the forms of a word, as far as stemming sees it
	Word string // as it stands there, in lower case
}

// Unknown returns the words of texts that no concept knows, in reading order, as
// often as they stand there. Left out are function words, numbers, words of two
// letters and compounds of which a part is known.
func (a *Analyzer) Unknown(texts []profile.Text) []Unknown {
	s := a.scratch()
	defer a.release(s)
	var unknown []Unknown
	for i := range texts {
		lang := a.language(s, &texts[i])
		name := ""
		if lang >= 0 {
			name = lexicon.Languages[lang]
		}
		for n, f := range fields {
			text := f.of(&texts[i])
			a.read(s, lang, s.fields[n], func(match) {})
			for at := 0; at < len(s.atoms); {
				whole, known := s.atoms[at], false
				for ; at < len(s.atoms) && s.atoms[at].start == whole.start; at++ {
					known = known || s.atoms[at].covered != uncovered
				}
				word := normal(text[whole.start:whole.end])
				key := a.key(s, lang, word)
				if !known && len(key) > 2 && strings.ContainsFunc(word, unicode.IsLetter) {
					unknown = append(unknown, Unknown{Lang: name, Key: key, Word: word})
				}
			}
		}
	}
	return unknown
}
