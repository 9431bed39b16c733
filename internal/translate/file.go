package translate

import (
	"fmt"
	"io"
	"math"

	"kobling/internal/fault"
	"kobling/internal/flat"
)

// fileHeader names the layout that Write writes. Change it when that changes.
const fileHeader = "kobling translations 2"

// The bounds of a file.
const (
	maxWords = 1 << 26
	maxWord  = 1 << 12
	maxLangs = 64
)

// Write writes t in a form that [Read] reads: equal tables give equal bytes.
func (t *Tables) Write(w io.Writer) error {
	f := flat.NewWriter(w, fileHeader)
	f.Uint(uint64(len(t.pivots)))
	for _, p := range t.pivots {
		f.Text(p)
	}
	langs := t.Languages()
	f.Uint(uint64(len(langs)))
	for _, lang := range langs {
		tab := t.langs[lang]
		f.Text(lang)
		f.Uint(uint64(len(tab.keys)))
		var from uint32
		for i, key := range tab.keys {
			f.Text(key)
			f.Uint(uint64(tab.ends[i] - from))
			for _, e := range tab.entries[from:tab.ends[i]] {
				f.Uint(uint64(e.pivot))
				f.Uint(uint64(e.share))
			}
			from = tab.ends[i]
		}
	}
	return f.Close()
}

// Read reads what [Tables.Write] wrote. The error wraps fault.ErrInvalid: the
// tables are damaged or of another version, and must be compiled again.
func Read(r io.Reader) (*Tables, error) {
	f := flat.NewReader(r, fileHeader)
	t := &Tables{langs: make(map[string]*table)}
	for n := f.Uint(maxWords); n > 0 && !f.Bad(); n-- {
		t.pivots = append(t.pivots, f.Text(maxWord))
	}
	for n := f.Uint(maxLangs); n > 0 && !f.Bad(); n-- {
		lang := f.Text(maxWord)
		t.langs[lang] = readTable(f, len(t.pivots))
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("translation tables: %w", err)
	}
	for lang, tab := range t.langs {
		if tab == nil {
			return nil, fmt.Errorf("translation table of %s does not fit together: %w", lang, fault.ErrInvalid)
		}
	}
	return t, nil
}

// readTable reads one language; nil if it does not fit together.
func readTable(f *flat.Reader, pivots int) *table {
	tab := &table{words: make(map[string]uint32)}
	fits := true
	for n := f.Uint(maxWords); n > 0 && !f.Bad(); n-- {
		key := f.Text(maxWord)
		tab.words[key] = uint32(len(tab.keys)) //nolint:gosec // at most maxWords
		tab.keys = append(tab.keys, key)
		for e := f.Uint(maxWords); e > 0 && !f.Bad(); e-- {
			pivot, share := f.Uint(math.MaxUint32), f.Uint(Full)
			fits = fits && pivot < uint64(pivots)                                               //nolint:gosec // not negative
			tab.entries = append(tab.entries, entry{pivot: uint32(pivot), share: uint8(share)}) //nolint:gosec // bounded above
		}
		tab.ends = append(tab.ends, uint32(len(tab.entries))) //nolint:gosec // memory ends before
	}
	if !fits {
		return nil
	}
	return tab
}

// Bytes estimates the memory that t takes.
func (t *Tables) Bytes() int64 {
	const header, slot = 16, 40 // of a string; of a map's entry with its spare room
	var n int64
	for _, p := range t.pivots {
		n += header + int64(len(p))
	}
	for _, tab := range t.langs {
		for _, k := range tab.keys {
			n += header + slot + int64(len(k)) + 4
		}
		n += 8 * int64(len(tab.entries))
	}
	return n
}
