package simulate_test

import (
	"testing"

	"kobling/internal/simulate"
)

func BenchmarkRun(b *testing.B) {
	b.ReportAllocs()
	seed := uint64(0)
	for b.Loop() {
		simulate.Run(seed, simulate.Protocol)
		seed++
	}
}
