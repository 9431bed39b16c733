package index

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"

	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Each calls f for every profile that can be found, in no order, with the sequence
// and the facts that the index holds of it. All of a side is of one state. The
// error wraps fault.ErrUnavailable if the index cannot be read.
func (x *Index) Each(ctx context.Context, f func(id profile.ID, seq uint64, facts score.Facts)) error {
	err := x.use(func() error {
		for _, side := range sides() {
			for id, meta := range x.halves[side].memory.All() {
				if err := ctx.Err(); err != nil {
					return err
				}
				seq, facts, err := parseMeta(meta)
				if err != nil {
					return fmt.Errorf("%q: %s: %w", id, err.Error(), fault.ErrUnavailable) // see search
				}
				f(profile.ID(id), seq, facts)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read all of the index: %w", err)
	}
	return nil
}

// Verify compares every segment that is in use and on the disk with its
// checksum, as Open does, and returns what is wrong with the first that differs.
func (x *Index) Verify(ctx context.Context) error {
	for _, side := range sides() {
		err := x.read(side, func(snapshot *scorch.IndexSnapshot) error {
			for _, s := range snapshot.Segments() {
				file, ok := s.Segment().(segment.PersistedSegment)
				if !ok {
					continue // in memory as yet
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				// A merge may have removed the file meanwhile; what is mapped is read on.
				if err := verifySegment(file.Path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("index, %s: %w", side, err)
		}
	}
	return nil
}
