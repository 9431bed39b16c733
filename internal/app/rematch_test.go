package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"kobling/internal/api"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/stream"
	"kobling/internal/testkit"
)

// await follows the re-match until it has ended.
func (c *cluster) await(p *process) (r api.Rematch) {
	c.t.Helper()
	testkit.Eventually(c.t, limit, "the re-match has ended", func() bool {
		var err error
		r, err = p.Client().Rematch(c.t.Context(), api.RematchQuery{})
		return err == nil && r.State != api.RematchRuns && r.State != api.RematchDue
	})
	return r
}

// leftovers are the consumers of runs.
func (p *process) leftovers(t *testing.T) []string {
	t.Helper()
	names, err := p.streams.Durables(t.Context(), stream.Profiles, durableRematch)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// What is missing is found again, by whichever process, and told to nobody; the
// consumer is removed.
func TestARematchFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.run(t.TempDir()), c.run(t.TempDir())
	if _, err := a.Client().Rematch(t.Context(), api.RematchQuery{}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("before the first: %v, want not found", err)
	}
	for n := range 40 {
		c.publish(a, profile.ID(fmt.Sprintf("need.suo%d.kone", n)), "en", titleIn(2))
	}
	c.publish(b, "offer.aker.maskin", "en", titleIn(2))
	if n := len(pairs(t, a)); n != 40 {
		t.Fatalf("%d suggestions, want 40", n)
	}
	if _, err := a.Client().Subscribe(t.Context(), subscriber()); err != nil {
		t.Fatal(err)
	}
	lose := func() {
		t.Helper()
		if c.count(`WITH lost AS (DELETE FROM suggestion RETURNING 1), told AS (DELETE FROM pair RETURNING 1) SELECT count(*) FROM lost`) != 40 {
			t.Fatal("nothing was lost")
		}
	}
	lose()
	begun, err := a.Client().Rematch(t.Context(), api.RematchQuery{Start: true})
	if err != nil || begun.State != api.RematchRuns || begun.Run != 1 || begun.Total != 41 || begun.To != 41 {
		t.Errorf("begun %+v, %v", begun, err)
	}
	if _, err := b.Client().Rematch(t.Context(), api.RematchQuery{Start: true}); !errors.Is(err, fault.ErrConflict) || !strings.Contains(err.Error(), "kobling rematch --watch") {
		t.Errorf("a second one: %v, want a conflict and what to do", err)
	}
	// What is published meanwhile is matched by live work, and told.
	c.publish(b, "need.late.kone", "en", titleIn(2))
	ended := c.await(b)
	if ended.State != api.RematchFinished || ended.Done != 41 || ended.Stuck != 0 || ended.FinishedAt.Before(ended.StartedAt) {
		t.Errorf("ended %+v", ended)
	}
	if n := len(pairs(t, b)); n != 41 {
		t.Errorf("%d suggestions, want all 41", n)
	}
	if n := c.count(`SELECT count(*) FROM notification WHERE demand_id <> 'need.late.kone'`); n != 0 {
		t.Errorf("%d of what was found again were told", n)
	}
	if n := c.count(`SELECT count(*) FROM notification WHERE demand_id = 'need.late.kone'`); n != 1 {
		t.Errorf("what was published meanwhile was told %d times, want once", n)
	}
	testkit.Eventually(t, limit, "its consumer is gone", func() bool { return len(a.leftovers(t)) == 0 })

	// Both together have handled what the run was of.
	sum := map[string]float64{}
	for _, p := range []*process{a, b} {
		for name, v := range p.metrics(t) {
			sum[name] += v
		}
	}
	for name, least := range map[string]float64{
		"kobling_rematch_batch_messages_sum": 41, "kobling_match_batch_messages_sum": 42, "kobling_intake_batch_messages_sum": 42,
		"kobling_index_batch_messages_sum": 84, "kobling_match_age_seconds_count": 42, "kobling_intake_age_seconds_count": 42,
		`kobling_match_step_seconds_count{step="wait"}`: 1, `kobling_match_step_seconds_count{step="find"}`: 1,
		`kobling_match_step_seconds_count{step="commit"}`: 1, `kobling_match_step_seconds_count{step="batch"}`: 1,
		`kobling_rematch_step_seconds_count{step="commit"}`: 1, `kobling_intake_step_seconds_count{step="batch"}`: 1,
		`kobling_index_step_seconds_count{step="analyse"}`: 1, `kobling_index_step_seconds_count{step="apply"}`: 1,
		"kobling_rematch_profiles": 82, "kobling_rematch_done": 82, // each says it of the whole run
	} {
		if got, ok := sum[name]; !ok || got < least {
			t.Errorf("%s is %g, want at least %g", name, got, least)
		}
	}
	for _, stage := range []string{"intake", "match", "rematch", "notify"} {
		for _, what := range []string{"pending", "ack_pending", "redelivered", "oldest_seconds"} {
			if _, ok := sum["kobling_"+stage+"_"+what]; !ok {
				t.Errorf("there is no kobling_%s_%s", stage, what)
			}
		}
	}
	for _, name := range []string{"kobling_intake_in_hand", "kobling_match_in_hand", "kobling_rematch_in_hand", "kobling_index_pending", "kobling_rematch_stuck", "kobling_rematch_running"} {
		if v, ok := sum[name]; !ok || v != 0 {
			t.Errorf("%s is %g, %t; want 0 when all is done", name, v, ok)
		}
	}
}

