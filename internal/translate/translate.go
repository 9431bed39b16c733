// Package translate learns from concept lists, dictionaries and parallel text how
// the words of each language are said in English, and keeps what it learned in
// compact tables. English stems are the pivot in which texts of all languages
// meet: N tables instead of N².
//
// Words are keys: stems as the analysis makes them. The package is pure and knows
// neither files of packs nor the analysis.
package translate

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
)

// Pivot is the language in which all others meet.
const Pivot = "en"

// Full is the share of a translation that is certain.
const Full = 255

// Translation is one way to say a word in the pivot language.
type Translation struct {
	Key   string // the pivot word's key
	Share uint8  // how much of the word's meaning it carries, 1 to Full
}

// Tables translate keys of every language into keys of the pivot language. The
// nil Tables translate nothing. They are safe for concurrent use.
type Tables struct {
	pivots []string
	langs  map[string]*table
}

// table is one language: the translations of word i are entries[ends[i-1]:ends[i]].
type table struct {
	words   map[string]uint32
	keys    []string
	ends    []uint32
	entries []entry
}

type entry struct {
	pivot uint32
	share uint8
}

// Lookup appends the translations of a key of lang to dst, the likeliest first.
func (t *Tables) Lookup(dst []Translation, lang, key string) []Translation {
	if t == nil {
		return dst
	}
	l := t.langs[lang]
	if l == nil {
		return dst
	}
	i, ok := l.words[key]
	if !ok {
		return dst
	}
	var from uint32
	if i > 0 {
		from = l.ends[i-1]
	}
	for _, e := range l.entries[from:l.ends[i]] {
		dst = append(dst, Translation{t.pivots[e.pivot], e.share})
	}
	return dst
}

// Knows reports whether lang has a key.
func (t *Tables) Knows(lang, key string) bool {
	if t == nil || t.langs[lang] == nil {
		return false
	}
	_, ok := t.langs[lang].words[key]
	return ok
}

// Words is how many keys of lang are known.
func (t *Tables) Words(lang string) int {
	if t == nil || t.langs[lang] == nil {
		return 0
	}
	return len(t.langs[lang].keys)
}

// Languages are the languages that have a table, in order.
func (t *Tables) Languages() []string {
	if t == nil {
		return nil
	}
	var langs []string
	for l := range t.langs {
		langs = append(langs, l)
	}
	slices.Sort(langs)
	return langs
}

// Version names the content; "none" for nil Tables.
func (t *Tables) Version() string {
	if t == nil {
		return "none"
	}
	h := fnv.New64a()
	var line []byte
	for _, lang := range t.Languages() {
		l := t.langs[lang]
		line = fmt.Appendf(line[:0], "%s %d\n", lang, len(l.keys))
		var from uint32
		for i, k := range l.keys {
			line = append(line, k...)
			for _, e := range l.entries[from:l.ends[i]] {
				line = append(append(line, ' '), t.pivots[e.pivot]...)
				line = strconv.AppendUint(append(line, ' '), uint64(e.share), 10)
			}
			from = l.ends[i]
			_, _ = h.Write(append(line, '\n')) // a hash takes everything
			line = line[:0]
		}
		_, _ = h.Write(line) // of a language without words
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
