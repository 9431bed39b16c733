package stream

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"kobling/internal/event"
	"kobling/internal/fault"
)

// Each returns a Handle that calls h for each message, up to parallel at a time,
// and those on one subject one after the other. Once one fails so that it is to
// be tried again, those behind it on its subject are not tried before it. A panic
// is that message's own: its error wraps fault.ErrPoison.
func Each(parallel int, h func(ctx context.Context, m event.Message) error) Handle {
	return func(ctx context.Context, ms []event.Message) []error {
		errs := make([]error, len(ms))
		var order []string
		bySubject := make(map[string][]int)
		for i, m := range ms {
			if bySubject[m.Subject] == nil {
				order = append(order, m.Subject)
			}
			bySubject[m.Subject] = append(bySubject[m.Subject], i)
		}
		var wg sync.WaitGroup
		slots := make(chan struct{}, max(parallel, 1))
		for _, subject := range order {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				inOrder(ctx, ms, bySubject[subject], errs, h)
			})
		}
		wg.Wait()
		return errs
	}
}

// inOrder handles the messages at the indices which, one after the other.
func inOrder(ctx context.Context, ms []event.Message, which []int, errs []error, h func(context.Context, event.Message) error) {
	for n, i := range which {
		errs[i] = one(ctx, ms[i], h)
		if fault.Judge(errs[i]) != fault.Retry {
			continue
		}
		for _, behind := range which[n+1:] {
			errs[behind] = fmt.Errorf("message %d comes first: %w", ms[i].Sequence, fault.ErrUnavailable)
		}
		return
	}
}

func one(ctx context.Context, m event.Message, h func(context.Context, event.Message) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return h(ctx, m)
}

// panicError is a panic of a handler.
type panicError struct {
	value any
	stack []byte
}

// Error says what the handler panicked with, without the stack.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// Unwrap returns fault.ErrPoison.
func (e *panicError) Unwrap() error { return fault.ErrPoison }
