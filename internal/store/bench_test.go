package store_test

import (
	"fmt"
	"testing"

	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// BenchmarkFill writes 8,000 profiles into an empty database, 16 in a
// transaction with 5 pairs each, as an import does that comes before autovacuum
// has ever looked at the tables.
func BenchmarkFill(b *testing.B) {
	const profiles, size, pairs = 8000, 16, 5
	id := func(n int) profile.ID {
		return profile.ID(fmt.Sprintf("%s.org%d.p%d", []profile.Kind{profile.Need, profile.Offer}[n%2], n%97, n))
	}
	for b.Loop() {
		l := open(b)
		for first := 1; first < profiles; first += size {
			parts := make([]any, 0, size*(1+pairs))
			for n := first; n < first+size; n++ {
				parts = append(parts, head(id(n), uint64(n)))
				for k := 0; k < pairs && n > 4*pairs; k++ {
					demand, supply := n, n-1-2*k*(n/(3*pairs)) // an earlier one of the other side
					if n%2 == 1 {
						demand, supply = supply, demand
					}
					parts = append(parts, pair(uint64(demand), uint64(supply), func(p *suggestion.Pair) { p.Demand, p.Supply = id(demand), id(supply) }))
				}
			}
			l.commit(parts...)
		}
	}
	b.ReportMetric(float64(profiles*b.N)/b.Elapsed().Seconds(), "profiles/s")
}

// BenchmarkCommit writes batches as the match worker does under load: 64 new
// revisions, 10 pairs each, nobody subscribed, against 5,000 profiles.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("heads=%d", size), func(b *testing.B) {
			const supply, pairs = 5000, 10
			l := open(b)
			offerID := func(i int) profile.ID { return profile.ID(fmt.Sprintf("offer.uni%d.o%d", i%97, i)) }
			parts := make([]any, supply)
			for i := range supply {
				parts[i] = head(offerID(i), uint64(i+1))
			}
			l.commit(parts...)
			l.exec(`ANALYZE`)
			seq := uint64(supply)
			for b.Loop() {
				var batch suggestion.Batch
				batch.Epoch = 1
				for range size {
					seq++
					id := profile.ID(fmt.Sprintf("need.acme%d.n%d", seq%89, seq%20000))
					batch.Heads = append(batch.Heads, head(id, seq))
					for k := range pairs {
						i := (int(seq)*31 + k*577) % supply
						batch.Pairs = append(batch.Pairs, pair(seq, uint64(i+1), func(p *suggestion.Pair) { p.Demand, p.Supply = id, offerID(i) }))
					}
				}
				if _, err := l.Commit(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "heads/s")
		})
	}
}
