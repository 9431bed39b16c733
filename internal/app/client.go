package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"kobling/internal/alert"
	"kobling/internal/api"
	"kobling/internal/config"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/stream"
	"kobling/internal/suggestion"
)

// Client talks to a running service over NATS, as any other program could.
type Client struct {
	conn *stream.Conn
	own  bool // whether Close closes conn
}

// Dial connects to the service that cfg names: its NATS server, or the service
// that runs with cfg's data directory on this machine.
func Dial(ctx context.Context, cfg config.Config) (*Client, error) {
	o := natsOptions(cfg, zap.NewNop())
	o.Name = "kobling command"
	if cfg.EmbeddedNATS() {
		info, err := ReadRunInfo(cfg.DataDir)
		if err != nil {
			return nil, err
		}
		o.URL, o.User, o.Password = info.NATSURL, info.NATSUser, info.NATSPassword
		o.Wait = localWait
	}
	conn, err := stream.Connect(ctx, o)
	switch {
	case errors.Is(err, fault.ErrUnavailable) && cfg.EmbeddedNATS(): // it was killed: its run.json is still there
		return nil, fmt.Errorf("reach the service: %w; start \"kobling serve --data-dir %s\" if it does not run", err, cfg.DataDir)
	case err != nil:
		return nil, fmt.Errorf("reach the service: %w", err)
	}
	return &Client{conn: conn, own: true}, nil
}

// localWait is how long a server on this machine is waited for: it is there or not.
const localWait = 3 * time.Second

func natsOptions(cfg config.Config, log *zap.Logger) stream.Options {
	return stream.Options{
		URL: cfg.NATSURL, User: cfg.NATSUser, Password: cfg.NATSPassword.Reveal(), NkeySeed: cfg.NATSNkeySeed.Reveal(),
		Name: "kobling", Log: log,
	}
}

// Close ends the connection.
func (c *Client) Close() {
	if c.own {
		c.conn.Close()
	}
}

// Submission is something said of a profile.
type Submission struct {
	ID               profile.ID
	Type             string // event.TypeSubmitted, TypePaused, …
	Data             json.RawMessage
	ExpectedRevision uint64 // 0: none
	EventID          string // "": a new one; the same again is taken in once
}

// Submit publishes s and returns its number on the INTAKE stream, once it is
// safe on the disk.
func (c *Client) Submit(ctx context.Context, s Submission) (uint64, error) {
	if s.EventID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return 0, err
		}
		s.EventID = id.String()
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	e := event.Envelope{
		ID: s.EventID, Source: "/kobling/" + host, Type: s.Type, Subject: string(s.ID),
		Time: time.Now().UTC(), ExpectedRevision: s.ExpectedRevision, Data: s.Data,
	}
	seq, err := c.conn.Publish(ctx, e.Binary(event.Subject(event.Intake, s.ID)), s.EventID)
	if err != nil {
		return 0, fmt.Errorf("submit %s: %w", s.ID, err)
	}
	return seq, nil
}

// ask asks the service for op.
func ask[Out any](ctx context.Context, c *Client, op string, in any) (Out, error) {
	var out Out
	b, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	if b, err = c.conn.Request(ctx, op, b); err != nil {
		return out, err
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return out, fmt.Errorf("answer to %s: %w", op, err)
	}
	return out, nil
}

// Status says how far the work has come.
func (c *Client) Status(ctx context.Context) (api.Status, error) {
	return ask[api.Status](ctx, c, api.OpStatus, struct{}{})
}

// Receipt says what became of a submission.
func (c *Client) Receipt(ctx context.Context, id profile.ID, seq uint64) (api.Receipt, error) {
	return ask[api.Receipt](ctx, c, api.OpReceipt, api.ReceiptQuery{ProfileID: id, IntakeSeq: seq})
}

// Await waits for the verdict on a submission, at most wait. What it returns
// still waits if the time is over.
func (c *Client) Await(ctx context.Context, id profile.ID, seq uint64, wait time.Duration) (api.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var r api.Receipt
	err := poll(ctx, func() (bool, error) {
		var err error
		r, err = c.Receipt(ctx, id, seq)
		return r.State != api.Waits && (r.State != api.Accepted || r.Matched), err
	})
	if r.State != "" && ctx.Err() != nil {
		return r, nil
	}
	return r, err
}

