package store_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"kobling/internal/alert"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

// hold opens a transaction that holds what query locks until release.
func (l *ledger) hold(query string, args ...any) (release func()) {
	l.t.Helper()
	tx, err := l.pool.Begin(l.t.Context())
	l.must(err)
	l.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	_, err = tx.Exec(l.t.Context(), query, args...)
	l.must(err)
	return func() {
		l.t.Helper()
		l.must(tx.Commit(l.t.Context()))
	}
}

// blocked waits until n sessions of this database wait for a lock.
func (l *ledger) blocked(n int) {
	l.t.Helper()
	testkit.Eventually(l.t, patience, "sessions wait for a lock", func() bool {
		return get[int](l, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == n
	})
}

const theTurn = `SELECT number FROM active_epoch FOR UPDATE`

// Neither transaction knows what the other writes: need's handler ran before the
// index had offer, offer's handler found need. Whichever is second must see both.
func TestTwoCommitsAtOnceTellExactlyOnce(t *testing.T) {
	t.Parallel()
	for range 3 { // either may be first
		l := open(t)
		l.subscribe()
		release := l.hold(theTurn)
		done := make(chan error, 2)
		for _, b := range []suggestion.Batch{batch(head(need, 1)), batch(head(offer, 2), pair(1, 2))} {
			go func() {
				_, err := l.Commit(t.Context(), b)
				done <- err
			}()
		}
		l.blocked(2)
		release()
		for range 2 {
			l.must(<-done)
		}
		if got := l.notifications(); len(got) != 1 {
			t.Errorf("notifications = %v, want one", got)
		}
	}
}

func TestSubscribeWaitsForTheTurn(t *testing.T) {
	t.Parallel()
	l := open(t)
	release := l.hold(theTurn)
	done := make(chan error, 1)
	go func() {
		_, err := l.Subscribe(t.Context(), alert.Subscription{Cluster: "default", Channel: alert.Email, Address: "a@b.example"})
		done <- err
	}()
	l.blocked(1)
	release()
	l.must(<-done)
}

// An attempt that finds its pair not live writes "held" only after it asked. A
// gate that opens in between must wait for it, or would find "pending" and leave
// it alone, and nobody would ever be told.
func TestRetellWaitsForAnAttemptThatIsAsking(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.subscribe()
	l.commit(head(need, 1), head(offer, 2), pair(1, 2))

	// The attempt, as far as "asked, and not live": heads and row locked.
	tx, err := l.pool.BeginTx(t.Context(), pgx.TxOptions{})
	l.must(err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	for _, query := range []string{
		`SELECT id FROM profile ORDER BY id FOR SHARE`,
		`SELECT id FROM notification FOR UPDATE`,
	} {
		_, err := tx.Exec(t.Context(), query)
		l.must(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := l.Retell(t.Context(), []profile.ID{need})
		done <- err
	}()
	l.blocked(1)
	_, err = tx.Exec(t.Context(), `UPDATE notification SET state = 'held'`)
	l.must(err)
	l.must(tx.Commit(t.Context()))
	l.must(<-done)
	if got := l.notifications(); len(got) != 1 || got[0] != "possible pending" {
		t.Errorf("notifications = %v, want one revived", got)
	}
}
