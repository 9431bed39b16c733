package eval

import (
	"cmp"
	"math"
	"slices"
)

// Metrics are means over queries, each 0 to 1.
type Metrics struct {
	Queries   int     `json:"queries"`
	NDCG10    float64 `json:"ndcg@10"`
	Hit1      float64 `json:"hit@1"`
	Hit5      float64 `json:"hit@5"`
	Recall10  float64 `json:"recall@10"`
	Recall100 float64 `json:"recall@100"`
	MRR10     float64 `json:"mrr@10"`
}

// add adds what one query measures. ranked are the documents found, best first;
// grades those that are relevant.
func (m *Metrics) add(ranked []string, grades map[string]int) Metrics {
	var q Metrics
	var ideal []int
	for _, g := range grades {
		ideal = append(ideal, g)
	}
	slices.SortFunc(ideal, func(a, b int) int { return cmp.Compare(b, a) })
	var dcg, best float64
	for i, g := range ideal[:min(len(ideal), 10)] {
		best += gain(g, i)
	}
	found := 0
	for i, id := range ranked[:min(len(ranked), 100)] {
		g := grades[id]
		if g == 0 {
			continue
		}
		found++
		if i < 10 {
			dcg += gain(g, i)
			q.Recall10 = float64(found) / float64(len(grades))
			if q.MRR10 == 0 {
				q.MRR10 = 1 / float64(i+1)
			}
		}
		if i < 5 {
			q.Hit5 = 1
		}
		if i == 0 {
			q.Hit1 = 1
		}
	}
	q.Queries, q.NDCG10, q.Recall100 = 1, dcg/best, float64(found)/float64(len(grades))
	m.Queries++
	m.NDCG10 += q.NDCG10
	m.Hit1 += q.Hit1
	m.Hit5 += q.Hit5
	m.Recall10 += q.Recall10
	m.Recall100 += q.Recall100
	m.MRR10 += q.MRR10
	return q
}

// gain is what a document of a grade brings at a place, 0 for the first.
func gain(grade, place int) float64 {
	return (math.Exp2(float64(grade)) - 1) / math.Log2(float64(place)+2)
}

// mean turns the sums into means.
func (m *Metrics) mean() Metrics {
	out := *m
	n := float64(max(m.Queries, 1))
	for _, v := range []*float64{&out.NDCG10, &out.Hit1, &out.Hit5, &out.Recall10, &out.Recall100, &out.MRR10} {
		*v /= n
	}
	return out
}
