package store_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/store"
)

// same compares runs but for the times.
var same = cmpopts.IgnoreFields(store.Rematch{}, "StartedAt", "FinishedAt")

func TestARematchIsBegunCountedAndFinished(t *testing.T) {
	t.Parallel()
	l := open(t)
	if _, err := l.LastRematch(t.Context()); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("before the first: %v, want not found", err)
	}
	asked := store.Rematch{Epoch: 1, From: 3, To: 90, Total: 50}
	begun, err := l.BeginRematch(t.Context(), asked, false)
	l.must(err)
	if asked.Run = 1; !begun.Running() || begun.StartedAt.IsZero() || !cmp.Equal(begun, asked, same) {
		t.Errorf("begun %+v", begun)
	}
	if _, err := l.BeginRematch(t.Context(), asked, false); !errors.Is(err, fault.ErrConflict) {
		t.Errorf("a second one: %v, want a conflict", err)
	}
	l.must(l.CountRematch(t.Context(), 1, 1, 20))
	l.must(l.CountRematch(t.Context(), 1, 1, 9))
	l.must(l.CountRematch(t.Context(), 1, 2, 5)) // there is none
	last := func() store.Rematch {
		t.Helper()
		r, err := l.LastRematch(t.Context())
		l.must(err)
		return r
	}
	if r := last(); r.Done != 29 || !r.Running() {
		t.Errorf("after 29: %+v", r)
	}
	l.must(l.CountRematch(t.Context(), 1, 1, 1000)) // redelivered again and again
	if r := last(); r.Done != 50 {
		t.Errorf("of 50, %d are done", r.Done)
	}
	for _, reason := range []string{"too slow", "too slow\x00 again"} {
		l.must(l.StickRematch(t.Context(), 1, 1, event.Message{Subject: "profiles.need.acme.n1", Sequence: 7}, reason))
	}
	l.must(l.FinishRematch(t.Context(), 1, 1))
	ended := last()
	if want := (store.Rematch{Epoch: 1, Run: 1, From: 3, To: 90, Total: 50, Done: 49, Stuck: 1}); !cmp.Equal(ended, want, same) || ended.Running() {
		t.Errorf("finished %+v, want %+v", ended, want)
	}
	stuck, err := l.StuckIn(t.Context(), 1, 1, 10)
	l.must(err)
	if len(stuck) != 1 || stuck[0].Seq != 7 || stuck[0].Subject != "profiles.need.acme.n1" || stuck[0].Reason != "too slow\uFFFD again" || stuck[0].At.IsZero() {
		t.Errorf("stuck: %+v", stuck)
	}
	// Whoever comes late changes nothing.
	l.must(l.CountRematch(t.Context(), 1, 1, -30))
	l.must(l.FinishRematch(t.Context(), 1, 1))
	if again := last(); !cmp.Equal(again, ended) {
		t.Errorf("afterwards %+v, was %+v", again, ended)
	}
	if next, err := l.BeginRematch(t.Context(), asked, false); err != nil || next.Run != 2 {
		t.Errorf("the next run is %+v, %v", next, err)
	}
}

// Every replica begins the run of a new epoch; there is one.
func TestOneReplicaBeginsTheRematchOfANewEpoch(t *testing.T) {
	t.Parallel()
	l := open(t)
	old, err := l.BeginRematch(t.Context(), store.Rematch{Epoch: 1, To: 5, Total: 5}, true)
	l.must(err)
	l.must(l.SetEpoch(t.Context(), 2, "two", nil, nil))
	if _, err := l.BeginRematch(t.Context(), store.Rematch{Epoch: 1, To: 9}, false); !errors.Is(err, fault.ErrStale) {
		t.Errorf("one of the old epoch: %v, want it stale", err)
	}
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = l.BeginRematch(t.Context(), store.Rematch{Epoch: 2, To: 8, Total: 8}, true)
		})
	}
	wg.Wait()
	begun := 0
	for _, err := range errs {
		switch {
		case err == nil:
			begun++
		case !errors.Is(err, fault.ErrConflict):
			t.Errorf("begun: %v", err)
		}
	}
	last, err := l.LastRematch(t.Context())
	l.must(err)
	if begun != 1 || last.Epoch != 2 || last.Run != 1 || !last.Running() {
		t.Errorf("%d began; the last is %+v", begun, last)
	}
	if replaced := get[bool](l, `SELECT replaced FROM rematch WHERE epoch = 1 AND finished_at >= started_at`); !replaced || old.Run != 1 {
		t.Errorf("that of epoch 1 was not ended: %+v", old)
	}
	// Once it is finished it is not begun by itself again.
	l.must(l.FinishRematch(t.Context(), 2, 1))
	if _, err := l.BeginRematch(t.Context(), store.Rematch{Epoch: 2}, true); !errors.Is(err, fault.ErrConflict) {
		t.Errorf("a second first one: %v, want a conflict", err)
	}
	if r, err := l.BeginRematch(t.Context(), store.Rematch{Epoch: 2}, false); err != nil || r.Run != 2 {
		t.Errorf("asked for: %+v, %v", r, err)
	}
}
