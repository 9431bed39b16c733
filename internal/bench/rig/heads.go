package rig

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"kobling/internal/app"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/stream"
)

// headBatch is how many heads go into the database at once.
const headBatch = 256

// nothing is a finder and a scorer for which no profile says anything.
type nothing struct{ *score.Epoch }

// Side implements match.Scorer.
func (nothing) Side(*profile.Profile) score.Side { return score.Side{} }

// WaitFor implements match.Finder.
func (nothing) WaitFor(context.Context, uint64) error { return nil }

// Find implements match.Finder.
func (nothing) Find(context.Context, score.Query) ([]score.Candidate, error) { return nil, nil }

// Twins implements match.Finder.
func (nothing) Twins(context.Context, score.TwinQuery) ([]score.Twin, error) { return nil, nil }

// KeepHeads has everything that is published kept in the database and acknowledged, but
// not matched.
func (r *Rig) KeepHeads(ctx context.Context, progress func(done, total int)) error {
	w := &match.Worker{Finder: nothing{}, Scorer: nothing{r.Epoch}, Ledger: r.store, Log: zap.NewNop()}
	c := r.matching()
	c.Batch, c.MaxAckPending = headBatch, 2*headBatch
	ctx, done := context.WithCancel(ctx)
	defer done()
	before, err := c.Backlog(ctx)
	if err != nil {
		return err
	}
	kept := uint64(0)
	if err := c.Run(ctx, func(ctx context.Context, ms []event.Message) []error {
		errs := w.Handle(ctx, ms)
		if kept += uint64(len(ms)); kept >= before.Pending {
			done() // once these are acknowledged
		}
		progress(int(kept), int(before.Pending)) //nolint:gosec // counts of profiles
		return errs
	}); err != nil {
		return err
	}
	if left, err := c.Backlog(context.WithoutCancel(ctx)); err != nil || left.Pending > 0 {
		return errors.Join(err, fmt.Errorf("%d profiles were not kept: %w", left.Pending, fault.ErrUnavailable))
	}
	if _, err := r.pool.Exec(context.WithoutCancel(ctx), `VACUUM ANALYZE`); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// matching is the consumer that the matcher has, too.
func (r *Rig) matching() *stream.Consumer {
	return &stream.Consumer{From: r.streams, Stream: stream.Profiles, Durable: app.DurableMatch}
}
