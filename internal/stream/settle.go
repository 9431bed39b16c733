package stream

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"kobling/internal/event"
	"kobling/internal/fault"
)

// aloneFrom is the attempt from which a message is handled in a batch of its
// own, should it be the one that brings the process down.
const aloneFrom = 5

// item is a message in hand.
type item struct {
	event.Message
	raw     jetstream.Msg
	settled atomic.Bool
}

// work handles msgs and settles every one. It outlives ctx by at most Drain, so
// that what is in hand is finished.
func (c *Consumer) work(ctx context.Context, msgs []jetstream.Msg, h Handle) {
	ctx, cancel := c.outlive(ctx)
	defer cancel()
	together, alone := c.sort(msgs)
	start := time.Now()
	// Also those that wait for their turn are kept.
	defer c.progress(slices.Concat(together, alone))()
	c.stats.inHand.Store(int64(len(together) + len(alone)))
	defer c.stats.inHand.Store(0)
	if len(together) > 0 {
		c.batch(ctx, together, h)
	}
	for _, it := range alone {
		c.batch(ctx, []*item{it}, h)
	}
	c.stats.busy.Add(int64(time.Since(start)))
}

// outlive returns a context that ends Drain after ctx does.
func (c *Consumer) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if pause(work, c.Drain) {
			cancel()
		}
	})
	return work, func() { stop(); cancel() }
}

// sort divides what was fetched into what is handled together and what has
// failed so often that each is handled alone.
func (c *Consumer) sort(msgs []jetstream.Msg) (together, alone []*item) {
	for _, raw := range msgs {
		m, err := delivered(raw)
		if err != nil { // not a delivery of a consumer: cannot be settled either
			c.Log.Error("message without metadata", zap.String("subject", raw.Subject()), zap.Error(err))
			continue
		}
		if m.Attempt > 1 {
			c.stats.redelivered.Add(1)
		}
		if m.Attempt >= aloneFrom {
			alone = append(alone, &item{Message: m, raw: raw})
		} else {
			together = append(together, &item{Message: m, raw: raw})
		}
	}
	return together, alone
}

// batch hands items to h and settles them. If h panics the items are tried one
// by one, so that one bad message does not take the others down.
func (c *Consumer) batch(ctx context.Context, items []*item, h Handle) {
	errs := c.call(ctx, items, h)
	if p := panicked(errs[0]); p != nil && len(items) > 1 && len(errs) == 1 {
		for _, it := range items {
			c.batch(ctx, []*item{it}, h)
		}
		return
	}
	for i, it := range items {
		c.settle(ctx, it, c.quarantined(ctx, it.Message, errs[i]))
	}
}

// quarantined has a message kept whose handler panicked although it was alone.
func (c *Consumer) quarantined(ctx context.Context, m event.Message, err error) error {
	p := panicked(err)
	if p == nil {
		return err
	}
	c.stats.panics.Add(1)
	c.Log.Error("handler panicked", zap.String("consumer", c.Durable), zap.String("subject", m.Subject),
		zap.Uint64("sequence", m.Sequence), zap.Any("panic", p.value), zap.ByteString("stack", p.stack))
	if c.Quarantine == nil {
		return err
	}
	if qerr := c.Quarantine(ctx, m, err.Error()); qerr != nil {
		return fmt.Errorf("quarantine: %v: %w", qerr, fault.ErrUnavailable) //nolint:errorlint // tried again, whatever kind the cause is of
	}
	return err
}

// panicked returns the panic in err, or nil.
func panicked(err error) *panicError {
	p, _ := errors.AsType[*panicError](err)
	return p
}

// call calls h. It returns one error for each item, or a single *panicError if h
// panicked as a whole.
func (c *Consumer) call(ctx context.Context, items []*item, h Handle) (errs []error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			errs = []error{&panicError{value: p, stack: debug.Stack()}}
		}
	}()
	c.stats.batches.Add(1)
	c.stats.messages.Add(uint64(len(items)))
	if c.Meter != nil {
		defer func(began time.Time) { c.Meter.Batch(len(items), time.Since(began)) }(time.Now())
	}
	ms := make([]event.Message, len(items))
	for i := range items {
		ms[i] = items[i].Message
	}
	errs = h(ctx, ms)
	if errs == nil {
		errs = make([]error, len(items))
	}
	if len(errs) != len(items) {
		panic(fmt.Sprintf("handler returned %d errors for %d messages", len(errs), len(items)))
	}
	return errs
}

// progress says every AckWait/3 that those items are being worked on that are not
// settled, until the function it returns is called.
func (c *Consumer) progress(items []*item) (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(c.AckWait / 3)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			for _, it := range items {
				if it.settled.Load() {
					continue
				}
				// One may be settled at this very moment.
				if err := it.raw.InProgress(); err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
					c.Log.Warn("progress not reported", zap.String("subject", it.Subject), zap.Error(err))
					break // the connection is gone; the next tick tries again
				}
			}
		}
	}()
	return func() { close(done); <-stopped }
}

// settle is the only place in the program that acknowledges a message.
func (c *Consumer) settle(ctx context.Context, it *item, err error) {
	it.settled.Store(true)
	c.stats.inHand.Add(-1)
	verdict := fault.Judge(err)
	log := c.Log.With(zap.String("consumer", c.Durable), zap.String("subject", it.Subject),
		zap.Uint64("sequence", it.Sequence), zap.Uint64("attempt", it.Attempt))
	var ackErr error
	switch verdict {
	case fault.Done:
		c.stats.done.Add(1)
		ackErr = it.raw.Ack()
	case fault.Reject:
		c.stats.rejected.Add(1)
		log.Error("message rejected", zap.Error(err))
		ackErr = it.raw.TermWithReason(fault.Kind(err))
	case fault.Retry:
		c.stats.retried.Add(1)
		if ctx.Err() == nil {
			log.Warn("message will be retried", zap.Error(err))
		}
		ackErr = it.raw.NakWithDelay(backoff(it.Attempt))
	}
	if ackErr != nil { // it will come again; its handler is repeatable
		log.Warn("message not settled", zap.Error(ackErr))
	}
	if c.Meter != nil {
		c.Meter.Settled(time.Since(it.Time), verdict)
	}
	if c.Settled != nil {
		c.Settled(it.Message, verdict)
	}
}
