package analysis

import (
	"errors"
	"fmt"
	"slices"

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
	next  steps             // the trie; node 0 is its root
	means [][]int32         // by node: concepts (places in the lexicon) of the label that ends there
	pairs map[wordID][]pair // labels of one word and one function word
	room  []int32           // for means: most are one concept
}

// pair is a label that means something only with its function word: long covid,
// in silico, scale-up. The one beside it is before or after the word.
type pair struct {
	before, after string
	means         []int32
}

// usualWords is how many words the labels of a language have, about.
const usualWords = 1 << 13

func newVocabulary() *vocabulary {
	return &vocabulary{
		words: make(map[string]wordID, usualWords),
		parts: make(map[string]wordID, usualWords),
		means: make([][]int32, 1),
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
		node = v.next.add(node, w)
	}
	for int(node) >= len(v.means) {
		v.means = append(v.means, nil)
	}
	switch means := v.means[node]; {
	case means == nil:
		if len(v.room) == cap(v.room) {
			v.room = make([]int32, 0, 1<<10)
		}
		v.room = append(v.room, concept)
		v.means[node] = v.room[len(v.room)-1 : len(v.room) : len(v.room)]
	case !slices.Contains(means, concept):
		v.means[node] = append(means, concept)
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
func (a *Analyzer) vocabulary(all *labels, lang int) (*vocabulary, error) {
	v := newVocabulary()
	sources := lexicon.Languages
	if lang >= 0 {
		own := lexicon.Languages[lang]
		sources = append([]string{own}, lexicon.Neighbours(own)...)
	}
	s := a.scratch()
	defer a.release(s)
	r := newRecognizer(a, s, v, all, lang)
	var errs []error
	for rank, source := range sources {
		var taken []bool // nodes that an earlier source gave a meaning
		if lang >= 0 {
			taken = make([]bool, len(v.means))
			for node, means := range v.means {
				taken[node] = len(means) > 0
			}
		}
		place := langIndex(source)
		for i := range a.lexicon.Concepts {
			c := &a.lexicon.Concepts[i]
			for _, text := range all.of(i, place) {
				l := r.label(text, place, rank > 0 && source == "en")
				concept := int32(i)
				switch {
				case l.parted:
					if rank == 0 && lang >= 0 {
						errs = append(errs, fmt.Errorf("concept %s: %s label %q is parted by a mark that ends phrases: %w",
							c.ID, source, text.text, fault.ErrInvalid))
					}
				case l.before != "" || l.after != "":
					if rank == 0 || lang < 0 {
						v.addPair(l.words[0], l.before, l.after, concept)
					}
				case len(l.words) > 1 || l.whole || len(l.words) == 1 && c.Weight == lexicon.Empty:
					if end := v.end(l.words); end < 0 || int(end) >= len(taken) || !taken[end] {
						v.add(l.words, concept)
					}
				case rank == 0 && lang >= 0: // elsewhere it means something else
					errs = append(errs, fmt.Errorf("concept %s: %s label %q keeps too few words to be known by: %w",
						c.ID, source, text.text, fault.ErrInvalid))
				}
			}
		}
	}
	r.finish()
	return v, errors.Join(errs...)
}

// end returns the node at which the path of words ends, or -1.
func (v *vocabulary) end(words []wordID) int32 {
	var node int32
	for _, w := range words {
		to, ok := v.next.to(node, w)
		if !ok {
			return -1
		}
		node = to
	}
	return node
}

// minSpelled is the length from which an abbreviation is also known when it is
// not written in capitals: crispr, but not als.
const minSpelled = 4

// abbreviation is what a short word in capitals is known by. It is spelled, not
// folded or stemmed, and other words are not taken for it.
func abbreviation(word string) string { return "=" + word }
