package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kobling/internal/fault"
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

// SetEpoch makes number the active epoch. It waits for the turn, so from its
// return on nothing is written under an older epoch. To set the active epoch
// again changes nothing. The error wraps fault.ErrStale if a later epoch is
// active, or the same number with another fingerprint.
func (s *Store) SetEpoch(ctx context.Context, number int, fingerprint string) error {
	return s.inTx(ctx, fmt.Sprintf("set epoch %d", number), func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, takeTurn); err != nil {
			return err
		}
		var ok bool
		args := pgx.NamedArgs{"number": number, "fingerprint": fingerprint}
		if err := tx.QueryRow(ctx, updateEpoch, args).Scan(&ok); err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: another epoch is active", fault.ErrStale)
		}
		return nil
	})
}
