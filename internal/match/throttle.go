package match

import (
	"context"
	"sync"
	"time"
)

// Times of a Throttle.
const (
	// maxYield bounds one wait for live work, so that a re-match goes on under a
	// flood as well: then it judges about 10 profiles a second on each processor.
	maxYield = 100 * time.Millisecond
	// lull is for how long live work counts as there after the last of it: what
	// comes one by one is work that lasts.
	lull = time.Second
	// maxRest bounds one rest.
	maxRest = 10 * time.Second
)

// Throttle has a re-match step aside for the live work of its process, and take no
// more than a share of the time while there is any. It is safe for concurrent use.
type Throttle struct {
	share float64

	mu    sync.Mutex
	live  int           // batches of live work in hand
	idle  chan struct{} // closed while there are none
	since time.Time     // when the first of them began
	last  time.Time     // when the last one ended
	busy  time.Duration // how long there were any, up to last
	owed  time.Duration // rest that is due
}

// NewThrottle returns the throttle of one process. share, above 0 and at most 1,
// is how much of the time a re-match may work while live work is there.
func NewThrottle(share float64) *Throttle {
	idle := make(chan struct{})
	close(idle)
	return &Throttle{share: min(max(share, 0.01), 1), idle: idle}
}

// Live says that live work is in hand until the function it returns is called.
func (t *Throttle) Live() (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live++; t.live == 1 {
		t.idle, t.since = make(chan struct{}), time.Now()
	}
	return t.end
}

func (t *Throttle) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
	if t.live--; t.live == 0 {
		t.busy += t.last.Sub(t.since)
		close(t.idle)
	}
}

// Yield waits while live work is in hand, but not for long.
func (t *Throttle) Yield(ctx context.Context) {
	t.mu.Lock()
	idle := t.idle
	t.mu.Unlock()
	select {
	case <-idle:
		return
	default:
	}
	wait(ctx, idle, maxYield)
}

// Work says that a batch of the re-match is in hand until the function it returns
// is called. If there was live work lately, a rest is due afterwards.
func (t *Throttle) Work() (end func()) {
	began, busy := time.Now(), t.busySoFar()
	return func() {
		// While live work was in hand, the re-match waited.
		worked := max(time.Since(began)-(t.busySoFar()-busy), 0)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.live > 0 || time.Since(t.last) < lull {
			t.owed += time.Duration(float64(worked) * (1 - t.share) / t.share)
		}
	}
}

func (t *Throttle) busySoFar() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live > 0 {
		return t.busy + time.Since(t.since)
	}
	return t.busy
}

// Rest waits as long as is due, but no longer than ctx lasts, and returns how long
// that was.
func (t *Throttle) Rest(ctx context.Context) time.Duration {
	t.mu.Lock()
	due := min(t.owed, maxRest)
	t.owed = 0
	t.mu.Unlock()
	if due > 0 {
		wait(ctx, nil, due)
	}
	return due
}

// wait returns when done is closed, ctx ends or limit is over.
func wait(ctx context.Context, done <-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-done:
	case <-timer.C:
	}
}
