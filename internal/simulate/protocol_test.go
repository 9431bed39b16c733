package simulate_test

import (
	"fmt"
	"strings"
	"testing"

	"kobling/internal/simulate"
)

func TestX(t *testing.T) {
	wrong := 0
	steps := 0
	for seed := range uint64(20000) {
		r := simulate.Run(seed, simulate.Protocol)
		steps += r.Steps
		if len(r.Faults) > 0 {
			wrong++
			if wrong < 10 {
				t.Log(seed, r)
			}
		}
	}
	t.Log(wrong, steps/20000)
	for _, v := range simulate.Mutants() {
		var k [7]int
		first := -1
		for seed := range uint64(2000) {
			r := simulate.Run(seed, v)
			if len(r.Faults) > 0 {
				if first < 0 {
					first = int(seed)
				}
				k[6]++
				k[r.Faults[0].Kind]++
			}
		}
		t.Log(fmt.Sprintf("%-32s", v), k, first)
	}
}

func TestTrace(t *testing.T) {
	var b strings.Builder
	r := simulate.Trace(5458, simulate.Protocol, &b)
	t.Log(b.String(), r)
}
