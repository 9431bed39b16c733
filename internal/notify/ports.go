package notify

import (
	"context"

	"github.com/google/uuid"

	"kobling/internal/alert"
	"kobling/internal/suggestion"
)

// Outbox is the table of notifications. internal/store implements it.
type Outbox interface {
	// Start begins an attempt: it locks, asks whether the pair is live, and
	// commits the state sending. ok is false when there is nothing to send: the
	// pair is not live (state held), or the notification is already final. The error
	// is a *alert.SendError that says when to ask again while another notification
	// must be settled first.
	Start(ctx context.Context, id uuid.UUID) (n alert.Notification, ok bool, err error)
	// Finish records what became of the attempt: sent, failed, suppressed, or
	// pending when it will be tried again.
	Finish(ctx context.Context, id uuid.UUID, state alert.State, detail string) error
}

// Channel tells one subscription. Each channel is a sub-package.
type Channel interface {
	// Send delivers n and returns nil once the other side has accepted it. The
	// error is a *alert.SendError when the channel knows what should happen next; any
	// other error is tried again.
	Send(ctx context.Context, n alert.Notification, reasons []suggestion.Explained) error
}

// Explainer makes a pair's reasons readable. score.Epoch implements it.
type Explainer interface {
	Explain(n alert.Notification) []suggestion.Explained
}
