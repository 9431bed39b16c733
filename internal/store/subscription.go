package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"kobling/internal/alert"
	"kobling/internal/fault"
	"kobling/internal/suggestion"
)

const subscriptionColumns = `id, cluster, name, channel, address, secret, language, min_band, active, created_at`

// upsertSubscription keeps created_at while a subscription is active: to
// subscribe again changes how one is told, and forgets nothing.
const upsertSubscription = `
INSERT INTO subscription (id, cluster, name, channel, address, secret, language, min_band)
SELECT @id, id, @name, @channel, @address, @secret, @language, @min_band FROM cluster WHERE id = @cluster
ON CONFLICT (cluster, channel, address) DO UPDATE SET
	name = excluded.name, language = excluded.language, min_band = excluded.min_band,
	secret = CASE WHEN excluded.secret = '' THEN subscription.secret ELSE excluded.secret END,
	created_at = CASE WHEN subscription.active THEN subscription.created_at ELSE excluded.created_at END,
	active = true
RETURNING ` + subscriptionColumns

// Subscribe creates a subscription and returns it as stored. It tells of what
// becomes live from now on: it takes the turn, so that "now" lies before or after
// each match transaction, never within. The same cluster, channel and address
// again change the subscription that exists; an ended one begins anew. The error
// wraps fault.ErrNotFound if there is no such cluster.
func (s *Store) Subscribe(ctx context.Context, sub alert.Subscription) (alert.Subscription, error) {
	if sub.ID == uuid.Nil {
		id, err := uuid.NewV7()
		if err != nil {
			return alert.Subscription{}, fmt.Errorf("new subscription id: %w", err)
		}
		sub.ID = id
	}
	if sub.MinBand == "" {
		sub.MinBand = suggestion.Possible
	}
	if sub.Address == "" {
		return alert.Subscription{}, fmt.Errorf("subscribe: %w: no address", fault.ErrInvalid)
	}
	args := pgx.NamedArgs{
		"id": sub.ID, "cluster": sub.Cluster, "name": sub.Name, "channel": string(sub.Channel), "address": sub.Address,
		"secret": sub.Secret, "language": sub.Language, "min_band": string(sub.MinBand),
	}
	var stored alert.Subscription
	err := s.inTx(ctx, "subscribe", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, takeTurn); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, upsertSubscription, args)
		if err != nil {
			return err
		}
		stored, err = pgx.CollectExactlyOneRow(rows, scanSubscription)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound("cluster", sub.Cluster)
		}
		return err
	})
	return stored, err
}

func scanSubscription(row pgx.CollectableRow) (alert.Subscription, error) {
	var a alert.Subscription
	err := row.Scan(&a.ID, &a.Cluster, &a.Name, &a.Channel, &a.Address, &a.Secret, &a.Language, &a.MinBand, &a.Active, &a.CreatedAt)
	return a, err
}

const selectSubscriptions = `
SELECT ` + subscriptionColumns + ` FROM subscription WHERE @cluster = '' OR cluster = @cluster ORDER BY id`

// Subscriptions returns the subscriptions of a cluster, of all if cluster is
// empty, ended ones too, oldest first.
func (s *Store) Subscriptions(ctx context.Context, cluster string) ([]alert.Subscription, error) {
	return rows(ctx, s, "subscriptions", selectSubscriptions, pgx.NamedArgs{"cluster": cluster}, scanSubscription)
}

const endSubscription = `UPDATE subscription SET active = false WHERE id = @id`

// Unsubscribe ends a subscription: no attempt to tell it starts any more. The
// error wraps fault.ErrNotFound if there is none.
func (s *Store) Unsubscribe(ctx context.Context, id uuid.UUID) error {
	tag, err := s.exec(ctx, "unsubscribe "+id.String(), endSubscription, pgx.NamedArgs{"id": id})
	if err == nil && tag.RowsAffected() == 0 {
		return notFound("subscription", id.String())
	}
	return err
}
