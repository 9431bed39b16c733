package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kobling/internal/event"
	"kobling/internal/fault"
)

// Rematch is a run in which everything is matched again in one epoch.
type Rematch struct {
	Epoch, Run int // runs are numbered within their epoch, from 1
	From, To   uint64
	Total      int64 // messages of PROFILES from From to To when it began
	Done       int64 // of them
	Stuck      int64 // of them given up
	StartedAt  time.Time
	FinishedAt time.Time // zero: it runs
	Replaced   bool      // it was ended by a later epoch
}

// Running reports whether r was begun and has not ended.
func (r Rematch) Running() bool { return r.Run > 0 && r.FinishedAt.IsZero() }

const (
	endOlderRematches = `
UPDATE rematch SET finished_at = clock_timestamp(), replaced = true WHERE finished_at IS NULL AND epoch < @epoch`

	// That of a new epoch is begun by every replica at once: the first one wins.
	insertRematch = `
INSERT INTO rematch (epoch, run, from_seq, to_seq, total)
SELECT @epoch, coalesce(max(run), 0) + 1, @from, @to, @total FROM rematch WHERE epoch = @epoch
HAVING NOT EXISTS (SELECT FROM rematch WHERE finished_at IS NULL) AND (max(run) IS NULL OR NOT @first)
RETURNING run, started_at`
)

// BeginRematch begins the next run of r.Epoch over PROFILES from r.From to r.To,
// and ends what runs of an older epoch. r.To must have been read after r.Epoch
// became active: what is published later is matched in that epoch by live work.
// With first it begins only if r.Epoch has had no run. The error wraps
// fault.ErrConflict if one runs already, or with first if there was one, and
// fault.ErrStale if r.Epoch is not the active epoch.
func (s *Store) BeginRematch(ctx context.Context, r Rematch, first bool) (Rematch, error) {
	args := pgx.NamedArgs{"epoch": r.Epoch, "from": r.From, "to": r.To, "total": r.Total, "first": first}
	err := s.inTx(ctx, "begin re-match", func(tx pgx.Tx) error {
		var active int
		if err := tx.QueryRow(ctx, takeTurn).Scan(&active); err != nil { // two who begin at once come here one at a time
			return err
		}
		if active != r.Epoch {
			return fmt.Errorf("%w: epoch %d, the active one is %d", fault.ErrStale, r.Epoch, active)
		}
		if _, err := tx.Exec(ctx, endOlderRematches, args); err != nil {
			return err
		}
		begun, err := tx.Query(ctx, insertRematch, args)
		if err != nil {
			return err
		}
		n := 0
		_, err = pgx.ForEachRow(begun, []any{&r.Run, &r.StartedAt}, func() error { n++; return nil })
		if err == nil && n == 0 {
			return fmt.Errorf("%w: there is one already", fault.ErrConflict)
		}
		return err
	})
	return r, err
}

const selectRematch = `
SELECT epoch, run, from_seq, to_seq, total, done, started_at, finished_at, replaced,
	(SELECT count(*) FROM rematch_stuck s WHERE s.epoch = r.epoch AND s.run = r.run)
FROM rematch r ORDER BY epoch DESC, run DESC LIMIT 1`

// LastRematch returns the run that was begun last, which may still run. The error
// wraps fault.ErrNotFound if there was none.
func (s *Store) LastRematch(ctx context.Context) (Rematch, error) {
	found, err := rows(ctx, s, "last re-match", selectRematch, nil, func(row pgx.CollectableRow) (Rematch, error) {
		var r Rematch
		var finished *time.Time
		err := row.Scan(&r.Epoch, &r.Run, &r.From, &r.To, &r.Total, &r.Done, &r.StartedAt, &finished, &r.Replaced, &r.Stuck)
		if finished != nil {
			r.FinishedAt = *finished
		}
		return r, err
	})
	if err != nil {
		return Rematch{}, err
	}
	if len(found) == 0 {
		return Rematch{}, fmt.Errorf("last re-match: %w", fault.ErrNotFound)
	}
	return found[0], nil
}

const countRematch = `
UPDATE rematch SET done = least(done + @n, total) WHERE epoch = @epoch AND run = @run AND finished_at IS NULL`

// CountRematch notes that so many messages more of a run are done. Who is killed
// counts less than it did, and what comes again is counted again: only
// FinishRematch sets it right.
func (s *Store) CountRematch(ctx context.Context, epoch, run int, n int64) error {
	_, err := s.exec(ctx, "count re-match", countRematch, pgx.NamedArgs{"epoch": epoch, "run": run, "n": n})
	return err
}

const finishRematch = `
UPDATE rematch r SET finished_at = clock_timestamp(),
	done = greatest(total - (SELECT count(*) FROM rematch_stuck s WHERE s.epoch = r.epoch AND s.run = r.run), 0)
WHERE epoch = @epoch AND run = @run AND finished_at IS NULL`

// FinishRematch ends a run whose messages are all settled. It may be repeated.
func (s *Store) FinishRematch(ctx context.Context, epoch, run int) error {
	_, err := s.exec(ctx, "finish re-match", finishRematch, pgx.NamedArgs{"epoch": epoch, "run": run})
	return err
}

// Stuck is a message that a run gave up.
type Stuck struct {
	Subject string
	Seq     uint64
	Reason  string
	At      time.Time
}

const insertStuck = `
INSERT INTO rematch_stuck (epoch, run, subject, seq, reason) VALUES (@epoch, @run, @subject, @seq, @reason)
ON CONFLICT (epoch, run, seq) DO UPDATE SET reason = excluded.reason, stuck_at = clock_timestamp()`

// StickRematch notes that a run gives m up, and why.
func (s *Store) StickRematch(ctx context.Context, epoch, run int, m event.Message, reason string) error {
	_, err := s.exec(ctx, "give up "+m.Subject, insertStuck, pgx.NamedArgs{
		"epoch": epoch, "run": run, "subject": storable(m.Subject), "seq": m.Sequence, "reason": storable(reason),
	})
	return err
}

const selectStuck = `
SELECT subject, seq, reason, stuck_at FROM rematch_stuck WHERE epoch = @epoch AND run = @run ORDER BY seq LIMIT @limit`

// StuckIn returns what a run gave up, at most limit messages, in order of
// sequence.
func (s *Store) StuckIn(ctx context.Context, epoch, run, limit int) ([]Stuck, error) {
	return rows(ctx, s, "stuck messages", selectStuck, pgx.NamedArgs{"epoch": epoch, "run": run, "limit": limit}, pgx.RowToStructByPos[Stuck])
}
