package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"kobling/internal/alert"
	"kobling/internal/api"
	"kobling/internal/config"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/intake"
	"kobling/internal/match"
	"kobling/internal/notify"
	"kobling/internal/notify/mail"
	"kobling/internal/notify/webhook"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/store"
	"kobling/internal/stream"
	"kobling/internal/suggestion"
)

// durableMatch is the consumer of PROFILES that all match workers share.
const durableMatch = "match"

// intakeParallel is how many profiles' submissions are taken in at once: each
// waits for the disk, not for the processor.
const intakeParallel = 16

// Run plays the roles until ctx ends, then finishes what is in hand.
func (a *App) Run(ctx context.Context) error {
	parts := []Part{{"http", func(ctx context.Context) error { return a.health.Run(ctx, a.http) }}}
	if a.postgres != nil {
		parts = append(parts, Part{"postgres", a.guardPostgres})
	}
	if a.index != nil {
		replica := &replica{streams: a.streams, index: a.index, epoch: a.epoch, log: a.log.Named("index")}
		parts = append(parts, Part{"index", replica.run})
	}
	if a.cfg.Has(config.RoleIntake) {
		parts = append(parts, a.intakePart())
	}
	if a.cfg.Has(config.RoleMatch) {
		parts = append(parts, a.matchParts()...)
	}
	if a.cfg.Has(config.RoleNotify) {
		notifying, err := a.notifyParts()
		if err != nil {
			return err
		}
		parts = append(parts, notifying...)
	}
	if a.cfg.Has(config.RoleAPI) {
		parts = append(parts, a.apiPart())
	}
	return run(ctx, a.log, parts...)
}

// guardPostgres ends the process when its PostgreSQL dies: what is in the stream
// is safe, and a start finds everything again.
func (a *App) guardPostgres(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-a.postgres.Done():
		return fmt.Errorf("the embedded PostgreSQL ended: %w", a.postgres.Err())
	}
}

func (a *App) intakePart() Part {
	w := &intake.Worker{Log: a.streams, Inbox: a.streams, Ledger: a.store, Detector: a.epoch.Analyzer()}
	a.intake.Quarantine = a.store.Quarantine
	handle := stream.Each(intakeParallel, w.Handle)
	return Part{"intake", func(ctx context.Context) error { return a.intake.Run(ctx, handle) }}
}

func (a *App) matchParts() []Part {
	w := &match.Worker{Finder: a.index, Ledger: a.store, Scorer: a.epoch, Log: a.log.Named("match")}
	a.match.Quarantine = a.store.Quarantine
	parts := []Part{{"match", func(ctx context.Context) error { return a.match.Run(ctx, w.Handle) }}}
	if a.epoch.Number() > 1 {
		// Live events and withdrawals never queue behind a re-match.
		again := &match.Worker{Finder: a.index, Ledger: a.store, Scorer: a.epoch, Log: a.log.Named("rematch"), Rematch: true}
		c := &stream.Consumer{
			From: a.streams, Stream: stream.Profiles, Durable: fmt.Sprintf("rematch-%d", a.epoch.Number()),
			Quarantine: a.store.Quarantine, Log: a.log.Named("rematch"),
		}
		parts = append(parts, Part{"rematch", func(ctx context.Context) error { return c.Run(ctx, again.Handle) }})
	}
	return parts
}

func (a *App) notifyParts() ([]Part, error) {
	var parts []Part
	smtp := a.cfg.SMTPURL.Reveal()
	if a.sink != nil {
		smtp = a.sink.URL()
		parts = append(parts, Part{"mail sink", a.sink.Run})
	}
	mailer, err := mail.New(mail.Options{URL: smtp, From: a.cfg.MailFrom, Site: a.cfg.PublicURL})
	if err != nil {
		return nil, err
	}
	allow, err := prefixes(a.cfg.WebhookAllowPrivate)
	if err != nil {
		return nil, err
	}
	hooks := webhook.New(webhook.Options{AllowPrivate: allow, Source: cloudSource(a.cfg), Now: time.Now})
	w := &notify.Worker{
		Outbox:    a.store,
		Channels:  map[alert.Channel]notify.Channel{alert.Email: mailer, alert.Webhook: hooks},
		Explainer: explainer{a.epoch},
		Log:       a.log.Named("notify"),
	}
	return append(parts, Part{"jobs", func(ctx context.Context) error {
		return a.store.RunJobs(ctx, store.Handlers{Notify: w.Handle, Publish: a.publishEvent})
	}}), nil
}

// cloudSource is the CloudEvents source of what this installation says.
func cloudSource(cfg config.Config) string {
	if cfg.PublicURL != "" {
		return cfg.PublicURL
	}
	return "/kobling"
}

func (a *App) publishEvent(ctx context.Context, m event.Message) error {
	id := ""
	if v := m.Header["ce-id"]; len(v) > 0 {
		id = v[0]
	}
	_, err := a.conn.Publish(ctx, m, id)
	return err
}

func (a *App) apiPart() Part {
	s := &api.Service{
		Ledger: ledger{a.store}, Log: a.streams, Finder: a.index, Epoch: a.epoch,
		Status: a.Status, CheckURL: webhook.CheckURL,
	}
	answers := map[string]stream.Answer{}
	for name, f := range s.Answers() {
		answers[name] = f
	}
	return Part{"api", func(ctx context.Context) error { return a.conn.Serve(ctx, "1.0.0", answers) }}
}

// explainer makes the reasons of a notification readable.
type explainer struct{ epoch *score.Epoch }

func (e explainer) Explain(n alert.Notification) []suggestion.Explained {
	return e.epoch.Explain(n.Demand, n.Supply, n.Pair.Reasons, n.Subscription.Language)
}

// ledger is the store as the API wants it.
type ledger struct{ *store.Store }

func (l ledger) Rejection(ctx context.Context, id profile.ID, intakeSeq uint64) (event.Rejection, error) {
	r, err := l.Receipt(ctx, id, intakeSeq)
	if err != nil {
		return event.Rejection{}, err
	}
	if r.Faults == nil {
		return event.Rejection{}, fmt.Errorf("refusal of %s: %w", id, fault.ErrNotFound)
	}
	return event.Rejection{ProfileID: id, IntakeSeq: intakeSeq, Faults: r.Faults}, nil
}

func (l ledger) Subscriptions(ctx context.Context) ([]alert.Subscription, error) {
	return l.Store.Subscriptions(ctx, "")
}

// indexName makes a fingerprint fit to name a directory.
func indexName(e *score.Epoch) string {
	sum := sha256.Sum256([]byte(e.Fingerprint()))
	return hex.EncodeToString(sum[:8])
}
