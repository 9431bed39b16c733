package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"kobling/internal/alert"
	"kobling/internal/api"
	"kobling/internal/config"
	"kobling/internal/dlq"
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

// DurableMatch is the consumer of PROFILES that all match workers share.
const DurableMatch = "match"

// intakeParallel is how many profiles' submissions are taken in at once: each
// waits for the disk, not for the processor.
const intakeParallel = 16

// Run plays the roles until ctx ends, then finishes what is in hand. When another
// epoch becomes active they go on in that one.
func (a *App) Run(ctx context.Context) error {
	lasting := []Part{
		{"http", func(ctx context.Context) error { return a.health.Run(ctx, a.http) }},
		{"fence", a.watchFence},
	}
	if a.postgres != nil {
		lasting = append(lasting, Part{"postgres", a.guardPostgres})
	}
	if a.sink != nil {
		lasting = append(lasting, Part{"mail sink", a.sink.Run})
	}
	if a.cfg.Has(config.RoleAPI) {
		lasting = append(lasting, a.apiPart())
	}
	ctx, cancel := context.WithCancel(ctx)
	for i := range lasting {
		part, wait := keep(ctx, lasting[i])
		lasting[i] = part
		defer wait()
	}
	defer cancel()
	for {
		parts, err := a.roleParts()
		if err != nil {
			return err
		}
		var next *era
		parts = append(parts, Part{"epoch", func(ctx context.Context) (err error) {
			next, err = a.awaitEpoch(ctx)
			return err
		}})
		err = run(ctx, a.log, append(parts, lasting...)...)
		if !errors.Is(err, errNewEpoch) {
			return advised(err)
		}
		if err := a.enter(next); err != nil {
			return err
		}
	}
}

// roleParts are the roles in the epoch of now.
func (a *App) roleParts() ([]Part, error) {
	var parts []Part
	now := a.now.Load()
	var sides *match.Sides
	if a.cfg.Has(config.RoleMatch) {
		sides = new(match.Sides)
	}
	if now.index != nil {
		replica := &replica{streams: a.streams, index: now.index, epoch: now.epoch, sides: sides, meter: &a.meters.index, log: a.log.Named("index")}
		parts = append(parts, Part{"index", replica.run})
	}
	if a.cfg.Has(config.RoleIntake) {
		parts = append(parts, a.intakePart(now))
	}
	if a.cfg.Has(config.RoleMatch) {
		parts = append(parts, a.matchParts(now, sides)...)
	}
	if a.cfg.Has(config.RoleNotify) {
		notifying, err := a.notifyPart(now)
		if err != nil {
			return nil, err
		}
		parts = append(parts, notifying)
	}
	return parts, nil
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

func (a *App) intakePart(now *era) Part {
	w := &intake.Worker{Log: a.streams, Inbox: a.streams, Ledger: a.store, Detector: now.epoch.Analyzer()}
	a.intake.Quarantine = a.store.Quarantine
	handle := a.live(stream.Each(intakeParallel, w.Handle))
	return Part{"intake", func(ctx context.Context) error { return a.intake.Run(ctx, handle) }}
}

func (a *App) matchParts(now *era, sides *match.Sides) []Part {
	w := &match.Worker{Finder: now.index, Ledger: a.store, Scorer: now.epoch, Sides: sides, Log: a.log.Named("match"), Observe: a.meters.match.observe}
	a.match.Quarantine = a.store.Quarantine
	handle := a.live(w.Handle)
	again := &match.Worker{
		Finder: now.index, Ledger: a.store, Scorer: now.epoch, Log: a.rematcher.log, Observe: a.meters.rematch.observe,
		Rematch: true, MaxPairs: a.rematcher.rows, Yield: a.rematcher.throttle.Yield,
	}
	rematch := &rematchEra{rematcher: a.rematcher, epoch: now.epoch.Number(), index: now.index, match: again.Handle}
	return []Part{
		{"match", func(ctx context.Context) error { return a.match.Run(ctx, handle) }},
		{"rematch", rematch.run},
	}
}

// live has a re-match step aside while h has something in hand.
func (a *App) live(h stream.Handle) stream.Handle {
	return func(ctx context.Context, ms []event.Message) []error {
		defer a.rematcher.throttle.Live()()
		return h(ctx, ms)
	}
}

func (a *App) notifyPart(now *era) (Part, error) {
	smtp := a.cfg.SMTPURL.Reveal()
	if a.sink != nil {
		smtp = a.sink.URL()
	}
	mailer, err := mail.New(mail.Options{URL: smtp, From: a.cfg.MailFrom, Site: a.cfg.PublicURL})
	if err != nil {
		return Part{}, err
	}
	allow, err := prefixes(a.cfg.WebhookAllowPrivate)
	if err != nil {
		return Part{}, err
	}
	hooks := webhook.New(webhook.Options{AllowPrivate: allow, Source: cloudSource(a.cfg), Now: time.Now})
	w := &notify.Worker{
		Outbox:    a.store,
		Channels:  map[alert.Channel]notify.Channel{alert.Email: mailer, alert.Webhook: hooks},
		Explainer: explainer{now.epoch},
		Log:       a.log.Named("notify"),
	}
	return Part{"jobs", func(ctx context.Context) error {
		return a.store.RunJobs(ctx, store.Handlers{Notify: a.meters.notify.attempt(w.Handle), Publish: a.publishEvent})
	}}, nil
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

// apiPart answers in the epoch of each moment.
func (a *App) apiPart() Part {
	answers := map[string]stream.Answer{}
	for name := range a.service(a.now.Load()).Answers() {
		answers[name] = func(ctx context.Context, in []byte) ([]byte, error) {
			return a.service(a.now.Load()).Answers()[name](ctx, in)
		}
	}
	return Part{"api", func(ctx context.Context) error { return a.conn.Serve(ctx, "1.0.0", answers) }}
}

func (a *App) service(now *era) *api.Service {
	return &api.Service{
		Letters: &dlq.Desk{Ledger: a.store, Log: a.streams},
		Ledger:  ledger{a.store}, Log: a.streams, Finder: now.index, Epoch: now.epoch,
		Index: func(ctx context.Context, q api.IndexQuery) (api.IndexContents, error) {
			return indexContents(ctx, now.index, q)
		},
		Status: a.Status, Rematch: a.rematch, CheckURL: webhook.CheckURL, Room: int(a.conn.MaxPayload()),
	}
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

// IndexName names the directory of an index, in the folder "index" of the data
// directory: by the fingerprint of its epoch, and by how often it was asked that
// indexes are begun anew.
func IndexName(e *score.Epoch, generation int) string {
	sum := sha256.Sum256([]byte(e.Fingerprint()))
	name := hex.EncodeToString(sum[:8])
	if generation > 0 {
		name += fmt.Sprintf("-g%d", generation)
	}
	return name
}
