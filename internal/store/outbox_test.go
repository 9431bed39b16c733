package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"kobling/internal/alert"
	"kobling/internal/fault"
	"kobling/internal/store"
	"kobling/internal/suggestion"
)

// told returns a ledger with one pending notification.
func told(t *testing.T) (*ledger, uuid.UUID) {
	t.Helper()
	l := open(t)
	l.subscribe(func(s *alert.Subscription) { s.Language, s.Name = "nb", "Kari" })
	l.commit(head(need, 1), head(offer, 2), pair(1, 2))
	return l, l.oldest()
}

func TestStartReturnsAllThatIsToldAndFinishEndsIt(t *testing.T) {
	t.Parallel()
	l, id := told(t)
	n, ok, err := l.Start(t.Context(), id)
	if err != nil || !ok {
		t.Fatalf("Start = %t, %v", ok, err)
	}
	if id.Version() != 7 {
		t.Errorf("id %s has version %d, want 7", id, id.Version())
	}
	if diff := cmp.Diff(pair(1, 2), n.Pair); diff != "" {
		t.Errorf("pair (-want +got):\n%s", diff)
	}
	want := alert.Notification{
		ID: id, Kind: alert.KindMatch, Band: suggestion.Possible, Attempt: 1,
		Subscription: n.Subscription, Pair: n.Pair, CreatedAt: n.CreatedAt,
		Demand: head(need, 1).Profile, Supply: head(offer, 2).Profile,
	}
	if diff := cmp.Diff(want, n); diff != "" {
		t.Errorf("notification (-want +got):\n%s", diff)
	}
	if s := n.Subscription; s.Name != "Kari" || s.Language != "nb" || s.Address != "advisor@cluster.example" {
		t.Errorf("subscription = %+v", s)
	}

	l.must(l.Finish(t.Context(), id, alert.Pending, "421 try later"))
	if n, ok, err = l.Start(t.Context(), id); err != nil || !ok || n.Attempt != 2 {
		t.Errorf("second Start = attempt %d, %t, %v", n.Attempt, ok, err)
	}
	l.must(l.Finish(t.Context(), id, alert.Sent, ""))
	if _, ok, err = l.Start(t.Context(), id); err != nil || ok {
		t.Errorf("Start of what was sent = %t, %v", ok, err)
	}
	for _, late := range []alert.State{alert.Pending, alert.Failed} {
		l.must(l.Finish(t.Context(), id, late, "late"))
	}
	if got := l.notifications(); !cmp.Equal(got, []string{"possible sent"}) {
		t.Errorf("notifications = %v", got)
	}
	if n := get[int](l, `SELECT count(*) FROM event_log WHERE kind = 'told.email'`); n != 1 {
		t.Errorf("%d times logged as told, want once", n)
	}
}

func TestStartAndFinishOfNothing(t *testing.T) {
	t.Parallel()
	l, id := told(t)
	if _, _, err := l.Start(t.Context(), uuid.New()); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("Start = %v, want %v", err, fault.ErrNotFound)
	}
	if err := l.Finish(t.Context(), id, alert.Held, ""); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("Finish(held) = %v, want %v", err, fault.ErrInvalid)
	}
}

// The withdrawal commits after Start has begun and before it asks: nothing may
// be sent.
func TestAWithdrawalThatCommitsBeforeTheLiveCheckHolds(t *testing.T) {
	t.Parallel()
	l, id := told(t)
	release := l.hold(`UPDATE profile SET alive = false, seq = 3 WHERE id = $1`, offer)
	type result struct {
		ok  bool
		err error
	}
	done := make(chan result, 1)
	go func() {
		_, ok, err := l.Start(t.Context(), id)
		done <- result{ok, err}
	}()
	l.blocked(1)
	release()
	if r := <-done; r.ok || r.err != nil {
		t.Errorf("Start = %t, %v, want nothing to send", r.ok, r.err)
	}
	if got := l.notifications(); !cmp.Equal(got, []string{"possible held"}) {
		t.Errorf("notifications = %v", got)
	}
}

