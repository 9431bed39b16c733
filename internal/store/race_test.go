package store_test

import (
	"context"
	"testing"

	"kobling/internal/alert"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

func TestALowerBandIsNotSentAfterAHigher(t *testing.T) {
	t.Parallel()
	l, low := told(t)
	l.commit(head(need, 3), pair(3, 2, strong))
	high := l.highest()
	_, ok, err := l.Start(t.Context(), high)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	l.must(l.Finish(t.Context(), high, alert.Sent, ""))
	if _, ok, _ := l.Start(t.Context(), low); ok {
		t.Error("possible is sent after strong was sent")
	}
}

// highest returns the notification of band strong.
func (l *ledger) highest() (id [16]byte) {
	l.must(l.pool.QueryRow(l.t.Context(), `SELECT id FROM notification WHERE band = 'strong'`).Scan(&id))
	return id
}

func TestAProfileThatComesAliveWhileThePageIsReadIsTold(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.must(l.SaveCluster(t.Context(), store.Cluster{ID: "a", Name: "A"}))
	l.must(l.SaveNetwork(t.Context(), store.Network{ID: "n", Name: "N", Clusters: []string{"a"}}))
	l.exec(`DELETE FROM river_job`)
	l.subscribe(func(s *alert.Subscription) { s.Cluster = "a" })
	network := func(c string) func(*suggestion.Head) {
		return edit(func(p *profile.Profile) { p.Cluster, p.Visibility = c, profile.VisibleNetwork })
	}
	dead := func(h *suggestion.Head) { h.Alive = false }
	l.commit(head(need, 1, network("a")), head(offer, 2, network("b"), dead), pair(1, 2))
	// The match transaction that makes offer alive: it has the turn, has asked the
	// gate (closed) and has not committed.
	release := l.hold(`WITH turn AS (SELECT number FROM active_epoch FOR UPDATE) UPDATE profile SET alive = true WHERE id = $1 AND EXISTS (SELECT FROM turn)`, offer)
	l.must(l.SaveNetwork(t.Context(), store.Network{ID: "n", Name: "N", Clusters: []string{"a", "b"}}))
	l.run(store.Handlers{})
	l.blocked(1) // the job waits for the turn
	release()
	testkit.Eventually(t, patience, "job done", func() bool {
		return get[int](l, `SELECT count(*) FROM river_job WHERE kind = 'retell' AND state = 'completed'`) == get[int](l, `SELECT count(*) FROM river_job WHERE kind = 'retell'`)
	})
	if got, live := l.notifications(), l.live(); len(live) != 1 || len(got) != 1 {
		t.Errorf("live %v, told %v, want the pair live and told", live, got)
	}
}

func TestWhatARematchMadeLiveIsAnnouncedOnceItIsNews(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{false, true} {
		l := open(t)
		l.subscribe()
		parts := []any{head(need, 1), head(offer, 2), pair(1, 2)}
		if first {
			l.commit(append(parts, rematch(1))...)
		}
		l.commit(parts...)
		n := get[int](l, `SELECT count(*) FROM river_job WHERE kind = 'event'`)
		if n != 1 {
			t.Errorf("re-match first: %t: %d events, want 1", first, n)
		}
	}
}

func TestNoAttemptStartsAfterUnsubscribe(t *testing.T) {
	t.Parallel()
	l, id := told(t)
	subs, err := l.Subscriptions(t.Context(), "")
	l.must(err)
	release := l.hold(`SELECT id FROM notification FOR UPDATE`)
	ok := make(chan bool, 1)
	go func() { _, o, _ := l.Start(context.Background(), id); ok <- o }()
	l.blocked(1)
	l.must(l.Unsubscribe(t.Context(), subs[0].ID))
	release()
	if <-ok {
		t.Error("an attempt started after Unsubscribe returned")
	}
}

func TestAnAcceptanceBesideADeclineTellsAgain(t *testing.T) {
	t.Parallel()
	l, _ := told(t)
	release := l.hold(`INSERT INTO decision (demand_id, supply_id, verdict, reason, demand_digest, supply_digest, decided_by)
		SELECT d.id, o.id, 'declined', 'other', d.content_digest, o.content_digest, 'x' FROM profile d, profile o WHERE d.id = $1 AND o.id = $2`, need, offer)
	done := make(chan error, 1)
	go func() {
		done <- l.Decide(context.Background(), store.Decision{Demand: need, Supply: offer, Verdict: store.AcceptPair, By: "y"})
	}()
	l.blocked(1)
	release()
	l.must(<-done)
	if n := get[int](l, `SELECT count(*) FROM river_job WHERE kind = 'retell'`); n == 0 {
		t.Errorf("declined became accepted and nobody tells again (%s)", get[string](l, `SELECT verdict FROM decision`))
	}
}
