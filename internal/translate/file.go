package translate

import (
	"compress/gzip"
	"encoding/gob"
	"errors"
	"fmt"
	"io"

	"kobling/internal/fault"
)

// fileVersion is the layout that Write writes. Raise it when it changes.
const fileVersion = 1

// file is what Write writes: gob, gzipped, whose checksum finds damage.
type file struct {
	Version int
	Pivots  []string
	Langs   map[string]fileTable
}

type fileTable struct {
	Keys   []string
	Ends   []uint32
	Pivot  []uint32
	Shares []uint8
}

// Write writes t in a form that [Read] reads.
func (t *Tables) Write(w io.Writer) error {
	out := file{Version: fileVersion, Pivots: t.pivots, Langs: make(map[string]fileTable)}
	for lang, tab := range t.langs {
		f := fileTable{Keys: tab.keys, Ends: tab.ends}
		for _, e := range tab.entries {
			f.Pivot, f.Shares = append(f.Pivot, e.pivot), append(f.Shares, e.share)
		}
		out.Langs[lang] = f
	}
	z := gzip.NewWriter(w)
	return errors.Join(gob.NewEncoder(z).Encode(out), z.Close())
}

// Read reads what [Tables.Write] wrote. The error wraps fault.ErrInvalid: the
// tables are damaged or of another version, and must be compiled again.
func Read(r io.Reader) (*Tables, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("translation tables: %w: %w", fault.ErrInvalid, err)
	}
	var in file
	err = gob.NewDecoder(z).Decode(&in)
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(z, 1)) // the end, where the checksum is looked at
	}
	if err != nil {
		return nil, fmt.Errorf("translation tables: %w: %w", fault.ErrInvalid, err)
	}
	if in.Version != fileVersion {
		return nil, fmt.Errorf("translation tables are of version %d, not %d: %w", in.Version, fileVersion, fault.ErrInvalid)
	}
	t := &Tables{pivots: in.Pivots, langs: make(map[string]*table)}
	for lang, f := range in.Langs {
		tab, ok := f.table(len(in.Pivots))
		if !ok {
			return nil, fmt.Errorf("translation table of %s does not fit together: %w", lang, fault.ErrInvalid)
		}
		t.langs[lang] = tab
	}
	return t, nil
}

// table checks what Lookup relies on.
func (f fileTable) table(pivots int) (*table, bool) {
	if len(f.Ends) != len(f.Keys) || len(f.Pivot) != len(f.Shares) {
		return nil, false
	}
	tab := &table{words: make(map[string]uint32, len(f.Keys)), keys: f.Keys, ends: f.Ends}
	var before uint32
	for i, key := range f.Keys {
		if f.Ends[i] < before || int(f.Ends[i]) > len(f.Pivot) {
			return nil, false
		}
		before = f.Ends[i]
		tab.words[key] = uint32(i)
	}
	for i, p := range f.Pivot {
		if int(p) >= pivots {
			return nil, false
		}
		tab.entries = append(tab.entries, entry{p, f.Shares[i]})
	}
	return tab, true
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
