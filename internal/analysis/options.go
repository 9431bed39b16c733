package analysis

import (
	"fmt"
	"slices"
	"strings"

	"kobling/internal/fault"
	"kobling/internal/translate"
)

// Part is a part of the analysis that can be left out, to measure what it is
// worth.
type Part string

// The parts.
const (
	Concepts     Part = "concepts"
	Compounds    Part = "compounds"
	Translations Part = "translations"
	Starts       Part = "ngrams" // the beginnings of words
	Broader      Part = "broader"
	Statistics   Part = "statistics"
)

// Parts lists the parts.
var Parts = []Part{Concepts, Compounds, Translations, Starts, Broader, Statistics}

type partSet map[Part]bool

func (s partSet) has(p Part) bool { return s[p] }

// Option changes an [Analyzer].
type Option func(*Analyzer) error

// WithTables has the analyzer translate by t, which must have been learned from
// the lexicon too, instead of by what the lexicon alone teaches.
func WithTables(t *translate.Tables) Option {
	return func(a *Analyzer) error {
		a.tables = t
		return nil
	}
}

// WithBackground has the analyzer weigh by how common terms are in b.
func WithBackground(b *Background) Option {
	return func(a *Analyzer) error {
		a.background = b
		return nil
	}
}

// Without leaves parts out. The error wraps fault.ErrInvalid if there is no such
// part.
func Without(parts ...Part) Option {
	return func(a *Analyzer) error {
		for _, p := range parts {
			if !slices.Contains(Parts, p) {
				return fmt.Errorf("there is no part %q of the analysis, only %v: %w", p, Parts, fault.ErrInvalid)
			}
			a.without[p] = true
		}
		return nil
	}
}

// name names the parts that are left out, for Version.
func (s partSet) name() string {
	var names []string
	for p := range s {
		names = append(names, string(p))
	}
	slices.Sort(names)
	return strings.Join(names, "+")
}
