// Package analysis turns the texts of a profile into weighted features. Texts of
// different languages meet in the concepts of the lexicon, and where words are
// cognates in their folded stems. It is pure and deterministic: the same texts
// give the same features, to the bit, on every machine.
//
// The way of a text: language → words with byte offsets → compounds split over
// the words of the lexicon → stems → concepts by longest match → features.
package analysis

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/blevesearch/snowballstem"

	"kobling/internal/lexicon"
)

// version names this package's way of working. Raise it whenever the same text
// and lexicon give other features.
//
//	1: stems, compounds, concepts
//	2: abbreviations are spelled; a phrase keeps two words
//	3: more Finnish and Nordic endings; a full stop in ph.d. ends no phrase; nynorsk is no bokmål
const version = "3"

// Analyzer analyses texts with one lexicon. It is safe for concurrent use.
type Analyzer struct {
	lexicon       *lexicon.Lexicon
	functionWords wordLists
	stem          []func(*snowballstem.Env) bool // by place in lexicon.Languages
	links         [][]string                     // likewise
	vocabularies  []*vocabulary                  // likewise; the last is for texts of unknown language
	terms         []string                       // feature terms by place in lexicon.Concepts
	broader       []int32                        // likewise; -1 for none

	pool sync.Pool // of *scratch
}

// scratch is the memory of one analysis, used again by the next.
type scratch struct {
	env    *snowballstem.Env
	folded []byte
	label  []token
	tokens []token
	atoms  []atom
	parts  []part
	tally  tally // of the text in hand
	total  tally // of all texts of the profile
}

// New returns an analyzer that knows the concepts of lex. The error wraps
// fault.ErrInvalid and names every label that can never be found in a text.
func New(lex *lexicon.Lexicon) (*Analyzer, error) {
	words, err := parseWordLists(functionWordsFile)
	if err != nil {
		return nil, err
	}
	a := &Analyzer{
		lexicon:       lex,
		functionWords: words,
		stem:          stemmers(),
		links:         linksByLanguage(),
		vocabularies:  make([]*vocabulary, len(lexicon.Languages)+1),
	}
	a.pool.New = func() any {
		return &scratch{env: snowballstem.NewEnv(""), tally: newTally(), total: newTally()}
	}
	place := make(map[string]int32, len(lex.Concepts))
	for i, c := range lex.Concepts {
		a.terms = append(a.terms, conceptPrefix+c.ID)
		place[c.ID] = int32(i)
	}
	for _, c := range lex.Concepts {
		up, ok := place[c.Broader]
		if !ok {
			up = -1
		}
		a.broader = append(a.broader, up)
	}
	var errs []error
	for i := range a.vocabularies {
		lang := i
		if i == len(lexicon.Languages) {
			lang = -1
		}
		v, err := a.vocabulary(lang)
		a.vocabularies[i] = v
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("lexicon %s: %w", lex.Version(), err)
	}
	return a, nil
}

// Version names everything that decides which features a text has: this package
// and the lexicon.
func (a *Analyzer) Version() string { return "analysis-" + version + "/lexicon-" + a.lexicon.Version() }

// Label returns what a reader of lang calls a feature: the concept's label, or
// the stem itself.
func (a *Analyzer) Label(term, lang string) string {
	if id, ok := strings.CutPrefix(term, conceptPrefix); ok {
		if label := a.lexicon.Label(id, lang); label != "" {
			return label
		}
		return id
	}
	_, stem, _ := strings.Cut(term, ":")
	return stem
}

func (a *Analyzer) scratch() *scratch {
	s, ok := a.pool.Get().(*scratch)
	if !ok {
		panic("analysis: the pool holds something else than scratch memory")
	}
	return s
}

func (a *Analyzer) release(s *scratch) { a.pool.Put(s) }

// vocabularyOf returns the vocabulary of a language, or that of all for -1.
func (a *Analyzer) vocabularyOf(lang int) *vocabulary {
	if lang < 0 {
		lang = len(a.vocabularies) - 1
	}
	return a.vocabularies[lang]
}
