package store

// What tests of this package reach into.
var (
	Classify = classify
	Settle   = settle
	Requeue  = (*Store).requeue
	InTx     = (*Store).inTx
)

// Pauses is River's retry policy.
type Pauses = pauses

const (
	LockWorker  = lockWorker
	RetellPage  = retellPage
	NotifyTries = notifyTries
)
