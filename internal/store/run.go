package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"go.uber.org/zap"

	"kobling/internal/alert"
	"kobling/internal/event"
)

// Handlers do the work of jobs. Every job may run again, so a handler must be
// safe to repeat. An error is tried again after a pause: that of an
// alert.SendError if it names one, else a growing one. An error that fault.Judge
// rejects is not tried again.
type Handlers struct {
	// Notify makes one attempt at a notification; nil: this process sends none.
	Notify func(ctx context.Context, id uuid.UUID) error
	// Publish publishes one message to the stream of events; nil: this process
	// publishes none.
	Publish func(ctx context.Context, m event.Message) error
}

const (
	jobTimeout   = 20 * time.Second
	stopTimeout  = jobTimeout + 5*time.Second
	rescueEvery  = 5 * time.Second
	requeueEvery = 30 * time.Second
	sweepEvery   = 10 * time.Minute
)

// RunJobs works River's jobs until ctx ends, finishes those in hand, and returns
// nil. Beside them it looks after the jobs of processes that died, notifications
// that lost their job, and superseded rows.
func (s *Store) RunJobs(ctx context.Context, h Handlers) error {
	id := workerPrefix + uuid.NewString()
	client, err := river.NewClient(riverpgxv5.New(s.pool), s.jobConfig(id, h))
	if err != nil {
		return fmt.Errorf("run jobs: %w", err)
	}
	life := liveness{store: s, id: id}
	defer life.end(ctx)
	if err := life.check(ctx); err != nil {
		return fmt.Errorf("run jobs: %w", classify(err))
	}
	// Its context outlives ctx, or the jobs in hand would be cut off.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("run jobs: %w", classify(err))
	}
	s.maintain(ctx, &life)

	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := client.Stop(stop); err != nil {
		now, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		return fmt.Errorf("stop jobs: %w", errors.Join(err, client.StopAndCancel(now)))
	}
	return nil
}

func (s *Store) jobConfig(id string, h Handlers) *river.Config {
	// All kinds are registered whatever this process handles: River's leader
	// gives up jobs of a kind that it does not know.
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[notifyArgs]) error {
		return settle(h.Notify(ctx, job.Args.NotificationID))
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[eventArgs]) error {
		for _, m := range job.Args.Messages {
			if err := h.Publish(ctx, event.Message{Subject: m.Subject, Header: m.Header, Data: m.Data}); err != nil {
				return settle(err)
			}
		}
		return nil
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[retellArgs]) error {
		return s.workRetell(ctx, job.Args)
	}))
	queues := map[string]river.QueueConfig{queueGate: {MaxWorkers: 2}} // the turn lets one pass anyway
	if h.Notify != nil {
		queues[string(alert.Email)] = river.QueueConfig{MaxWorkers: 20}
		queues[string(alert.Webhook)] = river.QueueConfig{MaxWorkers: 50}
	}
	if h.Publish != nil {
		queues[queueEvents] = river.QueueConfig{MaxWorkers: 8}
	}
	return &river.Config{
		ID:      id,
		Logger:  slogger(s.log),
		Queues:  queues,
		Workers: workers,
		// A queue's throughput is MaxWorkers ÷ FetchCooldown.
		FetchCooldown:               20 * time.Millisecond,
		FetchPollInterval:           time.Second,
		JobTimeout:                  jobTimeout,
		RescueStuckJobsAfter:        2 * time.Minute, // should the liveness lock deceive us
		RetryPolicy:                 pauses{},
		CompletedJobRetentionPeriod: time.Hour,
	}
}

// maintain runs until ctx ends. What fails is logged and tried again on the next
// round: jobs go on meanwhile.
func (s *Store) maintain(ctx context.Context, life *liveness) {
	rescue, requeue, sweep := time.NewTicker(rescueEvery), time.NewTicker(requeueEvery), time.NewTicker(sweepEvery)
	defer rescue.Stop()
	defer requeue.Stop()
	defer sweep.Stop()
	for {
		var task string
		var err error
		select {
		case <-ctx.Done():
			return
		case <-rescue.C:
			task, err = "rescue jobs", life.check(ctx)
		case <-requeue.C:
			task = "requeue notifications"
			_, err = s.requeue(ctx)
		case <-sweep.C:
			task = "sweep suggestions"
			_, err = s.Sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("maintenance failed", zap.String("task", task), zap.Error(err))
		}
	}
}
