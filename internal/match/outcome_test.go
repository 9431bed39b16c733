package match_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// TestTheOutcomeIsARecomputation says things in a random order, has them
// delivered to two workers at once in random batches, out of order and again,
// while the index lags behind and the ledger fails before or after it has
// committed. What is shown in the end is compared with a recomputation of all
// pairs, scores included.
func TestTheOutcomeIsARecomputation(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			d := &disorder{house: open(t), rng: rand.New(rand.NewPCG(seed, 1)), ended: map[profile.ID]bool{}}
			d.lags = true
			for range 25 {
				for range d.rng.IntN(6) {
					d.something()
				}
				d.deliver(d.rng.IntN(len(d.waiting) + 1))
			}
			d.calm = true
			d.deliver(len(d.waiting))
			if len(d.waiting) > 0 {
				t.Errorf("%d messages are left although nothing fails", len(d.waiting))
			}
			want := d.recomputed()
			if diff := cmp.Diff(want, d.live()); diff != "" {
				t.Errorf("shown (-recomputed +shown):\n%s", diff)
			}
			if len(want) == 0 {
				t.Error("nothing was to be found: the test says nothing")
			}
		})
	}
}

// disorder is a house in which everything goes wrong that may.
type disorder struct {
	*house

	rng     *rand.Rand
	calm    bool // from now on nothing goes wrong
	ended   map[profile.ID]bool
	waiting []event.Message // to be delivered, some of them again
}

// something happens to one of 24 profiles: it is posted, renewed, rewritten,
// paused, resumed or withdrawn, or its message is damaged.
func (d *disorder) something() {
	kind := profile.Kinds[d.rng.IntN(len(profile.Kinds))]
	id := profile.ID(fmt.Sprintf("%s.org%d.%d", kind, d.rng.IntN(3), d.rng.IntN(2)))
	if d.ended[id] {
		return
	}
	status := profile.Published
	switch d.rng.IntN(10) {
	case 0, 1:
		status = profile.Paused
	case 2:
		status = profile.Withdrawn
		d.ended[id] = true
	}
	m := d.revision(id, status, []string{falls, wounds, falls + ". " + wounds}[d.rng.IntN(3)])
	if d.rng.IntN(12) == 0 && !d.ended[id] {
		m.Data = m.Data[:len(m.Data)/2]
	}
	d.waiting = append(d.waiting, d.bring(m))
}

// deliver hands n of the messages that wait to two workers. Those that must come
// again wait on, and a few of the others too.
func (d *disorder) deliver(n int) {
	d.t.Helper()
	d.rng.Shuffle(len(d.waiting), func(i, j int) { d.waiting[i], d.waiting[j] = d.waiting[j], d.waiting[i] })
	batch, rest := d.waiting[:n], append([]event.Message(nil), d.waiting[n:]...)
	half := d.rng.IntN(n + 1)
	first, second := d.worker(), d.worker()
	var errs [2][]error
	var g errgroup.Group
	g.Go(func() error { errs[0] = first.Handle(d.t.Context(), batch[:half]); return nil })
	g.Go(func() error { errs[1] = second.Handle(d.t.Context(), batch[half:]); return nil })
	d.catchUp()
	_ = g.Wait() // each message has its own error
	for i, err := range append(errs[0], errs[1]...) {
		again := !d.calm && d.rng.IntN(4) == 0
		if fault.Judge(err) == fault.Retry || again {
			rest = append(rest, batch[i])
		}
	}
	d.waiting = rest
}

// worker is a worker whose ledger may fail this time.
func (d *disorder) worker() *match.Worker {
	w := *d.Worker
	switch {
	case d.calm:
	case d.rng.IntN(4) == 0:
		w.Ledger = faulty{d.store, func(suggestion.Batch) error { return fault.ErrUnavailable }}
	case d.rng.IntN(4) == 0:
		w.Ledger = silent{d.store}
	}
	return &w
}

// silent is a ledger whose connection breaks as soon as it has committed.
type silent struct{ match.Ledger }

func (s silent) Commit(ctx context.Context, b suggestion.Batch) (suggestion.Outcome, error) {
	out, err := s.Ledger.Commit(ctx, b)
	if err == nil {
		err = fmt.Errorf("no answer to the commit: %w", fault.ErrUnavailable)
	}
	return out, err
}
