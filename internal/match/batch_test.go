package match_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

// recorded makes the ledger note what it is given.
func (h *house) recorded() *[]suggestion.Batch {
	var batches []suggestion.Batch
	h.Ledger = faulty{h.store, func(b suggestion.Batch) error {
		batches = append(batches, b)
		return nil
	}}
	return &batches
}

func TestOfAProfileInABatchTheNewestRevisionCounts(t *testing.T) {
	t.Parallel()
	h := open(t)
	batches := h.recorded()
	older, other, newest := h.say(need, profile.Published, falls), h.say(offer, profile.Published, falls), h.say(need, profile.Published, falls)
	done(t, h.Handle(t.Context(), []event.Message{newest, other, older}))
	if len(*batches) != 1 || len((*batches)[0].Heads) != 2 || len((*batches)[0].Pairs) != 1 {
		t.Fatalf("committed %+v, want two heads and one pair at once", *batches)
	}
	if diff := cmp.Diff([]string{name(need, newest.Sequence, offer, other.Sequence)}, keys(h.live())); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

// TestAnOutdatedRevisionTakesNoPairAway has an old revision come late, beside a
// counterpart that finds the new one. Nobody handles that pair again.
func TestAnOutdatedRevisionTakesNoPairAway(t *testing.T) {
	t.Parallel()
	for _, outdated := range []profile.ID{need, offer} {
		other := map[profile.ID]profile.ID{need: offer, offer: need}[outdated]
		h := open(t)
		late := h.say(outdated, profile.Published, falls)
		done(t, h.Handle(t.Context(), []event.Message{h.say(outdated, profile.Published, falls)}))
		done(t, h.Handle(t.Context(), []event.Message{late, h.say(other, profile.Published, falls)}))
		if diff := cmp.Diff(keys(h.recomputed()), keys(h.live())); diff != "" || len(h.live()) != 1 {
			t.Errorf("%s is outdated: shown (-recomputed +shown):\n%s", outdated, diff)
		}
	}
}

func TestALargeBatchIsDividedBetweenProfiles(t *testing.T) {
	t.Parallel()
	h := open(t)
	for n := range 3 {
		done(t, h.Handle(t.Context(), []event.Message{h.say(profile.ID(fmt.Sprintf("offer.uni.%d", n)), profile.Published, falls)}))
	}
	batches := h.recorded()
	h.MaxPairs = 6
	var ms []event.Message
	for n := range 5 {
		ms = append(ms, h.say(profile.ID(fmt.Sprintf("need.acme%d.one", n)), profile.Published, falls))
	}
	done(t, h.Handle(t.Context(), ms))
	var sizes []int
	for _, b := range *batches {
		sizes = append(sizes, len(b.Pairs))
	}
	if diff := cmp.Diff([]int{6, 3, 6}, sizes); diff != "" {
		t.Errorf("pairs in each transaction (-want +got):\n%s", diff)
	}
	// One profile is never divided.
	h.MaxPairs = 1
	done(t, h.Handle(t.Context(), ms[:1]))
	if n := len((*batches)[3].Pairs); n != 3 || len(h.live()) != 15 {
		t.Errorf("%d pairs at once, %d shown; want 3 and 15", n, len(h.live()))
	}
}

// TestWhatPostgreSQLRefusesIsKeptAlone has a text that JSON can hold and
// PostgreSQL cannot.
func TestWhatPostgreSQLRefusesIsKeptAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	const bad = profile.ID("offer.uni.bad")
	errs := h.Handle(t.Context(), []event.Message{
		h.say(need, profile.Published, falls), h.say(bad, profile.Published, falls+"\x00"), h.say(offer, profile.Published, falls),
	})
	if errs[0] != nil || fault.Judge(errs[1]) != fault.Reject || errs[2] != nil {
		t.Errorf("errors = %v, want only the second message refused", errs)
	}
	head, err := h.store.Head(t.Context(), bad)
	if err != nil || !head.Quarantined || head.Alive {
		t.Errorf("head = %+v, %v, want it quarantined", head, err)
	}
	if h.deadLetters() != 1 || len(h.live()) != 1 {
		t.Errorf("%d dead letters, shown %v", h.deadLetters(), keys(h.live()))
	}
	// A later revision that can be handled lifts it.
	done(t, h.Handle(t.Context(), []event.Message{h.say(bad, profile.Published, falls)}))
	if len(h.live()) != 2 {
		t.Errorf("shown %v, want the pair of the repaired profile too", keys(h.live()))
	}
}

