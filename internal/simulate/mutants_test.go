//go:build !race

package simulate_test

import (
	"testing"

	"kobling/internal/simulate"
)

// seeds is how many runs the protocol must survive.
const seeds = 20_000

// patience is how many runs a mutant may survive; the rarest fails once in some
// ten thousand.
const patience = 200_000

// TestEveryMutantIsCaught breaks the protocol in each way: some run must go
// wrong, or the simulation could not have shown that the protocol is right.
func TestEveryMutantIsCaught(t *testing.T) {
	t.Parallel()
	mutants := simulate.Mutants()
	if len(mutants) < 20 {
		t.Fatalf("%d mutants", len(mutants))
	}
	for _, v := range mutants {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(patience) {
				if r := simulate.Run(seed, v); len(r.Faults) > 0 {
					t.Logf("seed %d: %s", seed, r.Faults[0].Text)
					return
				}
			}
			t.Errorf("nothing went wrong in %d runs", patience)
		})
	}
}
