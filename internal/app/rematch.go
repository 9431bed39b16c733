package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kobling/internal/api"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/stream"
)

const (
	// durableRematch begins the names of the consumers of PROFILES that replicas
	// share in a run.
	durableRematch = "rematch-"

	// rematchBatch is how many messages a run has in hand in a process, rematchRows how
	// many rows one of its transactions writes. Beside 40 live events a second, with
	// 3,000 profiles of 4 suggestions each on two processors that had other work too
	// (BenchmarkLiveBesideARematch), these took at the median and the 99th percentile
	//
	//	23 and 102 ms  without a re-match
	//	125 and 274 ms beside one with the live work's batch of 64 that did not yield; it
	//	               did 510 profiles a second
	//	56 and 179 ms  when that one yields; 300 to 420 a second
	//	43 and 129 ms  with 32 messages and 1,000 rows; 310 to 410 a second
	//	45 and 124 ms  with 75 % of the time, the default of rematch-share; 290 to 400 a
	//	               second. With 50 % it is 33 and 104 ms, with 340
	//
	// and with 75 % and 16, 64 or 128 messages 206, 219 and 270 ms at the 99th
	// percentile, with 250 rows 215 ms: more transactions, or longer ones.
	rematchBatch = 32
	rematchRows  = 1000

	// rematchTick is how often a process looks how far a run is.
	rematchTick = 250 * time.Millisecond
	// stuckAttempt is the attempt with which a message is given up, two minutes
	// after the first: the pauses between grow from a quarter of a second to one
	// minute.
	stuckAttempt = 10
)

// rematcher works, with those of all other replicas, on the run that there is, of
// the epoch that is active.
type rematcher struct {
	store    *store.Store
	streams  *stream.Streams
	throttle *match.Throttle
	meter    *stageMeter
	batch    int    // messages in hand in this process
	rows     int    // of one transaction
	stuckAt  uint64 // attempt with which a message is given up
	log      *zap.Logger

	consumer atomic.Pointer[stream.Consumer] // of the run, for metrics; nil: none
}

// rematchEra is a rematcher in one epoch.
type rematchEra struct {
	*rematcher

	epoch int
	index interface {
		WaitFor(ctx context.Context, seq uint64) error
	}
	match stream.Handle
}

// run works on each run of its epoch until ctx ends.
func (r *rematchEra) run(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	prepared := false
	for {
		var last store.Rematch
		var err error
		if !prepared {
			err = r.prepare(ctx)
			prepared = err == nil
		}
		if prepared {
			last, err = r.store.LastRematch(ctx)
		}
		if err == nil && last.Running() && last.Epoch == r.epoch {
			err = r.work(ctx, last)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, stream.ErrFence):
			return err
		case err != nil && !errors.Is(err, fault.ErrNotFound):
			r.log.Warn("re-match waits", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// prepare begins the run of an epoch that is new, and removes what runs left that
// have ended.
func (r *rematchEra) prepare(ctx context.Context) error {
	if r.epoch > 1 {
		if _, err := r.begin(ctx, r.epoch, true); err != nil && !errors.Is(err, fault.ErrConflict) && !errors.Is(err, fault.ErrStale) {
			return err
		}
	}
	// In this order: whatever is on the list now had its row before.
	durables, err := r.streams.Durables(ctx, stream.Profiles, durableRematch)
	if err != nil || len(durables) == 0 {
		return err
	}
	last, err := r.store.LastRematch(ctx)
	if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return err
	}
	for _, d := range durables {
		if last.Running() && d == durableOf(last) {
			continue
		}
		if err := r.streams.Forget(ctx, stream.Profiles, d); err != nil {
			return err
		}
	}
	return nil
}

// inHand returns how many messages of a run this process has in hand.
func (r *rematcher) inHand() int {
	if c := r.consumer.Load(); c != nil {
		return c.Stats().InHand
	}
	return 0
}

// begin begins a run over everything that PROFILES holds now.
func (r *rematcher) begin(ctx context.Context, epoch int, first bool) (store.Rematch, error) {
	// The epoch has become active before: what is published behind the end that is
	// read here is matched in it as it comes.
	info, err := r.streams.Info(ctx)
	if err != nil {
		return store.Rematch{}, err
	}
	return r.store.BeginRematch(ctx, store.Rematch{
		Epoch: epoch, From: info.FirstSeq, To: info.LastSeq, Total: int64(info.Messages), //nolint:gosec // a count
	}, first)
}

func durableOf(r store.Rematch) string { return fmt.Sprintf("%s%d-%d", durableRematch, r.Epoch, r.Run) }

// rerun is one run as one process works on it.
type rerun struct {
	*rematchEra
	store.Rematch

	done atomic.Int64 // not yet counted in the database
}

// work takes part in a run until it is over.
func (r *rematchEra) work(ctx context.Context, run store.Rematch) error {
	// An index that is being built would have every message tried in vain.
	if err := r.index.WaitFor(ctx, run.To); err != nil {
		return err
	}
	x := &rerun{rematchEra: r, Rematch: run}
	c := &stream.Consumer{
		From: r.streams, Stream: stream.Profiles, Durable: durableOf(run), Batch: r.batch,
		Pace: r.rest, Meter: r.meter, Log: r.log,
	}
	r.consumer.Store(c)
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	var failed error
	go func() {
		defer close(ended)
		failed = c.Run(running, x.handle)
	}()
	err := x.watch(ctx, c, ended)
	stop()
	<-ended
	r.consumer.Store(nil)
	// What was handled is counted also when the process is told to stop.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err = errors.Join(err, failed, x.count(last)); err != nil || ctx.Err() != nil {
		return err
	}
	if err := r.store.FinishRematch(ctx, run.Epoch, run.Run); err != nil {
		return err
	}
	r.log.Info("re-match finished", zap.Int("epoch", run.Epoch), zap.Int("run", run.Run))
	// The others see that it is finished before the consumer is gone, or they would
	// make it again. Whoever leaves last removes it for good.
	select {
	case <-ctx.Done():
	case <-time.After(2 * rematchTick):
	}
	return r.streams.Forget(ctx, stream.Profiles, c.Durable)
}

// rest takes the rest that is due between two batches.
func (r *rematcher) rest(ctx context.Context) {
	if d := r.throttle.Rest(ctx); d > 0 {
		r.meter.step("rest", d)
	}
}

// watch returns once the run is over, or ended is closed, or ctx ends. Meanwhile it
// counts.
func (x *rerun) watch(ctx context.Context, c *stream.Consumer, ended <-chan struct{}) error {
	tick := time.NewTicker(rematchTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ended:
			return nil
		case <-tick.C:
		}
		if err := x.count(ctx); err != nil {
			return err
		}
		last, err := x.store.LastRematch(ctx)
		if err != nil {
			return err
		}
		if !last.Running() || last.Epoch != x.Epoch || last.Run != x.Run {
			return nil
		}
		if passed, err := c.Passed(ctx, x.To); passed || err != nil {
			return err
		}
	}
}

