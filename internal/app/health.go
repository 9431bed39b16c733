package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"kobling/internal/api"
	"kobling/internal/config"
	"kobling/internal/fault"
	"kobling/internal/intake"
	"kobling/internal/match"
	"kobling/internal/store"
	"kobling/internal/stream"
	"kobling/internal/telemetry"
)

// watch adds the readiness checks and the metrics.
func (a *App) watch() {
	a.meters = newMeters(a.health)
	a.intake = &stream.Consumer{From: a.streams, Stream: stream.Intake, Durable: intake.Durable, Meter: &a.meters.intake, Log: a.log.Named("intake")}
	a.match = &stream.Consumer{From: a.streams, Stream: stream.Profiles, Durable: DurableMatch, Meter: &a.meters.match, Log: a.log.Named("match")}
	a.rematcher = &rematcher{
		store: a.store, streams: a.streams, throttle: match.NewThrottle(float64(a.cfg.RematchShare) / 100),
		meter: &a.meters.rematch, batch: rematchBatch, rows: rematchRows, stuckAt: stuckAttempt, log: a.log.Named("rematch"),
	}

	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	probe := fmt.Sprintf("%x-%d", host, os.Getpid()) // a host's name may hold what a subject may not
	a.health.Ready("streams", func(ctx context.Context) error { return a.streams.Probe(ctx, probe) })
	a.health.Ready("database", a.store.Ping)
	scrape := context.Background() // a scrape of the metrics brings no context
	if a.now.Load().index != nil {
		end := &cached[stream.Info]{read: a.streams.Info}
		a.health.Ready("index", a.indexReady)
		a.health.Gauge("index_applied_sequence", "PROFILES sequence up to which the index has come.", func() float64 { return float64(a.now.Load().index.Applied()) })
		a.health.Gauge("index_pending", "Messages of PROFILES that the index is behind, at most.", func() float64 { return float64(behind(end.get(scrape).LastSeq, a.now.Load().index.Applied())) })
	}
	waiting := &cached[backlogs]{read: a.readAllBacklogs}
	a.watchLimits(waiting.get)
	for name, pick := range map[string]func(backlogs) stream.Backlog{
		"intake":  func(b backlogs) stream.Backlog { return b.intake },
		"match":   func(b backlogs) stream.Backlog { return b.match },
		"rematch": func(b backlogs) stream.Backlog { return b.rematch },
		"notify":  func(b backlogs) stream.Backlog { return b.notify },
	} {
		a.health.Gauge(name+"_pending", "Messages not yet delivered to this stage.", func() float64 { return float64(pick(waiting.get(scrape)).Pending) })
		a.health.Gauge(name+"_ack_pending", "Messages delivered and not yet settled.", func() float64 { return float64(pick(waiting.get(scrape)).AckPending) })
		a.health.Gauge(name+"_redelivered", "Unsettled messages that were delivered before.", func() float64 { return float64(pick(waiting.get(scrape)).Redelivered) })
		a.health.Gauge(name+"_oldest_seconds", "Age of the oldest unsettled message.", func() float64 { return age(pick(waiting.get(scrape)).Oldest) })
	}
	for name, c := range map[string]*stream.Consumer{"intake": a.intake, "match": a.match} {
		a.health.Counter(name+"_batches", "Batches handled by this process.", func() float64 { return float64(c.Stats().Batches) })
		a.health.Counter(name+"_messages", "Messages handled by this process, repeats included.", func() float64 { return float64(c.Stats().Messages) })
		a.health.Counter(name+"_rejected", "Messages given up by this process.", func() float64 { return float64(c.Stats().Rejected) })
		a.health.Counter(name+"_retried", "Messages put off by this process.", func() float64 { return float64(c.Stats().Retried) })
		a.health.Gauge(name+"_in_hand", "Messages that this process has in hand.", func() float64 { return float64(c.Stats().InHand) })
		a.health.Counter(name+"_busy_seconds", "Time spent with messages in hand.", func() float64 { return c.Stats().Busy.Seconds() })
	}
	a.health.Gauge("rematch_in_hand", "Messages that this process has in hand.", func() float64 { return float64(a.rematcher.inHand()) })
	run := &cached[store.Rematch]{read: a.store.LastRematch}
	a.health.Gauge("rematch_running", "1 while everything is matched again.", func() float64 {
		if run.get(scrape).Running() {
			return 1
		}
		return 0
	})
	a.health.Gauge("rematch_profiles", "Messages of PROFILES that the last re-match is of.", func() float64 { return float64(run.get(scrape).Total) })
	a.health.Gauge("rematch_done", "Of them matched again.", func() float64 { return float64(run.get(scrape).Done) })
	a.health.Gauge("rematch_stuck", "Of them given up.", func() float64 { return float64(run.get(scrape).Stuck) })
	a.ready = &cached[telemetry.Status]{read: func(ctx context.Context) (telemetry.Status, error) { return a.health.Status(ctx), nil }}
	stats := &cached[api.Status]{read: a.Status}
	a.health.Gauge("profiles", "Profiles alive.", func() float64 { return float64(stats.get(scrape).Profiles) })
	a.health.Gauge("suggestions", "Suggestions live.", func() float64 { return float64(stats.get(scrape).Suggestions) })
	a.health.Gauge("notifications_waiting", "Notifications pending or being sent.", func() float64 { return float64(stats.get(scrape).Waiting.Notify) })
	a.health.Gauge("dead_letters", "Messages kept for an operator.", func() float64 { return float64(stats.get(scrape).DeadLetters) })
}

