package analysis

import (
	"unicode/utf8"

	"kobling/internal/lexicon"
)

// A compound is split into at most maxParts known words.
const (
	maxParts    = 4
	minCompound = 7 // characters; shorter words are left whole
	minPart     = 3
)

// links are what may stand between the parts of a compound, by language.
var links = map[string][]string{
	"da": {"", "s", "e", "er"},
	"nb": {"", "s", "e"},
	"nn": {"", "s", "e"},
	"sv": {"", "s", "e", "o", "a"},
	"fi": {"", "n", "en", "den", "jen", "in"},
	"nl": {"", "s", "en", "e", "n"},
	"de": {"", "s", "es", "n", "en", "er", "e"},
}

// part is one known word inside a longer one.
type part struct {
	id         wordID
	start, end int // bytes of the folded word
	key        string
	lexeme     *lexeme // of the part alone
}

// split appends the parts of word to dst if known words and linking letters
// cover all of it, and returns dst unchanged otherwise. Of several ways it takes
// the one with the longest first part. The last part may be inflected.
func (a *Analyzer) split(s *scratch, dst []part, lang int, word string) []part {
	if lang < 0 || a.links[lang] == nil || utf8.RuneCountInString(word) < minCompound {
		return dst
	}
	n := len(dst)
	dst, ok := a.splitRest(s, dst, lang, word, 0, maxParts)
	if !ok || len(dst)-n < 2 {
		return dst[:n]
	}
	return dst
}

// splitRest splits word from the byte offset on.
func (a *Analyzer) splitRest(s *scratch, dst []part, lang int, word string, offset, room int) ([]part, bool) {
	v := a.vocabularies[lang]
	rest := word[offset:]
	if offset > 0 {
		key := a.key(s, lang, rest)
		if id := v.words[key]; id != 0 && utf8.RuneCountInString(rest) >= minPart {
			if _, written := v.parts[string(s.foldBytes(rest))]; written || utf8.RuneCountInString(rest) > minPart {
				return append(dst, part{id: id, start: offset, end: len(word), key: key}), true
			}
		}
	}
	if room == 1 {
		return dst, false
	}
	for cut := len(rest) - minPart; cut >= minPart; cut-- {
		if !utf8.RuneStart(rest[cut]) {
			continue
		}
		id := v.parts[string(s.foldBytes(rest[:cut]))]
		if id == 0 {
			continue
		}
		for _, link := range a.links[lang] {
			after := cut + len(link)
			if after+minPart > len(rest) || rest[cut:after] != link {
				continue
			}
			found, ok := a.splitRest(s, append(dst, part{id: id, start: offset, end: offset + cut}), lang, word, offset+after, room-1)
			if ok {
				return found, true
			}
		}
	}
	return dst, false
}

// linksByLanguage returns links by place in lexicon.Languages.
func linksByLanguage() [][]string {
	list := make([][]string, len(lexicon.Languages))
	for i, lang := range lexicon.Languages {
		list[i] = links[lang]
	}
	return list
}
