package analysis

import (
	"strings"
	"unicode/utf8"

	"kobling/internal/lexicon"
)

// The background is blended with what is thought of terms before any corpus is
// known: as if priorDocs profiles had been seen, in which a term of its class
// stands as often as usual says.
const priorDocs = 100

// class is what is thought of a term before any corpus is known.
type class struct {
	usual uint32 // of 1024 profiles, how many have it
	worth uint32 // of 1024: how much sharing it tells, besides how rare it is
}

// kind says what is thought of a term: first the weights of concepts.
type kind uint8

const (
	startKind kind = iota + kind(lexicon.Empty) + 1
	numberKind
	shortest // of the words
	shorter
	short
	long
)

var classes = [...]class{
	kind(lexicon.Specific): {2, 384},
	kind(lexicon.Common):   {40, 96},
	kind(lexicon.Formal):   {128, 38},
	kind(lexicon.Empty):    {},
	startKind:              {30, 800},
	numberKind:             {50, 1024},
	shortest:               {60, 1024},
	shorter:                {25, 1024},
	short:                  {12, 1024},
	long:                   {6, 1024},
}

// kindOf returns the kind of a word's term.
func kindOf(term string) kind {
	switch {
	case strings.HasPrefix(term, startPrefix):
		return startKind
	case strings.ContainsAny(term, "0123456789"):
		return numberKind
	}
	switch n := utf8.RuneCountInString(term) - len(stemPrefix); { // long words are rare
	case n <= 3:
		return shortest
	case n <= 5:
		return shorter
	case n <= 7:
		return short
	}
	return long
}

// boundReach is the reach, of 1024, of a word that is bound to its language,
// before any corpus is known.
const boundReach = 256

// appraiser knows the worth of the terms of texts in langs.
type appraiser struct {
	background *Background
	langs      langSet
	share      uint64 // of profiles in langs, of 1024
	all        uint64 // profiles, those that are only thought of too
	rarest     uint64
}

func (b *Background) appraiser(langs langSet) appraiser {
	all := uint64(b.total) + priorDocs
	return appraiser{b, langs, uint64(b.share(langs)), all, uint64(log2((all + 1) * 2048))}
}

// worth returns what sharing a term tells, in 1024ths of a bit: the inverse
// document frequency of BM25, log2((N+1)/(n+½)), with two changes. What means
// nothing by the lexicon is worth the less the fewer profiles have been seen. And
// each term is worth its reach.
func (a *appraiser) worth(c *Count) uint32 {
	class := &classes[c.kind]
	if class.worth == 0 {
		return 0
	}
	b := a.background
	var seen spread
	if len(b.terms) > 0 {
		seen = b.terms[c.Term]
	}
	n := uint64(seen.docs)*1024 + priorDocs*uint64(class.usual)
	idf := a.rarest - uint64(log2(2*n+1024))
	worth := idf * uint64(class.worth) / 1024
	if c.faint {
		worth = worth * uint64(b.total) / a.all
	}
	before := uint64(1024)
	if c.bound {
		before = boundReach
	}
	reach := (a.reach(c, seen)*uint64(b.total) + before*priorDocs) / a.all
	return uint32(worth * reach / 1024) //nolint:gosec // a few bits
}

// reach returns, of 1024, how much a term of a text in langs finds profiles of
// other languages too: P(L) / P(L | term), at most 1, for the share P(L) of
// profiles in langs among all and among those with the term. A word that stands
// in no other language finds only profiles of its own, and those would come before
// better ones in others: it is worth P(L). Of other terms it is as if half a
// profile more had been seen, of any language. A bound word that nobody has said
// yet, or one profile that was forgotten, may still be a name.
func (a *appraiser) reach(c *Count, seen spread) uint64 {
	own := seen.among(a.langs)
	switch {
	case seen.docs == 0 && c.bound:
		return max(a.share, boundReach)
	case own == seen.docs && c.bound:
		return a.share
	}
	all, mine := a.share*(2*uint64(seen.docs)+1), 2*1024*uint64(own)+a.share
	if mine <= all {
		return 1024
	}
	return 1024 * all / mine
}
