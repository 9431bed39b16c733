package match

import (
	"context"
	"fmt"

	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// search fills in the suggestions and the near-duplicates of a published
// revision, as step 1 of the protocol has it. The error wraps fault.ErrPoison if
// scoring it panicked.
func (w *Worker) search(ctx context.Context, t *task) (err error) {
	defer w.recovered(&err)
	side, ok := w.Sides.take(t.Message)
	if !ok {
		side = w.Scorer.Side(t.Profile)
	}
	if len(side.Features) == 0 {
		return nil
	}
	if t.pairs, err = w.pairs(ctx, &t.Revision, side); err != nil {
		return err
	}
	t.duplicates, err = w.duplicates(ctx, &t.Revision, side)
	return err
}

// duplicates returns the near-duplicates of a published revision.
func (w *Worker) duplicates(ctx context.Context, r *event.Revision, side score.Side) ([]suggestion.Duplicate, error) {
	if w.Scorer.Twin() == 0 || len(side.Signature) == 0 {
		return nil, nil
	}
	found, err := w.Finder.Twins(ctx, score.TwinQuery{ID: r.ID, Entity: side.Entity, Signature: side.Signature, Floor: w.Scorer.Twin()})
	if err != nil {
		return nil, fmt.Errorf("match %s: %w", r.ID, err)
	}
	var rows []suggestion.Duplicate
	for _, t := range found {
		d := suggestion.Duplicate{A: r.ID, ASeq: r.Seq, B: t.ID, BSeq: t.Seq, Epoch: w.Scorer.Number()}
		if d.B < d.A {
			d.A, d.ASeq, d.B, d.BSeq = d.B, d.BSeq, d.A, d.ASeq
		}
		rows = append(rows, d)
	}
	return rows, nil
}

// pairs returns the suggestions of a published revision.
func (w *Worker) pairs(ctx context.Context, r *event.Revision, side score.Side) (pairs []suggestion.Pair, err error) {
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
