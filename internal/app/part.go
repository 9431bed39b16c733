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
