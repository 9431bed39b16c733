package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"kobling/internal/alert"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// Four postings of one organisation, and what they are matched with.
const (
	needA profile.ID = "need.acme.a"
	needB profile.ID = "need.acme.b"
	needC profile.ID = "need.acme.c"
	needD profile.ID = "need.acme.d"
)

// with is the pair of a posting and the offer.
func with(demand profile.ID, seq, offerSeq uint64, change ...func(*suggestion.Pair)) suggestion.Pair {
	return pair(seq, offerSeq, append(change, func(p *suggestion.Pair) { p.Demand = demand })...)
}

// twins is the relation of two postings, in order of id.
func twins(a profile.ID, aSeq uint64, b profile.ID, bSeq uint64) suggestion.Duplicate {
	return suggestion.Duplicate{A: a, ASeq: aSeq, B: b, BSeq: bSeq, Epoch: 1}
}

// attempt makes a whole attempt and says how somebody was told: "a in full",
// "b also a", "b waits" or "b not".
func (l *ledger) attempt(id string) string {
	l.t.Helper()
	who := get[string](l, `SELECT split_part(demand_id, '.', 3) FROM notification WHERE id = $1`, id)
	n, ok, err := l.Start(l.t.Context(), uuid.MustParse(id))
	var later *alert.SendError
	switch {
	case errors.As(err, &later):
		if later.After < time.Second || later.Final {
			l.t.Errorf("put off with %+v", later)
		}
		return who + " waits"
	case err != nil:
		l.t.Fatal(err)
	case !ok:
		return who + " not"
	}
	l.must(l.Finish(l.t.Context(), n.ID, alert.Sent, ""))
	if n.AlsoPostedAs == nil {
		return who + " in full"
	}
	return who + " also " + n.AlsoPostedAs.Profile.ID.Local()
}

// open lists what waits to be told, by pair; backwards the last first.
func (l *ledger) open(backwards bool) []string {
	l.t.Helper()
	ids := l.strings(`SELECT id::text FROM notification WHERE state IN ('pending', 'sending') ORDER BY demand_id, supply_id, id`)
	if backwards {
		slices.Reverse(ids)
	}
	return ids
}

// tellAll makes attempts until nothing is open, last first, and returns how each
// was told. What waits must have something to wait for.
func (l *ledger) tellAll() []string {
	l.t.Helper()
	var told []string
	for {
		ids := l.open(true)
		if len(ids) == 0 {
			return told
		}
		before := len(told)
		for _, id := range ids {
			if how := l.attempt(id); !strings.HasSuffix(how, " waits") {
				told = append(told, how)
			}
		}
		if len(told) == before {
			l.t.Fatal("all that is open waits")
		}
	}
}

func (l *ledger) decline(demand, supply profile.ID) {
	l.t.Helper()
	l.exec(`INSERT INTO decision (demand_id, supply_id, verdict, reason, decided_by, demand_digest, supply_digest)
		SELECT d.id, o.id, 'declined', 'other', 'test', d.content_digest, o.content_digest FROM profile d, profile o
		WHERE d.id = $1 AND o.id = $2`, string(demand), string(supply))
}

// On the supply side it is the same, and each advisor is told for himself: who
// subscribed later never heard of the first.
func TestTwinsOfASupplyAreToldToEachSubscriber(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.subscribe()
	offers := [2]profile.ID{"offer.uni.a", "offer.uni.b"}
	supply := func(id profile.ID, seq uint64) suggestion.Pair {
		return pair(1, seq, func(p *suggestion.Pair) { p.Supply = id })
	}
	l.commit(head(need, 1), head(offers[0], 2), supply(offers[0], 2))
	l.subscribe(func(s *alert.Subscription) { s.Address = "late@cluster.example" })
	l.commit(head(offers[1], 3), supply(offers[1], 3), twins(offers[0], 2, offers[1], 3))
	got := l.strings(`
		SELECT split_part(s.address, '@', 1) || ' ' || n.supply_id || coalesce(' also ' || o.supply_id, '')
		FROM notification n JOIN subscription s ON s.id = n.subscription_id LEFT JOIN notification o ON o.id = n.also_of ORDER BY 1`)
	want := []string{"advisor offer.uni.a", "advisor offer.uni.b also offer.uni.a", "late offer.uni.b"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notifications (-want +got):\n%s", diff)
	}
}

// No attempt that names a near-duplicate starts after the end of that one was
// committed: its head is locked with the pair's own.
func TestAnAttemptWaitsForTheEndOfTheTwinItNames(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.subscribe()
	l.commit(head(needA, 1), head(offer, 2), with(needA, 1, 2))
	l.tellAll()
	l.commit(head(needB, 3), with(needB, 3, 2), twins(needA, 1, needB, 3))
	release := l.hold(fmt.Sprintf(`UPDATE profile SET alive = false, seq = 9 WHERE id = '%s'`, needA))
	told := make(chan alert.Notification, 1)
	go func() {
		n, _, err := l.Start(t.Context(), uuid.MustParse(l.open(false)[0]))
		if err != nil {
			t.Error(err)
		}
		told <- n
	}()
	l.blocked(1)
	release()
	if n := <-told; n.AlsoPostedAs != nil || n.Pair.Demand != needB {
		t.Errorf("told of %s with reference to %+v, want in full", n.Pair.Demand, n.AlsoPostedAs)
	}
}
