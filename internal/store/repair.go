package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// IndexGeneration returns how often it was asked that indexes are begun anew.
func (s *Store) IndexGeneration(ctx context.Context) (int, error) {
	var n int
	if err := s.pool.QueryRow(ctx, `SELECT index_generation FROM repair`).Scan(&n); err != nil {
		return 0, fmt.Errorf("index generation: %w", classify(err))
	}
	return n, nil
}

// RebuildIndexes asks every process to begin its index anew, and returns the new
// generation.
func (s *Store) RebuildIndexes(ctx context.Context) (int, error) {
	var n int
	err := s.pool.QueryRow(ctx, `UPDATE repair SET index_generation = index_generation + 1 RETURNING index_generation`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("rebuild indexes: %w", classify(err))
	}
	return n, nil
}

const updateQuiet = `
UPDATE repair SET quiet_until = greatest(quiet_until, @seq), quiet_since = clock_timestamp()`

// QuietUntil has what heads learn from now on up to the PROFILES sequence seq told
// to nobody, but withheld; see Withheld.
func (s *Store) QuietUntil(ctx context.Context, seq uint64) error {
	_, err := s.exec(ctx, fmt.Sprintf("be quiet until %d", seq), updateQuiet, pgx.NamedArgs{"seq": seq})
	return err
}

// Heights are the greatest sequences that the database knows.
type Heights struct {
	Seq       uint64 // in PROFILES
	IntakeSeq uint64 // in INTAKE
}

const selectHeights = `
SELECT greatest((SELECT max(seq) FROM profile), (SELECT max(greatest(demand_seq, supply_seq)) FROM suggestion), 0),
	greatest((SELECT max(intake_seq) FROM profile), (SELECT max(intake_seq) FROM rejection), 0)`

// Heights returns them, of everything that is kept.
func (s *Store) Heights(ctx context.Context) (Heights, error) {
	var h Heights
	if err := s.pool.QueryRow(ctx, selectHeights).Scan(&h.Seq, &h.IntakeSeq); err != nil {
		return h, fmt.Errorf("greatest sequences: %w", classify(err))
	}
	return h, nil
}

// Refused reports whether the submission with that sequence of INTAKE was refused.
func (s *Store) Refused(ctx context.Context, intakeSeq uint64) (bool, error) {
	var refused bool
	err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM rejection WHERE intake_seq = @seq)`, pgx.NamedArgs{"seq": intakeSeq}).Scan(&refused)
	if err != nil {
		return false, fmt.Errorf("refusal of submission %d: %w", intakeSeq, classify(err))
	}
	return refused, nil
}

const (
	selectLatest = `SELECT id, seq FROM profile ORDER BY seq DESC, id LIMIT @limit`

	selectIntakeHeight = `SELECT greatest((SELECT max(intake_seq) FROM profile), (SELECT max(intake_seq) FROM rejection), 0)`
)

// Latest returns the profiles that the database learnt of last, at most limit,
// with their sequences in PROFILES, the last first, and the greatest sequence of
// INTAKE that it knows: what a start compares with the streams.
func (s *Store) Latest(ctx context.Context, limit int) (heads []suggestion.Head, intake uint64, err error) {
	heads, err = rows(ctx, s, "latest profiles", selectLatest, pgx.NamedArgs{"limit": limit}, func(row pgx.CollectableRow) (suggestion.Head, error) {
		var h suggestion.Head
		err := row.Scan(&h.ID, &h.Seq)
		return h, err
	})
	if err != nil {
		return nil, 0, err
	}
	if err := s.pool.QueryRow(ctx, selectIntakeHeight).Scan(&intake); err != nil {
		return nil, 0, fmt.Errorf("latest submission: %w", classify(err))
	}
	return heads, intake, nil
}

// withheldPairs are live pairs of which nobody was told because a recovery brought
// the later side's revision, and that became live after that recovery.
const withheldPairs = `
FROM suggestion_live l
JOIN profile d ON d.id = l.demand_id
JOIN profile o ON o.id = l.supply_id
JOIN pair p ON p.demand_id = l.demand_id AND p.supply_id = l.supply_id
CROSS JOIN repair r
WHERE NOT l.rematch AND CASE WHEN d.seq > o.seq THEN d.withheld ELSE o.withheld END
AND p.announced IS NULL AND p.first_live_at >= r.quiet_since`

const selectWithheld = `
SELECT l.demand_id, l.supply_id, l.demand_seq, l.supply_seq, l.epoch, l.score, l.band, p.first_live_at, d.body, o.body ` + withheldPairs + `
ORDER BY l.score DESC, l.demand_id, l.supply_id LIMIT @limit OFFSET @offset`

// Withheld returns the live pairs that were told to nobody because a recovery
// brought them, the strongest first: at most limit, after the first offset.
func (s *Store) Withheld(ctx context.Context, limit, offset int) ([]suggestion.Row, error) {
	return rows(ctx, s, "withheld suggestions", selectWithheld, pgx.NamedArgs{"limit": limit, "offset": offset},
		func(row pgx.CollectableRow) (suggestion.Row, error) {
			var r suggestion.Row
			var demand, supply []byte
			if err := row.Scan(&r.Demand, &r.Supply, &r.DemandSeq, &r.SupplySeq, &r.Epoch, &r.Score, &r.Band, &r.FirstLiveAt, &demand, &supply); err != nil {
				return r, err
			}
			var errs [2]error
			r.DemandProfile, errs[0] = decodeBody(demand)
			r.SupplyProfile, errs[1] = decodeBody(supply)
			return r, errors.Join(errs[:]...)
		})
}

// releaseHeads lifts the silence of profiles: of one, or of all.
const releaseHeads = `
WITH chosen AS (
	SELECT id FROM profile WHERE withheld AND (@id = '' OR id = @id) ORDER BY id FOR NO KEY UPDATE
)
UPDATE profile p SET withheld = false, quiet = false, updated_at = clock_timestamp()
FROM chosen c WHERE p.id = c.id RETURNING p.id`

// Release has told what was withheld of the profile id, of all profiles if it is
// empty, and returns of how many profiles. Who is told is decided by a job.
func (s *Store) Release(ctx context.Context, id profile.ID) (int, error) {
	n := 0
	err := s.inTx(ctx, "release", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, takeTurn); err != nil {
			return err
		}
		r, err := tx.Query(ctx, releaseHeads, pgx.NamedArgs{"id": string(id)})
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(r, pgx.RowTo[profile.ID])
		if err != nil {
			return err
		}
		n = len(ids)
		var jobs []river.InsertManyParams
		for from := 0; from < len(ids); from += retellPage {
			jobs = append(jobs, retellJob(retellArgs{Profiles: ids[from:min(from+retellPage, len(ids))]}, time.Time{}))
		}
		return s.enqueue(ctx, tx, jobs)
	})
	return n, err
}
