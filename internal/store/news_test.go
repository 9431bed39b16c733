package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"kobling/internal/alert"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// oldest returns the id of the oldest notification.
func (l *ledger) oldest() uuid.UUID {
	l.t.Helper()
	return get[uuid.UUID](l, `SELECT id FROM notification ORDER BY created_at, id LIMIT 1`)
}

// deliver makes a whole attempt at each open notification and returns how many
// were sent.
func (l *ledger) deliver() int {
	l.t.Helper()
	sent := 0
	for _, id := range l.strings(`SELECT id::text FROM notification WHERE state IN ('pending', 'sending') ORDER BY id`) {
		_, ok, err := l.Start(l.t.Context(), uuid.MustParse(id))
		l.must(err)
		if ok {
			l.must(l.Finish(l.t.Context(), uuid.MustParse(id), alert.Sent, ""))
			sent++
		}
	}
	return sent
}

func TestNews(t *testing.T) {
	t.Parallel()
	live := []any{head(need, 1), head(offer, 2), pair(1, 2)}
	for _, tt := range []struct {
		name string
		do   func(l *ledger)
		want []string
	}{
		{
			name: "a pair is told once, however often it is revised",
			do: func(l *ledger) {
				l.commit(live...)
				l.deliver()
				l.commit(head(need, 3), pair(3, 2))
				l.commit(head(offer, 4), pair(3, 4))
			},
			want: []string{"possible sent"},
		},
		{
			name: "a higher band is told, a lower one and the same one again are not",
			do: func(l *ledger) {
				l.commit(live...)
				l.deliver()
				l.commit(head(need, 3), pair(3, 2, strong))
				l.deliver()
				l.commit(head(need, 4), pair(4, 2))
				l.commit(head(need, 5), pair(5, 2, strong))
			},
			want: []string{"possible sent", "strong sent"},
		},
		{
			name: "what is held comes back with the pair, under its own id",
			do: func(l *ledger) {
				l.commit(live...)
				id := l.oldest()
				l.must(l.Retire(l.t.Context(), offer, 3))
				if n := l.deliver(); n != 0 {
					l.t.Errorf("%d sent of a paused profile", n)
				}
				l.commit(head(offer, 4), pair(1, 4))
				if id != l.oldest() {
					l.t.Error("the id changed")
				}
			},
			want: []string{"possible pending"},
		},
		{
			name: "held in the higher band, told in the lower",
			do: func(l *ledger) {
				l.commit(head(need, 1), head(offer, 2), pair(1, 2, strong))
				l.must(l.Retire(l.t.Context(), offer, 3))
				l.deliver()
				l.commit(head(offer, 4), pair(1, 4))
			},
			want: []string{"strong held", "possible pending"},
		},
		{
			name: "failed is final and counts as told",
			do: func(l *ledger) {
				l.commit(live...)
				id := l.oldest()
				_, _, err := l.Start(l.t.Context(), id)
				l.must(err)
				l.must(l.Finish(l.t.Context(), id, alert.Failed, "no such mailbox"))
				l.commit(head(need, 3), pair(3, 2))
			},
			want: []string{"possible failed"},
		},
		{
			name: "the newer side is quiet",
			do:   func(l *ledger) { l.commit(head(need, 1), head(offer, 2, quiet), pair(1, 2)) },
		},
		{
			name: "the older side is quiet",
			do:   func(l *ledger) { l.commit(head(need, 1, quiet), head(offer, 2), pair(1, 2)) },
			want: []string{"possible pending"},
		},
		{
			name: "a quiet revision stays quiet until a later one is not",
			do: func(l *ledger) {
				l.commit(head(need, 1), head(offer, 2, quiet), pair(1, 2))
				l.commit(head(need, 3), pair(3, 2))
			},
			want: []string{"possible pending"},
		},
		{
			name: "nothing but a re-match",
			do: func(l *ledger) {
				l.commit(head(need, 1), head(offer, 2))
				l.must(l.SetEpoch(l.t.Context(), 2, "two", nil, nil))
				l.commit(append(live, rematch(2))...)
			},
		},
		{
			name: "a re-match after an event",
			do: func(l *ledger) {
				l.commit(head(need, 1), head(offer, 2), pair(1, 2), inEpoch(1))
				l.commit(append(live, rematch(1))...)
			},
			want: []string{"possible pending"},
		},
		{
			name: "an event after a re-match",
			do: func(l *ledger) {
				l.commit(append(live, rematch(1))...)
				l.commit(live...)
			},
			want: []string{"possible pending"},
		},
		{
			name: "a re-match at other sequences forgets what wrote the old row",
			do: func(l *ledger) {
				l.commit(head(need, 1), pair(1, 2)) // an event's row, offer not there yet
				l.commit(head(need, 3), head(offer, 4), pair(3, 4), rematch(1))
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			l.subscribe()
			tt.do(l)
			if diff := cmp.Diff(tt.want, l.notifications()); diff != "" {
				t.Errorf("notifications (-want +got):\n%s", diff)
			}
			// Whatever waits has a job that will do it.
			if n := get[int](l, `SELECT count(*) FROM notification n WHERE state = 'pending' AND NOT EXISTS (
				SELECT FROM river_job j WHERE j.args->>'notification_id' = n.id::text)`); n != 0 {
				t.Errorf("%d pending notifications without a job", n)
			}
		})
	}
}

