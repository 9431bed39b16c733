package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"kobling/internal/alert"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

// run runs jobs until stop is called or the test ends.
func (l *ledger) run(h store.Handlers) (stop func() error) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.RunJobs(ctx, h) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	l.t.Cleanup(func() { _ = stop() })
	return stop
}

func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("not within %s: %s", patience, what)
		panic("unreachable")
	}
}

func TestJobsNotifyAndPublish(t *testing.T) {
	t.Parallel()
	l, id := told(t)
	l.must(l.Reject(t.Context(), rejection(7)))
	notified, published := make(chan uuid.UUID, 9), make(chan event.Message, 9)
	stop := l.run(store.Handlers{
		Notify:  func(_ context.Context, id uuid.UUID) error { notified <- id; return nil },
		Publish: func(_ context.Context, m event.Message) error { published <- m; return nil },
	})
	if got := receive(t, notified, "a notification"); got != id {
		t.Errorf("notified of %s, want %s", got, id)
	}
	subjects := map[string]event.Message{}
	for range 2 {
		m := receive(t, published, "an event")
		subjects[m.Subject] = m
	}
	m, ok := subjects["rejections.need.acme.n1"]
	if _, created := subjects[event.SubjectSuggestionCreated]; !ok || !created {
		t.Fatalf("published %v", subjects)
	}
	e, err := event.Decode(m)
	if err != nil || e.Type != event.TypeRejected {
		t.Errorf("rejection = %+v, %v", e, err)
	}
	if err := stop(); err != nil {
		t.Errorf("RunJobs = %v", err)
	}
}

func TestRunJobsFinishesTheJobInHand(t *testing.T) {
	t.Parallel()
	l, _ := told(t)
	began, finish := make(chan struct{}), make(chan struct{})
	var cut error
	stop := l.run(store.Handlers{Notify: func(ctx context.Context, _ uuid.UUID) error {
		close(began)
		<-finish
		cut = ctx.Err()
		return nil
	}})
	receive(t, began, "the job begins")
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	close(finish)
	if err := receive(t, stopped, "RunJobs returns"); err != nil || cut != nil {
		t.Errorf("RunJobs = %v, the job's context %v", err, cut)
	}
	if state := get[string](l, `SELECT state FROM river_job WHERE kind = 'notify'`); state != "completed" {
		t.Errorf("the job is %s, want completed", state)
	}
}

func TestJobsOfDeadProcessesRunAgainAtOnce(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.subscribe()
	l.subscribe(func(s *alert.Subscription) { s.Address = "second@cluster.example" })
	l.commit(head(need, 1), head(offer, 2), pair(1, 2))
	// One job in the hands of a process that was killed, one in those of another
	// that lives.
	conn, err := l.pool.Acquire(t.Context())
	l.must(err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), `SELECT pg_advisory_lock($1, hashtext('kobling-alive'))`, store.LockWorker)
	l.must(err)
	jobs := l.strings(`SELECT id::text FROM river_job WHERE kind = 'notify' ORDER BY id`)
	for i, worker := range []string{"kobling-dead", "kobling-alive"} {
		l.exec(`UPDATE river_job SET state = 'running', attempt = $3, attempted_at = now(), attempted_by = ARRAY['x', $2] WHERE id = $1::text::bigint`,
			jobs[i], worker, store.NotifyTries)
	}
	l.exec(`INSERT INTO river_leader (leader_id, elected_at, expires_at) VALUES ('kobling-dead', now(), now() + interval '1 hour')`)

	notified := make(chan uuid.UUID, 9)
	begun := time.Now()
	l.run(store.Handlers{Notify: func(_ context.Context, id uuid.UUID) error { notified <- id; return nil }})
	got := receive(t, notified, "the dead process's job")
	t.Logf("after %s", time.Since(begun))
	if want := get[string](l, `SELECT args->>'notification_id' FROM river_job WHERE id = $1::text::bigint`, jobs[0]); got.String() != want {
		t.Errorf("notified of %s, want %s", got, want)
	}
	if state := get[string](l, `SELECT state FROM river_job WHERE id = $1::text::bigint`, jobs[1]); state != "running" {
		t.Errorf("the living process's job is %s, want it left alone", state)
	}
	testkit.Eventually(t, patience, "a new leader", func() bool {
		return get[int](l, `SELECT count(*) FROM river_leader WHERE leader_id <> 'kobling-dead'`) == 1
	})
}

