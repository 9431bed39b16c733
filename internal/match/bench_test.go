package match_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"kobling/internal/event"
	"kobling/internal/profile"
)

// writer writes texts whose words follow Zipf's law and, three in four, come from
// one of 400 topics of 400 words.
type writer struct {
	rng  *rand.Rand
	zipf *rand.Zipf
}

func newWriter() *writer {
	rng := rand.New(rand.NewPCG(1, 2))
	return &writer{rng, rand.NewZipf(rng, 1.05, 20, 150_000)}
}

func (w *writer) text() string {
	topic := w.rng.Uint64N(400)
	var b strings.Builder
	for range 189 {
		word := w.zipf.Uint64()
		if w.rng.IntN(4) > 0 {
			word = (topic*7919 + w.rng.Uint64N(400)*101) % 150_000
		}
		// Syllables, so that it looks like a word to whoever takes words apart.
		for {
			b.WriteByte("bdfgklmnprstv"[word%13])
			b.WriteByte("aeiou"[word/13%5])
			if word /= 65; word == 0 {
				break
			}
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// BenchmarkEvent takes profiles the whole way from the stream's message to the
// commit, in batches of 64, with 10,000 there.
func BenchmarkEvent(b *testing.B) {
	const batch, present = 64, 10_000
	h, w := open(b), newWriter()
	next := func() (ms []event.Message) {
		h.lags = true
		for range batch {
			kind := "need"
			if len(h.said)%2 == 0 {
				kind = "offer"
			}
			id := profile.ID(fmt.Sprintf("%s.org%d.n%d", kind, len(h.said)%5000, len(h.said)))
			ms = append(ms, h.say(id, profile.Published, w.text()))
		}
		return ms
	}
	for len(h.said) < present {
		next()
		h.catchUp()
	}
	pairs := h.stored()
	var ready [][]event.Message
	for b.Loop() {
		if len(ready) == 0 {
			b.StopTimer()
			for range 8 {
				ready = append(ready, next())
			}
			b.StartTimer()
			h.catchUp()
		}
		for _, err := range h.Handle(b.Context(), ready[0]) {
			if err != nil {
				b.Fatal(err)
			}
		}
		ready = ready[1:]
	}
	b.ReportMetric(batch*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(h.stored()-pairs)/float64(batch*b.N), "rows/event")
}

// stored counts the suggestions.
func (h *house) stored() (n int) {
	h.t.Helper()
	conn, err := pgx.Connect(h.t.Context(), h.url)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(h.t.Context())) }()
	if err := conn.QueryRow(h.t.Context(), `SELECT count(*) FROM suggestion`).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}
