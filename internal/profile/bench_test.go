package profile_test

import (
	"testing"

	"kobling/internal/bench/corpus"
)

// BenchmarkNormalise gives a profile of some 190 words its canonical spelling, as
// intake does with every submission.
func BenchmarkNormalise(b *testing.B) {
	p := *corpus.New(1).Profile(0)
	b.ReportAllocs()
	for b.Loop() {
		q := p
		q.Normalise()
	}
}

// BenchmarkValidate checks the same profile.
func BenchmarkValidate(b *testing.B) {
	p := corpus.New(1).Profile(0)
	b.ReportAllocs()
	for b.Loop() {
		if faults := p.Validate(); len(faults) > 0 {
			b.Fatal(faults)
		}
	}
}
