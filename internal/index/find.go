package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"

	"github.com/blevesearch/bleve/v2/index/scorch"

	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Find returns every profile that answers q, in order of id. All of it comes
// from one snapshot of the index. The error wraps fault.ErrInvalid if q cannot
// be asked and fault.ErrUnavailable if the index cannot answer.
func (x *Index) Find(ctx context.Context, q score.Query) ([]score.Candidate, error) {
	var found []score.Candidate
	err := x.search(q, func(s *scorer, snapshot *scorch.IndexSnapshot) (err error) {
		found, err = s.find(ctx, snapshot, q)
		return err
	})
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
	var found []score.Candidate
	err := x.search(q, func(s *scorer, snapshot *scorch.IndexSnapshot) error {
		floor, err := s.cutoff(ctx, snapshot, q, n)
		if err != nil {
			return err
		}
		q.Floor = floor
		found, err = s.find(ctx, snapshot, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("search index: %w", err)
	}
	slices.SortFunc(found, func(a, b score.Candidate) int {
		return cmp.Or(cmp.Compare(b.Text, a.Text), cmp.Compare(a.ID, b.ID))
	})
	return found[:min(n, len(found))], nil
}

// search calls f with a scorer and a snapshot of the side that q asks for.
func (x *Index) search(q score.Query, f func(*scorer, *scorch.IndexSnapshot) error) error {
	if q.In != profile.Demand && q.In != profile.Supply {
		return fmt.Errorf("side %q is neither demand nor supply: %w", q.In, fault.ErrInvalid)
	}
	if q.Floor == 0 || q.Floor > score.TextMax {
		return fmt.Errorf("floor %d is not from 1 to %d: %w", q.Floor, score.TextMax, fault.ErrInvalid)
	}
	if err := checkFeatures(q.Features, q.In.Other()); err != nil {
		return err
	}
	return x.read(q.In, func(snapshot *scorch.IndexSnapshot) error {
		s, ok := x.pool.Get().(*scorer)
		if !ok {
			s = new(scorer)
		}
		err := f(s, snapshot)
		if err == nil {
			x.pool.Put(s) // after an error it may not be clean
		}
		return err
	})
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

// cutoff returns the text part of the nth best profile, or q.Floor if fewer
// reach it.
func (s *scorer) cutoff(ctx context.Context, snapshot *scorch.IndexSnapshot, q score.Query, n int) (uint32, error) {
	best := make(lowest, 0, min(n, 1024))
	for _, seg := range snapshot.Segments() {
		err := s.sum(ctx, seg.Segment(), q.Features)
		if err != nil {
			return 0, err
		}
		for _, doc := range s.seen {
			if text := s.sums[doc]; text >= q.Floor && !deleted(seg, doc) {
				best.keep(text, n)
			}
		}
		s.clear()
	}
	if len(best) < n {
		return q.Floor, nil
	}
	return best[0], nil
}

// lowest is a heap with the least text part on top.
type lowest []uint32

// keep keeps the n greatest.
func (h *lowest) keep(text uint32, n int) {
	a := *h
	if len(a) < n {
		a = append(a, text)
		for i := len(a) - 1; i > 0 && a[i] < a[(i-1)/2]; i = (i - 1) / 2 {
			a[i], a[(i-1)/2] = a[(i-1)/2], a[i]
		}
		*h = a
		return
	}
	if text <= a[0] {
		return
	}
	a[0] = text
	for i := 0; ; {
		least := i
		for _, child := range []int{2*i + 1, 2*i + 2} {
			if child < len(a) && a[child] < a[least] {
				least = child
			}
		}
		if least == i {
			return
		}
		a[i], a[least] = a[least], a[i]
		i = least
	}
}

// deleted reports whether a document of seg was replaced or taken out.
func deleted(seg *scorch.SegmentSnapshot, doc uint32) bool {
	gone := seg.Deleted()
	return gone != nil && gone.Contains(doc)
}

// small returns n as a document number of one segment, of which bleve allows
// fewer than 2^31.
func small(n uint64) (uint32, error) {
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("document number %d in a segment: %w", n, fault.ErrUnavailable)
	}
	return uint32(n), nil
}
