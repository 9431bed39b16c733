package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"kobling/internal/profile"
)

// Verdict is what an advisor says of a pair.
type Verdict string

// The verdicts.
const (
	AcceptPair  Verdict = "accepted"
	DeclinePair Verdict = "declined" // hides the pair until either side's content changes
)

// Decision is a person's verdict on a pair as both sides stand now.
type Decision struct {
	Demand, Supply profile.ID
	Verdict        Verdict
	Reason         string // why declined, one of the closed list; empty when accepted
	Note           string
	By             string // who
}

// upsertDecision also logs the decision.
const upsertDecision = `
WITH decided AS (
	INSERT INTO decision (demand_id, supply_id, verdict, reason, note, demand_digest, supply_digest, decided_by)
	SELECT d.id, o.id, @verdict, @reason, @note, d.content_digest, o.content_digest, @by
	FROM profile d, profile o WHERE d.id = @demand AND o.id = @supply
	ON CONFLICT (demand_id, supply_id) DO UPDATE SET
		verdict = excluded.verdict, reason = excluded.reason, note = excluded.note,
		demand_digest = excluded.demand_digest, supply_digest = excluded.supply_digest,
		decided_by = excluded.decided_by, decided_at = clock_timestamp()
	RETURNING demand_id, supply_id
), logged AS (
	INSERT INTO event_log (kind, demand_id, supply_id, cluster, detail)
	SELECT 'decision.' || @verdict, c.demand_id, c.supply_id, d.cluster, jsonb_build_object('reason', @reason::text, 'by', @by::text)
	FROM decided c JOIN profile d ON d.id = c.demand_id
)
SELECT demand_id FROM decided`

// Decide records d. The error wraps fault.ErrNotFound if either side was never
// seen, fault.ErrInvalid if the reason is not one of the closed list.
func (s *Store) Decide(ctx context.Context, d Decision) error {
	args := pgx.NamedArgs{
		"demand": string(d.Demand), "supply": string(d.Supply), "verdict": string(d.Verdict),
		"reason": d.Reason, "note": d.Note, "by": d.By,
	}
	return s.inTx(ctx, fmt.Sprintf("decide on %s and %s", d.Demand, d.Supply), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, upsertDecision, args)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return notFound("pair", fmt.Sprintf("%s and %s", d.Demand, d.Supply))
		}
		if d.Verdict == DeclinePair {
			return nil
		}
		// Whether or not an earlier verdict hid the pair: it may have been given at
		// the same moment.
		again := retellJob(retellArgs{Profiles: []profile.ID{d.Demand}}, time.Time{})
		return s.enqueue(ctx, tx, []river.InsertManyParams{again})
	})
}
