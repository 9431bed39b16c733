package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// View is the whole database at one moment, for whoever checks it. It is valid
// inside the function that [Store.View] calls, and not for concurrent use.
type View struct {
	tx pgx.Tx
	at time.Time
}

// View calls f with a view. Nothing can be written through it, nobody waits for
// it, and its statements may take long.
func (s *Store) View(ctx context.Context, f func(*View) error) error {
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, opts, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '30min'; SET LOCAL idle_in_transaction_session_timeout = '1h'`); err != nil {
			return err
		}
		v := &View{tx: tx}
		if err := tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&v.at); err != nil {
			return err
		}
		return f(v)
	})
	if err != nil {
		return fmt.Errorf("view: %w", classify(err))
	}
	return nil
}

// At is the moment of the view, by the database's clock.
func (v *View) At() time.Time { return v.at }

const (
	viewHeads = `
SELECT id, seq, epoch, intake_seq, revision, alive, quiet, quarantined, status, body, content_digest FROM profile ORDER BY id`

	viewLive = `
SELECT demand_id, supply_id, demand_seq, supply_seq, epoch, score, band FROM suggestion_live_at(@at) ORDER BY demand_id, supply_id`

	viewEntities = `SELECT org, legal_entity FROM organisation WHERE legal_entity IS NOT NULL`

	viewNetworks = `SELECT cluster, network FROM network_member ORDER BY cluster, network`

	viewDeclined = `
SELECT demand_id, supply_id, coalesce(demand_digest, ''), coalesce(supply_digest, '') FROM decision WHERE verdict = 'declined'`
)

// StoredHead is a row of table profile.
type StoredHead struct {
	suggestion.Head

	Revision uint64
	Status   profile.Status
	Digest   []byte // of what a person judges; nil for a tombstone
}

// Heads calls f for the head of every profile, in order of id; their bodies are
// not decoded.
func (v *View) Heads(ctx context.Context, f func(StoredHead) error) error {
	r, err := v.tx.Query(ctx, viewHeads)
	if err != nil {
		return err
	}
	var h StoredHead
	_, err = pgx.ForEachRow(r, []any{
		&h.ID, &h.Seq, &h.Epoch, &h.IntakeSeq, &h.Revision, &h.Alive, &h.Quiet, &h.Quarantined, &h.Status, &h.Raw, &h.Digest,
	}, func() error { return f(h) })
	return err
}

// Live calls f for every pair that the gate lets through at the moment of the
// view, in order of key, without reasons.
func (v *View) Live(ctx context.Context, f func(suggestion.Pair) error) error {
	r, err := v.tx.Query(ctx, viewLive, pgx.NamedArgs{"at": v.at})
	if err != nil {
		return err
	}
	var p suggestion.Pair
	_, err = pgx.ForEachRow(r, []any{&p.Demand, &p.Supply, &p.DemandSeq, &p.SupplySeq, &p.Epoch, &p.Score, &p.Band}, func() error { return f(p) })
	return err
}

// LegalEntities returns what the operator has said of organisations, by their
// token.
func (v *View) LegalEntities(ctx context.Context) (map[string]string, error) {
	r, err := v.tx.Query(ctx, viewEntities)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	var org, entity string
	_, err = pgx.ForEachRow(r, []any{&org, &entity}, func() error { all[org] = entity; return nil })
	return all, err
}

// Networks returns the networks of each cluster.
func (v *View) Networks(ctx context.Context) (map[string][]string, error) {
	r, err := v.tx.Query(ctx, viewNetworks)
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	var cluster, network string
	_, err = pgx.ForEachRow(r, []any{&cluster, &network}, func() error {
		all[cluster] = append(all[cluster], network)
		return nil
	})
	return all, err
}

// Declined calls f for each pair that was declined, with the digests of what was
// declined.
func (v *View) Declined(ctx context.Context, f func(demand, supply profile.ID, demandDigest, supplyDigest []byte) error) error {
	r, err := v.tx.Query(ctx, viewDeclined)
	if err != nil {
		return err
	}
	var demand, supply profile.ID
	var demandDigest, supplyDigest []byte
	_, err = pgx.ForEachRow(r, []any{&demand, &supply, &demandDigest, &supplyDigest}, func() error {
		return f(demand, supply, demandDigest, supplyDigest)
	})
	return err
}

// ContentDigest is the digest of what a person judges in p, as it is kept of heads
// and of decisions.
func ContentDigest(p *profile.Profile) ([]byte, error) { return contentDigest(p) }

// Anomaly is a state that the rules of the ledger exclude, and how often it is
// there.
type Anomaly struct {
	Name    string
	Count   int64
	Example string // the least of them by its key, in words
}

// The anomalies that Anomalies looks for.
const (
	FutureSuggestion = "future_suggestion" // a row of a revision that is later than the head
	UnnoticedPair    = "unnoticed_pair"    // live, and not remembered in table pair
	MissingAlert     = "missing_alert"     // news that a subscription was not told
	DoubledAlert     = "doubled_alert"     // told again although the band had not risen
	LostAlert        = "lost_alert"        // to be sent, and nothing will send it
	DeadLetter       = "dead_letter"
)

// anomalies select a count and an example each. What is news and who is told of it
// is said here a second time, and not taken from the statement that tells.
var anomalies = []struct{ name, query string }{
	{FutureSuggestion, `
SELECT count(*), min(s.demand_id || ' and ' || s.supply_id)
FROM suggestion s JOIN profile d ON d.id = s.demand_id JOIN profile o ON o.id = s.supply_id
WHERE s.demand_seq > d.seq OR s.supply_seq > o.seq`},

	// Where the gate has been opened a job is on its way to notice.
	{UnnoticedPair, `
SELECT count(*), min(l.demand_id || ' and ' || l.supply_id)
FROM suggestion_live_at(@at) l
LEFT JOIN pair p ON p.demand_id = l.demand_id AND p.supply_id = l.supply_id
WHERE p.demand_id IS NULL AND NOT EXISTS (` + retellWaits + `)`},

	{MissingAlert, `
SELECT count(*), min(l.demand_id || ' and ' || l.supply_id || ', subscription ' || s.id)
FROM suggestion_live_at(@at) l
JOIN pair p ON p.demand_id = l.demand_id AND p.supply_id = l.supply_id
JOIN subscription s ON s.active AND s.cluster IN (l.demand_cluster, l.supply_cluster)
	AND s.created_at < p.first_live_at AND band_rank(l.band) >= band_rank(s.min_band)
WHERE l.news AND NOT EXISTS (
	SELECT FROM notification n
	WHERE n.subscription_id = s.id AND n.demand_id = l.demand_id AND n.supply_id = l.supply_id
	AND n.kind = 'match' AND n.state <> 'held' AND band_rank(n.band) >= band_rank(l.band))
AND NOT EXISTS (` + retellWaits + `)`},

	// One that was held may be told when the band has fallen back.
	{DoubledAlert, `
SELECT count(*), min(a.demand_id || ' and ' || a.supply_id || ', subscription ' || a.subscription_id)
FROM notification a JOIN notification b USING (subscription_id, demand_id, supply_id, kind)
WHERE a.id <> b.id AND a.state = 'sent' AND b.state = 'sent'
AND band_rank(a.band) >= band_rank(b.band) AND a.sent_at < b.created_at`},

	{LostAlert, `
SELECT count(*), min(n.id::text) FROM notification n
WHERE n.state IN ('pending', 'sending') AND n.updated_at < @at::timestamptz - @age::interval
AND NOT EXISTS (
	SELECT FROM river_job j
	WHERE j.kind = 'notify' AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled')
	AND j.args->>'notification_id' = n.id::text)`},

	{DeadLetter, `SELECT count(*), min(subject || ' ' || seq) FROM dead_letter`},
}

// retellWaits finds jobs that are about to look for what became live.
const retellWaits = `
	SELECT FROM river_job j WHERE j.kind = 'retell'
	AND (j.state IN ('available', 'pending', 'retryable', 'running') OR j.state = 'scheduled' AND j.scheduled_at <= clock_timestamp())`

// auditGrace is how long a notification may be without a job: those who look
// after that come by every half minute.
const auditGrace = 5 * time.Minute

// Anomalies looks for every anomaly and returns those that there are.
func (v *View) Anomalies(ctx context.Context) ([]Anomaly, error) {
	var found []Anomaly
	for _, a := range anomalies {
		args := pgx.NamedArgs{"at": v.at, "age": auditGrace}
		var example *string
		got := Anomaly{Name: a.name}
		if err := v.tx.QueryRow(ctx, a.query, args).Scan(&got.Count, &example); err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		if example != nil {
			got.Example = *example
		}
		if got.Count > 0 {
			found = append(found, got)
		}
	}
	return found, nil
}
