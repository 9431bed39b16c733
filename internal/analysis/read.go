package analysis

import (
	"unicode/utf8"

	"kobling/internal/lexicon"
)

// atom is a word of a text as the lexicon sees it, or one part of a compound.
type atom struct {
	id wordID
	*lexeme

	beginning  word // the term of the word's beginning, at its first atom
	spelled    bool // a short abbreviation, which no table translates
	start, end int  // bytes of the whole word in the text
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

// read analyses the tokens of one text of a language: it fills s.atoms and calls
// found for each label, in order.
func (a *Analyzer) read(s *scratch, lang int, tokens []token, found func(match)) {
	a.atomise(s, lang, tokens)
	if a.without.has(Concepts) {
		return
	}
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
			if a.lexicon.Concepts[c].Weight != lexicon.Empty {
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
		to, ok := v.next.to(node, atoms[j].id)
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

// atomise fills s.atoms with those words of a text that are no function words.
// Function words do not part a phrase: care of the elderly is care elderly.
func (a *Analyzer) atomise(s *scratch, lang int, tokens []token) {
	s.atoms = s.atoms[:0]
	v := a.vocabularyOf(lang)
	apart := false
	for n := range tokens {
		t := &tokens[n]
		apart = apart || t.apart
		l := a.lexeme(s, lang, t)
		if l.empty {
			continue
		}
		id := l.id
		spelled := t.caps && utf8.RuneCountInString(t.word) < minSpelled
		if spelled {
			id = v.words[abbreviation(t.word)]
		}
		if id != 0 || len(l.parts) == 0 {
			at := atom{id: id, lexeme: l, beginning: l.start, spelled: spelled, start: t.start, end: t.end, apart: apart}
			if n > 0 && !t.apart {
				at.before = tokens[n-1].word
			}
			if n+1 < len(tokens) && !tokens[n+1].apart {
				at.after = tokens[n+1].word
			}
			s.atoms = append(s.atoms, at)
		} else {
			for i, p := range l.parts {
				at := atom{id: p.id, lexeme: p.lexeme, start: t.start, end: t.end, apart: apart && i == 0, part: true}
				if i == 0 {
					at.beginning = l.start
				}
				s.atoms = append(s.atoms, at)
			}
		}
		apart = false
	}
}

// isFunctionWord reports whether t is a function word of either language; of any
// when the first is unknown.
func (a *Analyzer) isFunctionWord(t token, lang, other int) bool {
	return isEmpty(a.functionWords.emptyIn(t.word), t.caps, lang, other)
}

// isEmpty is isFunctionWord of a word that is one in the languages of set.
func isEmpty(set langSet, caps bool, lang, other int) bool {
	return !caps && (set.has(lang) || set.has(other) || lang < 0 && set != 0)
}
