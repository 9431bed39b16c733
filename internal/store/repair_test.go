package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

// TestAfterARecoveryNobodyIsToldTwice: what the database had is told as ever, what
// it learns anew up to the sequence given is withheld, and what comes later is
// told.
func TestAfterARecoveryNobodyIsToldTwice(t *testing.T) {
	t.Parallel()
	const late profile.ID = "offer.uni.late"
	latePair := func(p *suggestion.Pair) { p.Supply, p.SupplySeq = late, 9 }
	for _, tt := range []struct {
		name     string
		do       func(l *ledger)
		told     []string
		withheld int
	}{
		{"what was there is handled again, and its alert had been lost", func(l *ledger) {
			l.commit(head(need, 1), head(offer, 2), pair(1, 2))
			l.must(l.QuietUntil(l.t.Context(), 2))
			l.exec(`DELETE FROM notification`)
			l.commit(head(need, 1), head(offer, 2), pair(1, 2))
		}, []string{"possible pending"}, 0},
		{"one side is learnt anew", func(l *ledger) {
			l.commit(head(need, 1))
			l.must(l.QuietUntil(l.t.Context(), 2))
			for range 2 { // a redelivery changes nothing
				l.commit(head(offer, 2), pair(1, 2))
			}
		}, nil, 1},
		{"a later revision is learnt anew", func(l *ledger) {
			l.commit(head(need, 1), head(offer, 2))
			l.must(l.QuietUntil(l.t.Context(), 3))
			l.commit(head(offer, 3), pair(1, 3))
		}, nil, 1},
		{"the same submission has another place in the stream", func(l *ledger) {
			l.commit(head(need, 1), head(offer, 2))
			l.must(l.QuietUntil(l.t.Context(), 3))
			l.commit(head(offer, 3, func(h *suggestion.Head) { h.IntakeSeq = 102 }), pair(1, 3))
		}, nil, 0},
		{"imported history is not withheld", func(l *ledger) {
			l.commit(head(need, 1))
			l.must(l.QuietUntil(l.t.Context(), 2))
			l.commit(head(offer, 2, quiet), pair(1, 2))
		}, nil, 0},
		{"what comes later is told", func(l *ledger) {
			l.must(l.QuietUntil(l.t.Context(), 2))
			l.commit(head(need, 1), head(offer, 2), pair(1, 2), head(late, 9), pair(1, 9, latePair))
		}, []string{"possible pending"}, 1},
		{"what a recovery brought is told once it is revised", func(l *ledger) {
			l.must(l.QuietUntil(l.t.Context(), 2))
			l.commit(head(need, 1), head(offer, 2), pair(1, 2))
			l.commit(head(need, 3), pair(3, 2))
		}, []string{"possible pending"}, 0},
		{"what was quarantined is as quiet as its message", func(l *ledger) {
			l.commit(head(need, 1), head(offer, 2, func(h *suggestion.Head) { h.Quarantined, h.Alive = true, false }))
			l.commit(head(offer, 2, quiet), pair(1, 2))
		}, nil, 0},
		{"released", func(l *ledger) {
			l.must(l.QuietUntil(l.t.Context(), 2))
			l.commit(head(need, 1), head(offer, 2), pair(1, 2))
			for _, want := range []int{1, 0} {
				if n, err := l.Release(l.t.Context(), offer); n != want || err != nil {
					l.t.Errorf("released %d, %v, want %d", n, err, want)
				}
			}
			l.work()
		}, []string{"possible pending"}, 0},
		{"all released", func(l *ledger) {
			l.must(l.QuietUntil(l.t.Context(), 2))
			l.commit(head(need, 1), head(offer, 2), pair(1, 2))
			if n, err := l.Release(l.t.Context(), ""); n != 2 || err != nil {
				l.t.Errorf("released %d, %v, want 2", n, err)
			}
			l.work()
		}, []string{"possible pending"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			l.subscribe()
			tt.do(l)
			if diff := cmp.Diff(tt.told, l.notifications()); diff != "" {
				t.Errorf("notifications (-want +got):\n%s", diff)
			}
			withheld, err := l.Withheld(t.Context(), 10, 0)
			if err != nil || len(withheld) != tt.withheld {
				t.Errorf("withheld = %+v, %v, want %d", withheld, err, tt.withheld)
			}
			for _, w := range withheld {
				if w.DemandProfile == nil || w.SupplyProfile == nil || w.FirstLiveAt.IsZero() {
					t.Errorf("withheld %+v says too little", w)
				}
			}
		})
	}
}

// work does the jobs that are waiting to tell again.
func (l *ledger) work() {
	l.t.Helper()
	stop := l.run(store.Handlers{})
	testkit.Eventually(l.t, patience, "jobs are done", func() bool {
		return get[bool](l, `SELECT NOT EXISTS (SELECT FROM river_job WHERE kind = 'retell' AND state <> 'completed')`)
	})
	l.must(stop())
}

func TestLatestAndHeights(t *testing.T) {
	t.Parallel()
	l := open(t)
	heads, intake, err := l.Latest(t.Context(), 5)
	if err != nil || len(heads) != 0 || intake != 0 {
		t.Errorf("Latest of an empty database = %v, %d, %v", heads, intake, err)
	}
	l.commit(head(need, 1), head(offer, 4), pair(1, 7)) // its supply's head is not written yet
	l.exec(`INSERT INTO rejection (intake_seq, profile_id, faults, at) VALUES (500, 'x', '[]', now())`)
	heads, intake, err = l.Latest(t.Context(), 1)
	if err != nil || len(heads) != 1 || heads[0].ID != offer || heads[0].Seq != 4 || intake != 500 {
		t.Errorf("Latest = %+v, %d, %v", heads, intake, err)
	}
	if h, err := l.Heights(t.Context()); err != nil || h != (store.Heights{Seq: 7, IntakeSeq: 500}) {
		t.Errorf("Heights = %+v, %v", h, err)
	}
	for seq, want := range map[uint64]bool{500: true, 1: false} {
		if refused, err := l.Refused(t.Context(), seq); refused != want || err != nil {
			t.Errorf("Refused(%d) = %t, %v", seq, refused, err)
		}
	}
	for want := range 3 {
		if n, err := l.IndexGeneration(t.Context()); n != want || err != nil {
			t.Errorf("IndexGeneration = %d, %v, want %d", n, err, want)
		}
		if n, err := l.RebuildIndexes(t.Context()); n != want+1 || err != nil {
			t.Errorf("RebuildIndexes = %d, %v, want %d", n, err, want+1)
		}
	}
}
