package index_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/profile"
)

func TestWaitForReturnsAsSoonAsTheSequenceIsApplied(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	const waiters = 8
	errs := make(chan error, waiters)
	for range waiters {
		go func() {
			err := x.WaitFor(t.Context(), 3)
			if err == nil {
				found, findErr := x.Find(t.Context(), asked(profile.Supply))
				if err = findErr; err == nil && len(found) != 3 {
					err = fmt.Errorf("%d found after WaitFor, want 3", len(found))
				}
			}
			errs <- err
		}()
	}
	for seq := uint64(1); seq <= 3; seq++ {
		c := one(profile.ID(fmt.Sprintf("offer.a.%d", seq)), seq, 1)
		if err := x.Apply(t.Context(), []index.Change{c}, at(seq)); err != nil {
			t.Fatal(err)
		}
	}
	for range waiters {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := x.WaitFor(ctx, 4); !errors.Is(err, fault.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("WaitFor what never comes = %v, want %v and the deadline", err, fault.ErrUnavailable)
	}
}

// TestReadersSeeOneVersion reads while profiles are replaced all the time: each
// is found once, at a revision whose weight and facts belong together, and never
// at an older one than before.
func TestReadersSeeOneVersion(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	const profiles, rounds = 20, 30
	batch := func(round uint64) ([]index.Change, index.Mark) {
		var changes []index.Change
		for n := range uint64(profiles) {
			seq := round*profiles + n + 1
			changes = append(changes, one(profile.ID(fmt.Sprintf("offer.a.%d", n)), seq, uint32(seq%255)+1))
		}
		return changes, at((round + 1) * profiles)
	}
	changes, mark := batch(0)
	if err := x.Apply(t.Context(), changes, mark); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	errs := make(chan error, 3)
	for range cap(errs) {
		go func() { errs <- readUntil(t.Context(), x, done, profiles) }()
	}
	for round := uint64(1); round < rounds; round++ {
		changes, mark := batch(round)
		if err := x.Apply(t.Context(), changes, mark); err != nil {
			t.Error(err)
		}
	}
	close(done)
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func readUntil(ctx context.Context, x *index.Index, done <-chan struct{}, profiles int) error {
	newest := map[profile.ID]uint64{}
	for {
		found, err := x.Find(ctx, asked(profile.Supply))
		if err != nil {
			return err
		}
		if len(found) != profiles {
			return fmt.Errorf("found %d profiles, want %d", len(found), profiles)
		}
		for _, c := range found {
			if c.Text != uint32(c.Seq%255)+1 || c.Facts.TRL.Min != int(c.Seq%9) {
				return fmt.Errorf("%s: sequence %d with text %d and facts %+v of another", c.ID, c.Seq, c.Text, c.Facts)
			}
			if c.Seq < newest[c.ID] {
				return fmt.Errorf("%s: sequence %d after %d", c.ID, c.Seq, newest[c.ID])
			}
			newest[c.ID] = c.Seq
		}
		select {
		case <-done:
			return nil
		default:
		}
	}
}
