package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/suggestion"
)

func TestSuggestions(t *testing.T) {
	t.Parallel()
	l := open(t)
	scored := func(supply profile.ID, seq uint64, score float64, band suggestion.Band) suggestion.Pair {
		return pair(1, seq, func(p *suggestion.Pair) { p.Supply, p.Score, p.Band = supply, score, band })
	}
	public := func(c string) func(*suggestion.Head) {
		return edit(func(p *profile.Profile) { p.Cluster, p.Visibility = c, profile.VisiblePublic })
	}
	l.commit(head(need, 1, public("north")), head("offer.uni.a", 2, public("north")), head("offer.uni.b", 3, public("south")),
		head("offer.uni.c", 4, public("south")), head("offer.uni.d", 5, public("south"), func(h *suggestion.Head) { h.Alive = false }),
		scored("offer.uni.a", 2, 0.4, suggestion.Possible), scored("offer.uni.b", 3, 0.9, suggestion.Strong),
		scored("offer.uni.c", 4, 0.4, suggestion.Possible), scored("offer.uni.d", 5, 0.8, suggestion.Strong))

	for _, tt := range []struct {
		name   string
		filter suggestion.Filter
		want   []profile.ID
	}{
		{"all, strongest first", suggestion.Filter{}, []profile.ID{"offer.uni.b", "offer.uni.a", "offer.uni.c"}},
		{"of a demand", suggestion.Filter{Profile: need}, []profile.ID{"offer.uni.b", "offer.uni.a", "offer.uni.c"}},
		{"of a supply", suggestion.Filter{Profile: "offer.uni.c"}, []profile.ID{"offer.uni.c"}},
		{"of a cluster", suggestion.Filter{Cluster: "south"}, []profile.ID{"offer.uni.b", "offer.uni.c"}},
		{"strong", suggestion.Filter{MinBand: suggestion.Strong}, []profile.ID{"offer.uni.b"}},
		{"a page", suggestion.Filter{Limit: 1, Offset: 1}, []profile.ID{"offer.uni.a"}},
		{"of nobody", suggestion.Filter{Profile: "need.x.y"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := l.Suggestions(t.Context(), tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []profile.ID
			for _, r := range found {
				got = append(got, r.Supply)
				if r.DemandProfile.ID != need || r.SupplyProfile.ID != r.Supply || r.FirstLiveAt.IsZero() || len(r.Reasons) != 1 {
					t.Errorf("row = %+v", r)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Suggestions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	l, id := told(t)
	l.must(l.Reject(t.Context(), rejection(7)))
	_, _, err := l.Start(t.Context(), id)
	l.must(err)
	got, err := l.Stats(t.Context())
	l.must(err)
	want := store.Stats{
		Profiles: 2, Suggestions: 1, Subscriptions: 1, Rejections: 1,
		Notifications: map[string]int64{"sending": 1}, Notify: 1, Events: 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Stats (-want +got):\n%s", diff)
	}
}

func TestDecideRefuses(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.commit(head(need, 1))
	d := store.Decision{Demand: need, Supply: offer, Verdict: store.DeclinePair, Reason: "wrong_field", By: "advisor"}
	if err := l.Decide(t.Context(), d); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("Decide on an unknown supply = %v, want %v", err, fault.ErrNotFound)
	}
	l.commit(head(offer, 2))
	for _, reason := range []string{"", "bad_mood"} {
		d.Reason = reason
		if err := l.Decide(t.Context(), d); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("Decide for reason %q = %v, want %v", reason, err, fault.ErrInvalid)
		}
	}
}
