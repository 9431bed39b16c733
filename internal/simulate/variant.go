package simulate

// Variant is the protocol, or the protocol with one thing broken. A broken
// variant (a mutant) must go wrong in some runs: it shows that the thing is
// needed, and that the simulation would notice if it were missing.
type Variant int

// The variants.
const (
	// Protocol is the protocol as package match and package intake describe it.
	Protocol Variant = iota

	// NoIndexWait searches an index that may not have reached the message.
	NoIndexWait
	// NoCompareAndSet lets the last writer of a pair's row win.
	NoCompareAndSet
	// PlainUpsert orders neither heads nor rows and shows every row.
	PlainUpsert
	// NotifyInUpsert selects the notifications in the snapshot of the upsert.
	NotifyInUpsert
	// NotifyWritten looks only at the pairs that the transaction wrote.
	NotifyWritten
	// Suppressed ends a notification for good when its pair is not live.
	Suppressed
	// Deletes replaces a profile's rows: those not found again are deleted.
	Deletes
	// EpochIgnored neither stops at the turn in an old epoch nor compares epochs.
	EpochIgnored
	// EpochUnchecked compares epochs but does not stop at the turn.
	EpochUnchecked
	// EpochAcknowledged acknowledges a message that stopped at the turn.
	EpochAcknowledged
	// RangeBeforeSwitch fixes what is re-matched before the epoch is switched.
	RangeBeforeSwitch
	// RematchTells takes what only a re-match wrote for news.
	RematchTells
	// RematchMarks marks every row that a re-match writes as its own, also one that
	// live work wrote.
	RematchMarks
	// AnnounceRisen announces a pair only when it is higher than it ever was, even
	// if that was no news.
	AnnounceRisen
	// HeadsByEpoch orders heads by (epoch, seq).
	HeadsByEpoch
	// NoTurn lets match transactions run at once.
	NoTurn
	// GateJobNoTurn tells after a change of the gate without taking the turn.
	GateJobNoTurn
	// SubscribeNoTurn creates subscriptions without taking the turn.
	SubscribeNoTurn
	// TransactionClock asks the gate at the time the transaction began.
	TransactionClock
	// TellUnlocked does not wait for attempts under way before it tells of a change
	// of the gate.
	TellUnlocked
	// TellEveryBand tells again whenever the band changes.
	TellEveryBand
	// DropWithSuperseded drops every row of a superseded profile, also those
	// that another profile of the batch found.
	DropWithSuperseded
	// PageBeforeTurn reads whom a joining of clusters concerns before it takes the
	// turn.
	PageBeforeTurn
	// EarlyOnce does not repeat what was told before it was time, by a clock that
	// is ahead.
	EarlyOnce
	// WaitAfterTell asks whether it was too early only after it has told.
	WaitAfterTell
	// CheckBeforeLock asks whether the pair is live before it locks the heads and
	// the notification.
	CheckBeforeLock
	// HeadsUnlocked does not lock the heads before an attempt.
	HeadsUnlocked
	// LowerBandSent does not hold a notification that a higher one overtook.
	LowerBandSent
	// SubscriberUnlocked does not lock the subscription before an attempt.
	SubscriberUnlocked
	// NoIntakeOrder publishes a redelivered old message again.
	NoIntakeOrder
	// IntakeSkips publishes a message without those that its subject still has
	// before it.
	IntakeSkips
	// FloorAfterLast asks up to where INTAKE is settled after it has read the newest
	// revision, and not before.
	FloorAfterLast
	// NoRetire leaves the withdrawal to the match worker.
	NoRetire
	// RetireOnce does not repeat an early withdrawal that a crash lost.
	RetireOnce
	// TwinNoCompare lets the last writer of a couple of near-duplicates win.
	TwinNoCompare
	// TwinUnchecked says "also posted as" whatever became of the other one.
	TwinUnchecked
	// TwinNotAwaited says it while the other one is still under way.
	TwinNotAwaited
	// TwinChained refers to what itself only refers.
	TwinChained
	// TwinUnlocked does not lock the head of the near-duplicate that it names.
	TwinUnlocked

	variants // how many there are
)

// names are the variants' names in the table of results.
var names = [variants]string{
	Protocol:           "protocol",
	NoIndexWait:        "no wait for the index",
	NoCompareAndSet:    "no compare-and-set",
	PlainUpsert:        "plain upsert",
	NotifyInUpsert:     "notification in the upsert",
	NotifyWritten:      "only pairs written are told",
	Suppressed:         "suppressed instead of held",
	Deletes:            "deletes in the transaction",
	EpochIgnored:       "epoch outside compare-and-set",
	EpochUnchecked:     "no stop at the turn",
	EpochAcknowledged:  "stopped at the turn and acked",
	RangeBeforeSwitch:  "re-match range before switch",
	RematchTells:       "re-match is news",
	RematchMarks:       "re-match marks what was news",
	AnnounceRisen:      "only what rose is announced",
	HeadsByEpoch:       "heads by (epoch, seq)",
	NoTurn:             "no turn",
	GateJobNoTurn:      "gate job without the turn",
	SubscribeNoTurn:    "subscription without the turn",
	TransactionClock:   "clock of the transaction",
	TellUnlocked:       "attempts not waited for",
	TellEveryBand:      "every band told",
	DropWithSuperseded: "rows dropped with superseded",
	CheckBeforeLock:    "live check before the lock",
	HeadsUnlocked:      "heads not locked",
	PageBeforeTurn:     "page before the turn",
	EarlyOnce:          "told too early and not again",
	WaitAfterTell:      "wait read after telling",
	SubscriberUnlocked: "subscription not locked",
	FloorAfterLast:     "floor after the revision",
	LowerBandSent:      "lower band sent after higher",
	NoIntakeOrder:      "redelivered v1 republished",
	IntakeSkips:        "intake skips ahead",
	NoRetire:           "no early withdrawal",
	RetireOnce:         "early withdrawal not repeated",
	TwinNoCompare:      "duplicates without compare",
	TwinUnchecked:      "reference not checked",
	TwinNotAwaited:     "reference not waited for",
	TwinChained:        "references in a chain",
	TwinUnlocked:       "twin not locked",
}

// String returns the variant's name.
func (v Variant) String() string { return names[v] }

// Mutants returns every variant but [Protocol].
func Mutants() []Variant {
	all := make([]Variant, 0, variants-1)
	for v := Protocol + 1; v < variants; v++ {
		all = append(all, v)
	}
	return all
}
