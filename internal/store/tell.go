package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"kobling/internal/alert"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// selectNews is the first half of statement 2d: over every live pair of the
// profiles, remember when it was live first and how high, and find what is to
// be told to whom. A pair that has to be announced, because it never was in a
// band as high, is returned even if nobody subscribed; that is another thing than
// having been live: what a re-match made live is announced once it is news.
//
// The planner takes "demand or supply is one of these" for half of all suggestions
// and reads everything there is, so each side is asked for by itself; and a pair
// that was never live is live from now on, which is after every subscription that
// this statement sees, so what risen writes need not be joined. Both together took
// nine tenths of a commit.
//
// It may filter by the state of notifications, because its transaction has
// locked the profiles' rows: an attempt that is asking whether such a pair is
// live holds both heads FOR SHARE, so it has ended, and the next one waits.
const selectNews = `
WITH live AS MATERIALIZED (
	SELECT l.demand_id, l.supply_id, l.score, l.band, l.news, l.demand_cluster, l.supply_cluster,
		p.first_live_at, p.band AS highest, l.news AND band_rank(p.announced) < band_rank(l.band) AS fresh
	FROM unnest(@ids::text[]) AS head (id)
	CROSS JOIN LATERAL (
		SELECT * FROM suggestion_live WHERE demand_id = head.id
		UNION ALL
		SELECT * FROM suggestion_live WHERE supply_id = head.id AND demand_id <> ALL (@ids::text[])
	) l
	LEFT JOIN pair p ON p.demand_id = l.demand_id AND p.supply_id = l.supply_id
), risen AS (
	INSERT INTO pair (demand_id, supply_id, first_live_at, band, announced)
	SELECT demand_id, supply_id, clock_timestamp(), band, CASE WHEN fresh THEN band END
	FROM live WHERE band_rank(highest) < band_rank(band) OR fresh
	ORDER BY demand_id, supply_id
	ON CONFLICT (demand_id, supply_id) DO UPDATE SET
		band = CASE WHEN band_rank(pair.band) < band_rank(excluded.band) THEN excluded.band ELSE pair.band END,
		announced = coalesce(excluded.announced, pair.announced)
), logged AS (
	INSERT INTO event_log (kind, demand_id, supply_id, cluster, detail)
	SELECT 'suggestion.live', demand_id, supply_id, demand_cluster,
		jsonb_build_object('band', band, 'score', score, 'supply_cluster', supply_cluster)
	FROM live WHERE first_live_at IS NULL
	ORDER BY demand_id, supply_id
)
SELECT l.demand_id, l.supply_id, l.score, l.band, l.fresh, s.id, s.channel
FROM live l
LEFT JOIN subscription s ON s.active
	AND s.cluster IN (l.demand_cluster, l.supply_cluster)
	AND (l.first_live_at IS NULL OR s.created_at < l.first_live_at)
	AND band_rank(l.band) >= band_rank(s.min_band)
	AND NOT EXISTS (
		SELECT FROM notification n
		WHERE n.subscription_id = s.id AND n.demand_id = l.demand_id AND n.supply_id = l.supply_id
		AND n.kind = 'match' AND n.state <> 'held' AND band_rank(n.band) >= band_rank(l.band))
WHERE l.news AND (s.id IS NOT NULL OR l.fresh)
ORDER BY l.demand_id, l.supply_id, s.id`

// insertNotifications is the second half of 2d. The ids are made here and not
// in the SELECT because PostgreSQL 15 makes no UUIDv7; between the two
// statements nothing can become news, for the turn is ours.
const insertNotifications = `
INSERT INTO notification (id, dedup_key, subscription_id, channel, demand_id, supply_id, kind, band)
SELECT id, dedup_key, subscription_id, channel, demand_id, supply_id, 'match', band
FROM unnest(@ids::uuid[], @keys::bytea[], @subscriptions::uuid[], @channels::text[], @demand_ids::text[], @supply_ids::text[], @bands::text[])
	AS n (id, dedup_key, subscription_id, channel, demand_id, supply_id, band)
ON CONFLICT (dedup_key) DO UPDATE SET state = 'pending', also_of = NULL, updated_at = clock_timestamp()
WHERE notification.state = 'held'
RETURNING id, channel`

