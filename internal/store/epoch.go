package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"kobling/internal/fault"
	"kobling/internal/profile"
)

const selectEpoch = `SELECT number, fingerprint FROM active_epoch`

// ActiveEpoch returns the number of the epoch under which suggestions are made
// and the fingerprint of its parts; 0 and "" before the first SetEpoch.
func (s *Store) ActiveEpoch(ctx context.Context) (number int, fingerprint string, err error) {
	if err := s.pool.QueryRow(ctx, selectEpoch).Scan(&number, &fingerprint); err != nil {
		return 0, "", fmt.Errorf("active epoch: %w", classify(err))
	}
	return number, fingerprint, nil
}

const updateEpoch = `
WITH raised AS (
	UPDATE active_epoch SET number = @number, fingerprint = @fingerprint, updated_at = clock_timestamp()
	WHERE number < @number
	RETURNING number, fingerprint
), logged AS (
	INSERT INTO event_log (kind, detail)
	SELECT 'epoch.active', jsonb_build_object('number', number, 'fingerprint', fingerprint) FROM raised
)
SELECT EXISTS (SELECT FROM raised)
	OR EXISTS (SELECT FROM active_epoch WHERE number = @number AND fingerprint = @fingerprint)`

// Epoch is one version of the predicate as it is kept.
type Epoch struct {
	Number      int
	Fingerprint string
	About       []byte // JSON, for people
	Model       []byte // what the epoch is made with
	MadeAt      time.Time
}

// keptEpochs is how many are kept: a model can be large.
const keptEpochs = 5

const (
	// A large model takes longer than other statements may.
	takeTime = `SET LOCAL statement_timeout = '2min'`

	insertEpoch = `
INSERT INTO epoch (number, fingerprint, about, model) VALUES (@number, @fingerprint, @about::text::jsonb, @model)
ON CONFLICT (number) DO NOTHING`

	deleteEpochs = `
DELETE FROM epoch WHERE number NOT IN (SELECT number FROM epoch ORDER BY number DESC LIMIT @kept)`
)

// SetEpoch makes number the active epoch and keeps what it is made with; about is
// JSON. It waits for the turn, so from its return on nothing is written under an
// older epoch. To set the active epoch again changes nothing. The error wraps
// fault.ErrStale if a later epoch is active, or the same number with another
// fingerprint.
func (s *Store) SetEpoch(ctx context.Context, number int, fingerprint string, model, about []byte) error {
	if model == nil {
		model = []byte{}
	}
	if about == nil {
		about = []byte("{}")
	}
	args := pgx.NamedArgs{
		"number": number, "fingerprint": fingerprint, "model": model, "about": string(about), "kept": keptEpochs,
	}
	return s.inTx(ctx, fmt.Sprintf("set epoch %d", number), func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, takeTime); err != nil {
			return err
		}
		// First what takes long: nobody waits for this row, and everybody for the turn.
		if _, err := tx.Exec(ctx, insertEpoch, args); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, takeTurn); err != nil {
			return err
		}
		var ok bool
		if err := tx.QueryRow(ctx, updateEpoch, args).Scan(&ok); err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: another epoch is active", fault.ErrStale)
		}
		_, err := tx.Exec(ctx, deleteEpochs, args)
		return err
	})
}

const selectKept = `SELECT number, fingerprint, about, model, made_at FROM epoch WHERE number = @number`

// Epoch returns an epoch that is kept: one of the last few. The error wraps
// fault.ErrNotFound if it is not, or was set by a program that kept none.
func (s *Store) Epoch(ctx context.Context, number int) (Epoch, error) {
	var found []Epoch
	err := s.inTx(ctx, fmt.Sprintf("epoch %d", number), func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, takeTime); err != nil {
			return err
		}
		r, err := tx.Query(ctx, selectKept, pgx.NamedArgs{"number": number})
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(r, pgx.RowToStructByPos[Epoch])
		return err
	})
	if err != nil {
		return Epoch{}, err
	}
	if len(found) == 0 {
		return Epoch{}, notFound("epoch", strconv.Itoa(number))
	}
	return found[0], nil
}

const selectActiveEpoch = `
SELECT a.number, a.fingerprint, coalesce(e.about, '{}'), ''::bytea, coalesce(e.made_at, a.updated_at)
FROM active_epoch a LEFT JOIN epoch e ON e.number = a.number AND e.fingerprint = a.fingerprint`

// AboutEpoch returns the active epoch without its model; what it is about is {} if
// that was not kept.
func (s *Store) AboutEpoch(ctx context.Context) (Epoch, error) {
	found, err := rows(ctx, s, "active epoch", selectActiveEpoch, nil, pgx.RowToStructByPos[Epoch])
	if err != nil || len(found) == 0 {
		return Epoch{}, err
	}
	return found[0], nil
}

const selectLive = `
SELECT body FROM profile
WHERE alive AND NOT quarantined AND body IS NOT NULL AND id > @after
ORDER BY id LIMIT @limit`

// LiveProfiles returns the next profiles that take part in matching, in order of
// id: at most limit, after the one given.
func (s *Store) LiveProfiles(ctx context.Context, after profile.ID, limit int) ([]*profile.Profile, error) {
	return rows(ctx, s, "live profiles", selectLive, pgx.NamedArgs{"after": string(after), "limit": limit},
		func(row pgx.CollectableRow) (*profile.Profile, error) {
			var body []byte
			if err := row.Scan(&body); err != nil {
				return nil, err
			}
			return decodeBody(body)
		})
}
