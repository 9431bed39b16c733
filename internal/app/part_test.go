package app

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zaptest"
)

func TestRunStopsAllWhenOneFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		start := time.Now()
		err := run(t.Context(), zaptest.NewLogger(t),
			Part{Name: "api", Run: func(ctx context.Context) error { <-ctx.Done(); return nil }},
			Part{Name: "match", Run: func(context.Context) error { <-time.After(time.Hour); return down }},
		)
		if !errors.Is(err, down) || time.Since(start) != time.Hour {
			t.Errorf("run = %v after %s, want %v after 1h", err, time.Since(start), down)
		}
	})
}

func TestRunReportsAPartThatStopsOnItsOwn(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), zaptest.NewLogger(t), Part{Name: "api", Run: func(context.Context) error { return nil }})
	if !errors.Is(err, errStopped) {
		t.Errorf("run = %v, want %v", err, errStopped)
	}
}

func TestRunEndsQuietlyWhenToldTo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := run(ctx, zaptest.NewLogger(t), Part{Name: "api", Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
	if err != nil {
		t.Errorf("run = %v, want nil", err)
	}
}