// telling is one thing to tell one subscription.
type telling struct {
	demand, supply profile.ID
	band           suggestion.Band
	subscription   uuid.UUID
	channel        alert.Channel
}

// news is what selectNews found.
type news struct {
	tell []telling
	rose []event.SuggestionCreated // pairs that became live, or rose to a higher band than ever
}

// queue adds selectNews over the profiles ids to batch.
func (n *news) queue(batch *pgx.Batch, ids []string) {
	batch.Queue(selectNews, pgx.NamedArgs{"ids": ids}).Query(func(rows pgx.Rows) error {
		var t telling
		var score float64
		var rose bool
		var subscription *uuid.UUID
		var channel *alert.Channel
		var last event.SuggestionCreated
		_, err := pgx.ForEachRow(rows, []any{&t.demand, &t.supply, &score, &t.band, &rose, &subscription, &channel}, func() error {
			c := event.SuggestionCreated{DemandID: t.demand, SupplyID: t.supply, Score: score, Band: t.band}
			if rose && c != last {
				n.rose = append(n.rose, c)
				last = c
			}
			if subscription != nil {
				t.subscription, t.channel = *subscription, *channel
				n.tell = append(n.tell, t)
			}
			return nil
		})
		return err
	})
}

// tell writes the notifications and the jobs for what was found, and returns
// how many notifications became pending.
func (s *Store) tell(ctx context.Context, tx pgx.Tx, n news) (int, error) {
	if err := n.markTwins(ctx, tx); err != nil {
		return 0, err
	}
	jobs, err := suggestionJobs(n.rose, time.Now())
	if err != nil {
		return 0, err
	}
	told := 0
	if len(n.tell) > 0 {
		pending, err := writeNotifications(ctx, tx, n.tell)
		if err != nil {
			return 0, err
		}
		told = len(pending)
		jobs = append(jobs, pending...)
	}
	return told, s.enqueue(ctx, tx, jobs)
}

// writeNotifications returns one job for each row that it made pending.
func writeNotifications(ctx context.Context, tx pgx.Tx, tell []telling) ([]river.InsertManyParams, error) {
	n := len(tell)
	ids, subscriptions, keys := make([]uuid.UUID, n), make([]uuid.UUID, n), make([][]byte, n)
	channels, demands, supplies, bands := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, t := range tell {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, fmt.Errorf("new notification id: %w", err)
		}
		ids[i], subscriptions[i], keys[i], channels[i] = id, t.subscription, dedupKey(t), string(t.channel)
		demands[i], supplies[i], bands[i] = string(t.demand), string(t.supply), string(t.band)
	}
	rows, err := tx.Query(ctx, insertNotifications, pgx.NamedArgs{
		"ids": ids, "keys": keys, "subscriptions": subscriptions, "channels": channels,
		"demand_ids": demands, "supply_ids": supplies, "bands": bands,
	})
	if err != nil {
		return nil, err
	}
	jobs, err := pgx.CollectRows(rows, scanNotifyJob)
	if err != nil {
		return nil, err
	}
	return jobs, referTwins(ctx, tx, jobs)
}

const lockHeads = `SELECT id FROM profile WHERE id = ANY(@ids::text[]) ORDER BY id FOR NO KEY UPDATE`

// retell does what follows a change of the gate: it tells what became news among
// the live pairs of the profiles ids, and returns how many notifications became
// pending. tx must hold the turn.
func (s *Store) retell(ctx context.Context, tx pgx.Tx, ids []profile.ID) (int, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = string(id)
	}
	var found news
	var batch pgx.Batch
	batch.Queue(lockHeads, pgx.NamedArgs{"ids": keys})
	found.queue(&batch, keys)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return 0, err
	}
	return s.tell(ctx, tx, found)
}
