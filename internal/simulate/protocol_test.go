package simulate_test

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"kobling/internal/simulate"
)

// TestTheProtocolIsNeverWrong runs the protocol over many seeds.
func TestTheProtocolIsNeverWrong(t *testing.T) {
	t.Parallel()
	parts := uint64(runtime.GOMAXPROCS(0))
	for part := range parts {
		t.Run(strconv.FormatUint(part, 10), func(t *testing.T) {
			t.Parallel()
			for seed := part; seed < seeds; seed += parts {
				if r := simulate.Run(seed, simulate.Protocol); len(r.Faults) > 0 {
					t.Fatalf("seed %d: %s\n…%s", seed, r.Faults[0].Text, tail(seed, simulate.Protocol))
				}
			}
		})
	}
}

// tail returns the last steps of a run.
func tail(seed uint64, v simulate.Variant) string {
	var b bytes.Buffer
	simulate.Trace(seed, v, &b)
	lines := strings.SplitAfter(b.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-60):], "")
}

func TestASeedIsOneRun(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		var first, second bytes.Buffer
		a, b := simulate.Trace(seed, simulate.Protocol, &first), simulate.Trace(seed, simulate.Protocol, &second)
		if a.Steps != b.Steps || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("seed %d ran in two ways", seed)
		}
		if first.Len() == 0 {
			t.Fatalf("seed %d left no trace", seed)
		}
	}
}
