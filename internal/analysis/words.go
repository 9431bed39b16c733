package analysis

import (
	_ "embed" // the function words
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"kobling/internal/lexicon"
)

//go:embed function_words.txt
var functionWordsFile string

// wordLists holds the function words of each language, by the language's place
// in lexicon.Languages: of is the bit set of the languages that have a word.
type wordLists struct {
	of     map[string]langSet
	nb, nn langSet
}

// emptyIn returns the languages in whose texts a word weighs nothing. A text that
// is said to be bokmål, or just Norwegian, may be nynorsk.
func (l wordLists) emptyIn(word string) langSet {
	set := l.of[word]
	if set&l.nn != 0 {
		set |= l.nb
	}
	return set
}

// langSet is a set of languages, one bit for each of lexicon.Languages.
type langSet uint16

func (s langSet) has(lang int) bool { return lang >= 0 && s&(1<<lang) != 0 }

// all yields the places of the languages of s.
func (s langSet) all(yield func(lang int) bool) {
	for ; s != 0; s &= s - 1 {
		if !yield(bits.TrailingZeros16(uint16(s))) {
			return
		}
	}
}

func (s langSet) len() int { return bits.OnesCount16(uint16(s)) }

// langIndex returns the place of a language in lexicon.Languages, or -1. Regions
// are ignored (nl-BE is nl) and plain Norwegian is bokmål.
func langIndex(lang string) int {
	lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
	if lang == "no" {
		lang = "nb"
	}
	return slices.Index(lexicon.Languages, lang)
}

// parseWordLists reads blocks of "lang: word word …"; # starts a comment line.
func parseWordLists(file string) (wordLists, error) {
	lists := wordLists{of: make(map[string]langSet), nb: 1 << langIndex("nb"), nn: 1 << langIndex("nn")}
	lang := -1
	for n, line := range strings.Split(file, "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if code, rest, ok := strings.Cut(line, ": "); ok {
			if lang = langIndex(code); lang < 0 {
				return wordLists{}, fmt.Errorf("function words, line %d: unknown language %q", n+1, code)
			}
			line = rest
		}
		for word := range strings.FieldsSeq(line) {
			if lang < 0 {
				return wordLists{}, fmt.Errorf("function words, line %d: no language yet", n+1)
			}
			lists.of[word] |= 1 << lang
		}
	}
	return lists, nil
}
