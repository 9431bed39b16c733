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
// in lexicon.Languages: of is the bit set of the languages that have a word, and
// weightless that of the languages in whose texts it weighs nothing. A text that
// is said to be bokmål, or just Norwegian, may be nynorsk.
type wordLists struct {
	of         map[string]langSet
	weightless map[string]langSet
}

// langSet is a set of languages, one bit for each of lexicon.Languages.
type langSet uint16

func (s langSet) has(lang int) bool { return lang >= 0 && s&(1<<lang) != 0 }

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
	lists := wordLists{of: make(map[string]langSet), weightless: make(map[string]langSet)}
	nb, nn := langIndex("nb"), langIndex("nn")
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
			lists.weightless[word] |= 1 << lang
			if lang == nn {
				lists.weightless[word] |= 1 << nb
			}
		}
	}
	return lists, nil
}
