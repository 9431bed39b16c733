package bench

import (
	"context"
	"time"

	"kobling/internal/bench/peer"
	"kobling/internal/bench/report"
	"kobling/internal/bench/rig"
	"kobling/internal/index"
	"kobling/internal/score"
)

// How an engine is asked.
const (
	warmUp   = 20               // questions before it counts
	askLimit = 20 * time.Second // the rest of a round is left out then
)

// questions are profiles of the corpus from the nth on, as queries.
func questions(r *rig.Rig, n, count int) []*question {
	list := make([]*question, count)
	for i := range list {
		p := r.Corpus.Profile(n + i)
		list[i] = &question{id: p.ID, side: r.Epoch.Side(p)}
	}
	return list
}

// asked is how an engine answered.
type asked struct {
	cpu   time.Duration // of all calls
	calls []time.Duration
}

// ask asks all questions by f, one after the other, and again until so much time is over.
func ask(ctx context.Context, questions []*question, atLeast time.Duration, f func(*question) error) (a asked, err error) {
	for _, q := range questions[:min(warmUp, len(questions))] {
		if err := f(q); err != nil {
			return a, err
		}
	}
	before, err := rig.OwnCPU()
	if err != nil {
		return a, err
	}
	begun := time.Now()
	for len(a.calls) == 0 || time.Since(begun) < atLeast {
		for _, q := range questions {
			if time.Since(begun) > askLimit {
				break
			}
			if err := ctx.Err(); err != nil {
				return a, err
			}
			start := time.Now()
			if err := f(q); err != nil {
				return a, err
			}
			a.calls = append(a.calls, time.Since(start))
		}
	}
	after, err := rig.OwnCPU()
	a.cpu = after - before
	return a, err
}

// askKobling asks kobling's index. It also notes what is found for each question.
func askKobling(ctx context.Context, x *index.Index, e *score.Epoch, questions []*question, atLeast time.Duration) (report.Query, error) {
	for _, q := range questions {
		var err error
		if q.found, err = x.Find(ctx, q.query(e.Floor())); err != nil {
			return report.Query{}, err
		}
		for i := range q.found {
			if q.score(e, &q.found[i]).Band != "" {
				q.rows++
			}
		}
	}
	a, err := ask(ctx, questions, atLeast, func(q *question) error {
		_, err := x.Find(ctx, q.query(e.Floor()))
		return err
	})
	if err != nil {
		return report.Query{}, err
	}
	stats, err := x.Stats()
	return report.NewQuery(report.Kobling, a.calls, a.cpu, stats.Segments), err
}

// askPeer asks a peer for as many as kobling has suggestions.
func askPeer(ctx context.Context, name string, e peer.Engine, questions []*question, atLeast time.Duration) (report.Query, error) {
	a, err := ask(ctx, questions, atLeast, func(q *question) error {
		_, err := e.Search(ctx, q.id.Side().Other(), q.side.Features, q.rows)
		return err
	})
	if err != nil {
		return report.Query{}, err
	}
	stats, err := e.Stats(ctx)
	return report.NewQuery(name, a.calls, a.cpu, stats.Segments), err
}
