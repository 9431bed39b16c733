package match

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// indexWait is how long a batch waits for the index before it is put off.
const indexWait = 10 * time.Second

// Worker handles messages of PROFILES. It is safe for concurrent use.
type Worker struct {
	Finder Finder
	Ledger Ledger
	Scorer Scorer
	Log    *zap.Logger
	// Rematch says that the messages are read again because a new epoch began:
	// what becomes live by that raises no alert at once.
	Rematch bool
}

// item is one message on its way through a batch.
type item struct {
	message event.Message
	rev     event.Revision
	pairs   []suggestion.Pair
	err     error
}

// alive reports whether the revision may take part in suggestions.
func (i *item) alive() bool { return i.rev.Status == profile.Published && i.rev.Profile != nil }

// Handle matches a batch as the package comment says, in one transaction, and
// returns one error for each message. If the batch fails, its messages are
// handled one by one, so that one bad message holds up no other.
func (w *Worker) Handle(ctx context.Context, ms []event.Message) []error {
	items := make([]*item, len(ms))
	for i, m := range ms {
		items[i] = &item{message: m}
		items[i].rev, items[i].err = event.DecodeRevision(m)
	}
	w.handle(ctx, items)
	errs := make([]error, len(items))
	for i, it := range items {
		if errs[i] = it.err; errors.Is(it.err, fault.ErrPoison) {
			errs[i] = w.quarantine(ctx, it)
		}
	}
	return errs
}

// quarantine keeps a message that can never be handled. Until that is done it
// comes again.
func (w *Worker) quarantine(ctx context.Context, it *item) error {
	if err := w.Ledger.Quarantine(ctx, it.message, it.err.Error()); err != nil {
		return fmt.Errorf("quarantine message %d: %w", it.message.Sequence, err)
	}
	return it.err
}

func (w *Worker) handle(ctx context.Context, all []*item) {
	items := newest(all)
	if len(items) == 0 {
		return
	}
	err := w.wait(ctx, items)
	if err == nil {
		if err = w.find(ctx, items); err == nil {
			err = w.commit(ctx, items)
		}
	}
	if err == nil {
		return
	}
	if len(items) == 1 || ctx.Err() != nil || errors.Is(err, fault.ErrUnavailable) || errors.Is(err, fault.ErrStale) {
		fail(items, err)
		return
	}
	w.Log.Warn("batch failed; its messages are tried one by one", zap.Int("messages", len(items)), zap.Error(err))
	for _, it := range items {
		w.handle(ctx, []*item{it})
	}
}

// fail gives the batch's error to every message that has none of its own. That
// another epoch is active now does not settle a message: it comes again, to a
// worker of that epoch.
func fail(items []*item, err error) {
	if errors.Is(err, fault.ErrStale) {
		err = fmt.Errorf("%w: %v", fault.ErrUnavailable, err) //nolint:errorlint // stale would settle it
	}
	for _, it := range items {
		if it.err == nil {
			it.err = err
		}
	}
}

// newest leaves out what cannot be read and what the batch itself supersedes.
func newest(all []*item) []*item {
	latest := map[profile.ID]*item{}
	for _, it := range all {
		if it.err != nil {
			continue
		}
		if old := latest[it.rev.ID]; old == nil || old.rev.Seq < it.rev.Seq {
			latest[it.rev.ID] = it
		}
	}
	items := make([]*item, 0, len(latest))
	for _, it := range latest {
		items = append(items, it)
	}
	slices.SortFunc(items, func(a, b *item) int { return cmp.Compare(a.rev.ID, b.rev.ID) })
	return items
}

// wait returns once the index has applied what the batch needs. What is not
// alive needs nothing of it.
func (w *Worker) wait(ctx context.Context, items []*item) error {
	var seq uint64
	for _, it := range items {
		if it.alive() {
			seq = max(seq, it.rev.Seq)
		}
	}
	if seq == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, indexWait)
	defer cancel()
	if err := w.Finder.WaitFor(ctx, seq); err != nil {
		return fmt.Errorf("wait for the index: %w", err)
	}
	return nil
}

