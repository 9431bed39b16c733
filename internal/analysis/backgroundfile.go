package analysis

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"kobling/internal/flat"
	"kobling/internal/lexicon"
)

// backgroundHeader names the layout that Write writes. Change it when that
// changes, and read the older one too: installations keep such files.
const backgroundHeader = "kobling background 1"

// The bounds of a file.
const (
	maxTerms      = 1 << 26
	maxTerm       = 1 << 12
	maxFileLangs  = 15 // besides the unknown
	maxCombinable = 1 << 16
)

// leastDocs is in how many profiles a term must stand to be kept by Prune.
const leastDocs = 2

// Prune forgets the terms that stand in one profile only: they are most of all
// terms and tell nothing of how common a term is. Who keeps a background prunes
// it before its first use, so that what is read back weighs alike.
func (b *Background) Prune() {
	maps.DeleteFunc(b.terms, func(_ string, s spread) bool { return s.docs < leastDocs })
}

// Profiles is how many profiles were added.
func (b *Background) Profiles() int { return int(b.total) }

// Terms is how many terms are known.
func (b *Background) Terms() int { return len(b.terms) }

// ByLanguage is how many profiles have a text in each language; "?" stands for
// texts of no known language.
func (b *Background) ByLanguage() map[string]int {
	n := make(map[string]int)
	for set, docs := range b.docs {
		for l := range set.all {
			n[fileLang(l)] += int(docs)
		}
	}
	return n
}

// fileLang names the place of a language.
func fileLang(place int) string {
	if place < len(lexicon.Languages) {
		return lexicon.Languages[place]
	}
	return "?"
}

// Write writes b in a form that [ReadBackground] reads: equal backgrounds give
// equal bytes.
func (b *Background) Write(w io.Writer) error {
	f := flat.NewWriter(w, backgroundHeader)
	f.Uint(languages)
	for l := range languages {
		f.Text(fileLang(l))
	}
	f.Uint(uint64(b.total))
	f.Uint(b.length)
	f.Uint(uint64(len(b.docs)))
	for _, set := range slices.Sorted(maps.Keys(b.docs)) {
		f.Uint(uint64(set))
		f.Uint(uint64(b.docs[set]))
	}
	f.Uint(uint64(len(b.terms)))
	for _, term := range slices.Sorted(maps.Keys(b.terms)) {
		s := b.terms[term]
		f.Text(term)
		f.Uint(uint64(s.docs))
		var in langSet
		for l, n := range s.of {
			if n > 0 {
				in |= 1 << l
			}
		}
		f.Uint(uint64(in))
		for l := range in.all {
			f.Uint(uint64(s.of[l]))
		}
	}
	return f.Close()
}

// ReadBackground reads what [Background.Write] wrote. The error wraps
// fault.ErrInvalid: it is damaged or of another version.
func ReadBackground(r io.Reader) (*Background, error) {
	f := flat.NewReader(r, backgroundHeader)
	places := readPlaces(f)
	b := NewBackground()
	b.total = uint32(f.Uint(math.MaxUint32)) //nolint:gosec // bounded
	b.length = f.Uint(math.MaxInt64)
	for n := f.Uint(maxCombinable); n > 0 && !f.Bad(); n-- {
		set := readSet(f, places)
		b.docs[moved(set, places)] += uint32(f.Uint(math.MaxUint32)) //nolint:gosec // bounded
	}
	for n := f.Uint(maxTerms); n > 0 && !f.Bad(); n-- {
		term := f.Text(maxTerm)
		s := spread{docs: uint32(f.Uint(math.MaxUint32))} //nolint:gosec // bounded
		for l := range readSet(f, places).all {
			s.of[places[l]] += uint32(f.Uint(math.MaxUint32)) //nolint:gosec // bounded
		}
		b.terms[term] = s
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("background: %w", err)
	}
	return b, nil
}

// readPlaces reads the languages of a file and returns where each stands here. A
// program may know other languages than the one that wrote the file.
func readPlaces(f *flat.Reader) []int {
	var places []int
	for n := f.Uint(maxFileLangs + 1); n > 0 && !f.Bad(); n-- {
		place := langIndex(f.Text(maxTerm))
		if place < 0 {
			place = languages - 1
		}
		places = append(places, place)
	}
	return places
}

// readSet reads a set of a file's languages.
func readSet(f *flat.Reader, places []int) langSet {
	return langSet(f.Uint(1<<len(places) - 1)) //nolint:gosec // at most 16 bits
}

// moved turns a file's set of languages into one of this program's.
func moved(set langSet, places []int) langSet {
	var to langSet
	for l := range set.all {
		to |= 1 << places[l]
	}
	return to
}
