package index

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"

	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Twins returns every profile that answers q, in order of id, but not q.ID
// itself. All of it comes from one snapshot of the index. The error wraps
// fault.ErrInvalid if q cannot be asked and fault.ErrUnavailable if the index
// cannot answer.
func (x *Index) Twins(ctx context.Context, q score.TwinQuery) ([]score.Twin, error) {
	if _, err := profile.ParseID(string(q.ID)); err != nil || q.Floor < 1 {
		return nil, fmt.Errorf("near-duplicates of %q from a likeness of %d: %w", q.ID, q.Floor, fault.ErrInvalid)
	}
	bound := q.Signature.Bound()
	var found []score.Twin
	err := x.read(q.ID.Side(), func(snapshot *scorch.IndexSnapshot) error {
		for _, seg := range snapshot.Segments() {
			more, err := twins(ctx, seg, q, bound)
			if err != nil {
				return err
			}
			found = append(found, more...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find near-duplicates in index: %w", err)
	}
	slices.SortFunc(found, func(a, b score.Twin) int { return cmp.Compare(a.ID, b.ID) })
	return found, nil
}

// twins returns what one segment answers. An organisation may have thousands of
// profiles: only those are read whose sketch does not rule them out.
func twins(ctx context.Context, seg *scorch.SegmentSnapshot, q score.TwinQuery, bound *score.Bound) ([]score.Twin, error) {
	dict, err := seg.Segment().Dictionary(fieldOrg)
	if err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	var found []score.Twin
	seen := map[uint32]bool{} // both the organisation and the legal entity may be the same
	for term := range organisations(q.ID, score.Side{Entity: q.Entity}) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		list, err := dict.PostingsList([]byte(term), nil, nil)
		if err != nil {
			return nil, fmt.Errorf("postings of organisation %q: %w", term, err)
		}
		iter := list.Iterator(true, false, false, nil)
		for {
			posting, err := iter.Next()
			if err != nil {
				return nil, fmt.Errorf("posting of organisation %q: %w", term, err)
			}
			if posting == nil {
				break
			}
			doc, err := small(posting.Number())
			if err != nil {
				return nil, err
			}
			if bound.AtMost(score.Sketch(posting.Frequency()-1)) < q.Floor || seen[doc] || deleted(seg, doc) {
				continue
			}
			seen[doc] = true
			t, signature, err := twin(seg.Segment(), doc)
			if err != nil {
				return nil, err
			}
			if t.ID != q.ID && score.Likeness(q.Signature, signature) >= q.Floor {
				found = append(found, t)
			}
		}
	}
	return found, nil
}

// twin returns the id, sequence and signature of a document.
func twin(seg segment.Segment, doc uint32) (t score.Twin, sig score.Signature, err error) {
	var seq, signature bool
	var bad, wrong error
	err = seg.VisitStoredFields(uint64(doc), func(name string, _ byte, value []byte, _ []uint64) bool {
		switch name {
		case fieldID:
			t.ID = profile.ID(value)
		case fieldMeta:
			seq = true
			t.Seq, bad = parseSeq(value)
		case fieldOrg:
			signature = true
			sig, wrong = score.ParseSignature(value)
		}
		return true // see stored
	})
	err = cmp.Or(err, bad, wrong)
	if err == nil && (!seq || !signature) {
		err = errIncomplete
	}
	if err != nil { // not wrapped: see search
		return score.Twin{}, nil, fmt.Errorf("document %d %q: %s: %w", doc, t.ID, err.Error(), fault.ErrUnavailable)
	}
	return t, sig, nil
}

// small returns n as a document number of one segment, of which bleve allows
// fewer than 2^31.
func small(n uint64) (uint32, error) {
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("document number %d in a segment: %w", n, fault.ErrUnavailable)
	}
	return uint32(n), nil
}
