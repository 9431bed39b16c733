package match_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

const (
	falls  = "Fall detection with a radar sensor for home care"
	wounds = "Wound healing of pressure ulcers, photographed in the nursing home"

	need  = profile.ID("need.acme.falls")
	offer = profile.ID("offer.uni.falls")
)

func done(t *testing.T, errs []error) {
	t.Helper()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
}

// blind is a finder whose index has not come far enough.
type blind struct {
	match.Finder

	asked func(call int)
	calls int
}

func (b *blind) WaitFor(context.Context, uint64) error {
	b.asked(b.calls)
	b.calls++
	return fmt.Errorf("the index is behind: %w", fault.ErrUnavailable)
}

func TestATombstoneDoesNotWaitForTheIndex(t *testing.T) {
	t.Parallel()
	h := open(t)
	done(t, h.Handle(t.Context(), []event.Message{h.say(need, profile.Published, falls), h.say(offer, profile.Published, falls)}))
	if len(h.live()) != 1 {
		t.Fatalf("shown: %v, want one pair", keys(h.live()))
	}
	h.Finder = &blind{Finder: h.index, asked: func(call int) {
		if call == 1 && h.alive(need) { // about to wait for long
			t.Error("the withdrawal waits for the index")
		}
	}}
	errs := h.Handle(t.Context(), []event.Message{h.say("offer.uni.other", profile.Published, falls), h.say(need, profile.Withdrawn, "")})
	if !errors.Is(errs[0], fault.ErrUnavailable) || errs[1] != nil {
		t.Errorf("errors = %v, want the offer put off and the withdrawal done", errs)
	}
	if len(h.live()) != 0 {
		t.Errorf("shown: %v, want nothing", keys(h.live()))
	}
}

// panics is a scorer that breaks on one organisation's profiles.
type panics struct {
	match.Scorer

	on string
}

func (p panics) Side(of *profile.Profile) score.Side {
	if of.ID.Org() == p.on {
		panic("a text that breaks the analysis")
	}
	return p.Scorer.Side(of)
}

func TestWhatBreaksTheMatcherIsKeptAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.Scorer, h.Sides = panics{h.epoch, "evil"}, nil
	unreadable := h.say("offer.uni.broken", profile.Published, falls)
	unreadable.Data = []byte("{")
	errs := h.Handle(t.Context(), []event.Message{
		h.say(need, profile.Published, falls), unreadable, h.say("offer.evil.one", profile.Published, falls), h.say(offer, profile.Published, falls),
	})
	for i, bad := range []bool{false, true, true, false} {
		if got := fault.Judge(errs[i]) == fault.Reject; got != bad {
			t.Errorf("message %d: %v", i, errs[i])
		}
	}
	if n := h.deadLetters(); n != 2 {
		t.Errorf("%d dead letters, want 2", n)
	}
	if pairs := h.live(); len(pairs) != 1 {
		t.Errorf("shown: %v, want the one pair of good profiles", keys(pairs))
	}
}

func TestABatchIsDividedUntilTheBadOneIsAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	const bad = profile.ID("offer.uni.bad")
	sizes := []int{}
	h.Ledger = faulty{h.store, func(b suggestion.Batch) error {
		sizes = append(sizes, len(b.Heads))
		if holds(b, bad) {
			return fmt.Errorf("PostgreSQL does not take this: %w", fault.ErrInvalid)
		}
		return nil
	}}
	ms := []event.Message{h.say(need, profile.Published, falls), h.say(bad, profile.Published, falls), h.say(offer, profile.Published, falls), h.say("need.b.1", profile.Published, wounds)}
	errs := h.Handle(t.Context(), ms)
	if errs[0] != nil || !errors.Is(errs[1], fault.ErrInvalid) || errs[2] != nil || errs[3] != nil {
		t.Errorf("errors = %v", errs)
	}
	if h.deadLetters() != 1 || len(h.live()) != 1 {
		t.Errorf("%d dead letters, shown %v", h.deadLetters(), keys(h.live()))
	}
	if diff := cmp.Diff([]int{4, 2, 1, 1, 2}, sizes); diff != "" {
		t.Errorf("transactions of so many heads:\n%s", diff)
	}
}

func TestWhatMayWorkLaterIsPutOff(t *testing.T) {
	t.Parallel()
	for name, reason := range map[string]error{"the database is down": fault.ErrUnavailable, "another epoch is active": fault.ErrStale} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			tried := 0
			h.Ledger = faulty{h.store, func(suggestion.Batch) error {
				tried++
				return fmt.Errorf("commit: %w", reason)
			}}
			ms := []event.Message{h.say(need, profile.Published, falls), h.say(offer, profile.Published, falls)}
			for _, err := range h.Handle(t.Context(), ms) {
				if fault.Judge(err) != fault.Retry {
					t.Errorf("error = %v, want one that is tried again", err)
				}
			}
			if tried != 1 {
				t.Errorf("tried %d times: dividing the batch does not help", tried)
			}
			if h.deadLetters() != 0 {
				t.Error("a good message was given up")
			}
			h.Ledger = h.store
			done(t, h.Handle(t.Context(), ms))
			if len(h.live()) != 1 {
				t.Errorf("shown: %v, want one pair", keys(h.live()))
			}
		})
	}
}

func TestTheLedgerRefusesAWorkerOfAnOldEpoch(t *testing.T) {
	t.Parallel()
	h := open(t)
	m := h.say(need, profile.Published, falls)
	if err := h.store.SetEpoch(t.Context(), 2, "two", nil, nil); err != nil {
		t.Fatal(err)
	}
	if errs := h.Handle(t.Context(), []event.Message{m}); fault.Judge(errs[0]) != fault.Retry {
		t.Errorf("error = %v, want the message to come again", errs[0])
	}
}

func TestChangesKeepTheNewestOfEachProfile(t *testing.T) {
	t.Parallel()
	h := open(t)
	unreadable := h.say("offer.uni.broken", profile.Published, falls)
	unreadable.Data = nil
	ms := []event.Message{
		h.say(need, profile.Published, falls), h.say(offer, profile.Published, falls), unreadable,
		h.say(need, profile.Paused, falls), h.say("offer.evil.one", profile.Published, falls),
		{Subject: "nothing of ours", Sequence: 99},
	}
	alive := map[profile.ID]bool{}
	for _, c := range match.Changes(panics{h.epoch, "evil"}, ms, nil) {
		if _, twice := alive[c.ID]; twice {
			t.Errorf("%s changes twice", c.ID)
		}
		alive[c.ID] = c.Alive
		if c.Alive == (len(c.Side.Features) == 0) {
			t.Errorf("%s: alive %t with %d features", c.ID, c.Alive, len(c.Side.Features))
		}
	}
	want := map[profile.ID]bool{need: false, offer: true, "offer.uni.broken": false, "offer.evil.one": false}
	if diff := cmp.Diff(want, alive); diff != "" {
		t.Errorf("alive (-want +got):\n%s", diff)
	}
}