// metrics are the values at /metrics, by name and labels.
func (p *process) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	w := httptest.NewRecorder()
	p.health.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	values := map[string]float64{}
	for line := range strings.Lines(w.Body.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil && strings.HasPrefix(name, "kobling_") {
			values[name] = v
		}
	}
	return values
}

// reaches waits until PROFILES ends at a sequence.
func (p *process) reaches(t *testing.T, seq uint64) {
	t.Helper()
	testkit.Eventually(t, limit, "intake has come so far", func() bool {
		info, err := p.streams.Info(t.Context())
		return err == nil && info.LastSeq == seq
	})
}

// run5 is a service with five profiles that matches nothing, and a rematcher whose
// matching a test decides.
func run5(t *testing.T, h stream.Handle) (*cluster, *process, *rematchEra) {
	t.Helper()
	c := newCluster(t)
	c.flags["roles"] = "api,intake" // the test matches again
	p := c.run(t.TempDir())
	nc := p.Client()
	for n := range 5 {
		id := profile.ID(fmt.Sprintf("need.acme.n%d", n))
		body := fmt.Sprintf(`{"id": %q, "organisation": {"name": "Acme", "type": "sme"}, "texts": [{"lang": "en", "title": "Fall sensor"}]}`, id)
		if _, err := nc.Submit(t.Context(), Submission{ID: id, Type: event.TypeSubmitted, Data: []byte(body)}); err != nil {
			t.Fatal(err)
		}
		p.reaches(t, uint64(n+1))
	}
	r := &rematcher{
		store: p.store, streams: p.streams, throttle: match.NewThrottle(1), meter: &p.meters.rematch, stuckAt: 2, log: testkit.Logger(t),
	}
	return c, p, &rematchEra{rematcher: r, epoch: 1, index: p.now.Load().index, match: h}
}

// start runs r until the function it returns is called.
func (r *rematchEra) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// One message that fails for ever does not keep a run from its end.
func TestWhatIsStuckIsLeftOutAndListed(t *testing.T) {
	t.Parallel()
	c, p, r := run5(t, func(_ context.Context, ms []event.Message) []error {
		errs := make([]error, len(ms))
		for i, m := range ms {
			if m.Sequence == 3 {
				errs[i] = fmt.Errorf("canceling statement due to statement timeout: %w", fault.ErrUnavailable)
			}
		}
		return errs
	})
	if _, err := p.Client().Rematch(t.Context(), api.RematchQuery{Start: true}); err != nil {
		t.Fatal(err)
	}
	defer r.start(t)()
	ended := c.await(p)
	want := []api.Stuck{{ProfileID: "need.acme.n2", Seq: 3, Reason: "canceling statement due to statement timeout: unavailable"}}
	if ended.State != api.RematchFinished || ended.Done != 4 || ended.Stuck != 1 || !slices.Equal(ended.Profiles, want) {
		t.Errorf("ended %+v, want message 3 left out", ended)
	}
}

