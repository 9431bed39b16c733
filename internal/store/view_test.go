package store_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/suggestion"
)

func TestAViewIsOfOneMoment(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.commit(head(need, 1), head(offer, 2), pair(1, 2), tombstone("need.acme.gone", 3))
	l.must(l.SetLegalEntity(t.Context(), "acme", "acme-holding"))
	l.must(l.SaveNetwork(t.Context(), store.Network{ID: "nordic", Name: "Nordic", Clusters: []string{"default", "other"}}))
	var heads []store.StoredHead
	var live []suggestion.Pair
	l.must(l.View(t.Context(), func(v *store.View) error {
		// What is written now is not seen.
		l.commit(head(need, 5))
		if age := time.Since(v.At()); age < -time.Minute || age > time.Minute {
			t.Errorf("the view is of %v ago", age)
		}
		if err := v.Heads(t.Context(), func(h store.StoredHead) error {
			h.Raw, h.Digest = bytes.Clone(h.Raw), bytes.Clone(h.Digest)
			heads = append(heads, h)
			return nil
		}); err != nil {
			return err
		}
		entities, err := v.LegalEntities(t.Context())
		if err != nil || !cmp.Equal(entities, map[string]string{"acme": "acme-holding"}) {
			t.Errorf("legal entities = %v, %v", entities, err)
		}
		networks, err := v.Networks(t.Context())
		if err != nil || !cmp.Equal(networks, map[string][]string{"default": {"nordic"}, "other": {"nordic"}}) {
			t.Errorf("networks = %v, %v", networks, err)
		}
		return v.Live(t.Context(), func(p suggestion.Pair) error { live = append(live, p); return nil })
	}))
	want := pair(1, 2)
	want.Reasons = nil
	if diff := cmp.Diff([]suggestion.Pair{want}, live); diff != "" {
		t.Errorf("live (-want +got):\n%s", diff)
	}
	if len(heads) != 3 {
		t.Fatalf("%d heads, want 3", len(heads))
	}
	gone, is := heads[0], heads[1] // in order of id
	if gone.Raw != nil || gone.Alive || gone.Status != profile.Withdrawn {
		t.Errorf("head of what was withdrawn = %+v", gone)
	}
	if is.ID != need || is.Seq != 1 || is.IntakeSeq != 101 || !is.Alive || is.Revision != 1 || is.Status != profile.Published {
		t.Errorf("head = %+v", is)
	}
	digest, err := store.ContentDigest(head(need, 1).Profile)
	if err != nil || !bytes.Equal(digest, is.Digest) {
		t.Errorf("digest = %x, %v, kept is %x", digest, err, is.Digest)
	}
	l.must(l.View(t.Context(), func(v *store.View) error {
		if err := v.Heads(t.Context(), func(store.StoredHead) error { return fault.ErrStale }); !errors.Is(err, fault.ErrStale) {
			t.Errorf("Heads = %v, want the function's own error", err)
		}
		return nil
	}))
}

func TestAnomalies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, spoil, want string }{
		{"nothing", ``, ""},
		{"lost", `UPDATE notification SET updated_at = now() - interval '1 hour'; DELETE FROM river_job`, store.LostAlert},
		{"under way", `UPDATE notification SET updated_at = now() - interval '1 hour'`, ""},
		{"not there long enough", `DELETE FROM river_job`, ""},
		{"missing", `DELETE FROM notification`, store.MissingAlert},
		{"missing, and on its way", `DELETE FROM notification;
			INSERT INTO river_job (kind, queue, max_attempts, args, state) VALUES ('retell', 'gate', 9, '{}', 'available')`, ""},
		{"only held", `UPDATE notification SET state = 'held'`, store.MissingAlert},
		{"suppressed", `UPDATE notification SET state = 'suppressed'`, ""},
		{"unnoticed", `DELETE FROM pair`, store.UnnoticedPair},
		{"of the future", `UPDATE suggestion SET demand_seq = 9`, store.FutureSuggestion},
		{"a dead letter", `INSERT INTO dead_letter (subject, seq, reason) VALUES ('x', 1, 'panic')`, store.DeadLetter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			l.subscribe()
			l.commit(head(need, 1), head(offer, 2), pair(1, 2))
			l.exec(tt.spoil)
			l.must(l.View(t.Context(), func(v *store.View) error {
				found, err := v.Anomalies(t.Context())
				got := ""
				for _, a := range found {
					got = a.Name
					if a.Count != 1 || a.Example == "" {
						t.Errorf("%+v", a)
					}
				}
				if got != tt.want || len(found) > 1 {
					t.Errorf("anomalies = %+v, want %q", found, tt.want)
				}
				return err
			}))
		})
	}
}

func TestDeadLettersAreKeptWhole(t *testing.T) {
	t.Parallel()
	l := open(t)
	for seq := range uint64(3) {
		m := event.Message{
			Subject: "profiles.need.acme.n1", Sequence: seq + 1, Data: []byte{0, 255},
			Header: map[string][]string{"Two": {"a", "b\x00"}},
		}
		l.must(l.Quarantine(t.Context(), m, "panic"))
	}
	page, err := l.DeadLetters(t.Context(), 2, 1)
	if err != nil || len(page) != 2 || page[0].ID() != "profiles.need.acme.n1@2" || page[1].ID() != "profiles.need.acme.n1@1" {
		t.Fatalf("page = %+v, %v", page, err)
	}
	if got := page[0]; !bytes.Equal(got.Data, []byte{0, 255}) || !cmp.Equal(got.Header["Two"], []string{"a", "b\x00"}) || got.Reason != "panic" {
		t.Errorf("letter = %+v", got)
	}
	l.must(l.DropDeadLetter(t.Context(), "profiles.need.acme.n1", 2))
	if err := l.DropDeadLetter(t.Context(), "profiles.need.acme.n1", 2); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("dropped twice: %v", err)
	}
	if _, err := l.DeadLetter(t.Context(), "profiles.need.acme.n1\x00", 2); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("read after dropping: %v", err)
	}
}
