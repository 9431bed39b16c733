package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"kobling/internal/alert"
	"kobling/internal/fault"
	"kobling/internal/profile"
)

// The statements of Start, in the order of "Delivery" in package match: heads,
// also that of a near-duplicate which may be named, then the notification, and
// only then, with a new snapshot, the live check.
const (
	lockPair = `
SELECT id FROM profile
WHERE id IN (
	SELECT unnest(ARRAY[n.demand_id, n.supply_id, o.demand_id, o.supply_id])
	FROM notification n LEFT JOIN notification o ON o.id = n.also_of WHERE n.id = @id)
ORDER BY id FOR SHARE`

	lockNotification = `
SELECT n.state, s.active FROM notification n JOIN subscription s ON s.id = n.subscription_id
WHERE n.id = @id FOR UPDATE OF n FOR SHARE OF s`

	// The ids are read in subqueries, so that they are known when the view is
	// read. Joined, they would come too late: with more relations than
	// join_collapse_limit the planner reads all suggestions first.
	selectAttempt = `
SELECT n.id, n.kind, n.band, n.created_at, n.attempts + 1,
	EXISTS (
		SELECT FROM notification o
		WHERE o.subscription_id = n.subscription_id AND o.demand_id = n.demand_id AND o.supply_id = n.supply_id
		AND o.kind = n.kind AND o.state <> 'held' AND band_rank(o.band) > band_rank(n.band)),
	s.id, s.cluster, s.name, s.channel, s.address, s.secret, s.language, s.min_band, s.active, s.created_at,
	l.demand_id, l.supply_id, l.demand_seq, l.supply_seq, l.epoch, l.score, l.band, l.reasons,
	d.body, o.body
FROM notification n
JOIN subscription s ON s.id = n.subscription_id
JOIN suggestion_live l ON l.demand_id = (SELECT demand_id FROM notification WHERE id = @id)
	AND l.supply_id = (SELECT supply_id FROM notification WHERE id = @id)
JOIN profile d ON d.id = n.demand_id
JOIN profile o ON o.id = n.supply_id
WHERE n.id = @id`

	// What is told in full refers to nothing from then on, so that others may
	// refer to it.
	startAttempt = `
UPDATE notification SET state = 'sending', attempts = attempts + 1, also_of = CASE WHEN @refers THEN also_of END,
	updated_at = clock_timestamp()
WHERE id = @id`

	putOff = `
UPDATE notification SET state = @state, detail = @detail, updated_at = clock_timestamp() WHERE id = @id`
)

// Start begins an attempt at notification id: its commit is the last moment at
// which a withdrawal can stop it. ok is false when there is nothing to send: the
// pair is not live or is told at a higher band (the notification is held now),
// the subscription has ended (suppressed now), or the notification is held or
// final already. The error is an *alert.SendError while the notification that this
// one would refer to is under way: whether it arrives decides how this one is
// told. The error wraps fault.ErrNotFound if there is no such
// notification.
func (s *Store) Start(ctx context.Context, id uuid.UUID) (n alert.Notification, ok bool, err error) {
	var found attempt
	err = s.inTx(ctx, "start notification "+id.String(), func(tx pgx.Tx) error {
		n, ok, found = alert.Notification{}, false, attempt{}
		if err := found.read(ctx, tx, id); err != nil {
			return err
		}
		args := pgx.NamedArgs{"id": id}
		query := putOff
		switch {
		case found.state != alert.Pending && found.state != alert.Sending:
			return nil
		case !found.subscribed:
			args["state"], args["detail"] = string(alert.Suppressed), "the subscription has ended"
		case !found.live:
			args["state"], args["detail"] = string(alert.Held), "the pair is not live"
		case found.overtaken:
			args["state"], args["detail"] = string(alert.Held), "a higher band is told"
		case found.twin.underWay():
			return &alert.SendError{After: found.twin.pause(), Err: fmt.Errorf("%s is told first", found.twin.notification)}
		default:
			query, ok = startAttempt, true
			args["refers"] = found.twin.told()
		}
		_, err := tx.Exec(ctx, query, args)
		return err
	})
	if err != nil || !ok {
		return alert.Notification{}, false, err
	}
	if n, err = found.notification(); err != nil {
		return alert.Notification{}, false, fmt.Errorf("start notification %s: %w: %w", id, fault.ErrPoison, err)
	}
	return n, true, nil
}

// attempt is what Start reads.
type attempt struct {
	state      alert.State
	subscribed bool
	live       bool
	overtaken  bool // of the same pair a higher band is told, or about to be
	locked     []profile.ID
	twin       twin

	n                       alert.Notification
	reasons, demand, supply []byte
}

