package match

import (
	"context"
	"fmt"

	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// pairs returns the suggestions of a published revision, as step 1 of the
// protocol has it. The error wraps fault.ErrPoison if scoring it panicked.
func (w *Worker) pairs(ctx context.Context, r *event.Revision) (pairs []suggestion.Pair, err error) {
	defer w.recovered(&err)
	side := w.Scorer.Side(r.Profile)
	if len(side.Features) == 0 {
		return nil, nil
	}
	found, err := w.Finder.Find(ctx, score.Query{In: r.ID.Side().Other(), Features: side.Features, Floor: w.Scorer.Floor()})
	if err != nil {
		return nil, fmt.Errorf("match %s: %w", r.ID, err)
	}
	for _, c := range found {
		p := suggestion.Pair{Demand: r.ID, DemandSeq: r.Seq, Supply: c.ID, SupplySeq: c.Seq, Epoch: w.Scorer.Number()}
		demand, supply := side.Facts, c.Facts
		if r.ID.Side() == profile.Supply {
			p.Demand, p.DemandSeq, p.Supply, p.SupplySeq = c.ID, c.Seq, r.ID, r.Seq
			demand, supply = supply, demand
		}
		result := w.Scorer.Pair(demand, supply, c.Text, c.Top)
		if result.Band == "" {
			continue
		}
		p.Score, p.Band = result.Score, result.Band
		p.Reasons = result.Reasons[:min(len(result.Reasons), suggestion.MaxReasons)]
		pairs = append(pairs, p)
	}
	return pairs, nil
}