// fragile is a scorer that breaks on every pair.
type fragile struct{ match.Scorer }

func (f fragile) Pair(score.Facts, score.Facts, uint32, []score.Contribution) score.Result {
	panic("facts that break the predicate")
}

// noCellar is a ledger that cannot keep dead letters.
type noCellar struct{ match.Ledger }

func (noCellar) Quarantine(context.Context, event.Message, string) error {
	return fmt.Errorf("the disk is full: %w", fault.ErrInvalid)
}

func TestAMessageThatCannotBeKeptComesAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	done(t, h.Handle(t.Context(), []event.Message{h.say(offer, profile.Published, falls)}))
	h.Scorer, h.Ledger = fragile{h.epoch}, noCellar{h.store}
	m := h.say(need, profile.Published, falls)
	if errs := h.Handle(t.Context(), []event.Message{m}); fault.Judge(errs[0]) != fault.Retry {
		t.Errorf("error = %v, want the message to come again", errs[0])
	}
	h.Ledger = h.store
	if errs := h.Handle(t.Context(), []event.Message{m}); !errors.Is(errs[0], fault.ErrPoison) || h.deadLetters() != 1 {
		t.Errorf("error = %v, %d dead letters; want it kept", errs[0], h.deadLetters())
	}
}

func TestALedgerThatPanicsIsNotTheEnd(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.Ledger = faulty{h.store, func(b suggestion.Batch) error {
		if holds(b, need) {
			panic("a profile that breaks the ledger")
		}
		return nil
	}}
	errs := h.Handle(t.Context(), []event.Message{h.say(need, profile.Published, falls), h.say(offer, profile.Published, falls)})
	if !errors.Is(errs[0], fault.ErrPoison) || errs[1] != nil || h.deadLetters() != 1 {
		t.Errorf("errors = %v, %d dead letters", errs, h.deadLetters())
	}
}

// TestAProfileWaitsForTheIndexAndAWithdrawalDoesNot lets the real index lag.
func TestAProfileWaitsForTheIndexAndAWithdrawalDoesNot(t *testing.T) {
	t.Parallel()
	h := open(t)
	done(t, h.Handle(t.Context(), []event.Message{h.say(need, profile.Published, falls), h.say(offer, profile.Published, falls)}))
	h.lags = true
	ms := []event.Message{h.say(need, profile.Withdrawn, ""), h.say("need.b.1", profile.Published, falls)}
	errs := make(chan []error, 1)
	go func() { errs <- h.Handle(t.Context(), ms) }()
	testkit.Eventually(t, time.Minute, "the withdrawal is committed", func() bool { return !h.alive(need) })
	select {
	case got := <-errs:
		t.Fatalf("Handle = %v before the index had come so far", got)
	default:
	}
	h.catchUp()
	done(t, <-errs)
	if diff := cmp.Diff([]string{name("need.b.1", 4, offer, 2)}, keys(h.live())); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestARematchSaysThatItIsOne(t *testing.T) {
	t.Parallel()
	h := open(t)
	ms := []event.Message{h.say(need, profile.Published, falls), h.say(offer, profile.Published, falls)}
	batches := h.recorded()
	h.Rematch = true
	done(t, h.Handle(t.Context(), ms))
	if len(*batches) != 1 || !(*batches)[0].Rematch || (*batches)[0].Epoch != 1 {
		t.Errorf("committed %+v, want one batch of a re-match in epoch 1", *batches)
	}
}
