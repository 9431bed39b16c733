package app

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"kobling/internal/api"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/testkit"
)

// The corpus of the benchmark: each topic is spoken of by 16 profiles, of which
// about 8 pairs fit, and is told apart by words that nobody else uses.
const (
	benchProfiles = 3000
	benchTopics   = benchProfiles / 16
	benchPace     = 25 * time.Millisecond // between two live events
)

type benchCorpus struct {
	random *rand.Rand
	topics [][]string
	common []string
}

func newBenchCorpus() *benchCorpus {
	c := &benchCorpus{random: rand.New(rand.NewPCG(1, 2))}
	for range benchTopics {
		c.topics = append(c.topics, c.invent(14))
	}
	c.common = c.invent(benchProfiles)
	return c
}

// invent returns n words that are in no lexicon.
func (c *benchCorpus) invent(n int) []string {
	const consonants, vowels = "bdfghklmnprstvz", "aeiou"
	all := make([]string, n)
	for i := range all {
		var w strings.Builder
		for range 3 + c.random.IntN(2) {
			w.WriteByte(consonants[c.random.IntN(len(consonants))])
			w.WriteByte(vowels[c.random.IntN(len(vowels))])
		}
		all[i] = w.String() + "x"
	}
	return all
}

func (*benchCorpus) id(i int) profile.ID {
	return profile.ID(fmt.Sprintf("%s.org%d.p%d", []string{"need", "offer"}[i/benchTopics%2], i, i))
}

// submission is the next revision of the ith profile: other words of its topic.
func (c *benchCorpus) submission(b *testing.B, i int) Submission {
	b.Helper()
	topic := c.topics[i%benchTopics]
	var title, text []string
	for _, k := range c.random.Perm(len(topic))[:9] {
		title = append(title, topic[k])
	}
	for range 20 {
		text = append(text, c.common[c.random.IntN(len(c.common))])
	}
	id := c.id(i)
	data, err := json.Marshal(map[string]any{
		"id": id, "organisation": map[string]any{"name": id.Org(), "type": "sme"},
		"texts": []map[string]any{{"lang": "en", "title": strings.Join(title, " "), "description": strings.Join(text, " ")}},
	})
	if err != nil {
		b.Fatal(err)
	}
	return Submission{ID: id, Type: event.TypeSubmitted, Data: data}
}

// stopwatch knows how long each live event took from its publication until its
// suggestions were committed and its message settled.
type stopwatch struct {
	mu    sync.Mutex
	began map[string]time.Time // by subject
	took  []time.Duration
	all   int // settled, measured or not
}

func (s *stopwatch) start(id profile.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began[event.Subject(event.Profiles, id)] = time.Now()
}

func (s *stopwatch) settled(m event.Message, v fault.Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all++
	if began, ok := s.began[m.Subject]; ok && v == fault.Done {
		s.took = append(s.took, time.Since(began))
		delete(s.began, m.Subject)
	}
}

// BenchmarkLiveBesideARematch measures the latency of live events, 40 a second, on
// an idle service and beside a re-match, and how fast that is. The percentiles need
// some events: -benchtime=600x.
func BenchmarkLiveBesideARematch(b *testing.B) {
	flags := map[string]string{
		"data-dir": testkit.PassableDir(b), "nats-listen": "127.0.0.1:0", "http-listen": "127.0.0.1:0",
		"database-url": testkit.DatabaseURL(b, store.Migrate), "log-level": "error",
	}
	corpus := newBenchCorpus()
	// boot runs the service until the function it returns is called.
	boot := func(b *testing.B, set func(*rematcher)) (*App, *stopwatch, func()) {
		b.Helper()
		a, err := Start(b.Context(), load(b, flags), Options{Version: "bench", Log: zap.NewNop()})
		if err != nil {
			b.Fatal(err)
		}
		set(a.rematcher)
		watch := &stopwatch{began: map[string]time.Time{}}
		a.match.Settled = watch.settled
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		return a, watch, func() {
			b.Helper()
			cancel()
			if err := <-ended; err != nil {
				b.Error(err)
			}
			if err := a.Close(); err != nil {
				b.Error(err)
			}
		}
	}
	a, watch, stop := boot(b, func(*rematcher) {})
	for i := range benchProfiles {
		if _, err := a.Client().Submit(b.Context(), corpus.submission(b, i)); err != nil {
			b.Fatal(err)
		}
	}
	testkit.Eventually(b, 10*limit, "all are matched", func() bool {
		watch.mu.Lock()
		defer watch.mu.Unlock()
		return watch.all >= benchProfiles
	})
	stop()

	for _, tt := range []struct {
		batch, rows int
		share       float64 // 0: no re-match
	}{
		{},
		{rematchBatch, rematchRows, 1},
		{rematchBatch, rematchRows, .75},
		{rematchBatch, rematchRows, .5},
		{16, rematchRows, .75},
		{64, rematchRows, .75},
		{128, rematchRows, .75},
		{rematchBatch, 250, .75},
		{rematchBatch, 20_000, .75},
	} {
		b.Run(fmt.Sprintf("batch=%d/rows=%d/share=%.2f", tt.batch, tt.rows, tt.share), func(b *testing.B) {
			a, watch, stop := boot(b, func(r *rematcher) {
				if tt.share > 0 {
					r.throttle, r.batch, r.rows = match.NewThrottle(tt.share), tt.batch, tt.rows
				}
			})
			defer stop()
			rate := func() float64 { return 0 }
			if tt.share > 0 {
				rate = rematchAll(b, a)
			}
			tick := time.NewTicker(benchPace)
			defer tick.Stop()
			for n := 0; b.Loop(); n++ {
				<-tick.C
				s := corpus.submission(b, n*7919%benchProfiles)
				watch.start(s.ID)
				if _, err := a.Client().Submit(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
			perSecond := rate()
			testkit.Eventually(b, limit, "all live events are settled", func() bool {
				watch.mu.Lock()
				defer watch.mu.Unlock()
				return len(watch.began) == 0
			})
			slices.Sort(watch.took)
			for name, share := range map[string]float64{"p50-ms": .5, "p99-ms": .99} {
				b.ReportMetric(float64(watch.took[int(share*float64(len(watch.took)-1))].Microseconds())/1000, name)
			}
			b.ReportMetric(perSecond, "rematched/s")
			b.ReportMetric(0, "ns/op") // the pace is given
		})
	}
}

// rematchAll has everything matched again, run after run, until the function it
// returns is called, which returns how many profiles were matched again a second.
func rematchAll(b *testing.B, a *App) (stop func() float64) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	began, done := time.Now(), int64(0)
	go func() {
		defer close(ended)
		var before int64 // of runs that have ended
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			r, err := a.rematch(ctx, api.RematchQuery{})
			if err == nil {
				done = before + r.Done
			}
			if err != nil || r.State != api.RematchRuns {
				before = done
				_, _ = a.rematch(ctx, api.RematchQuery{Start: true}) // the next look tells
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}()
	return func() float64 {
		cancel()
		<-ended
		return float64(done) / time.Since(began).Seconds()
	}
}
