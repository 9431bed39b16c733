package stream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/fault"
)

// Codes of the JetStream API that the client library does not name.
const codeStoreFailed jetstream.ErrorCode = 10077 // a limit of the stream is reached, or its disk is full

// classify says what was being done and adds the kind of fault. What the server
// did not refuse for a reason of ours is taken for its being away: trying again
// later is always safe here.
func classify(doing string, err error) error {
	if err == nil {
		return nil
	}
	kind := fault.ErrUnavailable
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", doing, err) // we were told to stop; nobody failed
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum):
		kind = fault.ErrInvalid
	case errors.Is(err, jetstream.ErrMsgNotFound):
		kind = fault.ErrNotFound
	case raced(err):
		kind = fault.ErrConflict
	case code(err) == codeStoreFailed:
		return fmt.Errorf("%s: the stream is full: %w: %w", doing, kind, err)
	}
	return fmt.Errorf("%s: %w: %w", doing, kind, err)
}

// lookUp is classify for looking up a stream: fault.ErrNotFound if there is none.
func lookUp(name string, err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("stream %s does not exist: %w", name, fault.ErrNotFound)
	}
	return classify("look up stream "+name, err)
}

// code returns the JetStream error code of err, or 0.
func code(err error) jetstream.ErrorCode {
	var e jetstream.JetStreamError
	if errors.As(err, &e) && e.APIError() != nil {
		return e.APIError().ErrorCode
	}
	return 0
}

// raced reports whether err says that an expected sequence was not met. Clusters
// have a code of their own for it.
func raced(err error) bool {
	c := code(err)
	return c == jetstream.JSErrCodeStreamWrongLastSequence || c == jetstream.JSErrCodeStreamWrongLastSequenceConstant
}

// Pauses before something is tried again.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = time.Minute
)

// backoff returns how long to wait before attempt number attempt+1: a quarter of
// a second, doubling up to a minute, plus up to a quarter of jitter so that what
// failed together does not come back together.
func backoff(attempt uint64) time.Duration {
	d := lastPause
	if attempt < 9 { // 250 ms << 8 is above a minute
		d = min(firstPause<<max(attempt, 1)>>1, lastPause)
	}
	return d + rand.N(d/4) //nolint:gosec // jitter is no secret
}

// pause waits for d and reports whether ctx allows to go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
