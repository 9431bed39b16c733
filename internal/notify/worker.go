package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"kobling/internal/alert"
)

// MaxAttempts is how often one notification is tried before it is kept as
// failed for an operator. With the queue's growing pauses that is about two
// days.
const MaxAttempts = 12

// SendTimeout bounds one attempt; it is also how long after a withdrawal a
// message that was already on the wire may still arrive.
const SendTimeout = 10 * time.Second

// Worker delivers notifications, one at a time for each call of Handle.
type Worker struct {
	Outbox    Outbox
	Channels  map[alert.Channel]Channel
	Explainer Explainer
	Log       *zap.Logger
}

// Handle makes one attempt at notification id. It returns nil when nothing more
// is to be done, and an error, possibly an *alert.SendError that says when, to be
// called again. Delivery is at least once: a crash between sending and Finish
// repeats the message with the same id.
func (w *Worker) Handle(ctx context.Context, id uuid.UUID) error {
	n, ok, err := w.Outbox.Start(ctx, id)
	if err != nil {
		return fmt.Errorf("start notification: %w", err)
	}
	if !ok {
		return nil
	}
	log := w.Log.With(zap.Stringer("notification_id", id), zap.String("channel", string(n.Subscription.Channel)), zap.Int("attempt", n.Attempt))
	sendErr := w.send(ctx, n)

	state, again := outcome(n, sendErr)
	// What was sent must be written down even when the process is told to stop.
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), SendTimeout)
	defer cancel()
	detail := ""
	if sendErr != nil {
		detail = sendErr.Error()
		log.Warn("notification not delivered", zap.String("state", string(state)), zap.Error(sendErr))
	}
	if err := w.Outbox.Finish(finish, id, state, detail); err != nil {
		return fmt.Errorf("finish notification: %w", err)
	}
	if again {
		return sendErr
	}
	return nil
}

func (w *Worker) send(ctx context.Context, n alert.Notification) error {
	channel, ok := w.Channels[n.Subscription.Channel]
	if !ok {
		return &alert.SendError{Final: true, Err: fmt.Errorf("no channel %q in this process", n.Subscription.Channel)}
	}
	ctx, cancel := context.WithTimeout(ctx, SendTimeout)
	defer cancel()
	return channel.Send(ctx, n, w.Explainer.Explain(n))
}

// outcome maps what Send returned to the state to keep and whether to try again.
func outcome(n alert.Notification, err error) (state alert.State, again bool) {
	if err == nil {
		return alert.Sent, false
	}
	if f, ok := errors.AsType[*alert.SendError](err); ok {
		switch {
		case f.Disable:
			return alert.Suppressed, false
		case f.Final:
			return alert.Failed, false
		}
	}
	if n.Attempt >= MaxAttempts {
		return alert.Failed, false
	}
	return alert.Pending, true
}