func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	address := func(a string, more ...func(*alert.Subscription)) func(*alert.Subscription) {
		return func(s *alert.Subscription) {
			s.Address = a
			for _, m := range more {
				m(s)
			}
		}
	}
	in := func(c string) func(*alert.Subscription) { return func(s *alert.Subscription) { s.Cluster = c } }

	l := open(t)
	for _, c := range []string{"north", "south", "west"} {
		l.exec(`INSERT INTO cluster (id, name) VALUES ($1, $1)`, c)
	}
	l.subscribe(address("demand", in("north")))
	l.subscribe(address("supply", in("south"), func(s *alert.Subscription) { s.Channel, s.Secret = alert.Webhook, "whsec" }))
	l.subscribe(address("elsewhere", in("west")))
	l.subscribe(address("choosy", in("north"), func(s *alert.Subscription) { s.MinBand = suggestion.Strong }))
	ended := l.subscribe(address("ended", in("north")))
	l.must(l.Unsubscribe(t.Context(), ended.ID))

	public := func(c string) func(*suggestion.Head) {
		return edit(func(p *profile.Profile) { p.Cluster, p.Visibility = c, profile.VisiblePublic })
	}
	told := func() []string {
		return l.strings(`SELECT s.address || ' ' || n.band FROM notification n JOIN subscription s ON s.id = n.subscription_id ORDER BY 1`)
	}
	l.commit(head(need, 1, public("north")), head(offer, 2, public("south")), pair(1, 2))
	if diff := cmp.Diff([]string{"demand possible", "supply possible"}, told()); diff != "" {
		t.Errorf("told of a possible pair (-want +got):\n%s", diff)
	}
	if got := l.strings(`SELECT queue FROM river_job WHERE kind = 'notify' ORDER BY 1`); !cmp.Equal(got, []string{"email", "webhook"}) {
		t.Errorf("queues = %v, want one for each channel", got)
	}

	// Whoever comes now is not told of what was there, not even when it rises;
	// whoever ended and came back neither.
	l.subscribe(address("late", in("north")))
	l.subscribe(address("ended", in("north")))
	l.commit(head(need, 3, public("north")), pair(3, 2, strong))
	want := []string{"choosy strong", "demand possible", "demand strong", "supply possible", "supply strong"}
	if diff := cmp.Diff(want, told()); diff != "" {
		t.Errorf("told of a strong pair (-want +got):\n%s", diff)
	}
}

func TestSubscribeAgainForgetsNothing(t *testing.T) {
	t.Parallel()
	l := open(t)
	first := l.subscribe()
	again := l.subscribe(func(s *alert.Subscription) { s.Language = "fi" })
	if again.ID != first.ID || !again.CreatedAt.Equal(first.CreatedAt) || again.Language != "fi" {
		t.Errorf("subscribed again = %+v, want %+v in fi", again, first)
	}
	all, err := l.Subscriptions(t.Context(), "default")
	l.must(err)
	if diff := cmp.Diff([]alert.Subscription{again}, all); diff != "" {
		t.Errorf("Subscriptions (-want +got):\n%s", diff)
	}
}

func TestPairsThatRiseArePublished(t *testing.T) {
	t.Parallel()
	l := open(t) // nobody subscribed
	l.commit(head(need, 1), head(offer, 2), pair(1, 2))
	l.commit(head(need, 3), pair(3, 2))
	l.commit(head(need, 4), pair(4, 2, strong))
	l.commit(head(need, 5), pair(5, 2))
	ids := l.strings(`
		SELECT convert_from(decode(m->>'data', 'base64'), 'utf8')::jsonb->>'id'
		FROM river_job j, jsonb_array_elements(j.args->'messages') m WHERE j.kind = 'event' ORDER BY j.id`)
	want := []string{"need.acme.n1~offer.uni.o1~possible", "need.acme.n1~offer.uni.o1~strong"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if n := get[int](l, `SELECT count(*) FROM event_log WHERE kind = 'suggestion.live'`); n != 1 {
		t.Errorf("%d times logged as live, want once", n)
	}
}
