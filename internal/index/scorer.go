package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"

	"kobling/internal/analysis"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// scorer adds up text parts, one segment after the other, term by term. It
// keeps its memory for the next query.
type scorer struct {
	sums []uint32 // by document number; all 0 between two segments
	seen []uint32 // the documents whose sum is not 0
	hits []hit    // every posting read, in order of term
	ends []int    // the hits of term i end before ends[i]

	// Bleve's own, for reuse within one snapshot and not beyond: they point into
	// its memory map.
	list segment.PostingsList
	iter segment.PostingsIterator
}

// hit is what one posting brings. Keeping them costs a fraction of reading the
// postings again for those documents that turn out to be candidates.
type hit struct{ doc, points uint32 }

// find returns the candidates of every segment, in no order.
func (s *scorer) find(ctx context.Context, snapshot *scorch.IndexSnapshot, q score.Query) ([]score.Candidate, error) {
	defer func() { s.list, s.iter = nil, nil }()
	var found []score.Candidate
	for _, seg := range snapshot.Segments() {
		if err := s.sum(ctx, seg.Segment(), q.Features); err != nil {
			return nil, err
		}
		from := len(found)
		for _, doc := range s.seen {
			text := s.sums[doc]
			s.sums[doc] = 0
			if text < q.Floor || deleted(seg, doc) {
				continue
			}
			c, err := candidate(seg.Segment(), doc)
			if err != nil {
				return nil, err
			}
			c.Text = text
			found = append(found, c)
			// From here on the sum of a candidate is its number in found, from 1.
			s.sums[doc] = uint32(len(found) - from) //nolint:gosec // at most the documents of a segment
		}
		s.contribute(found[from:], q.Features)
		s.clear()
	}
	return found, nil
}

// sum reads the postings of all features in one segment. It reads those of
// deleted documents too: leaving them out would cost a new bitmap for each term,
// and the few that reach the floor are found out afterwards.
func (s *scorer) sum(ctx context.Context, seg segment.Segment, features []analysis.Feature) error {
	if n := int(seg.Count()); n > len(s.sums) { //nolint:gosec // documents of a segment
		s.sums = make([]uint32, n)
	}
	dict, err := seg.Dictionary(fieldFeatures)
	if err != nil {
		return fmt.Errorf("dictionary: %w", err)
	}
	for _, f := range features {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.list, err = dict.PostingsList([]byte(f.Term), nil, s.list); err != nil {
			return fmt.Errorf("postings of %q: %w", f.Term, err)
		}
		s.iter = s.list.Iterator(true, false, false, s.iter)
		for {
			posting, err := s.iter.Next()
			if err != nil {
				return fmt.Errorf("posting of %q: %w", f.Term, err)
			}
			if posting == nil {
				break
			}
			doc, err := small(posting.Number())
			if err != nil {
				return err
			}
			points := f.Weight * uint32(posting.Frequency()) //nolint:gosec // checkFeatures has seen both
			if s.sums[doc] == 0 {
				s.seen = append(s.seen, doc)
			}
			s.sums[doc] += points
			s.hits = append(s.hits, hit{doc, points})
		}
		s.ends = append(s.ends, len(s.hits))
	}
	return nil
}

// contribute fills in Top of the candidates of the segment in hand, whose sums
// are now their numbers from 1.
func (s *scorer) contribute(found []score.Candidate, features []analysis.Feature) {
	if len(found) == 0 {
		return
	}
	from := 0
	for i, end := range s.ends {
		for _, h := range s.hits[from:end] {
			if n := s.sums[h.doc]; n > 0 {
				c := &found[n-1]
				c.Top = heaviest(c.Top, score.Contribution{Term: features[i].Term, Points: h.points})
			}
		}
		from = end
	}
}

// heaviest adds c to top, which holds the heaviest contributions, heaviest first
// and by term among equals. Contributions come in order of term.
func heaviest(top []score.Contribution, c score.Contribution) []score.Contribution {
	if len(top) == suggestion.MaxReasons {
		if c.Points <= top[len(top)-1].Points {
			return top
		}
		top = top[:len(top)-1]
	}
	at, _ := slices.BinarySearchFunc(top, c.Points, func(t score.Contribution, points uint32) int {
		if t.Points >= points {
			return -1
		}
		return 1
	})
	return slices.Insert(top, at, c)
}

// clear makes the scorer ready for the next segment.
func (s *scorer) clear() {
	for _, doc := range s.seen {
		s.sums[doc] = 0
	}
	s.seen, s.hits, s.ends = s.seen[:0], s.hits[:0], s.ends[:0]
}

// errNoMeta is what is wrong with a document that lacks its stored field.
var errNoMeta = errors.New("there is no stored meta")

// candidate returns the id, sequence and facts of a document.
func candidate(seg segment.Segment, doc uint32) (score.Candidate, error) {
	var c score.Candidate
	var meta bool
	var bad error
	err := seg.VisitStoredFields(uint64(doc), func(name string, _ byte, value []byte, _ []uint64) bool {
		switch name {
		case fieldID:
			c.ID = profile.ID(value)
		case fieldMeta:
			meta = true
			c.Seq, c.Facts, bad = parseMeta(value)
		}
		// Never false: zapx would then put the same buffer into its pool twice,
		// and two queries would share it.
		return true
	})
	if err = cmp.Or(err, bad); err == nil && !meta {
		err = errNoMeta
	}
	if err != nil {
		// The cause is not wrapped: meta that is invalid is the index's fault, not the
		// query's.
		return score.Candidate{}, fmt.Errorf("document %d %q: %s: %w", doc, c.ID, err.Error(), fault.ErrUnavailable)
	}
	return c, nil
}
