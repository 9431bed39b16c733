// Package score is the pair predicate: whether, how much and why a demand and a
// supply fit. It is pure: it knows two profiles and an [Epoch], no clock, no
// corpus, no order of arrival, so every replica and every recomputation gives
// the same score to the bit.
//
// # The text part
//
// [Text] is the definition: the sum over shared features of the product of both
// weights, an integer of at most [TextMax]. It is the share of what the demand
// says that the supply answers. It may be summed from either side, and an index
// may sum it in any order. A pair whose text part is below [Epoch.Floor] is no
// suggestion, whatever else fits.
//
// # The score
//
// The score is the sum of named parts, counted in ten-thousandths:
//
//	text          0 to 8000   a concave curve over the text part
//	cooperation   0 to 1200   what is asked is given; 400 if either side says nothing
//	organisation  0 to  400   a wanted type of organisation; 150 if none is wanted, or unknown
//	trl           0 to  400   the ranges meet; less for each level between them; 150 if unknown
//
// Saying nothing lies between agreeing and disagreeing. Cooperation that is asked
// and given but never the same is not forbidden, it brings no points: lists of at
// most three are seldom complete. A test place gives test_with_end_users whether
// it says so or not.
//
// # Blockers
//
// Some facts forbid a pair: the kinds (two demands), a wanted organisation type
// or target country, of either side, that the other is not. A country that is
// not stated forbids nothing. Time, visibility, legal entity and earlier declines
// are not here: they are the gate's (see package match).
//
// Region and language never touch score or band; they order equals on reading.
//
// # Near-duplicates
//
// [Epoch.Duplicate] compares two profiles of one side by their [Signature]: the
// heaviest features that do not depend on the language, as shares of a whole. What
// is the same of both, out of all that is in either, must reach [Epoch.Twin].
package score