func age(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return time.Since(t).Seconds()
}

// maxIndexLag is how far the index may be behind PROFILES while the process
// calls itself ready.
const maxIndexLag = 10_000

func (a *App) indexReady(ctx context.Context) error {
	x := a.now.Load().index
	if err := x.Err(); err != nil {
		return err
	}
	info, err := a.streams.Info(ctx)
	if err != nil {
		return err
	}
	if lag := behind(info.LastSeq, x.Applied()); lag > maxIndexLag {
		return fmt.Errorf("the index is %d messages behind: %w", lag, fault.ErrUnavailable)
	}
	return nil
}

// behind returns how many messages there can be between an index and the end of the
// stream: of those that were superseded it counts all.
func behind(last, applied uint64) uint64 { return last - min(applied, last) }

// backlogs are how far the stages are behind. That of notifications is of jobs.
type backlogs struct{ intake, match, rematch, notify stream.Backlog }

func (a *App) readBacklogs(ctx context.Context) (backlogs, error) {
	var b backlogs
	var err error
	if b.intake, err = a.intake.Backlog(ctx); err != nil {
		return b, err
	}
	b.match, err = a.match.Backlog(ctx)
	return b, err
}

// readAllBacklogs adds those of which the status says nothing.
func (a *App) readAllBacklogs(ctx context.Context) (backlogs, error) {
	b, err := a.readBacklogs(ctx)
	if err != nil {
		return b, err
	}
	if c := a.rematcher.consumer.Load(); c != nil {
		if b.rematch, err = c.Backlog(ctx); err != nil {
			return b, err
		}
	}
	jobs, err := a.store.NotifyJobs(ctx)
	b.notify = stream.Backlog{Pending: uint64(jobs.Pending), AckPending: int(jobs.Running), Redelivered: int(jobs.Retried), Oldest: jobs.Oldest} //nolint:gosec // counts
	return b, err
}

// Status says how far the work has come.
func (a *App) Status(ctx context.Context) (api.Status, error) {
	// Upstream first: what moves on in between is then counted twice, never not
	// at all.
	b, err := a.readBacklogs(ctx)
	if err != nil {
		return api.Status{}, err
	}
	st, err := a.store.Stats(ctx)
	if err != nil {
		return api.Status{}, err
	}
	health, now := a.ready.get(ctx), a.now.Load()
	s := api.Status{
		Version: a.options.Version, Ready: health.Ready, Checks: health.Checks, Epoch: now.epoch.Number(),
		Profiles: st.Profiles, Suggestions: st.Suggestions, Rejections: st.Rejections, DeadLetters: st.DeadLetters,
		Waiting: api.Waiting{
			Intake: int64(b.intake.Pending) + int64(b.intake.AckPending), //nolint:gosec // counts
			Match:  int64(b.match.Pending) + int64(b.match.AckPending),   //nolint:gosec // counts
			Notify: st.Notify, Events: st.Events,
		},
	}
	if now.index != nil {
		s.IndexApplied = now.index.Applied()
	}
	run, err := a.rematch(ctx, api.RematchQuery{})
	switch {
	case errors.Is(err, fault.ErrNotFound): // there was none
	case err != nil:
		return api.Status{}, err
	case run.State == api.RematchRuns || run.State == api.RematchDue:
		s.Rematch = &run
	}
	if a.cfg.Has(config.RoleNotify) && a.sink != nil {
		s.MailDir = a.mailDir()
	}
	return s, nil
}

// cached keeps what was read for a second, so that one scrape of the metrics
// asks each server once, and a command that polls does not keep them busy.
type cached[T any] struct {
	read func(context.Context) (T, error)

	mu    sync.Mutex
	value T
	at    time.Time
}

func (c *cached[T]) get(ctx context.Context) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > time.Second {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), telemetry.CheckTimeout) // the answer is for others too
		defer cancel()
		if v, err := c.read(ctx); err == nil {
			c.value = v
		}
		c.at = time.Now()
	}
	return c.value
}