func TestAChangedNetworkTellsPageByPage(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.must(l.SaveCluster(t.Context(), store.Cluster{ID: "a", Name: "A"}))
	l.subscribe(func(s *alert.Subscription) { s.Cluster = "a" })
	network := func(c string) func(*suggestion.Head) {
		return edit(func(p *profile.Profile) { p.Cluster, p.Visibility = c, profile.VisibleNetwork })
	}
	many := store.RetellPage + 10
	parts := []any{head(offer, 1, network("b"))}
	for i := range many {
		id := profile.ID(fmt.Sprintf("need.acme.n%04d", i))
		seq := uint64(i + 2)
		parts = append(parts, head(id, seq, network("a")), pair(seq, 1, func(p *suggestion.Pair) { p.Demand = id }))
	}
	l.commit(parts...)
	if got := l.notifications(); len(got) != 0 {
		t.Fatalf("%d told before there is a network", len(got))
	}
	l.run(store.Handlers{})
	l.must(l.SaveNetwork(t.Context(), store.Network{ID: "norcare", Name: "NorCare", Clusters: []string{"a", "b"}}))
	testkit.Eventually(t, patience, "every pair is told", func() bool {
		return get[int](l, `SELECT count(*) FROM notification`) == many
	})
	l.must(l.SaveNetwork(t.Context(), store.Network{ID: "norcare", Name: "NorCare", Clusters: []string{"b"}}))
	if n := len(l.live()); n != 0 {
		t.Errorf("%d live without a network", n)
	}
}

func TestAProfileOfTheFutureIsToldWhenItsTimeComes(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.subscribe()
	later := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	l.commit(head(need, 1, edit(func(p *profile.Profile) { p.ValidFrom = later })), head(offer, 2), pair(1, 2))
	job := func() (state string, at time.Time) {
		l.must(l.pool.QueryRow(t.Context(), `SELECT state, scheduled_at FROM river_job WHERE kind = 'retell'`).Scan(&state, &at))
		return state, at
	}
	if state, at := job(); state != "scheduled" || !at.Equal(later) {
		t.Fatalf("job is %s for %s, want scheduled for %s", state, at, later)
	}

	// Too early by PostgreSQL's clock: it is put off to the right moment.
	hurry := `UPDATE river_job SET state = 'available', scheduled_at = now() WHERE kind = 'retell'`
	l.exec(hurry)
	l.run(store.Handlers{})
	testkit.Eventually(t, patience, "the job is put off", func() bool {
		state, at := job()
		return state == "scheduled" && at.Sub(later).Abs() < 5*time.Second
	})
	if got := l.notifications(); len(got) != 0 {
		t.Errorf("told too early: %v", got)
	}

	l.exec(`UPDATE profile SET valid_from = clock_timestamp()`)
	l.exec(hurry)
	testkit.Eventually(t, patience, "the pair is told", func() bool { return len(l.notifications()) == 1 })
}

func TestSettle(t *testing.T) {
	t.Parallel()
	down := errors.New("connection refused")
	var snooze *river.JobSnoozeError
	var cancel *river.JobCancelError
	if err := store.Settle(nil); err != nil {
		t.Errorf("Settle(nil) = %v", err)
	}
	if err := store.Settle(down); !errors.Is(err, down) || errors.As(err, &cancel) || errors.As(err, &snooze) {
		t.Errorf("Settle(%v) = %v, want it tried again", down, err)
	}
	if err := store.Settle(fmt.Errorf("send: %w", &alert.SendError{After: time.Minute, Err: down})); !errors.As(err, &snooze) {
		t.Errorf("Settle of a wish to wait = %v, want a snooze", err)
	}
	if err := store.Settle(fmt.Errorf("start: %w", fault.ErrNotFound)); !errors.As(err, &cancel) {
		t.Errorf("Settle of a lasting fault = %v, want it cancelled", err)
	}
}

func TestPausesGrow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind     string
		failures int
		least    time.Duration
	}{
		{"notify", 0, 2 * time.Second},
		{"notify", 1, 8 * time.Second},
		{"notify", 3, 128 * time.Second},
		{"notify", 11, 12 * time.Hour},
		{"event", 0, 2 * time.Second},
		{"event", 500, time.Minute},
	} {
		job := &rivertype.JobRow{Kind: tt.kind, Errors: make([]rivertype.AttemptError, tt.failures)}
		before := time.Now()
		next := store.Pauses{}.NextRetry(job)
		after := time.Now()
		if next.Sub(before) < tt.least || next.Sub(after) > tt.least+tt.least/10 {
			t.Errorf("pause of %s after %d failures = %s, want %s and up to a tenth more", tt.kind, tt.failures, next.Sub(before), tt.least)
		}
	}
}