// find searches and scores the batch in parallel. A panic is that message's own.
func (w *Worker) find(ctx context.Context, items []*item) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, it := range items {
		if !it.alive() {
			continue
		}
		g.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("match %s: panic: %v: %w", it.rev.ID, p, fault.ErrPoison)
				}
			}()
			it.pairs, err = w.pairs(ctx, it.rev)
			return err
		})
	}
	return g.Wait()
}

// pairs returns every pair of r with the other side that is a suggestion.
func (w *Worker) pairs(ctx context.Context, r event.Revision) ([]suggestion.Pair, error) {
	own := w.Scorer.Side(r.Profile)
	if len(own.Features) == 0 {
		return nil, nil
	}
	side := r.ID.Side()
	found, err := w.Finder.Find(ctx, score.Query{In: side.Other(), Features: own.Features, Floor: w.Scorer.Floor()})
	if err != nil {
		return nil, fmt.Errorf("find counterparts of %s: %w", r.ID, err)
	}
	pairs := make([]suggestion.Pair, 0, len(found))
	for _, c := range found {
		p := suggestion.Pair{Demand: r.ID, DemandSeq: r.Seq, Supply: c.ID, SupplySeq: c.Seq, Epoch: w.Scorer.Number()}
		demand, supply := own.Facts, c.Facts
		if side == profile.Supply {
			p.Demand, p.DemandSeq, p.Supply, p.SupplySeq = c.ID, c.Seq, r.ID, r.Seq
			demand, supply = c.Facts, own.Facts
		}
		result := w.Scorer.Pair(demand, supply, c.Text, c.Top)
		if result.Band == "" {
			continue
		}
		p.Score, p.Band, p.Reasons = result.Score, result.Band, result.Reasons[:min(len(result.Reasons), suggestion.MaxReasons)]
		pairs = append(pairs, p)
	}
	return pairs, nil
}

func (w *Worker) commit(ctx context.Context, items []*item) error {
	b := suggestion.Batch{Epoch: w.Scorer.Number(), Rematch: w.Rematch}
	rows := map[[2]profile.ID]suggestion.Pair{}
	for _, it := range items {
		h := suggestion.Head{ID: it.rev.ID, Seq: it.rev.Seq, Epoch: b.Epoch, IntakeSeq: it.rev.IntakeSeq, Alive: it.alive(), Quiet: it.rev.Quiet}
		if !it.rev.Tombstone() {
			h.Profile, h.Raw = it.rev.Profile, it.rev.Raw
		}
		b.Heads = append(b.Heads, h)
		for _, p := range it.pairs {
			key := [2]profile.ID{p.Demand, p.Supply}
			// Both sides in one batch find the same pair; the newer sequences win.
			if old, ok := rows[key]; !ok || (p.DemandSeq >= old.DemandSeq && p.SupplySeq >= old.SupplySeq) {
				rows[key] = p
			}
		}
	}
	for _, p := range rows {
		b.Pairs = append(b.Pairs, p)
	}
	slices.SortFunc(b.Pairs, func(a, b suggestion.Pair) int {
		return cmp.Or(cmp.Compare(a.Demand, b.Demand), cmp.Compare(a.Supply, b.Supply))
	})
	out, err := w.Ledger.Commit(ctx, b)
	if err != nil {
		return fmt.Errorf("commit %d profiles: %w", len(b.Heads), err)
	}
	if len(out.Superseded) > 0 || out.Told > 0 {
		w.Log.Debug("committed", zap.Int("profiles", len(b.Heads)), zap.Int("pairs", len(b.Pairs)), zap.Int("superseded", len(out.Superseded)), zap.Int("told", out.Told))
	}
	return nil
}
