package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/blevesearch/bleve/v2/index/scorch"

	"kobling/internal/fault"
	"kobling/internal/inverted"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Find returns every profile that answers q, in order of id. All of it is of one
// state of the index. The error wraps fault.ErrInvalid if q cannot be asked and
// fault.ErrUnavailable if the index cannot answer.
func (x *Index) Find(ctx context.Context, q score.Query) ([]score.Candidate, error) {
	found, err := x.search(ctx, q, func(in *inverted.Index) []inverted.Hit { return in.Find(q.Features, q.Floor) })
	if err != nil {
		return nil, fmt.Errorf("find in index: %w", err)
	}
	slices.SortFunc(found, func(a, b score.Candidate) int { return cmp.Compare(a.ID, b.ID) })
	return found, nil
}

// Top returns the n profiles that answer q best, best first and by id among
// equals. A q.Floor of 0 means 1: anything that shares a feature.
func (x *Index) Top(ctx context.Context, q score.Query, n int) ([]score.Candidate, error) {
	if n <= 0 {
		return nil, nil
	}
	q.Floor = max(q.Floor, 1)
	found, err := x.search(ctx, q, func(in *inverted.Index) []inverted.Hit { return in.Top(q.Features, q.Floor, n) })
	if err != nil {
		return nil, fmt.Errorf("search index: %w", err)
	}
	slices.SortFunc(found, func(a, b score.Candidate) int {
		return cmp.Or(cmp.Compare(b.Text, a.Text), cmp.Compare(a.ID, b.ID))
	})
	return found[:min(n, len(found))], nil
}

// search returns what f finds on the side that q asks for.
func (x *Index) search(ctx context.Context, q score.Query, f func(*inverted.Index) []inverted.Hit) ([]score.Candidate, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if q.In != profile.Demand && q.In != profile.Supply {
		return nil, fmt.Errorf("side %q is neither demand nor supply: %w", q.In, fault.ErrInvalid)
	}
	if q.Floor == 0 || q.Floor > score.TextMax {
		return nil, fmt.Errorf("floor %d is not from 1 to %d: %w", q.Floor, score.TextMax, fault.ErrInvalid)
	}
	if err := checkFeatures(q.Features, q.In.Other()); err != nil {
		return nil, err
	}
	var found []score.Candidate
	err := x.use(func() error {
		hits := f(x.halves[q.In].memory)
		found = slices.Grow(found, len(hits))
		for _, h := range hits {
			c := score.Candidate{ID: profile.ID(h.ID), Text: h.Text, Top: h.Top}
			var err error
			if c.Seq, c.Facts, err = parseMeta(h.Meta); err != nil {
				// The cause is not wrapped: meta that is invalid is the index's fault, not
				// the query's.
				return fmt.Errorf("%q: %s: %w", h.ID, err.Error(), fault.ErrUnavailable)
			}
			found = append(found, c)
		}
		return nil
	})
	return found, err
}

// read calls f with a snapshot of one side.
func (x *Index) read(side profile.Side, f func(*scorch.IndexSnapshot) error) error {
	return x.use(func() error {
		h := x.halves[side]
		snapshot, err := h.snapshot()
		if err != nil {
			return err
		}
		return errors.Join(h.guard(func() error { return f(snapshot) }), snapshot.Close())
	})
}

// guard calls f, which reads segments. If that panics, or the disk fails under
// the memory map, the index is to blame and not the query: whoever asked must
// try again later, elsewhere.
func (h *half) guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reading the index panics: %v: %w", p, fault.ErrUnavailable)
			h.health.kill(err)
		}
	}()
	return f()
}

// deleted reports whether a document of seg was replaced or taken out.
func deleted(seg *scorch.SegmentSnapshot, doc uint32) bool {
	gone := seg.Deleted()
	return gone != nil && gone.Contains(doc)
}