// The other way round: an attempt that has begun lets the withdrawal wait, but
// only until it is decided that it begins.
func TestAWithdrawalWaitsForAnAttemptToBegin(t *testing.T) {
	t.Parallel()
	l, id := told(t)
	release := l.hold(`SELECT id FROM profile WHERE id = $1 FOR SHARE`, offer)
	done := make(chan error, 1)
	go func() { done <- l.Retire(t.Context(), offer, 3) }()
	l.blocked(1)
	if _, ok, err := l.Start(t.Context(), id); !ok || err != nil {
		t.Errorf("Start = %t, %v", ok, err)
	}
	release()
	l.must(<-done)
	l.must(l.Finish(t.Context(), id, alert.Sent, ""))
	if got := l.notifications(); !cmp.Equal(got, []string{"possible sent"}) {
		t.Errorf("notifications = %v", got)
	}
}

func TestNothingIsSentToAnEndedSubscription(t *testing.T) {
	t.Parallel()
	l, id := told(t)
	subs, err := l.Subscriptions(t.Context(), "")
	l.must(err)
	l.must(l.Unsubscribe(t.Context(), subs[0].ID))
	if _, ok, err := l.Start(t.Context(), id); ok || err != nil {
		t.Errorf("Start = %t, %v", ok, err)
	}
	if got := l.notifications(); !cmp.Equal(got, []string{"possible suppressed"}) {
		t.Errorf("notifications = %v", got)
	}
	if err := l.Unsubscribe(t.Context(), uuid.New()); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("Unsubscribe of nothing = %v, want %v", err, fault.ErrNotFound)
	}
}

func TestAnEndpointThatIsGoneEndsItsSubscription(t *testing.T) {
	t.Parallel()
	l, id := told(t)
	_, _, err := l.Start(t.Context(), id)
	l.must(err)
	l.must(l.Finish(t.Context(), id, alert.Suppressed, "410 Gone"))
	if get[bool](l, `SELECT active FROM subscription`) {
		t.Error("the subscription is still active")
	}
}

func TestRequeueGivesALostNotificationAJob(t *testing.T) {
	t.Parallel()
	l, _ := told(t)
	requeue := func(want int) {
		t.Helper()
		if n, err := store.Requeue(l.Store, t.Context()); err != nil || n != want {
			t.Errorf("requeue = %d, %v, want %d", n, err, want)
		}
	}
	requeue(0) // young
	age := `UPDATE notification SET updated_at = clock_timestamp() - interval '2 minutes'`
	l.exec(age)
	requeue(0) // its job waits
	l.exec(`UPDATE river_job SET state = 'discarded', finalized_at = now() WHERE kind = 'notify'`)
	requeue(1)
	l.exec(age)
	requeue(0) // it has one again
}

func TestOutboxAgeCountsWhatCouldBeSent(t *testing.T) {
	t.Parallel()
	l := open(t)
	for _, tt := range []struct {
		job  string // state, kind, how long ago it was due
		want time.Duration
	}{
		{``, 0},
		{`'scheduled', 'notify', '1 hour'`, 0},
		{`'retryable', 'notify', '2 hours'`, 0},
		{`'available', 'retell', '3 hours'`, 0},
		{`'available', 'event', '-1 hour'`, 0},
		{`'available', 'notify', '5 minutes'`, 5 * time.Minute},
		{`'available', 'event', '7 minutes'`, 7 * time.Minute},
	} {
		if tt.job != "" {
			l.exec(`INSERT INTO river_job (state, kind, scheduled_at, queue, max_attempts, args)
				SELECT s::river_job_state, k, clock_timestamp() - a::interval, 'q', 9, '{}' FROM (SELECT ` + tt.job + `) j (s, k, a)`)
		}
		if got, err := l.OutboxAge(t.Context()); err != nil || got < tt.want || got > tt.want+patience {
			t.Errorf("after %s: %s, %v, want %s", tt.job, got, err, tt.want)
		}
	}
}
