package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"kobling/internal/alert"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// selectReferences finds, for the notifications made pending just now, in order
// of key, what each could refer to, the earliest first: those in full, of the
// same subscription and counterpart, of a near-duplicate.
const selectReferences = `
SELECT n.id, e.id, e.demand_id, e.supply_id, n.demand_id, n.supply_id
FROM notification n
CROSS JOIN LATERAL (
	SELECT o.id, o.demand_id, o.supply_id, o.created_at, o.state, o.also_of, o.kind
	FROM twins_of(n.demand_id, clock_timestamp()) x
	JOIN notification o ON o.subscription_id = n.subscription_id AND o.demand_id = x.twin_id AND o.supply_id = n.supply_id
	UNION ALL
	SELECT o.id, o.demand_id, o.supply_id, o.created_at, o.state, o.also_of, o.kind
	FROM twins_of(n.supply_id, clock_timestamp()) x
	JOIN notification o ON o.subscription_id = n.subscription_id AND o.demand_id = n.demand_id AND o.supply_id = x.twin_id
) e
WHERE n.id = ANY(@ids::uuid[]) AND e.kind = n.kind AND e.also_of IS NULL AND e.state IN ('pending', 'sending', 'sent')
ORDER BY n.demand_id, n.supply_id, n.id, e.created_at, e.id`

const setReferences = `
UPDATE notification SET also_of = r.also_of
FROM unnest(@ids::uuid[], @of::uuid[]) AS r (id, also_of) WHERE notification.id = r.id`

// referTwins decides which of the notifications of jobs, made pending by this
// transaction, will only say "also posted as". They are decided on in order of
// key, and only what is told in full is referred to: if b is like a and c is
// like b, but not like a, then a and c are told in full.
func referTwins(ctx context.Context, tx pgx.Tx, jobs []river.InsertManyParams) error {
	ids := make([]uuid.UUID, 0, len(jobs))
	made := make(map[uuid.UUID]bool, len(jobs))
	for _, j := range jobs {
		if args, ok := j.Args.(notifyArgs); ok {
			ids = append(ids, args.NotificationID)
			made[args.NotificationID] = true
		}
	}
	rows, err := tx.Query(ctx, selectReferences, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	refers := make(map[uuid.UUID]uuid.UUID)
	var short, of []uuid.UUID
	var id, other uuid.UUID
	var theirs, ours [2]profile.ID
	_, err = pgx.ForEachRow(rows, []any{&id, &other, &theirs[0], &theirs[1], &ours[0], &ours[1]}, func() error {
		undecided := made[other] && (theirs[0] > ours[0] || theirs[0] == ours[0] && theirs[1] > ours[1])
		if _, done := refers[id]; done || undecided {
			return nil
		}
		if _, isShort := refers[other]; !isShort {
			refers[id] = other
			short, of = append(short, id), append(of, other)
		}
		return nil
	})
	if err != nil || len(short) == 0 {
		return err
	}
	_, err = tx.Exec(ctx, setReferences, pgx.NamedArgs{"ids": short, "of": of})
	return err
}

// selectRisenTwins asks the function only about what has a near-duplicate at
// all, for it costs more than everything else that a pair does.
const selectRisenTwins = `
SELECT r.n, also_posted_as(r.demand, r.supply, clock_timestamp())
FROM unnest(@demands::text[], @supplies::text[]) WITH ORDINALITY AS r (demand, supply, n)
WHERE EXISTS (SELECT FROM duplicate d WHERE d.a_id IN (r.demand, r.supply))
OR EXISTS (SELECT FROM duplicate d WHERE d.b_id IN (r.demand, r.supply))`

// markTwins completes the events about pairs that rose with the near-duplicates
// of which others have heard already.
func (n *news) markTwins(ctx context.Context, tx pgx.Tx) error {
	if len(n.rose) == 0 {
		return nil
	}
	demands, supplies := make([]string, len(n.rose)), make([]string, len(n.rose))
	for i, c := range n.rose {
		demands[i], supplies[i] = string(c.DemandID), string(c.SupplyID)
	}
	rows, err := tx.Query(ctx, selectRisenTwins, pgx.NamedArgs{"demands": demands, "supplies": supplies})
	if err != nil {
		return err
	}
	var place int
	var id *profile.ID
	_, err = pgx.ForEachRow(rows, []any{&place, &id}, func() error {
		if id != nil {
			n.rose[place-1].AlsoPostedAs = &suggestion.Twin{ID: *id}
		}
		return nil
	})
	return err
}

// selectTwin finds what notification @id may refer to now: the near-duplicate is
// one still, may be named, and is told in full.
const selectTwin = `
SELECT o.id, o.state, extract(epoch FROM clock_timestamp() - o.updated_at)::double precision, t.id, t.body
FROM notification n
JOIN notification o ON o.id = n.also_of
JOIN profile t ON t.id IN (o.demand_id, o.supply_id) AND t.id NOT IN (n.demand_id, n.supply_id)
WHERE n.id = @id AND o.also_of IS NULL AND o.state IN ('pending', 'sending', 'sent')
AND EXISTS (
	SELECT FROM twins_of(CASE WHEN t.id = o.demand_id THEN n.demand_id ELSE n.supply_id END, clock_timestamp()) x
	WHERE x.twin_id = t.id)`

// twin is a near-duplicate to which a notification may refer; the zero twin is
// none.
type twin struct {
	notification uuid.UUID
	state        alert.State
	age          float64 // of the state, in seconds
	id           profile.ID
	body         []byte
}

// queue adds selectTwin to batch.
func (t *twin) queue(batch *pgx.Batch, id uuid.UUID) {
	batch.Queue(selectTwin, pgx.NamedArgs{"id": id}).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&t.notification, &t.state, &t.age, &t.id, &t.body}, func() error { return nil })
		if err != nil {
			return fmt.Errorf("near-duplicate of notification %s: %w", id, err)
		}
		return nil
	})
}

func (t *twin) told() bool { return t.state == alert.Sent }

func (t *twin) underWay() bool { return t.state == alert.Pending || t.state == alert.Sending }

// pause is how long to wait before one looks again whether the other has
// arrived: a second at first, a minute in the end.
func (t *twin) pause() time.Duration {
	return min(max(time.Duration(t.age*float64(time.Second))/2, time.Second), time.Minute)
}
