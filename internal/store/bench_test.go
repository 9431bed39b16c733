package store_test

import (
	"fmt"
	"testing"

	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

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
