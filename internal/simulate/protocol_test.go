package simulate

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
)

// TestTheProtocolIsNeverWrong is what this package is for.
func TestTheProtocolIsNeverWrong(t *testing.T) {
	t.Parallel()
	parts := runtime.GOMAXPROCS(0)
	for part := range parts {
		t.Run(fmt.Sprintf("part %d of %d", part+1, parts), func(t *testing.T) {
			t.Parallel()
			wrong := 0
			for seed := uint64(part); seed < uint64(seeds) && wrong < 3; seed += uint64(parts) {
				if r := Run(seed, Protocol); len(r.Faults) > 0 {
					wrong++
					t.Error(report(seed, Protocol))
				}
			}
		})
	}
}

// report runs a seed again and returns what went wrong and how it came to that.
func report(seed uint64, v Variant) string {
	const lines = 80
	var trace bytes.Buffer
	r := Trace(seed, v, &trace)
	all := bytes.Split(bytes.TrimSpace(trace.Bytes()), []byte("\n"))
	tail := bytes.Join(all[max(0, len(all)-lines):], []byte("\n"))
	return fmt.Sprintf("seed %d of %q goes wrong: %v\nThe last %d of %d lines of its trace:\n%s",
		seed, v, r.Faults, min(lines, len(all)), len(all), tail)
}

// TestARunDoesSomething keeps the test above from passing on an empty stage: over
// a few seeds of every theme, each thing that the protocol is about happens.
func TestARunDoesSomething(t *testing.T) {
	t.Parallel()
	var trace bytes.Buffer
	for seed := range uint64(20 * themes) {
		Trace(seed, Protocol, &trace)
	}
	for _, want := range []string{
		"withdraws early", "conflict on intake", "rejects", "acknowledgement of", "is superseded", "is over",
		"gives up waiting", "rematch=true", "waits for row", "crash", "restarts", "holds notification", "starts notification",
		"tells subscription", "read a page", "what is not valid yet", "sweep", "unsubscribe", "healed",
		"another re-match is refused", "run 2 of epoch", "found couple", "refers to", "waits for notification", "says also posted as",
	} {
		if !bytes.Contains(trace.Bytes(), []byte(want)) {
			t.Errorf("never in the traces: %q", want)
		}
	}
}
