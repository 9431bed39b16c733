package store

import "github.com/jackc/pgx/v5/pgxpool"

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

// Pauses is River's retry policy.
type Pauses = pauses

const (
	LockWorker  = lockWorker
	RetellPage  = retellPage
	NotifyTries = notifyTries
)
