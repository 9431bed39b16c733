package bench

import (
	"kobling/internal/bench/report"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// question is a profile that is not in the index, and what is asked of it.
type question struct {
	id    profile.ID
	side  score.Side
	found []score.Candidate      // what the index finds
	rows  int                    // of found those that are suggestions
	pairs map[profile.ID]float64 // score by counterpart, by brute force
}

// brute compares some profiles with all others, one by one. The products are added up as
// they come; what reaches the floor is scored by the definition.
type brute struct {
	epoch     *score.Epoch
	questions []*question
	terms     map[string][]share // by term, the questions that have it
}

// share is the weight of a term in a question.
type share struct {
	question int
	weight   uint32
}

func newBrute(e *score.Epoch, questions []*question) *brute {
	b := &brute{epoch: e, questions: questions, terms: map[string][]share{}}
	for i, q := range questions {
		q.pairs = map[profile.ID]float64{}
		for _, f := range q.side.Features {
			b.terms[f.Term] = append(b.terms[f.Term], share{i, f.Weight})
		}
	}
	return b
}

// compare adds the pairs that the questions have with profiles.
func (b *brute) compare(found []match.Change) {
	sums := make([]uint32, len(b.questions))
	for i := range found {
		c := &found[i]
		clear(sums)
		for _, f := range c.Side.Features {
			for _, s := range b.terms[f.Term] {
				if b.questions[s.question].id.Side() != c.ID.Side() {
					sums[s.question] += s.weight * f.Weight
				}
			}
		}
		for k, sum := range sums {
			if sum >= b.epoch.Floor() {
				b.questions[k].meet(b.epoch, c)
			}
		}
	}
}

// meet scores a pair by the definition.
func (q *question) meet(e *score.Epoch, c *match.Change) {
	demand, supply := &q.side, &c.Side
	if q.id.Side() == profile.Supply {
		demand, supply = supply, demand
	}
	text, top := score.Text(demand.Features, supply.Features)
	if r := e.Pair(demand.Facts, supply.Facts, text, top); r.Band != "" {
		q.pairs[c.ID] = r.Score
	}
}

// query is the question as the index is asked it.
func (q *question) query(floor uint32) score.Query {
	return score.Query{In: q.id.Side().Other(), Features: q.side.Features, Floor: floor}
}

// score scores what the index found for a question.
func (q *question) score(e *score.Epoch, c *score.Candidate) score.Result {
	demand, supply := q.side.Facts, c.Facts
	if q.id.Side() == profile.Supply {
		demand, supply = supply, demand
	}
	return e.Pair(demand, supply, c.Text, c.Top)
}

// verdict compares what the index found for the questions with what there is.
func (b *brute) verdict() report.Exact {
	e := report.Exact{Queries: len(b.questions)}
	for _, q := range b.questions {
		e.Pairs += len(q.pairs)
		met := 0
		for i := range q.found {
			r := q.score(b.epoch, &q.found[i])
			if r.Band == "" {
				continue
			}
			want, is := q.pairs[q.found[i].ID]
			if !is {
				e.Extra++
				continue
			}
			met++
			if r.Score != want { // to the bit
				e.Differ++
			}
		}
		e.Missing += len(q.pairs) - met
	}
	return e
}