// What cannot be noted comes again: while the database is away, it is not the
// message that fails.
func TestNothingIsLeftOutWithoutANote(t *testing.T) {
	t.Parallel()
	_, _, r := run5(t, func(context.Context, []event.Message) []error { return []error{fault.ErrUnavailable} })
	x := rerun{rematchEra: r, Rematch: store.Rematch{Epoch: 1, Run: 1, To: 9}} // there is no such run: no note of it is taken
	for _, attempt := range []uint64{1, 2, 99} {
		errs := x.handle(t.Context(), []event.Message{{Subject: "profiles.need.acme.n1", Sequence: 1, Attempt: attempt}})
		if fault.Judge(errs[0]) != fault.Retry {
			t.Errorf("attempt %d: %v, want it tried again", attempt, errs[0])
		}
	}
}

// A process that ends in the middle of a run leaves the rest to the next one, and
// what is above the end of the run is not matched.
func TestARunGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	var handled, hold atomic.Int64
	entered := make(chan struct{}, 10)
	c, p, r := run5(t, nil)
	r.match = func(ctx context.Context, ms []event.Message) []error {
		errs := make([]error, len(ms))
		for i, m := range ms {
			if m.Sequence > 5 {
				t.Errorf("message %d is of no run", m.Sequence)
			}
			if m.Sequence > 3 && hold.Load() == 1 {
				errs[i] = fault.ErrUnavailable
				continue
			}
			handled.Add(1)
		}
		entered <- struct{}{}
		return errs
	}
	hold.Store(1)
	if _, err := p.Client().Rematch(t.Context(), api.RematchQuery{Start: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Client().Submit(t.Context(), Submission{ID: "need.acme.n4", Type: event.TypePaused, Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	p.reaches(t, 6)
	r.stuckAt = 1000
	stop := r.start(t)
	<-entered
	stop()
	if last, err := p.store.LastRematch(t.Context()); err != nil || !last.Running() || last.Done != 3 {
		t.Errorf("after the first process: %+v, %v; want 3 done", last, err)
	}
	if names := p.leftovers(t); !slices.Equal(names, []string{"rematch-1-1"}) {
		t.Errorf("consumers %v: the run is not to be found again", names)
	}
	hold.Store(0)
	defer r.start(t)()
	if ended := c.await(p); ended.Done != 5 || ended.State != api.RematchFinished || handled.Load() != 4 {
		t.Errorf("ended %+v with %d messages handled, want 4: one was superseded", ended, handled.Load())
	}
}

// What a run left that nobody ended is removed by the next start.
func TestConsumersOfEndedRunsAreRemoved(t *testing.T) {
	t.Parallel()
	_, p, r := run5(t, func(_ context.Context, ms []event.Message) []error { return make([]error, len(ms)) })
	for _, durable := range []string{"rematch-1", "rematch-1-7"} {
		ctx, cancel := context.WithCancel(t.Context())
		left := &stream.Consumer{From: p.streams, Stream: stream.Profiles, Durable: durable, Settled: func(event.Message, fault.Verdict) { cancel() }}
		if err := left.Run(ctx, func(context.Context, []event.Message) []error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(p.leftovers(t)); n != 2 {
		t.Fatalf("%d consumers are left, want 2", n)
	}
	defer r.start(t)()
	testkit.Eventually(t, limit, "they are gone", func() bool { return len(p.leftovers(t)) == 0 })
}
