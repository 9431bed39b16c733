package index

import (
	"encoding/binary"
	"fmt"

	"kobling/internal/analysis"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// encodeFeatures writes features, which are sorted by term: of each term how much
// it begins like the one before it, the rest of it, and the weight.
func encodeFeatures(features []analysis.Feature) []byte {
	b, before := make([]byte, 0, 10*len(features)), ""
	for _, f := range features {
		same := 0
		for same < len(before) && same < len(f.Term) && before[same] == f.Term[same] {
			same++
		}
		b = binary.AppendUvarint(b, uint64(same))
		b = binary.AppendUvarint(b, uint64(len(f.Term)-same)) //nolint:gosec // not negative
		b = append(b, f.Term[same:]...)
		b = binary.AppendUvarint(b, uint64(f.Weight))
		before = f.Term
	}
	return b
}

// parseFeatures reads what encodeFeatures wrote.
func parseFeatures(b []byte) ([]analysis.Feature, error) {
	var out []analysis.Feature
	var term []byte
	next := func(limit uint64) uint64 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > limit {
			b = nil
			return 0
		}
		b = b[size:]
		return n
	}
	for len(b) > 0 {
		same := next(uint64(len(term)))
		rest := next(uint64(len(b)))
		if len(b) == 0 || uint64(len(b)) < rest {
			return nil, errFeatures(len(out))
		}
		term = append(term[:same], b[:rest]...)
		b = b[rest:]
		weight := next(score.DemandTotal)
		if weight == 0 {
			return nil, errFeatures(len(out))
		}
		out = append(out, analysis.Feature{Term: string(term), Weight: uint32(weight)}) //nolint:gosec // see the limit
	}
	return out, nil
}

func errFeatures(n int) error {
	return fmt.Errorf("stored feature %d cannot be read: %w", n, fault.ErrInvalid)
}

// checkFeatures says what is wrong with features of one side: they must be
// sorted, each once, and weigh so much that no sum of products can overflow.
func checkFeatures(features []analysis.Feature, side profile.Side) error {
	var total uint64
	for i, f := range features {
		switch {
		case f.Term == "" || i > 0 && f.Term <= features[i-1].Term:
			return fmt.Errorf("feature %d, %q, is not after the one before it: %w", i, f.Term, fault.ErrInvalid)
		case f.Weight == 0 || side == profile.Supply && f.Weight > score.MaxImpact:
			return fmt.Errorf("feature %q of the %s side weighs %d: %w", f.Term, side, f.Weight, fault.ErrInvalid)
		}
		total += uint64(f.Weight)
	}
	if side == profile.Demand && total > score.DemandTotal {
		return fmt.Errorf("features of the demand side weigh %d together, more than %d: %w", total, score.DemandTotal, fault.ErrInvalid)
	}
	return nil
}
