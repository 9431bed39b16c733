package rig

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kobling/internal/bench/report"
)

// lookEvery is how often it is looked whether profiles have been committed, while there
// are some that have not.
const lookEvery = 2 * time.Millisecond

// Idle publishes n more profiles, each when the one before is committed, and says how long
// each took.
func (r *Rig) Idle(ctx context.Context, m *Matcher, n int, progress func(done, total int)) (report.Percentiles, error) {
	return r.delayed(ctx, m, 0, func() ([]time.Duration, error) { return r.idle(ctx, m, n, progress) })
}

// Paced publishes n more profiles at a rate, and says how long after its time each was
// committed.
func (r *Rig) Paced(ctx context.Context, m *Matcher, n int, perSecond float64, progress func(done, total int)) (report.Percentiles, error) {
	return r.delayed(ctx, m, perSecond, func() ([]time.Duration, error) { return r.paced(ctx, m, n, perSecond, progress) })
}

// delayed sums up the delays that f returns, and what they cost until the matcher has
// nothing left to do.
func (r *Rig) delayed(ctx context.Context, m *Matcher, perSecond float64, f func() ([]time.Duration, error)) (p report.Percentiles, err error) {
	matcher, database, err := r.cpu(m)
	if err != nil {
		return p, err
	}
	delays, err := f()
	if err == nil {
		err = r.drained(ctx, m)
	}
	if err != nil {
		return p, err
	}
	matcherNow, databaseNow, err := r.cpu(m)
	p = report.NewPercentiles(delays, perSecond)
	p.CPU = report.Micros((matcherNow - matcher + databaseNow - database) / time.Duration(max(p.Events, 1)))
	return p, err
}

// idle is Idle, and returns the delays.
func (r *Rig) idle(ctx context.Context, m *Matcher, n int, progress func(done, total int)) ([]time.Duration, error) {
	delays := make([]time.Duration, 0, n)
	list, err := r.letters(n)
	if err != nil {
		return nil, err
	}
	for i := range list {
		id := string(list[i].Profile.ID)
		begun := time.Now()
		if err := r.post(ctx, list[i:i+1]); err != nil {
			return nil, err
		}
		for there := false; !there; { // no pause: a look takes a fraction of a millisecond
			err := r.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM profile WHERE id = $1)`, id).Scan(&there)
			if err == nil {
				err = m.err()
			}
			if err != nil {
				return nil, fmt.Errorf("look for %s: %w", id, err)
			}
		}
		delays = append(delays, time.Since(begun))
		progress(len(delays), n)
	}
	return delays, nil
}

// paced is Paced, and returns the delays.
func (r *Rig) paced(ctx context.Context, m *Matcher, n int, perSecond float64, progress func(done, total int)) ([]time.Duration, error) {
	list, err := r.letters(n)
	if err != nil {
		return nil, err
	}
	w := &waitingRoom{since: map[string]time.Time{}}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.watch(ctx, r, m, n, progress) })
	publishing, pctx := errgroup.WithContext(ctx)
	publishing.SetLimit(4 * inFlight)
	begun := time.Now()
	for i := range list {
		due := begun.Add(time.Duration(float64(i) / perSecond * float64(time.Second)))
		if err := until(pctx, due); err != nil {
			break // the reason is with either group
		}
		w.enter(string(list[i].Profile.ID), due)
		publishing.Go(func() error { return r.postOne(pctx, &list[i]) })
	}
	g.Go(publishing.Wait)
	if err := g.Wait(); err != nil {
		return nil, err
	}
	r.published += n
	return w.delays, nil
}

// until waits for a moment.
func until(ctx context.Context, moment time.Time) error {
	wait := time.NewTimer(time.Until(moment))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-wait.C:
		return nil
	}
}

// waitingRoom is the profiles that are not committed yet.
type waitingRoom struct {
	mu     sync.Mutex
	since  map[string]time.Time
	delays []time.Duration
}

func (w *waitingRoom) enter(id string, due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since[id] = due
}

// watch looks who is committed until n are.
func (w *waitingRoom) watch(ctx context.Context, r *Rig, m *Matcher, n int, progress func(done, total int)) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for w.count() < n {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		}
		if err := m.err(); err != nil {
			return err
		}
		ids := w.waiting()
		if len(ids) == 0 {
			continue
		}
		found, err := r.pool.Query(ctx, `SELECT id FROM profile WHERE id = ANY($1)`, ids)
		if err != nil {
			return fmt.Errorf("look for profiles: %w", err)
		}
		var there []string
		for found.Next() {
			var id string
			if err := found.Scan(&id); err != nil {
				found.Close()
				return fmt.Errorf("look for profiles: %w", err)
			}
			there = append(there, id)
		}
		if err := found.Err(); err != nil {
			return fmt.Errorf("look for profiles: %w", err)
		}
		w.leave(there, time.Now())
		progress(w.count(), n)
	}
	return nil
}

func (w *waitingRoom) waiting() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]string, 0, len(w.since))
	for id := range w.since {
		ids = append(ids, id)
	}
	return ids
}

func (w *waitingRoom) leave(ids []string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.delays = append(w.delays, now.Sub(w.since[id]))
		delete(w.since, id)
	}
}

func (w *waitingRoom) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.delays)
}
