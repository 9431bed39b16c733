package eval

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"kobling/internal/fault"
	"kobling/internal/score"
)

// Worst is a query that went badly, with what came instead.
type Worst struct {
	Query    string               `json:"query"`
	NDCG10   float64              `json:"ndcg@10"`
	Relevant int                  `json:"relevant_at"` // place of the first relevant document, 0: not among the first 100
	First    string               `json:"first"`       // the document that came first
	Why      []score.Contribution `json:"why"`         // what it shares with the query
}

// Retrieval ranks docs for each query that has a relevant one. It returns the
// metrics and the n worst queries, worst first. done is called once a query.
func Retrieval(ctx context.Context, engine Engine, docs, queries []Document, qrels Qrels, n int, done func()) (Metrics, []Worst, error) {
	queries, err := judged(docs, queries, qrels)
	if err != nil {
		return Metrics{}, nil, err
	}
	x, err := engine(ctx, docs)
	if err != nil {
		return Metrics{}, nil, err
	}
	defer func() { _ = x.Close() }() // it is thrown away
	answers, err := ask(ctx, x, queries, depth, done)
	if err != nil {
		return Metrics{}, nil, err
	}
	var sum Metrics
	var worst []Worst
	for i, q := range queries {
		one := sum.add(ids(answers[i]), qrels[q.ID])
		w := Worst{Query: q.ID, NDCG10: one.NDCG10}
		w.Relevant = 1 + slices.IndexFunc(answers[i], func(h Hit) bool { return qrels[q.ID][h.ID] > 0 })
		if len(answers[i]) > 0 {
			w.First, w.Why = answers[i][0].ID, answers[i][0].Why
		}
		worst = append(worst, w)
	}
	slices.SortStableFunc(worst, func(a, b Worst) int { return cmp.Compare(a.NDCG10, b.NDCG10) })
	return sum.mean(), worst[:min(n, len(worst))], nil
}

// judged returns the queries that have a relevant answer among docs.
func judged(docs, queries []Document, qrels Qrels) ([]Document, error) {
	known := make(map[string]bool, len(docs))
	for _, d := range docs {
		known[d.answer()] = true
	}
	queries = slices.DeleteFunc(slices.Clone(queries), func(q Document) bool {
		return !slices.ContainsFunc(slices.Collect(maps.Keys(qrels[q.ID])), func(id string) bool { return known[id] })
	})
	if len(queries) == 0 {
		return nil, fmt.Errorf("no query has a relevant document in the corpus: %w", fault.ErrInvalid)
	}
	return queries, nil
}

// Pair is what queries in one language measure on documents in another, or, with
// To "all", on the translations in all others: means over N queries, 0 to 1.
type Pair struct {
	From     string  `json:"from"`
	To       string  `json:"to"`
	N        int     `json:"n"`
	Recall1  float64 `json:"recall@1"`
	Recall10 float64 `json:"recall@10"`
	MRR10    float64 `json:"mrr@10"`
}

// Report is what Parallel measures. Mean is over the pairs.
type Report struct {
	Pairs []Pair `json:"pairs"`
	Mean  Pair   `json:"mean"`
}

// Parallel takes each document of each language as a query for the document of
// the same id in every other language. done is called once a query.
func Parallel(ctx context.Context, engine Engine, docs map[string][]Document, done func()) (Report, error) {
	var r Report
	langs := slices.Sorted(maps.Keys(docs))
	for _, to := range langs {
		pairs, err := into(ctx, engine, docs, to, done)
		if err != nil {
			return r, err
		}
		r.Pairs = append(r.Pairs, pairs...)
	}
	slices.SortFunc(r.Pairs, func(a, b Pair) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	r.Mean = meanOf(r.Pairs)
	return r, nil
}

// into measures all other languages on the documents in one.
func into(ctx context.Context, engine Engine, docs map[string][]Document, to string, done func()) ([]Pair, error) {
	x, err := engine(ctx, docs[to])
	if err != nil {
		return nil, err
	}
	defer func() { _ = x.Close() }() // it is thrown away
	var pairs []Pair
	for from, queries := range docs {
		if from == to {
			continue
		}
		answers, err := ask(ctx, x, queries, depth, done)
		if err != nil {
			return nil, err
		}
		var sum Metrics
		for i, q := range queries {
			sum.add(ids(answers[i]), map[string]int{q.ID: 1})
		}
		m := sum.mean()
		pairs = append(pairs, Pair{from, to, m.Queries, m.Hit1, m.Recall10, m.MRR10})
	}
	return pairs, nil
}

// Mixed puts all languages into one index and takes each document as a query for
// its translations; itself is taken out of what is found.
func Mixed(ctx context.Context, engine Engine, docs map[string][]Document, done func()) (Report, error) {
	var r Report
	var all []Document
	langs := slices.Sorted(maps.Keys(docs))
	for _, lang := range langs {
		for _, d := range docs[lang] {
			d.ID = lang + " " + d.ID
			all = append(all, d)
		}
	}
	x, err := engine(ctx, all)
	if err != nil {
		return r, err
	}
	defer func() { _ = x.Close() }() // it is thrown away
	for _, from := range langs {
		answers, err := ask(ctx, x, docs[from], depth, done)
		if err != nil {
			return r, err
		}
		var sum Metrics
		for i, q := range docs[from] {
			translations := map[string]int{}
			for _, to := range langs {
				if to != from {
					translations[to+" "+q.ID] = 1
				}
			}
			sum.add(slices.DeleteFunc(ids(answers[i]), func(id string) bool { return id == from+" "+q.ID }), translations)
		}
		m := sum.mean()
		r.Pairs = append(r.Pairs, Pair{from, "all", m.Queries, m.Hit1, m.Recall10, m.MRR10})
	}
	r.Mean = meanOf(r.Pairs)
	return r, nil
}

func meanOf(pairs []Pair) Pair {
	m := Pair{From: "mean", To: "mean"}
	for _, p := range pairs {
		m.N += p.N
		m.Recall1 += p.Recall1 / float64(len(pairs))
		m.Recall10 += p.Recall10 / float64(len(pairs))
		m.MRR10 += p.MRR10 / float64(len(pairs))
	}
	return m
}
