package simulate

import "testing"

func BenchmarkRun(b *testing.B) {
	b.ReportAllocs()
	seed := uint64(0)
	for b.Loop() {
		Run(seed, Protocol)
		seed++
	}
}
