package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

func TestRetire(t *testing.T) {
	t.Parallel()
	type state struct {
		Seq   uint64
		Alive bool
		Live  bool
	}
	for _, tt := range []struct {
		name string
		do   func(l *ledger)
		want state
	}{
		{
			name: "before there is a head: what comes late stays dead",
			do: func(l *ledger) {
				l.must(l.Retire(l.t.Context(), offer, 3))
				l.commit(head(need, 1), head(offer, 2), pair(1, 2))
			},
			want: state{3, false, false},
		},
		{
			name: "after",
			do: func(l *ledger) {
				l.commit(head(need, 1), head(offer, 2), pair(1, 2))
				l.must(l.Retire(l.t.Context(), offer, 3))
			},
			want: state{3, false, false},
		},
		{
			name: "repeated by the match worker",
			do: func(l *ledger) {
				l.commit(head(need, 1), head(offer, 2), pair(1, 2))
				l.must(l.Retire(l.t.Context(), offer, 3))
				l.commit(tombstone(offer, 3))
			},
			want: state{3, false, false},
		},
		{
			name: "late, after the profile was resumed",
			do: func(l *ledger) {
				l.commit(head(need, 1), head(offer, 4), pair(1, 4))
				l.must(l.Retire(l.t.Context(), offer, 3))
			},
			want: state{4, true, true},
		},
		{
			name: "at the head's own sequence",
			do: func(l *ledger) {
				l.commit(head(need, 1), head(offer, 3), pair(1, 3))
				l.must(l.Retire(l.t.Context(), offer, 3))
			},
			want: state{3, true, true},
		},
		{
			name: "a re-match in a newer epoch cannot bring it back",
			do: func(l *ledger) {
				l.commit(head(need, 1), head(offer, 2), pair(1, 2))
				l.must(l.Retire(l.t.Context(), offer, 3))
				l.must(l.SetEpoch(l.t.Context(), 2, "two", nil, nil))
				l.commit(head(need, 1), head(offer, 2), pair(1, 2), rematch(2))
			},
			want: state{3, false, false},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			tt.do(l)
			h, err := l.Head(t.Context(), offer)
			l.must(err)
			if diff := cmp.Diff(tt.want, state{h.Seq, h.Alive, len(l.live()) == 1}); diff != "" {
				t.Errorf("offer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeadAndProfileReturnWhatWasCommitted(t *testing.T) {
	t.Parallel()
	l := open(t)
	want := head(need, 1, quiet, edit(func(p *profile.Profile) { p.Texts[0].Description = "Æ Ø Å \U0001F9D3" }))
	want.Epoch = 1
	l.commit(want)
	got, err := l.Head(t.Context(), need)
	l.must(err)
	want.Raw, got.Raw = nil, nil // jsonb keeps the value, not the bytes
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Head (-want +got):\n%s", diff)
	}

	l.commit(tombstone(need, 2))
	if _, err := l.Profile(t.Context(), need); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("Profile of a withdrawn one = %v, want %v", err, fault.ErrNotFound)
	}
	if _, err := l.Head(t.Context(), offer); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("Head of an unknown one = %v, want %v", err, fault.ErrNotFound)
	}
	if got := get[string](l, `SELECT status || ' ' || cluster FROM profile`); got != "withdrawn default" {
		t.Errorf("tombstone = %q, want it to keep its cluster", got)
	}
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.commit(head(need, 1), head(offer, 2), pair(1, 2))
	m := event.Message{
		Subject: event.Subject(event.Profiles, offer), Sequence: 3,
		Header: map[string][]string{"Kobling-Status": {"pub\x00lished\xff"}}, Data: []byte{0, 0xff},
	}
	for range 2 { // delivered again
		l.must(l.Quarantine(t.Context(), m, "panic: index\x00 out of range"))
	}
	h, err := l.Head(t.Context(), offer)
	l.must(err)
	if !h.Quarantined || h.Seq != 3 || len(l.live()) != 0 {
		t.Errorf("head = %+v, live %v, want it quarantined at 3 and hidden", h, l.live())
	}
	if n := get[int](l, `SELECT count(*) FROM dead_letter`); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}

	l.commit(head(offer, 4), pair(1, 4))
	if diff := cmp.Diff([]string{both}, l.live()); diff != "" {
		t.Errorf("after a good revision (-want +got):\n%s", diff)
	}
	m.Subject, m.Sequence = "profiles.nonsense", 9
	l.must(l.Quarantine(t.Context(), m, "not a profile"))
}

func TestSweepRemovesWhatCanNeverBeLiveAgain(t *testing.T) {
	t.Parallel()
	l := open(t)
	second := func(p *suggestion.Pair) { p.Supply = "offer.uni.o2" }
	l.commit(head(need, 1), head(offer, 2), head("offer.uni.o2", 3), pair(1, 2), pair(1, 3, second))
	l.commit(head("offer.uni.o2", 4))                                                                      // matches no more
	l.commit(pair(9, 2, func(p *suggestion.Pair) { p.Demand = "need.late.n9" }), head("need.late.n8", 10)) // whose head is not here yet
	n, err := l.Sweep(t.Context())
	if err != nil || n != 1 {
		t.Errorf("Sweep = %d, %v, want 1", n, err)
	}
	want := []string{"need.acme.n1 offer.uni.o1", "need.late.n9 offer.uni.o1"}
	if diff := cmp.Diff(want, l.strings(`SELECT demand_id || ' ' || supply_id FROM suggestion ORDER BY 1`)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if n := get[int](l, `SELECT count(*) FROM pair`); n != 2 {
		t.Errorf("%d pairs remembered, want 2", n)
	}

	// A row that a match transaction holds is left to the next round.
	l.commit(head(need, 11))
	release := l.hold(`SELECT 1 FROM suggestion WHERE demand_id = $1 FOR UPDATE`, need)
	if n, err := l.Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("Sweep beside a match transaction = %d, %v, want 0", n, err)
	}
	release()
	if n, err := l.Sweep(t.Context()); err != nil || n != 1 {
		t.Errorf("Sweep after it = %d, %v, want 1", n, err)
	}
}