// count notes in the database what this process has done since the last time.
func (x *rerun) count(ctx context.Context) error {
	n := x.done.Load()
	if n == 0 {
		return nil
	}
	if err := x.store.CountRematch(ctx, x.Epoch, x.Run, n); err != nil {
		return err
	}
	x.done.Add(-n)
	return nil
}

// handle matches again what is of the run. What was published after it began is
// live work, and only settled.
func (x *rerun) handle(ctx context.Context, ms []event.Message) []error {
	defer x.throttle.Work()()
	errs := make([]error, len(ms))
	var of []event.Message
	var at []int
	for i, m := range ms {
		if m.Sequence <= x.To {
			of, at = append(of, m), append(at, i)
		}
	}
	if len(of) == 0 {
		return errs
	}
	found := x.match(ctx, of)
	for i, m := range of {
		var err error
		if found != nil {
			err = found[i]
		}
		if fault.Judge(err) == fault.Retry {
			if m.Attempt >= x.stuckAt && ctx.Err() == nil {
				err = x.giveUp(ctx, m, err)
			}
		} else {
			x.done.Add(1)
		}
		errs[at[i]] = err
	}
	return errs
}

// giveUp notes a message that fails again and again, and returns the error with
// which it is settled. While the database does not take the note, the fault is not
// the message's, and it comes again.
func (x *rerun) giveUp(ctx context.Context, m event.Message, reason error) error {
	if err := x.store.StickRematch(ctx, x.Epoch, x.Run, m, reason.Error()); err != nil {
		return fmt.Errorf("%v: %w", err, fault.ErrUnavailable) //nolint:errorlint // whatever kind it is of
	}
	x.log.Error("message is left out of the re-match", zap.String("subject", m.Subject), zap.Uint64("sequence", m.Sequence), zap.Error(reason))
	return fmt.Errorf("%w: left out after %d attempts: %v", fault.ErrStale, m.Attempt, reason) //nolint:errorlint // it is settled, whatever kind the reason is of
}

// rematch answers how far the last run is, and begins one before if asked to.
func (a *App) rematch(ctx context.Context, q api.RematchQuery) (api.Rematch, error) {
	epoch, _, err := a.store.ActiveEpoch(ctx)
	if err != nil {
		return api.Rematch{}, err
	}
	last, err := a.store.LastRematch(ctx)
	if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return api.Rematch{}, err
	}
	due := epoch > 1 && last.Epoch < epoch // the processes are about to begin it
	if q.Start && !due {
		if last.Running() {
			return api.Rematch{}, fmt.Errorf("a re-match runs already (epoch %d, run %d: %d of %d profiles done); follow it with: kobling rematch --watch: %w",
				last.Epoch, last.Run, last.Done, last.Total, fault.ErrConflict)
		}
		if last, err = a.rematcher.begin(ctx, epoch, false); err != nil {
			return api.Rematch{}, fmt.Errorf("try again: %w", err)
		}
		due = false
	}
	switch {
	case due && q.Start:
		return api.Rematch{}, fmt.Errorf("that of epoch %d is about to begin; follow it with: kobling rematch --watch: %w", epoch, fault.ErrConflict)
	case due:
		return api.Rematch{State: api.RematchDue, Epoch: epoch}, nil
	case last.Run == 0:
		return api.Rematch{}, fmt.Errorf("there was no re-match yet; begin one with: kobling rematch: %w", fault.ErrNotFound)
	}
	return a.aboutRematch(ctx, last)
}

// aboutRematch is a run as the API says it.
func (a *App) aboutRematch(ctx context.Context, r store.Rematch) (api.Rematch, error) {
	about := api.Rematch{
		State: api.RematchRuns, Epoch: r.Epoch, Run: r.Run, From: r.From, To: r.To, Total: r.Total, Done: r.Done, Stuck: r.Stuck,
		StartedAt: r.StartedAt.UTC(),
	}
	if !r.Running() {
		about.State, about.FinishedAt = api.RematchFinished, r.FinishedAt.UTC()
	}
	if r.Replaced {
		about.State = api.RematchReplaced
	}
	if r.Stuck == 0 {
		return about, nil
	}
	stuck, err := a.store.StuckIn(ctx, r.Epoch, r.Run, api.MaxStuck)
	for _, s := range stuck {
		id := profile.ID(strings.TrimPrefix(s.Subject, event.Profiles+"."))
		about.Profiles = append(about.Profiles, api.Stuck{ProfileID: id, Seq: s.Seq, Reason: s.Reason})
	}
	return about, err
}
