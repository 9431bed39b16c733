package store_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/suggestion"
)

func TestAnEpochIsKeptWithItsModel(t *testing.T) {
	t.Parallel()
	l := open(t)
	before := time.Now().Add(-time.Minute)
	l.must(l.SetEpoch(t.Context(), 2, "two", []byte{0, 1, 255}, []byte(`{"program": "v1"}`)))
	got, err := l.Epoch(t.Context(), 2)
	l.must(err)
	if got.MadeAt.Before(before) || got.MadeAt.After(time.Now().Add(time.Minute)) {
		t.Errorf("made at %s", got.MadeAt)
	}
	got.MadeAt = time.Time{}
	if d := cmp.Diff(store.Epoch{Number: 2, Fingerprint: "two", About: []byte(`{"program": "v1"}`), Model: []byte{0, 1, 255}}, got); d != "" {
		t.Error(d)
	}
	about, err := l.AboutEpoch(t.Context())
	l.must(err)
	if about.Number != 2 || about.Fingerprint != "two" || string(about.About) != `{"program": "v1"}` || len(about.Model) != 0 {
		t.Errorf("about the active epoch: %+v", about)
	}
	// To set it again, as another replica does at the same time, changes nothing.
	l.must(l.SetEpoch(t.Context(), 2, "two", []byte{7}, []byte(`{}`)))
	if again, err := l.Epoch(t.Context(), 2); err != nil || !bytes.Equal(again.Model, []byte{0, 1, 255}) {
		t.Errorf("set again it is %+v, %v", again, err)
	}
	if _, err := l.Epoch(t.Context(), 3); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("an epoch to come: %v", err)
	}
}

// An epoch that does not become active leaves nothing.
func TestAStaleEpochIsNotKept(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.must(l.SetEpoch(t.Context(), 4, "four", nil, nil))
	for _, number := range []int{3, 4} {
		if err := l.SetEpoch(t.Context(), number, "other", []byte{1}, nil); !errors.Is(err, fault.ErrStale) {
			t.Errorf("epoch %d: %v, want it stale", number, err)
		}
	}
	if _, err := l.Epoch(t.Context(), 3); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("the stale epoch: %v", err)
	}
	if e, err := l.Epoch(t.Context(), 4); err != nil || e.Fingerprint != "four" {
		t.Errorf("the active epoch is %+v, %v", e, err)
	}
}

func TestOnlyTheLastEpochsAreKept(t *testing.T) {
	t.Parallel()
	l := open(t)
	for n := 2; n <= 9; n++ {
		l.must(l.SetEpoch(t.Context(), n, "of "+strconv.Itoa(n), nil, nil))
	}
	if kept := l.strings(`SELECT number::text FROM epoch ORDER BY number`); !slices.Equal(kept, []string{"5", "6", "7", "8", "9"}) {
		t.Errorf("kept are %v", kept)
	}
}

// A program of before migration 3 raises the number without keeping anything.
func TestAnEpochOfAnOlderProgramHasNoModel(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.exec(`UPDATE active_epoch SET number = 7, fingerprint = 'seven'`)
	if _, err := l.Epoch(t.Context(), 7); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("its model: %v", err)
	}
	about, err := l.AboutEpoch(t.Context())
	if err != nil || about.Number != 7 || about.Fingerprint != "seven" || string(about.About) != "{}" || about.MadeAt.IsZero() {
		t.Errorf("about it: %+v, %v", about, err)
	}
	l.must(l.SetEpoch(t.Context(), 8, "eight", nil, nil))
}

func TestAModelOf40MBComesBack(t *testing.T) {
	t.Parallel()
	l := open(t)
	model := make([]byte, 40<<20)
	random := rand.NewChaCha8([32]byte{1})
	if _, err := random.Read(model); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	l.must(l.SetEpoch(t.Context(), 2, "two", model, nil))
	written := time.Now()
	got, err := l.Epoch(t.Context(), 2)
	t.Logf("written in %s, read in %s", written.Sub(began), time.Since(written))
	if err != nil || !bytes.Equal(got.Model, model) {
		t.Errorf("%d bytes came back, %v", len(got.Model), err)
	}
	if storage := get[string](l, `SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'epoch'::regclass AND attname = 'model'`); storage != "e" {
		t.Errorf("PostgreSQL compresses what is compressed: storage %q", storage)
	}
}

func TestLiveProfilesComeInPages(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.commit(head("need.acme.a", 1), head("need.acme.B", 2), head("offer.uni.a", 3), head("offer.uni.b", 4), tombstone("offer.uni.c", 5),
		head("offer.uni.d", 6, func(h *suggestion.Head) { h.Quarantined = true }),
		head("offer.uni.e", 7, func(h *suggestion.Head) { h.Alive = false }), head("test_place.uni.f", 8))
	var all []profile.ID
	var after profile.ID
	for {
		page, err := l.LiveProfiles(t.Context(), after, 2)
		l.must(err)
		if len(page) == 0 {
			break
		}
		for _, p := range page {
			all = append(all, p.ID)
			after = p.ID
		}
	}
	if want := []profile.ID{"need.acme.B", "need.acme.a", "offer.uni.a", "offer.uni.b", "test_place.uni.f"}; !slices.Equal(all, want) {
		t.Errorf("live are %v, want %v", all, want)
	}
}
