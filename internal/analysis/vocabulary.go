package analysis

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"kobling/internal/fault"
	"kobling/internal/lexicon"
)

// wordID numbers the words that stand in labels, per language; 0 is a word that
// stands in none.
type wordID int32

// vocabulary is the lexicon as a text of one language meets it: labels as paths
// of words through a trie.
type vocabulary struct {
	words map[string]wordID // by key
	parts map[string]wordID // by folded word as written, for the first parts of compounds
	next  map[step]int32    // the trie; node 0 is its root
	means map[int32][]int32 // concepts (places in the lexicon) of the label that ends at a node
}

// step leads from a node of the trie to another by one word.
type step struct {
	from int32
	word wordID
}

func newVocabulary() *vocabulary {
	return &vocabulary{
		words: make(map[string]wordID),
		parts: make(map[string]wordID),
		next:  make(map[step]int32),
		means: make(map[int32][]int32),
	}
}

// single reports whether the word is a whole label by itself.
func (v *vocabulary) single(w wordID) bool {
	node, ok := v.next[step{0, w}]
	return ok && len(v.means[node]) > 0
}

// word returns the number of the word with this key, a new one if need be.
func (v *vocabulary) word(key string) wordID {
	id, ok := v.words[key]
	if !ok {
		id = wordID(len(v.words) + 1)
		v.words[key] = id
	}
	return id
}

// add gives the label made of words the meaning concept.
func (v *vocabulary) add(words []wordID, concept int32) {
	var node int32
	for _, w := range words {
		to, ok := v.next[step{node, w}]
		if !ok {
			to = int32(len(v.next) + 1) //nolint:gosec // bounded by the lexicon's size
			v.next[step{node, w}] = to
		}
		node = to
	}
	for _, c := range v.means[node] {
		if c == concept {
			return
		}
	}
	v.means[node] = append(v.means[node], concept)
}

// vocabulary builds the vocabulary of a language: the lexicon's labels in it,
// and those in its neighbours that it does not understand in its own way. A lang
// of -1 takes the labels of all languages, unstemmed.
func (a *Analyzer) vocabulary(lang int) (*vocabulary, error) {
	v := newVocabulary()
	sources := lexicon.Languages
	if lang >= 0 {
		own := lexicon.Languages[lang]
		sources = append([]string{own}, lexicon.Neighbours(own)...)
	}
	s := a.scratch()
	defer a.release(s)
	var errs []error
	for rank, source := range sources {
		taken := make(map[int32]bool) // nodes that an earlier source gave a meaning
		if lang >= 0 {
			for node := range v.means {
				taken[node] = true
			}
		}
		for i, c := range a.lexicon.Concepts {
			for _, label := range c.Labels[source] {
				words := a.labelWords(s, v, lang, source, label.Text, rank > 0 && source == "en")
				switch {
				case len(words) == 0 && (rank > 0 || lang < 0): // it means something else here
				case len(words) == 0:
					errs = append(errs, fmt.Errorf("concept %s: %s label %q has no word to be known by: %w",
						c.ID, source, label.Text, fault.ErrInvalid))
				case !taken[v.end(words)]:
					v.add(words, int32(i)) //nolint:gosec // bounded by the lexicon's size
				}
			}
		}
	}
	return v, errors.Join(errs...)
}

// end returns the node at which the path of words ends, or -1.
func (v *vocabulary) end(words []wordID) int32 {
	var node int32
	for _, w := range words {
		to, ok := v.next[step{node, w}]
		if !ok {
			return -1
		}
		node = to
	}
	return node
}

// labelWords returns the words of a label, without function words, and makes
// them known. A short foreign word is left out: it may mean anything here.
func (a *Analyzer) labelWords(s *scratch, v *vocabulary, lang int, source, label string, foreign bool) []wordID {
	s.label = tokenise(s.label[:0], label)
	var words []wordID
	for _, t := range s.label {
		if a.isFunctionWord(t, lang, langIndex(source)) {
			continue
		}
		words = append(words, v.word(a.key(s, lang, t.word)))
		// An abbreviation is no part of a compound: kol is not in kollagen.
		isWord := label != strings.ToUpper(label)
		if n := utf8.RuneCountInString(t.word); isWord && !foreign && (n >= 4 || n == 3 && len(s.label) == 1) {
			v.parts[s.fold(t.word)] = words[len(words)-1]
		}
	}
	if foreign && len(words) == 1 && len(label) < 4 && label != strings.ToUpper(label) {
		return nil
	}
	return words
}
