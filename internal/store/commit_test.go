package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

func TestCommit(t *testing.T) {
	t.Parallel()
	type row struct {
		DemandSeq, SupplySeq uint64
		Epoch                int
		Band                 suggestion.Band
		Live                 bool
	}
	for _, tt := range []struct {
		name       string
		epoch      int // raised to it before the last batch
		batches    []suggestion.Batch
		superseded []profile.ID // by the last batch
		want       []row
		told       int
		logged     int
	}{
		{
			name: "new",
			batches: []suggestion.Batch{
				batch(head(need, 1)),
				batch(head(offer, 2), pair(1, 2)),
			},
			want: []row{{1, 2, 1, suggestion.Possible, true}}, told: 1, logged: 2,
		},
		{
			name:    "both sides in one batch",
			batches: []suggestion.Batch{batch(head(need, 1), head(offer, 2), pair(1, 2))},
			want:    []row{{1, 2, 1, suggestion.Possible, true}}, told: 1, logged: 2,
		},
		{
			name: "redelivered",
			batches: []suggestion.Batch{
				batch(head(need, 1), head(offer, 2), pair(1, 2)),
				batch(head(need, 1), head(offer, 2), pair(1, 2)),
			},
			want: []row{{1, 2, 1, suggestion.Possible, true}}, told: 1, logged: 2,
		},
		{
			name: "an older revision arrives late",
			batches: []suggestion.Batch{
				batch(head(need, 1), head(offer, 2), pair(1, 2)),
				batch(head(need, 5), pair(5, 2)),
				batch(head(need, 3), pair(3, 2, strong)),
			},
			superseded: []profile.ID{need},
			want:       []row{{5, 2, 1, suggestion.Possible, true}}, told: 1, logged: 3,
		},
		{
			name: "an older revision arrives first with what the newer found of it",
			batches: []suggestion.Batch{
				batch(head(offer, 6), pair(5, 6)), // knew need at 5, whose own message is late
				batch(head(need, 1), pair(1, 2)),
			},
			want: []row{{5, 6, 1, suggestion.Possible, false}}, logged: 2,
		},
		{
			name: "neither sequence may fall",
			batches: []suggestion.Batch{
				batch(head(need, 7), head(offer, 8), pair(7, 8)),
				batch(head("need.other.x", 9), pair(9, 6, strong)), // a row no order puts after or before
			},
			want: []row{{7, 8, 1, suggestion.Possible, true}}, told: 1, logged: 3,
		},
		{
			name: "the row is superseded by a revision that matches no more",
			batches: []suggestion.Batch{
				batch(head(need, 1), head(offer, 2), pair(1, 2)),
				batch(head(need, 3)),
			},
			want: []row{{1, 2, 1, suggestion.Possible, false}}, told: 1, logged: 3,
		},
		{
			name:  "a new epoch without the pair",
			epoch: 2,
			batches: []suggestion.Batch{
				batch(head(need, 1), head(offer, 2), pair(1, 2)),
				batch(head(need, 1), rematch(2)),
			},
			want: []row{{1, 2, 1, suggestion.Possible, false}}, told: 1, logged: 2,
		},
		{
			name:  "a new epoch with the pair in a higher band, one side judged",
			epoch: 2,
			batches: []suggestion.Batch{
				batch(head(need, 1), head(offer, 2), pair(1, 2)),
				batch(head(need, 1), pair(1, 2, strong), rematch(2)),
			},
			want: []row{{1, 2, 2, suggestion.Strong, true}}, told: 2, logged: 2, // the AND rule: first told by an event
		},
		{
			name:  "the re-match holds an older revision than the head",
			epoch: 2,
			batches: []suggestion.Batch{
				batch(head(need, 1), head(offer, 2), pair(1, 2)),
				batch(tombstone(need, 5)),
				batch(head(need, 1), pair(1, 2), rematch(2)),
			},
			superseded: []profile.ID{need},
			want:       []row{{1, 2, 1, suggestion.Possible, false}}, told: 1, logged: 3,
		},
		{
			name: "one of two is superseded",
			batches: []suggestion.Batch{
				batch(head(need, 4)),
				batch(head(need, 1), head(offer, 5), pair(1, 5)),
			},
			superseded: []profile.ID{need}, logged: 2,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			l.subscribe()
			told := 0
			var out suggestion.Outcome
			for i, b := range tt.batches {
				if i == len(tt.batches)-1 && tt.epoch > 0 {
					l.must(l.SetEpoch(t.Context(), tt.epoch, "next", nil, nil))
				}
				var err error
				if out, err = l.Commit(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				told += out.Told
			}
			var got []row
			rows, err := l.pool.Query(t.Context(), `
				SELECT s.demand_seq, s.supply_seq, s.epoch, s.band, EXISTS (SELECT FROM suggestion_live v WHERE v.demand_id = s.demand_id AND v.supply_id = s.supply_id)
				FROM suggestion s ORDER BY s.demand_id, s.supply_id`)
			l.must(err)
			for rows.Next() {
				var r row
				l.must(rows.Scan(&r.DemandSeq, &r.SupplySeq, &r.Epoch, &r.Band, &r.Live))
				got = append(got, r)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("suggestions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.superseded, out.Superseded); diff != "" {
				t.Errorf("superseded (-want +got):\n%s", diff)
			}
			jobs := get[int](l, `SELECT count(*) FROM river_job WHERE kind = 'notify'`)
			if told != tt.told || jobs != tt.told || len(l.notifications()) != tt.told {
				t.Errorf("told %d, %d jobs, notifications %v; want %d of each", told, jobs, l.notifications(), tt.told)
			}
			if n := get[int](l, `SELECT count(*) FROM event_log WHERE profile_id IS NOT NULL`); n != tt.logged {
				t.Errorf("%d revisions logged, want %d", n, tt.logged)
			}
		})
	}
}

func TestCommitOfAnotherEpochWritesNothing(t *testing.T) {
	t.Parallel()
	l := open(t)
	for _, epoch := range []int{0, 2} {
		_, err := l.Commit(t.Context(), batch(head(need, 1), inEpoch(epoch)))
		if !errors.Is(err, fault.ErrStale) {
			t.Errorf("Commit in epoch %d = %v, want %v", epoch, err, fault.ErrStale)
		}
	}
	if n := get[int](l, `SELECT count(*) FROM profile`); n != 0 {
		t.Errorf("%d heads written", n)
	}
}

func TestCommitIsAllOrNothing(t *testing.T) {
	t.Parallel()
	l := open(t)
	_, err := l.Commit(t.Context(), batch(head(need, 1), head(offer, 2), pair(1, 2, func(p *suggestion.Pair) { p.Band = "certain" })))
	if !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("Commit = %v, want %v", err, fault.ErrInvalid)
	}
	if n := get[int](l, `SELECT count(*) FROM profile`); n != 0 {
		t.Errorf("%d heads written", n)
	}
}

