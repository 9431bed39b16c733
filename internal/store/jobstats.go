package store

import (
	"context"
	"fmt"
	"time"
)

// JobStats are counts of the jobs that make attempts at notifications.
type JobStats struct {
	Pending int64     // not being worked on now
	Running int64     // being worked on
	Retried int64     // of both, those that failed before
	Oldest  time.Time // when the oldest of both was made; zero: there is none
}

const selectJobStats = `
SELECT count(*) FILTER (WHERE state <> 'running'), count(*) FILTER (WHERE state = 'running'),
	count(*) FILTER (WHERE attempt > CASE WHEN state = 'running' THEN 1 ELSE 0 END), min(created_at)
FROM river_job
WHERE kind = 'notify' AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled')`

// NotifyJobs counts.
func (s *Store) NotifyJobs(ctx context.Context) (JobStats, error) {
	var c JobStats
	var oldest *time.Time
	if err := s.pool.QueryRow(ctx, selectJobStats).Scan(&c.Pending, &c.Running, &c.Retried, &oldest); err != nil {
		return JobStats{}, fmt.Errorf("notification jobs: %w", classify(err))
	}
	if oldest != nil {
		c.Oldest = *oldest
	}
	return c, nil
}
