package analysis

import (
	"errors"
	"fmt"
	"slices"
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
	pairs map[wordID][]pair // labels of one word and one function word
}

// pair is a label that means something only with its function word: long covid,
// in silico, scale-up. The one beside it is before or after the word.
type pair struct {
	before, after string
	means         []int32
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
		pairs: make(map[wordID][]pair),
	}
}

// word returns the number of the word with this key, a new one if need be.
func (v *vocabulary) word(key string) wordID {
	id, ok := v.words[key]
	if !ok {
		id = wordID(len(v.words) + 1) //nolint:gosec // bounded by the lexicon's size
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
	if !slices.Contains(v.means[node], concept) {
		v.means[node] = append(v.means[node], concept)
	}
}

// addPair gives the word beside a function word the meaning concept.
func (v *vocabulary) addPair(w wordID, before, after string, concept int32) {
	for i, p := range v.pairs[w] {
		if p.before == before && p.after == after {
			if !slices.Contains(p.means, concept) {
				v.pairs[w][i].means = append(p.means, concept)
			}
			return
		}
	}
	v.pairs[w] = append(v.pairs[w], pair{before, after, []int32{concept}})
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
				l := a.label(s, v, lang, source, label.Text, rank > 0 && source == "en")
				concept := int32(i)
				switch {
				case l.parted:
					if rank == 0 && lang >= 0 {
						errs = append(errs, fmt.Errorf("concept %s: %s label %q is parted by a mark that ends phrases: %w",
							c.ID, source, label.Text, fault.ErrInvalid))
					}
				case l.before != "" || l.after != "":
					if rank == 0 || lang < 0 {
						v.addPair(l.words[0], l.before, l.after, concept)
					}
				case len(l.words) > 1 || l.whole || len(l.words) == 1 && c.Weight == lexicon.Empty:
					if !taken[v.end(l.words)] {
						v.add(l.words, concept)
					}
				case rank == 0 && lang >= 0: // elsewhere it means something else
					errs = append(errs, fmt.Errorf("concept %s: %s label %q keeps too few words to be known by: %w",
						c.ID, source, label.Text, fault.ErrInvalid))
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

// label is how a label is recognised.
type label struct {
	words         []wordID // without function words
	before, after string   // the function word beside the only word, if there are just these two
	whole         bool     // the only word is the whole label, and no short foreign one that may mean anything here
	parted        bool     // a mark between the words ends the phrase, so that no text has it
}

// label makes the words of a label known and says how to recognise it.
func (a *Analyzer) label(s *scratch, v *vocabulary, lang int, source, text string, foreign bool) label {
	s.label = tokenise(s.label[:0], text)
	var l label
	at := 0
	for i, t := range s.label {
		l.parted = l.parted || i > 0 && t.apart
		if a.isFunctionWord(t, lang, langIndex(source)) {
			continue
		}
		at = i
		if t.caps && utf8.RuneCountInString(t.word) < minSpelled {
			l.words = append(l.words, v.word(abbreviation(t.word)))
			continue
		}
		l.words = append(l.words, v.word(a.key(s, lang, t.word)))
		// An abbreviation is no part of a compound: kol is not in kollagen.
		if n := utf8.RuneCountInString(t.word); !t.caps && !foreign && (n >= 4 || n == 3 && len(s.label) == 1) {
			v.parts[s.fold(t.word)] = l.words[len(l.words)-1]
		}
	}
	switch {
	case len(l.words) != 1:
	case len(s.label) == 1:
		l.whole = !foreign || len(text) > 3 || s.label[0].caps
	case len(s.label) == 2 && at == 0:
		l.after = s.label[1].word
	case len(s.label) == 2:
		l.before = s.label[0].word
	}
	return l
}

// minSpelled is the length from which an abbreviation is also known when it is
// not written in capitals: crispr, but not als.
const minSpelled = 4

// abbreviation is what a short word in capitals is known by. It is spelled, not
// folded or stemmed, and other words are not taken for it.
func abbreviation(word string) string { return "=" + word }
