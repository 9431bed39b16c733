package score

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/bits"
	"slices"

	"kobling/internal/analysis"
	"kobling/internal/fault"
	"kobling/internal/profile"
)

// The bounds of a signature.
const (
	MaxSignature   = 32      // marks: the heaviest
	SignatureTotal = 1 << 15 // what the shares of a signature add up to

	// minShared is how many marks near-duplicates have in common at least: two
	// texts of three words each are alike by chance.
	minShared = 4
)

// Mark is one mark of a signature: a feature that does not depend on the
// language, and its share of [SignatureTotal].
type Mark struct {
	Key   uint32 // the hash of the feature's term
	Share uint32
}

// Signature is what a profile is about, whatever the language it is said in:
// marks in order of key, each once. A profile without any has none, and is a
// near-duplicate of nothing.
type Signature []Mark

// signatureOf returns the signature of a profile with these terms, the
// heaviest first. The shares
// are of sums rounded down, so that they add up whatever they are.
func signatureOf(terms []analysis.Weighed) Signature {
	heavy := slices.DeleteFunc(terms, func(w analysis.Weighed) bool { return !analysis.CrossesLanguages(w.Term) })
	heavy = heavy[:min(len(heavy), MaxSignature)]
	var total, sum uint64
	for _, w := range heavy {
		total += w.Weight
	}
	var sig Signature
	for _, w := range heavy {
		before := sum * SignatureTotal / total
		sum += w.Weight
		if share := sum*SignatureTotal/total - before; share > 0 {
			sig = append(sig, Mark{keyOf(w.Term), uint32(share)}) //nolint:gosec // at most SignatureTotal
		}
	}
	slices.SortFunc(sig, func(x, y Mark) int { return cmp.Compare(x.Key, y.Key) })
	return sig
}

// keyOf hashes a term. Should two terms ever meet, every replica says the same.
func keyOf(term string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(term)) // never fails
	return h.Sum32()
}

// Likeness returns how much of two signatures is the same, in ten-thousandths:
// the sum of the lesser shares out of the sum of the greater ones. With fewer
// than four marks in common it is 0. It is the same from either side.
func Likeness(a, b Signature) int {
	var least, all uint64
	shared := 0
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case j == len(b) || i < len(a) && a[i].Key < b[j].Key:
			all += uint64(a[i].Share)
			i++
		case i == len(a) || b[j].Key < a[i].Key:
			all += uint64(b[j].Share)
			j++
		default:
			least += uint64(min(a[i].Share, b[j].Share))
			all += uint64(max(a[i].Share, b[j].Share))
			shared++
			i++
			j++
		}
	}
	if shared < minShared {
		return 0
	}
	return int(least * scale / all) //nolint:gosec // at most scale
}

// Duplicate reports whether two profiles of one side and one organisation say
// the same, as a translation or a revised copy does.
func (e *Epoch) Duplicate(a, b Signature) bool {
	return e.thresholds.Twin > 0 && Likeness(a, b) >= e.thresholds.Twin
}

// Twin is the least likeness of near-duplicates, in ten-thousandths; 0 says that
// there are none.
func (e *Epoch) Twin() int { return e.thresholds.Twin }

// Sketch says which of 61 groups of marks a signature has: enough to rule out
// most of what is not like it. The number is a prime, and so small that a sketch
// is positive as any integer.
type Sketch uint64

const sketchBits = 61

// Sketch returns the signature's.
func (s Signature) Sketch() Sketch {
	var sketch Sketch
	for _, m := range s {
		sketch |= 1 << (m.Key % sketchBits)
	}
	return sketch
}

// Bound rules out what cannot be like one signature.
type Bound struct {
	sketch Sketch
	shares [sketchBits]uint64 // by group
}

// Bound returns the signature's.
func (s Signature) Bound() *Bound {
	b := &Bound{sketch: s.Sketch()}
	for _, m := range s {
		b.shares[m.Key%sketchBits] += uint64(m.Share)
	}
	return b
}

// AtMost returns what the likeness with a signature of that sketch does not
// exceed: all of every group that both have is taken for shared.
func (b *Bound) AtMost(other Sketch) int {
	var least uint64
	for both := uint64(b.sketch & other); both != 0; both &= both - 1 {
		least += b.shares[bits.TrailingZeros64(both)]
	}
	return int(least * scale / (2*SignatureTotal - least)) //nolint:gosec // at most scale
}

// TwinQuery asks the index for the near-duplicates of profile ID: those of its
// side whose likeness with Signature reaches Floor, and that are of its
// organisation or name the same legal entity.
type TwinQuery struct {
	ID        profile.ID
	Entity    string // "": it names none
	Signature Signature
	Floor     int // 1 to 10000
}

// Twin is one answer to a TwinQuery.
type Twin struct {
	ID  profile.ID
	Seq uint64 // PROFILES sequence of the revision found
}

// markSize is the length of an encoded mark.
const markSize = 4 + 2

// AppendBinary appends s to b in a compact form that [ParseSignature] reads.
func (s Signature) AppendBinary(b []byte) []byte {
	for _, m := range s {
		b = binary.BigEndian.AppendUint32(b, m.Key)
		b = binary.BigEndian.AppendUint16(b, uint16(m.Share)) //nolint:gosec // at most SignatureTotal
	}
	return b
}

// ParseSignature reads what [Signature.AppendBinary] wrote. The error wraps
// fault.ErrInvalid: the bytes are damaged or of another version.
func ParseSignature(b []byte) (Signature, error) {
	if len(b)%markSize != 0 || len(b) > MaxSignature*markSize {
		return nil, fmt.Errorf("signature of %d bytes: %w", len(b), fault.ErrInvalid)
	}
	if len(b) == 0 {
		return nil, nil
	}
	s := make(Signature, 0, len(b)/markSize)
	total := uint32(0)
	for ; len(b) > 0; b = b[markSize:] {
		m := Mark{binary.BigEndian.Uint32(b), uint32(binary.BigEndian.Uint16(b[4:]))}
		if m.Share == 0 || len(s) > 0 && m.Key <= s[len(s)-1].Key {
			return nil, fmt.Errorf("mark %d of a signature: %w", len(s), fault.ErrInvalid)
		}
		total += m.Share
		s = append(s, m)
	}
	if total != SignatureTotal {
		return nil, fmt.Errorf("signature of %d: %w", total, fault.ErrInvalid)
	}
	return s, nil
}
