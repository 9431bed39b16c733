package app

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// Part is something that runs for as long as the process does.
type Part struct {
	Name string
	Run  func(context.Context) error // blocks until its context ends, then returns nil
}

// errStopped is what run reports for a part that returned without being asked.
var errStopped = errors.New("stopped on its own")

// run runs parts until ctx ends or one of them fails; then it stops the others,
// waits for all of them, and returns the first failure. What the parts share is
// closed by the caller once run has returned.
func run(ctx context.Context, log *zap.Logger, parts ...Part) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range parts {
		g.Go(func() error {
			log.Debug("started", zap.String("part", p.Name))
			err := p.Run(ctx)
			if err == nil && ctx.Err() == nil {
				err = errStopped
			}
			if errors.Is(err, errNewEpoch) {
				return err
			}
			if err != nil && ctx.Err() == nil {
				log.Error("part failed", zap.String("part", p.Name), zap.Error(err))
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			log.Debug("stopped", zap.String("part", p.Name), zap.Error(err))
			return nil
		})
	}
	return g.Wait()
}

// keep starts p, which runs until all ends. The part that it returns can be run
// several times, in contexts below all: each fails when p does. wait returns once
// p has ended.
func keep(all context.Context, p Part) (part Part, wait func()) {
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		err = p.Run(all)
	}()
	return Part{p.Name, func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case <-done:
		}
		if all.Err() != nil {
			<-ctx.Done() // it was told to end; so is this run, a moment later
		}
		return err
	}}, func() { <-done }
}
