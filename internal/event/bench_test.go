package event_test

import (
	"encoding/json"
	"testing"

	"kobling/internal/bench/corpus"
	"kobling/internal/event"
)

// BenchmarkRevision writes and reads messages of PROFILES, with profiles of some 190
// words.
func BenchmarkRevision(b *testing.B) {
	p := corpus.New(1).Profile(0)
	r := event.Revision{ID: p.ID, IntakeSeq: 1, Revision: 1, Status: p.Status, Profile: p}
	m, err := event.EncodeRevision(r)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(m.Data)))
		for b.Loop() {
			if _, err := event.EncodeRevision(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(m.Data)))
		for b.Loop() {
			if _, err := event.DecodeRevision(m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSubmission reads what a producer says, with all checks.
func BenchmarkSubmission(b *testing.B) {
	p := corpus.New(1).Profile(0)
	p.Revision, p.Status = 0, ""
	data, err := json.Marshal(p)
	if err != nil {
		b.Fatal(err)
	}
	e := event.Envelope{ID: "1", Source: "/bench", Type: event.TypeSubmitted, Subject: string(p.ID), Data: data}
	m := e.Binary(event.Subject(event.Intake, p.ID))
	m.Sequence = 1
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, faults := event.DecodeSubmission(m); len(faults) > 0 {
			b.Fatal(faults)
		}
	}
}
