package analysis

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"kobling/internal/lexicon"
	"kobling/internal/profile"
)

// Raw is a term of a profile before it is weighed for a side.
type Raw struct {
	Term string
	// Worth is what sharing the term tells: 1000 for a specific concept, less for
	// what stands in many texts.
	Worth uint32
	// Presence is how much the texts are about it: 0 to [FullPresence], rising
	// ever more slowly with how often and how prominently it stands there.
	Presence uint32

	concept int32 // place in the lexicon, -1 for a word
}

// FullPresence is the presence that a term never quite reaches.
const FullPresence = 2048

// fields are the fields of a text and how much a word in each counts, in twelfths
// of a word of the description.
var fields = []struct {
	name  string
	units uint32
	of    func(*profile.Text) string
}{
	{"title", 24, func(t *profile.Text) string { return t.Title }},
	{"summary", 15, func(t *profile.Text) string { return t.Summary }},
	{"description", 12, func(t *profile.Text) string { return t.Description }},
	{"requirements", 12, func(t *profile.Text) string { return t.Requirements }},
	{"partner_role", 8, func(t *profile.Text) string { return t.PartnerRole }},
}

// worthOf is what sharing a concept of this weight tells.
func worthOf(w lexicon.Weight) uint32 {
	switch w {
	case lexicon.Specific:
		return 1000
	case lexicon.Common:
		return 250
	case lexicon.Formal:
		return 40
	case lexicon.Empty:
	}
	return 0
}

// worthOfWord is what sharing a stem tells, by its length: long words are rare.
// It is far less than a concept's, because only texts of one language, or
// neighbours, can share it.
func worthOfWord(key string) uint32 {
	switch n := utf8.RuneCountInString(key); {
	case n <= 2:
		return 0
	case strings.ContainsAny(key, "0123456789"):
		return 30
	case n == 3:
		return 20
	case n <= 5:
		return 40
	case n <= 7:
		return 70
	}
	return 100
}

// tally counts the terms of a text, in twelfths.
type tally struct {
	concepts map[int32]uint32
	words    map[string]uint32
}

func newTally() tally {
	return tally{concepts: make(map[int32]uint32), words: make(map[string]uint32)}
}

func (t tally) reset() {
	clear(t.concepts)
	clear(t.words)
}

// raise keeps the greater count of each term: a profile in two languages says
// everything twice.
func (t tally) raise(by tally) {
	for c, n := range by.concepts {
		t.concepts[c] = max(t.concepts[c], n)
	}
	for w, n := range by.words {
		t.words[w] = max(t.words[w], n)
	}
}

// Features returns the terms of a profile's texts, in order of term.
func (a *Analyzer) Features(texts []profile.Text) []Raw {
	s := a.scratch()
	defer a.release(s)
	s.total.reset()
	for i := range texts {
		a.count(s, &texts[i])
		s.total.raise(s.tally)
	}
	raw := make([]Raw, 0, len(s.total.concepts)+len(s.total.words))
	for c, n := range s.total.concepts {
		if worth := worthOf(a.lexicon.Concepts[c].Weight); worth > 0 {
			raw = append(raw, Raw{Term: a.terms[c], Worth: worth, Presence: presence(n), concept: c})
		}
	}
	for key, n := range s.total.words {
		if worth := worthOfWord(key); worth > 0 {
			raw = append(raw, Raw{Term: stemPrefix + key, Worth: worth, Presence: presence(n), concept: -1})
		}
	}
	slices.SortFunc(raw, func(x, y Raw) int { return cmp.Compare(x.Term, y.Term) })
	return raw
}

// presence turns a count of twelfths into a presence: 1024 for one word of the
// description, 1365 for one of the title.
func presence(twelfths uint32) uint32 { return FullPresence * twelfths / (twelfths + 12) }

// count fills s.tally with the terms of one text.
func (a *Analyzer) count(s *scratch, text *profile.Text) {
	s.tally.reset()
	lang := a.language(text)
	for _, f := range fields {
		words := f.of(text)
		if words == "" {
			continue
		}
		a.read(s, lang, words, func(m match) {
			for _, c := range m.means {
				s.tally.concepts[c] += f.units / uint32(len(m.means)) //nolint:gosec // a few meanings
			}
		})
		for _, at := range s.atoms {
			switch units := f.units; at.covered {
			case uncovered:
				if at.part {
					units /= 2
				}
				s.tally.words[at.key] += units
			case meaningful:
				s.tally.words[at.key] += units / 3
			case weightless:
			}
		}
	}
}

// language returns the place of the text's language: the stated one, else the
// one it seems to be in, else -1.
func (a *Analyzer) language(text *profile.Text) int {
	if i := langIndex(text.Lang); i >= 0 {
		return i
	}
	var all strings.Builder
	for _, f := range fields {
		all.WriteString(f.of(text))
		all.WriteByte('\n')
	}
	return langIndex(a.functionWords.detect(all.String()))
}
