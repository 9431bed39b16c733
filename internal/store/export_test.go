package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"kobling/internal/profile"
)

// What tests of this package reach into.
var (
	Classify = classify
	Settle   = settle
	Requeue  = (*Store).requeue
	InTx     = (*Store).inTx
)

// Pool is the way past the store, to see and change what it keeps. A pool beside
// it would cost each test the start of more sessions, most of a test's time.
func Pool(s *Store) *pgxpool.Pool { return s.pool }

// Retell takes the turn and tells what became news among the pairs of ids.
func (s *Store) Retell(ctx context.Context, ids []profile.ID) (told int, err error) {
	err = s.inTx(ctx, "tell again", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, takeTurn); err != nil {
			return err
		}
		told, err = s.retell(ctx, tx, ids)
		return err
	})
	return told, err
}

// Pauses is River's retry policy.
type Pauses = pauses

const (
	LockWorker  = lockWorker
	RetellPage  = retellPage
	NotifyTries = notifyTries
)
