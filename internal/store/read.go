package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// The two ways of reading suggestions. The bodies are joined to one page only.
const (
	selectPairs = `
SELECT l.demand_id, l.supply_id, l.demand_seq, l.supply_seq, l.epoch, l.score, l.band, l.reasons, p.first_live_at, d.body, o.body, x.body
FROM (
	SELECT * FROM suggestion_live
	WHERE `

	pageOfPairs = `
	AND (@cluster = '' OR demand_cluster = @cluster OR supply_cluster = @cluster)
	AND band_rank(band) >= @rank
	ORDER BY score DESC, demand_id, supply_id
	LIMIT nullif(@limit::bigint, 0) OFFSET @offset
) l
JOIN profile d ON d.id = l.demand_id
JOIN profile o ON o.id = l.supply_id
LEFT JOIN pair p ON p.demand_id = l.demand_id AND p.supply_id = l.supply_id
LEFT JOIN LATERAL (SELECT body FROM profile WHERE id = also_posted_as(l.demand_id, l.supply_id, clock_timestamp()) LIMIT 1) x ON true
ORDER BY l.score DESC, l.demand_id, l.supply_id`

	selectAllPairs       = selectPairs + `@profile = ''` + pageOfPairs
	selectPairsOfProfile = selectPairs + `(demand_id = @profile OR supply_id = @profile)` + pageOfPairs
)

// Suggestions returns the live pairs that f chooses, strongest first, with both
// bodies. FirstLiveAt is zero for a pair that the gate has opened just now.
func (s *Store) Suggestions(ctx context.Context, f suggestion.Filter) ([]suggestion.Row, error) {
	query := selectAllPairs
	if f.Profile != "" {
		query = selectPairsOfProfile
	}
	args := pgx.NamedArgs{
		"profile": string(f.Profile), "cluster": f.Cluster, "rank": f.MinBand.Rank(), "limit": f.Limit, "offset": f.Offset,
	}
	return rows(ctx, s, "suggestions", query, args, func(row pgx.CollectableRow) (suggestion.Row, error) {
		var r suggestion.Row
		var reasons, demand, supply, twin []byte
		var firstLive *time.Time
		if err := row.Scan(&r.Demand, &r.Supply, &r.DemandSeq, &r.SupplySeq, &r.Epoch, &r.Score, &r.Band, &reasons, &firstLive, &demand, &supply, &twin); err != nil {
			return r, err
		}
		if firstLive != nil {
			r.FirstLiveAt = *firstLive
		}
		if err := json.Unmarshal(reasons, &r.Reasons); err != nil {
			return r, fmt.Errorf("decode reasons: %w", err)
		}
		var err error
		if r.DemandProfile, err = decodeBody(demand); err != nil {
			return r, err
		}
		if r.SupplyProfile, err = decodeBody(supply); err != nil {
			return r, err
		}
		r.Twin, err = decodeBody(twin)
		return r, err
	})
}

// selectGate says in words what suggestion_live_at says in a condition.
const selectGate = `
SELECT array_remove(ARRAY[
	CASE WHEN d.id IS NULL THEN 'demand_unknown' END,
	CASE WHEN o.id IS NULL THEN 'supply_unknown' END,
	CASE WHEN NOT d.alive THEN 'demand_not_published' END,
	CASE WHEN NOT o.alive THEN 'supply_not_published' END,
	CASE WHEN d.quarantined THEN 'demand_quarantined' END,
	CASE WHEN o.quarantined THEN 'supply_quarantined' END,
	CASE WHEN d.valid_from > t THEN 'demand_not_yet_valid' END,
	CASE WHEN o.valid_from > t THEN 'supply_not_yet_valid' END,
	CASE WHEN d.valid_until <= t THEN 'demand_expired' END,
	CASE WHEN o.valid_until <= t THEN 'supply_expired' END,
	CASE WHEN coalesce(de.legal_entity, d.legal_entity, d.org) = coalesce(oe.legal_entity, o.legal_entity, o.org) THEN 'same_legal_entity' END,
	CASE WHEN d.visibility = 'private' OR o.visibility = 'private'
		OR d.cluster <> o.cluster AND NOT (
			d.visibility = 'public' AND o.visibility = 'public'
			OR d.visibility IN ('network', 'public') AND o.visibility IN ('network', 'public') AND EXISTS (
				SELECT FROM network_member a JOIN network_member b USING (network)
				WHERE a.cluster = d.cluster AND b.cluster = o.cluster))
		THEN 'visibility' END,
	CASE WHEN x.verdict = 'declined' AND x.demand_digest = d.content_digest AND x.supply_digest = o.content_digest THEN 'declined' END,
	CASE WHEN s.demand_id IS NULL THEN 'no_suggestion' END
], NULL)
FROM (SELECT @demand::text AS demand, @supply::text AS supply, clock_timestamp() AS t) asked
LEFT JOIN profile d ON d.id = asked.demand
LEFT JOIN profile o ON o.id = asked.supply
LEFT JOIN organisation de ON de.org = d.org
LEFT JOIN organisation oe ON oe.org = o.org
LEFT JOIN decision x ON x.demand_id = asked.demand AND x.supply_id = asked.supply
LEFT JOIN suggestion s ON s.demand_id = asked.demand AND s.supply_id = asked.supply
	AND s.demand_seq = d.seq AND s.supply_seq = o.seq AND s.epoch = greatest(d.epoch, o.epoch)`

// Gate returns why a pair is not shown now, e.g. "supply_expired"; nothing if it
// is. "no_suggestion" says that the predicate refused it, or has not judged both
// newest revisions yet.
func (s *Store) Gate(ctx context.Context, demand, supply profile.ID) ([]string, error) {
	var why []string
	err := s.pool.QueryRow(ctx, selectGate, pgx.NamedArgs{"demand": string(demand), "supply": string(supply)}).Scan(&why)
	if err != nil {
		return nil, fmt.Errorf("gate of %s and %s: %w", demand, supply, classify(err))
	}
	return why, nil
}

// Stats are counts for a person who wonders how things stand.
type Stats struct {
	Profiles      int64 // alive
	Suggestions   int64 // live
	Subscriptions int64 // active
	Rejections    int64
	DeadLetters   int64
	Notifications map[string]int64 // by state
	Notify        int64            // notifications pending or sending
	Events        int64            // jobs with events not yet published
}

const selectStats = `
SELECT
	(SELECT count(*) FROM profile WHERE alive),
	(SELECT count(*) FROM suggestion_live),
	(SELECT count(*) FROM subscription WHERE active),
	(SELECT count(*) FROM rejection),
	(SELECT count(*) FROM dead_letter),
	(SELECT coalesce(jsonb_object_agg(state, n), '{}') FROM (SELECT state, count(*) AS n FROM notification GROUP BY state) s),
	(SELECT count(*) FROM notification WHERE state IN ('pending', 'sending')),
	(SELECT count(*) FROM river_job WHERE kind = 'event' AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled'))`

// Stats counts.
func (s *Store) Stats(ctx context.Context) (Stats, error) {
	var c Stats
	var states []byte
	err := s.pool.QueryRow(ctx, selectStats).Scan(&c.Profiles, &c.Suggestions, &c.Subscriptions, &c.Rejections,
		&c.DeadLetters, &states, &c.Notify, &c.Events)
	if err == nil {
		err = json.Unmarshal(states, &c.Notifications)
	}
	if err != nil {
		return Stats{}, fmt.Errorf("stats: %w", classify(err))
	}
	return c, nil
}