// AwaitIdle waits until nothing is waiting any more, and shows every state. A
// service that is too busy to answer is asked again.
func (c *Client) AwaitIdle(ctx context.Context, show func(api.Status)) error {
	silent := 0
	return poll(ctx, func() (bool, error) {
		s, err := c.Status(ctx)
		switch {
		case errors.Is(err, fault.ErrUnavailable) && silent < maxSilent:
			silent++
			return false, nil
		case err != nil:
			return false, err
		}
		silent = 0
		show(s)
		return s.Waiting.Idle(), nil
	})
}

// maxSilent is how many questions in a row may go unanswered.
const maxSilent = 20

// pollEvery is how often a command looks whether something has happened, and
// pollShare how much longer than the look itself the pause is: counting many
// suggestions costs the service something.
const (
	pollEvery = 50 * time.Millisecond
	pollShare = 9
)

func poll(ctx context.Context, done func() (bool, error)) error {
	for {
		began := time.Now()
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(max(pollEvery, pollShare*time.Since(began))):
		}
	}
}

// Suggestions returns the suggestions that q chooses, page by page.
func (c *Client) Suggestions(ctx context.Context, q api.SuggestionsQuery) ([]suggestion.Suggestion, error) {
	all, limit := []suggestion.Suggestion{}, q.Limit
	for {
		q.Limit = api.MaxPage
		if limit > 0 {
			q.Limit = min(limit-len(all), api.MaxPage)
		}
		page, err := ask[api.Suggestions](ctx, c, api.OpSuggestions, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == 0 || (limit > 0 && len(all) >= limit) {
			return all, nil
		}
		q.Offset = page.Next
	}
}

// Search finds profiles by a text.
func (c *Client) Search(ctx context.Context, q api.SearchQuery) (api.Hits, error) {
	return ask[api.Hits](ctx, c, api.OpSearch, q)
}

// Explain says everything about a pair.
func (c *Client) Explain(ctx context.Context, q api.ExplainQuery) (api.Explanation, error) {
	return ask[api.Explanation](ctx, c, api.OpExplain, q)
}

// Unknown calls f for the words of all published profiles that no concept knows,
// page by page.
func (c *Client) Unknown(ctx context.Context, f func(api.UnknownWords)) error {
	var q api.UnknownQuery
	for {
		page, err := ask[api.UnknownWords](ctx, c, api.OpUnknown, q)
		if err != nil {
			return err
		}
		f(page)
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// Rematch says how far the last re-match is, and may begin one.
func (c *Client) Rematch(ctx context.Context, q api.RematchQuery) (api.Rematch, error) {
	return ask[api.Rematch](ctx, c, api.OpRematch, q)
}

// Subscribe makes a subscription.
func (c *Client) Subscribe(ctx context.Context, s alert.Subscription) (api.NewSubscription, error) {
	return ask[api.NewSubscription](ctx, c, api.OpSubscribe, s)
}

// Subscriptions lists all subscriptions.
func (c *Client) Subscriptions(ctx context.Context) (api.Subscriptions, error) {
	return ask[api.Subscriptions](ctx, c, api.OpSubscriptions, struct{}{})
}

// Unsubscribe ends a subscription.
func (c *Client) Unsubscribe(ctx context.Context, id uuid.UUID) error {
	_, err := ask[struct{}](ctx, c, api.OpUnsubscribe, api.Unsubscribe{ID: id})
	return err
}

// DeadLetters calls f for the messages that were given up, the latest first.
func (c *Client) DeadLetters(ctx context.Context, f func(api.DeadLetterRow) error) error {
	var q api.LettersQuery
	for {
		page, err := ask[api.DeadLetters](ctx, c, api.OpDeadLetters, q)
		if err != nil {
			return err
		}
		for _, l := range page.Items {
			if err := f(l); err != nil {
				return err
			}
		}
		if page.Next == 0 {
			return nil
		}
		q.Offset = page.Next
	}
}

// DeadLetter returns one message that was given up.
func (c *Client) DeadLetter(ctx context.Context, id string) (api.DeadLetter, error) {
	return ask[api.DeadLetter](ctx, c, api.OpDeadLetter, api.LetterQuery{ID: id})
}

// Retry puts a message that was given up through again.
func (c *Client) Retry(ctx context.Context, id string) (api.Retried, error) {
	return ask[api.Retried](ctx, c, api.OpRetry, api.LetterQuery{ID: id})
}

// Drop forgets a message that was given up.
func (c *Client) Drop(ctx context.Context, id string) error {
	_, err := ask[struct{}](ctx, c, api.OpDrop, api.LetterQuery{ID: id})
	return err
}
