package simulate

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestASeedIsOneRun(t *testing.T) {
	t.Parallel()
	for seed := range uint64(replayed) {
		for _, v := range []Variant{Protocol, PlainUpsert} {
			var first, second bytes.Buffer
			a, b := Trace(seed, v, &first), Trace(seed, v, &second)
			if diff := cmp.Diff(a, b); diff != "" {
				t.Fatalf("two runs of seed %d of %q (-first +second):\n%s", seed, v, diff)
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Fatalf("two traces of seed %d of %q differ", seed, v)
			}
			if diff := cmp.Diff(a, Run(seed, v)); diff != "" {
				t.Fatalf("Run of seed %d of %q does not do what Trace does (-Trace +Run):\n%s", seed, v, diff)
			}
		}
	}
}

func TestSeedsAreDifferentRuns(t *testing.T) {
	t.Parallel()
	seen := make(map[string]uint64)
	for seed := range uint64(10 * themes) {
		var trace strings.Builder
		Trace(seed, Protocol, &trace)
		if other, ok := seen[trace.String()]; ok {
			t.Errorf("seeds %d and %d are the same run", other, seed)
		}
		seen[trace.String()] = seed
	}
}

// A trace says what went wrong, at the step where it was noticed.
func ExampleTrace() {
	for seed := uint64(0); ; seed++ {
		var trace strings.Builder
		r := Trace(seed, NoRetire, &trace)
		if len(r.Faults) == 0 {
			continue
		}
		fmt.Println("kind:", r.Faults[0].Kind)
		fmt.Println("in the trace:", strings.Contains(trace.String(), "WRONG: "+r.Faults[0].Text))
		break
	}
	// Output:
	// kind: late
	// in the trace: true
}
