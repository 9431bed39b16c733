package analysis

import "unicode/utf8"

// atom is a word of a text as the lexicon sees it, or one part of a compound.
type atom struct {
	id         wordID
	key        string
	start, end int // bytes of the whole word in the text
	// The words beside it, function words too; "" where something parts them.
	before, after string
	apart         bool
	part          bool
	covered       coverage
}

// coverage says what kind of concept an atom went into.
type coverage uint8

const (
	uncovered coverage = iota
	meaningful
	weightless
)

// match is a label found in a text: atoms from to, and what it may mean.
type match struct {
	from, to int
	means    []int32
}

// read analyses one text of a language: it fills s.atoms and calls found for
// each label, in order.
func (a *Analyzer) read(s *scratch, lang int, text string, found func(match)) {
	a.atomise(s, lang, text)
	v := a.vocabularyOf(lang)
	for i := 0; i < len(s.atoms); {
		end, means := v.longest(s.atoms, i)
		if end <= i+1 {
			if m := v.beside(&s.atoms[i]); m != nil {
				end, means = i+1, m
			}
		}
		if means == nil {
			i++
			continue
		}
		cover := weightless
		for _, c := range means {
			if worthOf(a.lexicon.Concepts[c].Weight) > 0 {
				cover = meaningful
			}
		}
		for j := i; j < end; j++ {
			s.atoms[j].covered = cover
		}
		found(match{from: i, to: end, means: means})
		i = end
	}
}

// longest returns the end of the longest label that starts at atom i, and its
// meanings; nil if none does.
func (v *vocabulary) longest(atoms []atom, i int) (end int, means []int32) {
	var node int32
	for j := i; j < len(atoms) && atoms[j].id != 0; j++ {
		if j > i && atoms[j].apart {
			break
		}
		to, ok := v.next[step{node, atoms[j].id}]
		if !ok {
			break
		}
		node = to
		if m := v.means[node]; m != nil {
			end, means = j+1, m
		}
	}
	return end, means
}

// beside returns the meanings of a word together with a function word beside it.
func (v *vocabulary) beside(at *atom) []int32 {
	for _, p := range v.pairs[at.id] {
		if p.before != "" && p.before == at.before || p.after != "" && p.after == at.after {
			return p.means
		}
	}
	return nil
}

// atomise fills s.atoms with the words of text that are no function words.
// Function words do not part a phrase: care of the elderly is care elderly.
func (a *Analyzer) atomise(s *scratch, lang int, text string) {
	s.tokens = tokenise(s.tokens[:0], text)
	s.atoms = s.atoms[:0]
	v := a.vocabularyOf(lang)
	apart := false
	for n, t := range s.tokens {
		apart = apart || t.apart
		if a.isFunctionWord(t, lang, lang) {
			continue
		}
		key := a.key(s, lang, t.word)
		id := v.words[key]
		if t.caps && utf8.RuneCountInString(t.word) < minSpelled {
			id = v.words[abbreviation(t.word)]
		}
		if id == 0 {
			s.parts = a.split(s, s.parts[:0], lang, t.word)
		} else {
			s.parts = s.parts[:0]
		}
		if len(s.parts) == 0 {
			at := atom{id: id, key: key, start: t.start, end: t.end, apart: apart}
			if n > 0 && !t.apart {
				at.before = s.tokens[n-1].word
			}
			if n+1 < len(s.tokens) && !s.tokens[n+1].apart {
				at.after = s.tokens[n+1].word
			}
			s.atoms = append(s.atoms, at)
		}
		for i, p := range s.parts {
			if p.key == "" {
				p.key = a.key(s, lang, t.word[p.start:p.end])
			}
			s.atoms = append(s.atoms, atom{
				id: p.id, key: p.key, start: t.start, end: t.end, apart: apart && i == 0, part: true,
			})
		}
		apart = false
	}
}

// isFunctionWord reports whether t is a function word of either language; of any
// when the first is unknown.
func (a *Analyzer) isFunctionWord(t token, lang, other int) bool {
	set := a.functionWords.emptyIn(t.word)
	return !t.caps && (set.has(lang) || set.has(other) || lang < 0 && set != 0)
}
