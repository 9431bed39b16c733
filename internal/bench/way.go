package bench

import (
	"context"
	"errors"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"kobling/internal/bench/peer"
	"kobling/internal/bench/report"
	"kobling/internal/bench/rig"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/store"
	"kobling/internal/suggestion"
)

// way is the whole way with another engine: what it does besides finding is kobling's.
type way struct {
	engine peer.Engine
	epoch  *score.Epoch
	store  *store.Store
	rows   map[uint64]int        // by sequence: how many each event is to store
	seqs   map[profile.ID]uint64 // of what the engine knows

	events, stored int
	commits        []time.Duration
}

// errEnough ends a way before its time is over.
var errEnough = errors.New("enough")

// run handles the messages after a sequence up to until, or as many as there is time
// for, and says how fast.
func (w *way) run(ctx context.Context, r *rig.Rig, after, until uint64, limit time.Duration) (report.WholeWay, error) {
	var begun time.Time
	var took time.Duration
	before, err := r.PeerCPU()
	if err != nil {
		return report.WholeWay{}, err
	}
	err = r.Follow(ctx, after, until, matchBatch, func(ctx context.Context, ms []event.Message) error {
		if begun.IsZero() { // they are there now
			begun = time.Now()
		}
		err := w.handle(ctx, ms)
		if took = time.Since(begun); err == nil && took > limit {
			err = errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err != nil || w.events == 0 {
		return report.WholeWay{}, err
	}
	used, err := r.PeerCPU()
	return report.WholeWay{
		CPU:    report.Micros((used - before) / time.Duration(w.events)),
		Events: w.events, EventsPerS: report.Round(float64(w.events)/took.Seconds(), 2),
		RowsPerEvent: report.Round(float64(w.stored)/float64(w.events), 2),
	}, err
}

// handle does for a batch what match.Worker does.
func (w *way) handle(ctx context.Context, ms []event.Message) error {
	revisions := make([]event.Revision, len(ms))
	docs := make([]peer.Document, len(ms))
	if err := each(len(ms), func(i int) (err error) {
		if revisions[i], err = event.DecodeRevision(ms[i]); err != nil {
			return err
		}
		docs[i] = peer.Document{ID: revisions[i].ID, Features: w.epoch.Side(revisions[i].Profile).Features}
		return nil
	}); err != nil {
		return err
	}
	for i := range revisions {
		w.seqs[revisions[i].ID] = revisions[i].Seq
	}
	if err := w.engine.Add(ctx, docs); err != nil {
		return err
	}
	found := make([][]peer.Hit, len(ms))
	if err := each(len(ms), func(i int) (err error) {
		found[i], err = w.engine.Search(ctx, docs[i].ID.Side().Other(), docs[i].Features, w.rows[revisions[i].Seq])
		return err
	}); err != nil {
		return err
	}
	b := w.batch(revisions, found)
	begun := time.Now()
	if _, err := w.store.Commit(ctx, b); err != nil {
		return err
	}
	w.commits = append(w.commits, time.Since(begun))
	w.events += len(ms)
	w.stored += len(b.Pairs)
	return nil
}

// batch is what is written of revisions and what an engine found for each: as
// kobling's, but without reasons.
func (w *way) batch(revisions []event.Revision, found [][]peer.Hit) suggestion.Batch {
	b := suggestion.Batch{Epoch: w.epoch.Number()}
	known := map[[2]profile.ID]bool{} // two events of one batch may find each other
	for i := range revisions {
		r := &revisions[i]
		b.Heads = append(b.Heads, suggestion.Head{
			ID: r.ID, Seq: r.Seq, Epoch: b.Epoch, IntakeSeq: r.IntakeSeq, Alive: true, Profile: r.Profile, Raw: r.Raw,
		})
		for _, h := range found[i] {
			demand, supply := r.ID, h.ID
			if r.ID.Side() == profile.Supply {
				demand, supply = supply, demand
			}
			if key := [2]profile.ID{demand, supply}; !known[key] {
				known[key] = true
				b.Pairs = append(b.Pairs, suggestion.Pair{
					Demand: demand, DemandSeq: w.seqs[demand], Supply: supply, SupplySeq: w.seqs[supply],
					Epoch: b.Epoch, Score: .5, Band: suggestion.Possible,
				})
			}
		}
	}
	return b
}

// each calls f for all numbers below n, on all processors.
func each(n int, f func(int) error) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		g.Go(func() error { return f(i) })
	}
	return g.Wait()
}
