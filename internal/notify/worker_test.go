package notify_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap/zaptest"

	"kobling/internal/alert"
	"kobling/internal/notify"
	"kobling/internal/suggestion"
)

// outbox is a notification in memory; the real one is tested in internal/store.
type outbox struct {
	live    bool
	attempt int
	state   alert.State
}

func (o *outbox) Start(context.Context, uuid.UUID) (alert.Notification, bool, error) {
	if !o.live {
		o.state = alert.Held
		return alert.Notification{}, false, nil
	}
	o.attempt++
	return alert.Notification{Attempt: o.attempt, Subscription: alert.Subscription{Channel: alert.Email}}, true, nil
}

func (o *outbox) Finish(_ context.Context, _ uuid.UUID, s alert.State, _ string) error {
	o.state = s
	return nil
}

type channel func() error

func (c channel) Send(context.Context, alert.Notification, []suggestion.Explained) error { return c() }

type explainer struct{}

func (explainer) Explain(alert.Notification) []suggestion.Explained { return nil }

func TestHandleKeepsWhatBecameOfTheAttempt(t *testing.T) {
	t.Parallel()
	down := errors.New("connection refused")
	for _, tt := range []struct {
		name    string
		live    bool
		before  int // attempts made already
		sent    error
		channel alert.Channel
		state   alert.State
		again   bool
	}{
		{name: "delivered", live: true, state: alert.Sent},
		{name: "not live any more", state: alert.Held},
		{name: "an unknown error is tried again", live: true, sent: down, state: alert.Pending, again: true},
		{name: "come back later", live: true, sent: &alert.SendError{After: time.Minute, Err: down}, state: alert.Pending, again: true},
		{name: "it will never work", live: true, sent: &alert.SendError{Final: true, Err: down}, state: alert.Failed},
		{name: "the receiver does not want it", live: true, sent: &alert.SendError{Disable: true, Err: down}, state: alert.Suppressed},
		{name: "tried often enough", live: true, before: notify.MaxAttempts - 1, sent: down, state: alert.Failed},
		{name: "no such channel", live: true, channel: alert.Webhook, state: alert.Failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.channel == "" {
				tt.channel = alert.Email
			}
			o := &outbox{live: tt.live, attempt: tt.before}
			w := notify.Worker{
				Outbox:    o,
				Channels:  map[alert.Channel]notify.Channel{tt.channel: channel(func() error { return tt.sent })},
				Explainer: explainer{},
				Log:       zaptest.NewLogger(t),
			}
			err := w.Handle(t.Context(), uuid.New())
			if (err != nil) != tt.again || o.state != tt.state {
				t.Errorf("Handle = %v with state %s, want again=%t with state %s", err, o.state, tt.again, tt.state)
			}
		})
	}
}
