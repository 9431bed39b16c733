package app

import (
	"context"
	"fmt"
	"time"

	"kobling/internal/config"
	"kobling/internal/fault"
)

// How bad it may be while a process calls itself ready.
const (
	minReadyFree = 256 << 20 // bytes on the data directory's disk
	maxOutboxAge = 10 * time.Minute
	maxIntakeAge = time.Hour
)

// watchLimits adds what makes a process unready although everything answers: what
// it stands on is about to run out, or what waits for it has waited too long.
func (a *App) watchLimits(waiting func(context.Context) backlogs) {
	a.health.Ready("disk", func(context.Context) error {
		free, err := freeBytes(a.cfg.DataDir)
		if err != nil {
			return err
		}
		return enoughRoom(a.cfg.DataDir, free)
	})
	a.health.Gauge("disk_free_bytes", "Room on the data directory's disk.", func() float64 {
		free, err := freeBytes(a.cfg.DataDir)
		if err != nil {
			return 0
		}
		return float64(free)
	})
	outbox := &cached[time.Duration]{read: a.store.OutboxAge}
	a.health.Gauge("outbox_oldest_seconds", "How long the oldest alert or event that could be sent has been waiting.", func() float64 {
		return outbox.get(context.Background()).Seconds() // a scrape brings no context
	})
	if a.cfg.Has(config.RoleNotify) {
		a.health.Ready("outbox", func(ctx context.Context) error {
			age, err := a.store.OutboxAge(ctx)
			if err != nil {
				return err
			}
			return soonEnough("an alert or event that could be sent", age, maxOutboxAge)
		})
	}
	if a.cfg.Has(config.RoleIntake) {
		a.health.Ready("intake", func(ctx context.Context) error {
			oldest := waiting(ctx).intake.Oldest
			if oldest.IsZero() {
				return nil
			}
			return soonEnough("a submission", time.Since(oldest), maxIntakeAge)
		})
	}
}

// enoughRoom says what is wrong with so many free bytes.
func enoughRoom(dir string, free uint64) error {
	if free < minReadyFree {
		return fmt.Errorf("%s has %d MiB free, at least %d are needed: make room: %w", dir, free>>20, minReadyFree>>20, fault.ErrUnavailable)
	}
	return nil
}

// soonEnough says what is wrong with something that has waited so long.
func soonEnough(what string, age, most time.Duration) error {
	if age > most {
		return fmt.Errorf("%s has been waiting for %s, at most %s is well: see the log: %w", what, age.Round(time.Second), most, fault.ErrUnavailable)
	}
	return nil
}
