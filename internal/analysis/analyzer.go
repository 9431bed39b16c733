// Package analysis turns the texts of a profile into weighted features. Texts of
// different languages meet in the concepts of the lexicon, in the translations of
// their words into one language, and where words are cognates in their folded stems
// and beginnings. It is pure and deterministic: the same texts
// give the same features, to the bit, on every machine.
//
// The way of a text: language → words with byte offsets → compounds split over
// the words of the lexicon → stems → concepts by longest match, translations by
// tables, beginnings → counts → the weights of a side by how common each term is.
package analysis

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/blevesearch/snowballstem"

	"kobling/internal/lexicon"
	"kobling/internal/translate"
)

// version names this package's way of working. Raise it whenever the same text
// and lexicon give other features.
//
//	1: stems, compounds, concepts
//	2: abbreviations are spelled; a phrase keeps two words
//	3: more Finnish and Nordic endings; a full stop in ph.d. ends no phrase; nynorsk is no bokmål
//	4: translations, beginnings of words, weights by a background
const version = "4"

// Analyzer analyses texts with one lexicon. It is safe for concurrent use.
type Analyzer struct {
	lexicon       *lexicon.Lexicon
	functionWords wordLists
	stem          []func(*snowballstem.Env) bool // by place in lexicon.Languages
	links         [][]string                     // likewise
	vocabularies  []*vocabulary                  // likewise; the last is for texts of unknown language
	terms         []word                         // feature terms by place in lexicon.Concepts
	broader       []int32                        // likewise; -1 for none
	tables        *translate.Tables
	background    *Background
	without       partSet
	lexemes       *lexemes

	pool sync.Pool // of *scratch
}

// scratch is the memory of one analysis, used again by the next.
type scratch struct {
	env    *snowballstem.Env
	folded []byte
	label  []token
	fields [len(fields)][]token // of the text in hand
	atoms  []atom
	tally  tally // of the text in hand
	total  tally // of all texts of the profile
	order  []orderKey
}

// New returns an analyzer that knows the concepts of lex. The error wraps
// fault.ErrInvalid and names every label that can never be found in a text.
func New(lex *lexicon.Lexicon, options ...Option) (*Analyzer, error) {
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
		background:    NewBackground(),
		without:       make(partSet),
		lexemes:       new(lexemes),
	}
	a.pool.New = func() any {
		return &scratch{env: snowballstem.NewEnv("")}
	}
	place := make(map[string]int32, len(lex.Concepts))
	for i, c := range lex.Concepts {
		a.terms = append(a.terms, word{conceptPrefix + c.ID, hash(conceptPrefix + c.ID), kind(c.Weight)}) //nolint:gosec // one of four
		place[c.ID] = int32(i)
	}
	for _, c := range lex.Concepts {
		up, ok := place[c.Broader]
		if !ok {
			up = -1
		}
		a.broader = append(a.broader, up)
	}
	all := a.labels()
	errs := make([]error, len(a.vocabularies))
	var building sync.WaitGroup
	for i := range a.vocabularies {
		building.Go(func() {
			lang := i
			if i == len(lexicon.Languages) {
				lang = -1
			}
			a.vocabularies[i], errs[i] = a.vocabulary(all, lang)
		})
	}
	building.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("lexicon %s: %w", lex.Version(), err)
	}
	if err := a.apply(options); err != nil {
		return nil, err
	}
	if a.tables == nil && !a.without.has(Translations) {
		a.tables, err = a.shipped(all.keys(a))
	}
	return a, err
}

func (a *Analyzer) apply(options []Option) error {
	for _, o := range options {
		if err := o(a); err != nil {
			return err
		}
	}
	if a.without.has(Statistics) {
		a.background = NewBackground()
	}
	return nil
}

// With returns an analyzer that differs from a by options. It shares what does
// not, so it costs little.
func (a *Analyzer) With(options ...Option) (*Analyzer, error) {
	b := &Analyzer{
		lexicon:       a.lexicon,
		functionWords: a.functionWords,
		stem:          a.stem,
		links:         a.links,
		vocabularies:  a.vocabularies,
		terms:         a.terms,
		broader:       a.broader,
		tables:        a.tables,
		background:    a.background,
		without:       maps.Clone(a.without),
		lexemes:       new(lexemes),
	}
	b.pool.New = a.pool.New
	return b, b.apply(options)
}

// Version names everything that decides which features a text has: this package
// and the lexicon.
func (a *Analyzer) Version() string {
	v := "analysis-" + version + "/lexicon-" + a.lexicon.Version() + "/tables-" + a.tables.Version()
	if a.background.total > 0 {
		v += "/background-" + a.background.Version()
	}
	if len(a.without) > 0 {
		v += "/without-" + a.without.name()
	}
	return v
}

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
