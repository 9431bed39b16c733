package score_test

import (
	"testing"

	"kobling/internal/bench/corpus"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// drawn are profiles of some 190 invented words each, demands and supplies in turn.
func drawn(n int) []*profile.Profile {
	c := corpus.New(1)
	list := make([]*profile.Profile, n)
	for i := range list {
		list[i] = c.Profile(i)
	}
	return list
}

// met is a pair with a text part.
type met struct {
	demand, supply score.Side
	text           uint32
	top            []score.Contribution
}

// meetings are the first 20 profiles' demands with their supplies.
func meetings(b *testing.B, e *score.Epoch) (list []met) {
	b.Helper()
	profiles := drawn(20)
	for i := 0; i < len(profiles); i += 2 {
		for k := 1; k < len(profiles); k += 2 {
			m := met{demand: e.Side(profiles[i]), supply: e.Side(profiles[k])}
			if m.text, m.top = score.Text(m.demand.Features, m.supply.Features); m.text > 0 {
				list = append(list, m)
			}
		}
	}
	if len(list) == 0 {
		b.Fatal("no profiles share a word")
	}
	return list
}

// BenchmarkText adds up the text part of a pair.
func BenchmarkText(b *testing.B) {
	pairs := meetings(b, defaultEpoch(b))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m := &pairs[i%len(pairs)]
		score.Text(m.demand.Features, m.supply.Features)
	}
}

// BenchmarkPair scores a pair whose text part an index has found.
func BenchmarkPair(b *testing.B) {
	e := defaultEpoch(b)
	pairs := meetings(b, e)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m := &pairs[i%len(pairs)]
		e.Pair(m.demand.Facts, m.supply.Facts, m.text, m.top)
	}
}

// BenchmarkDuplicate compares two signatures that are as long as they get, and half
// alike.
func BenchmarkDuplicate(b *testing.B) {
	e := defaultEpoch(b)
	var x, y score.Signature
	for i := range uint32(score.MaxSignature) {
		x = append(x, score.Mark{Key: 2 * i, Share: score.SignatureTotal / score.MaxSignature})
		y = append(y, score.Mark{Key: 3 * i, Share: score.SignatureTotal / score.MaxSignature})
	}
	b.ReportAllocs()
	for b.Loop() {
		e.Duplicate(x, y)
	}
}

// BenchmarkExplain makes the reasons of a Norwegian need and a Finnish offer
// readable.
func BenchmarkExplain(b *testing.B) {
	e := defaultEpoch(b)
	demand, supply := norwegian(), finnish()
	d, s := e.Side(demand), e.Side(supply)
	text, top := score.Text(d.Features, s.Features)
	reasons := e.Pair(d.Facts, s.Facts, text, top).Reasons
	if len(reasons) < suggestion.MaxReasons {
		b.Fatalf("only %d reasons", len(reasons))
	}
	b.ReportAllocs()
	for b.Loop() {
		e.Explain(demand, supply, reasons, "fi")
	}
}
