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

func TestAKeptPartOutlivesARunAndEndsTheNext(t *testing.T) {
	t.Parallel()
	down, fall := errors.New("down"), make(chan struct{})
	part, wait := keep(t.Context(), Part{Name: "http", Run: func(context.Context) error { <-fall; return down }})
	again := Part{Name: "epoch", Run: func(context.Context) error { return errNewEpoch }}
	if err := run(t.Context(), zaptest.NewLogger(t), part, again); !errors.Is(err, errNewEpoch) {
		t.Errorf("the first run = %v, want %v", err, errNewEpoch)
	}
	close(fall)
	if err := run(t.Context(), zaptest.NewLogger(t), part); !errors.Is(err, down) {
		t.Errorf("the second run = %v, want %v", err, down)
	}
	wait()
}

// The kept part may hear of the end before the run does.
func TestAKeptPartThatIsToldToEndIsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		all, end := context.WithCancel(t.Context())
		part, wait := keep(all, Part{Name: "http", Run: func(ctx context.Context) error { <-ctx.Done(); return nil }})
		ctx, cancel := context.WithCancel(t.Context()) // not below all: it ends later
		ended := make(chan error, 1)
		go func() { ended <- run(ctx, zaptest.NewLogger(t), part) }()
		synctest.Wait()
		end()
		wait()
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run = %v, want nil", err)
		}
	})
}
