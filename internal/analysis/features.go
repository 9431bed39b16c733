package analysis

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"kobling/internal/lexicon"
	"kobling/internal/profile"
	"kobling/internal/translate"
)

// Raw is what the texts of a profile say, before it is weighed for a side.
type Raw struct {
	Counts []Count // in order of term

	length uint32  // units of all its words
	langs  langSet // of its texts
}

// Count is how often a term stands in the texts of a profile.
type Count struct {
	Term string
	// Units is how often and how prominently: [Unit] for a word of the description,
	// twice that for one of the title.
	Units uint32

	concept int32 // place in the lexicon, -1 for a word
	kind    kind
	faint   bool // it stands nowhere but in words that mean nothing
	bound   bool // to its language: it translates no word
}

// Unit is what a word of the description counts.
const Unit = 240

// fields are the fields of a text and what a word in each counts.
var fields = [...]struct {
	name  string
	units uint32
	of    func(*profile.Text) string
}{
	{"title", 2 * Unit, func(t *profile.Text) string { return t.Title }},
	{"summary", Unit * 5 / 4, func(t *profile.Text) string { return t.Summary }},
	{"description", Unit, func(t *profile.Text) string { return t.Description }},
	{"requirements", Unit, func(t *profile.Text) string { return t.Requirements }},
	{"partner_role", Unit * 2 / 3, func(t *profile.Text) string { return t.PartnerRole }},
}

// Features returns what a profile's texts say.
func (a *Analyzer) Features(texts []profile.Text) Raw {
	s := a.scratch()
	defer a.release(s)
	total := &s.tally
	var raw Raw
	if len(texts) == 1 {
		raw.langs = a.count(s, &texts[0])
	} else {
		total = &s.total
		total.reset()
		for i := range texts {
			raw.langs |= a.count(s, &texts[i])
			total.raise(&s.tally)
		}
	}
	raw.length = total.length
	s.order = s.order[:0]
	for i := range total.counts {
		c := &total.counts[i]
		if c.concept >= 0 && c.kind == kind(lexicon.Empty) {
			continue
		}
		s.order = append(s.order, orderKey{head(c.term), int32(i)})
	}
	slices.SortFunc(s.order, func(x, y orderKey) int {
		if x.head != y.head {
			return cmp.Compare(x.head, y.head)
		}
		return cmp.Compare(total.counts[x.at].term, total.counts[y.at].term)
	})
	raw.Counts = make([]Count, len(s.order))
	for i, o := range s.order {
		c := &total.counts[o.at]
		word := c.concept < 0
		raw.Counts[i] = Count{
			Term: c.term, Units: c.units, concept: c.concept, kind: c.kind,
			faint: word && c.firm == 0, bound: word && c.free == 0,
		}
	}
	return raw
}

// orderKey is a count and the head of its term, by which most are told apart.
type orderKey struct {
	head uint64
	at   int32
}

// head returns a number that has the order of terms, as far as it goes: the
// namespace and the seven bytes after its colon.
func head(term string) uint64 {
	var h uint64
	if len(term) >= len(":")+8 {
		h = binary.BigEndian.Uint64([]byte(term[1:9])) // the colon and seven bytes
	} else {
		for i := 1; i < 9; i++ {
			h <<= 8
			if i < len(term) {
				h |= uint64(term[i])
			}
		}
	}
	return h&(1<<56-1) | uint64(term[0])<<56
}

// unknownLanguage is the bit of texts whose language cannot be told.
const unknownLanguage langSet = 1 << (languages - 1)

// count fills s.tally with the terms of one text and returns its language.
func (a *Analyzer) count(s *scratch, text *profile.Text) langSet {
	s.tally.reset()
	lang := a.language(s, text)
	for i, f := range fields {
		if len(s.fields[i]) == 0 {
			continue
		}
		a.read(s, lang, s.fields[i], func(m match) {
			for _, c := range m.means {
				s.tally.of(a.terms[c], c).units += f.units / uint32(len(m.means)) //nolint:gosec // a few meanings
			}
		})
		for i := range s.atoms {
			at := &s.atoms[i]
			units := f.units
			if at.part {
				units /= 2
			}
			s.tally.length += units
			at.say(units, func(w word, units uint32, free bool) {
				n := s.tally.of(w, -1)
				n.units += units
				if at.covered != weightless {
					n.firm += units
				}
				if free {
					n.free += units
				}
			})
		}
	}
	if lang < 0 {
		return unknownLanguage
	}
	return 1 << lang
}

// What the beginning of a word counts, in tenths, if it is known what the word
// means.
const knownStart = 3

// say calls f for each term besides concepts that a word, or part of one, stands
// for. A translated word is known by its translations alone: in a corpus of many
// languages its own form would only find texts of its own language.
func (at *atom) say(units uint32, f func(w word, units uint32, free bool)) {
	l := at.lexeme
	say := func(list []saying) {
		for _, t := range list {
			if n := units * t.share / translate.Full; n > 0 {
				f(t.word, n, true)
			}
		}
	}
	switch {
	case at.spelled || len(l.says)+len(l.pieces) == 0:
		if len(l.key) > 2 || strings.ContainsAny(l.key, "0123456789") {
			f(l.own, units, false)
		}
	case len(l.says) > 0:
		say(l.says)
	default:
		say(l.pieces)
		f(l.own, units/2, false)
	}
	if at.beginning.term != "" {
		if len(l.says)+len(l.pieces) > 0 {
			units = units * knownStart / 10
		}
		f(at.beginning, units, false)
	}
}

// language fills s.fields and returns the place of the text's language: the
// stated one, else the one it seems to be in, else -1.
func (a *Analyzer) language(s *scratch, text *profile.Text) int {
	for i, f := range fields {
		s.fields[i] = tokenise(s.fields[i][:0], f.of(text))
	}
	if i := langIndex(text.Lang); i >= 0 {
		return i
	}
	var e evidence
	for _, tokens := range s.fields {
		e.add(a.functionWords, tokens)
	}
	return langIndex(e.best())
}