func TestTheNewestProfileOfABatchNamesItsOrganisation(t *testing.T) {
	t.Parallel()
	l := open(t)
	named := func(n string) func(*suggestion.Head) {
		return edit(func(p *profile.Profile) { p.Organisation.Name = n })
	}
	l.commit(head("need.acme.a", 2, named("older")), head("need.acme.b", 4, named("newest")), head("offer.acme.c", 3, named("old")))
	if got := get[string](l, `SELECT name FROM organisation WHERE org = 'acme'`); got != "newest" {
		t.Errorf("the organisation is called %q, want %q", got, "newest")
	}
}

func TestSetEpochOnlyRises(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.must(l.SetEpoch(t.Context(), 3, "three", nil, nil))
	l.must(l.SetEpoch(t.Context(), 3, "three", nil, nil))
	for _, tt := range []struct {
		number      int
		fingerprint string
	}{{2, "two"}, {3, "other"}} {
		if err := l.SetEpoch(t.Context(), tt.number, tt.fingerprint, nil, nil); !errors.Is(err, fault.ErrStale) {
			t.Errorf("SetEpoch(%d, %q) = %v, want %v", tt.number, tt.fingerprint, err, fault.ErrStale)
		}
	}
	number, fingerprint, err := l.ActiveEpoch(t.Context())
	if err != nil || number != 3 || fingerprint != "three" {
		t.Errorf("ActiveEpoch = %d, %q, %v", number, fingerprint, err)
	}
}