func (a *attempt) read(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
	args := pgx.NamedArgs{"id": id}
	var batch pgx.Batch
	batch.Queue(lockPair, args).Query(func(rows pgx.Rows) (err error) {
		a.locked, err = pgx.CollectRows(rows, pgx.RowTo[profile.ID])
		return err
	})
	batch.Queue(lockNotification, args).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&a.state, &a.subscribed)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound("notification", id.String())
		}
		return err
	})
	batch.Queue(selectAttempt, args).QueryRow(func(row pgx.Row) error {
		n, sub, pair := &a.n, &a.n.Subscription, &a.n.Pair
		err := row.Scan(&n.ID, &n.Kind, &n.Band, &n.CreatedAt, &n.Attempt, &a.overtaken,
			&sub.ID, &sub.Cluster, &sub.Name, &sub.Channel, &sub.Address, &sub.Secret, &sub.Language, &sub.MinBand, &sub.Active, &sub.CreatedAt,
			&pair.Demand, &pair.Supply, &pair.DemandSeq, &pair.SupplySeq, &pair.Epoch, &pair.Score, &pair.Band, &a.reasons,
			&a.demand, &a.supply)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // not live
		}
		a.live = err == nil
		return err
	})
	a.twin.queue(&batch, id)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return err
	}
	if !slices.Contains(a.locked, a.twin.id) { // there is none, or since this moment
		a.twin = twin{}
	}
	return nil
}

// notification decodes what was read, after the transaction.
func (a *attempt) notification() (alert.Notification, error) {
	n := a.n
	if err := json.Unmarshal(a.reasons, &n.Pair.Reasons); err != nil {
		return n, fmt.Errorf("decode reasons: %w", err)
	}
	var err error
	if a.twin.told() {
		body, err := decodeBody(a.twin.body)
		if err != nil {
			return n, err
		}
		n.AlsoPostedAs = &alert.Twin{Notification: a.twin.notification, Profile: body}
	}
	if n.Demand, err = decodeBody(a.demand); err != nil {
		return n, err
	}
	n.Supply, err = decodeBody(a.supply)
	return n, err
}

// finishNotification records an attempt's end. What was sent stays sent, so a
// late "pending" of another attempt changes nothing; suppressed by the other
// side means that its endpoint is gone, and ends the subscription.
const finishNotification = `
WITH done AS (
	UPDATE notification SET state = @state, detail = @detail, updated_at = clock_timestamp(),
		sent_at = CASE WHEN @state = 'sent' THEN clock_timestamp() END
	WHERE id = @id AND state NOT IN ('sent', 'failed', 'suppressed') AND (state = 'sending' OR @state <> 'pending')
	RETURNING id, subscription_id, channel, demand_id, supply_id, band, state, attempts
), ended AS (
	UPDATE subscription SET active = false
	WHERE id IN (SELECT subscription_id FROM done WHERE state = 'suppressed')
)
INSERT INTO event_log (kind, demand_id, supply_id, detail)
SELECT 'told.' || channel, demand_id, supply_id, jsonb_build_object('notification', id, 'band', band, 'attempts', attempts)
FROM done WHERE state = 'sent'`

// Finish records what became of the attempt that Start began: sent, failed,
// suppressed (the subscription is ended too), or pending when it will be tried
// again. On a notification that is final already it changes nothing.
func (s *Store) Finish(ctx context.Context, id uuid.UUID, state alert.State, detail string) error {
	switch state {
	case alert.Sent, alert.Failed, alert.Suppressed, alert.Pending:
	default:
		return fmt.Errorf("finish notification %s: %w: state %q is not an outcome", id, fault.ErrInvalid, state)
	}
	_, err := s.exec(ctx, "finish notification "+id.String(), finishNotification,
		pgx.NamedArgs{"id": id, "state": string(state), "detail": storable(detail)})
	return err
}

const selectOutboxAge = `
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(scheduled_at)), 0)::double precision
FROM river_job WHERE state = 'available' AND kind IN ('notify', 'event') AND scheduled_at <= clock_timestamp()`

// OutboxAge returns how long the oldest alert or event that could be sent has been
// waiting for a worker; 0 if there is none. What is to be tried again later does
// not count.
func (s *Store) OutboxAge(ctx context.Context) (time.Duration, error) {
	var seconds float64
	if err := s.pool.QueryRow(ctx, selectOutboxAge).Scan(&seconds); err != nil {
		return 0, fmt.Errorf("age of the outbox: %w", classify(err))
	}
	return time.Duration(seconds * float64(time.Second)), nil
}
