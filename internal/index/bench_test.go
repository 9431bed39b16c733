package index_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kobling/internal/analysis"
	"kobling/internal/index"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// corpus draws profiles whose terms follow Zipf's law, as words do.
type corpus struct {
	rng  *rand.Rand
	zipf *rand.Zipf
}

func newCorpus() *corpus {
	rng := rand.New(rand.NewPCG(1, 2))
	return &corpus{rng, rand.NewZipf(rng, 1.05, 20, 150_000)}
}

// features draws n terms of one side. The commonest hundred are left out, as the
// analysis leaves out function words.
func (c *corpus) features(n int, side profile.Side) []analysis.Feature {
	terms := map[uint64]bool{}
	for len(terms) < n {
		if t := c.zipf.Uint64(); t >= 100 {
			terms[t] = true
		}
	}
	var out []analysis.Feature
	for t := range terms {
		w := uint32(1 + c.rng.IntN(score.MaxImpact))
		if side == profile.Demand {
			w = score.DemandTotal / uint32(n)
		}
		out = append(out, analysis.Feature{Term: fmt.Sprintf("s:%06d", t), Weight: w})
	}
	slices.SortFunc(out, func(a, b analysis.Feature) int {
		if a.Term < b.Term {
			return -1
		}
		return 1
	})
	return out
}

// change draws a profile: every other one a demand with 128 features, the rest
// supplies with 80.
func (c *corpus) change(seq uint64, profiles int) index.Change {
	n := c.rng.IntN(profiles)
	id, size := profile.ID(fmt.Sprintf("need.org.%d", n)), 100
	if seq%2 == 0 {
		id, size = profile.ID(fmt.Sprintf("offer.org.%d", n)), 150
	}
	return index.Change{ID: id, Seq: seq, Alive: true, Side: score.Side{Features: c.features(size, id.Side()), Facts: facts(seq, id)}}
}

// fill applies n profiles in batches of 64.
func (c *corpus) fill(b *testing.B, x *index.Index, n uint64) {
	b.Helper()
	for seq := uint64(0); seq < n; {
		var changes []index.Change
		for range 64 {
			seq++
			ch := c.change(seq, 1)
			ch.ID = profile.ID(fmt.Sprintf("%s.org.n%d", ch.ID.Kind(), seq))
			changes = append(changes, ch)
		}
		if err := x.Apply(b.Context(), changes, at(seq)); err != nil {
			b.Fatal(err)
		}
	}
	x.Settle(b)
}

// BenchmarkFind asks 10,000 supplies with the 100 features of a demand, and
// 10,000 demands with the 150 of a supply. The floor is such that few reach it.
func BenchmarkFind(b *testing.B) {
	c := newCorpus()
	x := open(b, b.TempDir())
	c.fill(b, x, 20_000)
	for _, tt := range []struct {
		in   profile.Side
		size int
	}{{profile.Supply, 100}, {profile.Demand, 150}} {
		var queries []score.Query
		for range 200 {
			queries = append(queries, score.Query{In: tt.in, Features: c.features(tt.size, tt.in.Other()), Floor: score.TextMax / 16})
		}
		b.Run(fmt.Sprintf("in=%s", tt.in), func(b *testing.B) {
			b.ReportAllocs()
			found := 0
			for i := 0; b.Loop(); i++ {
				got, err := x.Find(b.Context(), queries[i%len(queries)])
				if err != nil {
					b.Fatal(err)
				}
				found += len(got)
			}
			b.ReportMetric(float64(found)/float64(b.N), "found/op")
		})
	}
}

// BenchmarkApply replaces profiles of an index of 10,000 in batches.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			c := newCorpus()
			x := open(b, b.TempDir())
			c.fill(b, x, 10_000)
			seq := x.Applied()
			for b.Loop() {
				changes := make([]index.Change, size)
				for i := range changes {
					seq++
					changes[i] = c.change(seq, 5000)
				}
				if err := x.Apply(b.Context(), changes, at(seq)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "profiles/s")
		})
	}
}

// BenchmarkTwins asks for the 5,000 offers of a university, and for those of a
// company that has ten, among 20,000.
func BenchmarkTwins(b *testing.B) {
	c := newCorpus()
	x := open(b, b.TempDir())
	for seq := uint64(0); seq < 20_000; {
		var changes []index.Change
		for range 64 {
			seq++
			org := fmt.Sprintf("sme%d", seq/10)
			if seq%4 == 0 {
				org = "university"
			}
			id := profile.ID(fmt.Sprintf("offer.%s.n%d", org, seq))
			features := c.features(80, id.Side())
			changes = append(changes, index.Change{ID: id, Seq: seq, Alive: true, Side: score.Side{
				Features: features, Facts: facts(seq, id), Signature: c.signature(),
			}})
		}
		if err := x.Apply(b.Context(), changes, at(seq)); err != nil {
			b.Fatal(err)
		}
	}
	x.Settle(b)
	for _, id := range []profile.ID{"offer.university.n4", "offer.sme1.n11"} {
		b.Run(id.Org(), func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Twins(b.Context(), score.TwinQuery{ID: id, Signature: c.signature(), Floor: 4500}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// signature draws 32 marks.
func (c *corpus) signature() score.Signature {
	keys := map[uint32]bool{}
	for len(keys) < score.MaxSignature {
		keys[c.rng.Uint32N(2000)] = true
	}
	var s score.Signature
	for k := range keys {
		s = append(s, score.Mark{Key: k, Share: score.SignatureTotal / score.MaxSignature})
	}
	slices.SortFunc(s, func(a, b score.Mark) int { return int(a.Key) - int(b.Key) })
	return s
}
