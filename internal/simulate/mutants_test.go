package simulate

import "testing"

// patience is how many runs of its theme a mutant may survive. The
// rarest does in one of about 400, so none passes by bad luck.
const patience = 10_000

// mutants says of each how it goes wrong first, in the theme in which it does so
// most often, and with which seed. A change of the simulation that draws another
// random number changes the seeds: the failing test says what they are now.
var mutants = []struct { //nolint:gochecknoglobals // a table
	variant Variant
	kind    Kind
	theme   theme
	seed    uint64
}{
	{NoIndexWait, Lost, burst, 17},
	{NoCompareAndSet, Lost, gates, 141},
	{PlainUpsert, Doubled, mixed, 0},
	{NotifyInUpsert, Lost, burst, 17},
	{NotifyWritten, Lost, burst, 24},
	{Suppressed, Lost, gates, 8},
	{Deletes, Lost, burst, 17},
	{EpochIgnored, Lost, epochal, 254},
	{EpochUnchecked, Lost, epochal, 128},
	{EpochAcknowledged, Lost, epochal, 16},
	{RangeBeforeSwitch, Stale, epochal, 898},
	{RematchTells, Doubled, epochal, 9},
	{AnnounceRisen, Lost, epochal, 9},
	{HeadsByEpoch, Stale, epochal, 1696},
	{NoTurn, Lost, burst, 185},
	{GateJobNoTurn, Lost, gates, 15},
	{SubscribeNoTurn, Lost, burst, 185},
	{TransactionClock, Doubled, burst, 66},
	{TellUnlocked, Lost, gates, 540},
	{TellEveryBand, Doubled, mixed, 42},
	{DropWithSuperseded, Lost, crowded, 5422},
	{PageBeforeTurn, Lost, gates, 15},
	{EarlyOnce, Lost, waiting, 279},
	{WaitAfterTell, Lost, waiting, 986},
	{CheckBeforeLock, Late, mixed, 287},
	{HeadsUnlocked, Lost, mixed, 1463},
	{LowerBandSent, Doubled, mixed, 1449},
	{SubscriberUnlocked, Late, gates, 386},
	{NoIntakeOrder, Stale, crowded, 4},
	{IntakeSkips, Stale, orders, 19},
	{FloorAfterLast, Stale, orders, 4527},
	{NoRetire, Late, mixed, 7},
	{RetireOnce, Late, orders, 33},
}

func TestEveryMutantIsCaught(t *testing.T) {
	t.Parallel()
	for _, m := range mutants {
		t.Run(m.variant.String(), func(t *testing.T) {
			t.Parallel()
			if !hunting {
				if r := Run(m.seed, m.variant); len(r.Faults) == 0 || r.Faults[0].Kind != m.kind {
					t.Errorf("seed %d: faults %v, want the first to be %s", m.seed, r.Faults, m.kind)
				}
				return
			}
			for n := range uint64(patience) {
				seed := n*uint64(themes) + uint64(m.theme)
				r := Run(seed, m.variant)
				if len(r.Faults) == 0 {
					continue
				}
				if seed != m.seed || r.Faults[0].Kind != m.kind {
					t.Errorf("the first seed is now %d (%s: %s); the table says %d (%s)",
						seed, r.Faults[0].Kind, r.Faults[0].Text, m.seed, m.kind)
				}
				return
			}
			t.Errorf("goes wrong in none of %d runs: the simulation does not show what this is needed for", patience)
		})
	}
}

// What a mutant breaks is all that is wrong: the protocol passes the same seeds.
func TestTheProtocolPassesWhereMutantsFail(t *testing.T) {
	t.Parallel()
	for _, m := range mutants {
		if r := Run(m.seed, Protocol); len(r.Faults) > 0 {
			t.Error(report(m.seed, Protocol))
		}
	}
}

func TestNoMutantIsForgotten(t *testing.T) {
	t.Parallel()
	hunted := make(map[Variant]bool)
	for _, m := range mutants {
		if hunted[m.variant] {
			t.Errorf("%q is hunted twice", m.variant)
		}
		hunted[m.variant] = true
		if theme(m.seed%uint64(themes)) != m.theme {
			t.Errorf("%q: seed %d is not of its theme", m.variant, m.seed)
		}
	}
	named := make(map[string]bool)
	for _, v := range Mutants() {
		if !hunted[v] {
			t.Errorf("%q (%d) is not hunted", v, v)
		}
		if v.String() == "" || named[v.String()] {
			t.Errorf("variant %d has no name of its own: %q", v, v)
		}
		named[v.String()] = true
	}
	if hunted[Protocol] {
		t.Error("the protocol is no mutant")
	}
}
