// Package peer has the engines that kobling's speed is compared with. They are
// given the very features that kobling's analysis selects, of profiles and of
// queries, and are asked for as many of the best as kobling stored of the same
// profile. What is better about kobling's predicate does not count here: they rank
// in their own way.
//
//	memory     postings in flat arrays, one byte for a weight; the physical reference
//	bleve      an index of text with bleve's own settings, asked by its Search
//	postgres   tsvector and GIN, ranked by ts_rank: what one builds with a database only
//
// Whatever a choice was, it is the one that makes the peer faster; see each.
package peer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kobling/internal/analysis"
	"kobling/internal/fault"
	"kobling/internal/profile"
)

// Document is a profile as engines are given it.
type Document struct {
	ID       profile.ID
	Features []analysis.Feature // sorted by term
}

// Hit is one answer, with the score that the engine gives it.
type Hit struct {
	ID    profile.ID
	Score float64
}

// Engine finds profiles of one side for those of the other. Search and Add are safe
// for concurrent use with each other once Ready has returned.
type Engine interface {
	// Load adds documents in bulk, each new, before Ready.
	Load(ctx context.Context, docs []Document) error
	// Ready ends the loading.
	Ready(ctx context.Context) error
	// Add adds or replaces documents while the engine works; they are found when it
	// returns.
	Add(ctx context.Context, docs []Document) error
	// Search returns the n best of side in, best first.
	Search(ctx context.Context, in profile.Side, features []analysis.Feature, n int) ([]Hit, error)
	// Stats says how large it is.
	Stats(ctx context.Context) (Stats, error)
	// Close gives everything back.
	Close() error
}

// Stats is the size of an engine.
type Stats struct {
	Bytes    int64 // on disk; of memory, if it has none
	Segments int   // 0: it has no such thing
}

// sides are both sides, in order.
func sides() []profile.Side { return []profile.Side{profile.Demand, profile.Supply} }

// bySide sorts docs by the side on which they stand.
func bySide(docs []Document) map[profile.Side][]Document {
	sorted := map[profile.Side][]Document{}
	for _, d := range docs {
		sorted[d.ID.Side()] = append(sorted[d.ID.Side()], d)
	}
	return sorted
}

// unknownSide is the error for a side that there is none of.
func unknownSide(side profile.Side) error {
	return fmt.Errorf("side %q: %w", side, fault.ErrInvalid)
}

// DiskUsage returns the bytes of all files below dir. Those that vanish meanwhile
// count nothing.
func DiskUsage(dir string) (int64, error) {
	var n int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
		n += info.Size()
		return nil
	})
	return n, err
}
