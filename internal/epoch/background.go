// Package epoch makes the model of an epoch: what is common among the profiles of
// an installation, and bounds under which each gets a number of suggestions that
// people can read. It is pure: profiles and an index come through ports.
package epoch

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"kobling/internal/analysis"
	"kobling/internal/profile"
)

// Background returns how common terms are in texts, as an epoch keeps it: pruned.
// An error among texts ends it.
func Background(ctx context.Context, a *analysis.Analyzer, texts iter.Seq2[[]profile.Text, error]) (*analysis.Background, error) {
	var mu sync.Mutex
	b := analysis.NewBackground()
	err := each(ctx, texts, func(t []profile.Text) error {
		raw := a.Features(t)
		mu.Lock()
		defer mu.Unlock()
		b.Add(raw) // in any order: they are only counted
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.Prune()
	return b, nil
}

// each calls f for all values, on all processors.
func each[T any](ctx context.Context, all iter.Seq2[T, error], f func(T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	work := make(chan T)
	g.Go(func() error {
		defer close(work)
		for v, err := range all {
			if err != nil {
				return err
			}
			select {
			case work <- v:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for v := range work {
				if err := f(v); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}
