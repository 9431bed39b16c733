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
	{NoIndexWait, Lost, burst, 19},
	{NoCompareAndSet, Lost, gates, 49},
	{PlainUpsert, Stale, mixed, 0},
	{NotifyInUpsert, Lost, burst, 3},
	{NotifyWritten, Lost, burst, 19},
	{Suppressed, Lost, gates, 49},
	{Deletes, Lost, burst, 19},
	{EpochIgnored, Lost, epochal, 106},
	{EpochUnchecked, Lost, epochal, 106},
	{EpochAcknowledged, Lost, epochal, 106},
	{RangeBeforeSwitch, Lost, epochal, 370},
	{RematchTells, Doubled, epochal, 202},
	{RematchMarks, Lost, epochal, 1306},
	{AnnounceRisen, Lost, epochal, 202},
	{HeadsByEpoch, Stale, epochal, 3738},
	{NoTurn, Lost, burst, 171},
	{GateJobNoTurn, Lost, gates, 369},
	{SubscribeNoTurn, Doubled, burst, 371},
	{TransactionClock, Lost, burst, 171},
	{TellUnlocked, Lost, gates, 481},
	{TellEveryBand, Doubled, mixed, 24},
	{DropWithSuperseded, Lost, crowded, 3276},
	{PageBeforeTurn, Lost, gates, 585},
	{EarlyOnce, Lost, waiting, 254},
	{WaitAfterTell, Lost, waiting, 4942},
	{CheckBeforeLock, Late, mixed, 240},
	{HeadsUnlocked, Lost, mixed, 368},
	{LowerBandSent, Doubled, mixed, 6480},
	{SubscriberUnlocked, Late, gates, 169},
	{NoIntakeOrder, Stale, crowded, 28},
	{IntakeSkips, Stale, orders, 29},
	{FloorAfterLast, Stale, orders, 2269},
	{NoRetire, Late, mixed, 8},
	{RetireOnce, Late, orders, 29},
	{TwinNoCompare, Lost, twins, 583},
	{TwinUnchecked, Stale, twins, 7},
	{TwinNotAwaited, Lost, twins, 15},
	{TwinChained, Lost, twins, 15},
	{TwinUnlocked, Stale, twins, 455},
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
