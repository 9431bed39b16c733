package bench

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"kobling/internal/app"
	"kobling/internal/bench/peer"
	"kobling/internal/bench/report"
	"kobling/internal/bench/rig"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/match"
	"kobling/internal/profile"
)

// Sizes of batches.
const (
	rebuildBatch = 512  // of messages into an index, as a process that starts reads them
	matchBatch   = 64   // of events on the whole way
	smallBatches = 16   // of the last profiles that go into the index in batches of matchBatch, to time them
	settleFor    = 3    // looks at an index that must be alike before merging has come to rest
	settleLimit  = 1200 // looks at most
	settleEvery  = 500 * time.Millisecond
)

// corpusIndex fills the index that the matcher opens later, as the matcher itself would,
// and the peers with it.
type corpusIndex struct {
	rig   *rig.Rig
	index *index.Index
	fed   uint64 // sequence up to which the engines and the brute force have all
	peers map[string]peer.Engine
	seqs  map[profile.ID]uint64 // of what is fed
	brute *brute                // nil: none

	rebuild time.Duration // for analysis and index, by all processors
	rebuilt int
	small   []time.Duration // for a batch of matchBatch into the index
}

func newCorpusIndex(r *rig.Rig, peers map[string]peer.Engine) *corpusIndex {
	return &corpusIndex{rig: r, peers: peers, seqs: map[profile.ID]uint64{}}
}

// open opens the index.
func (x *corpusIndex) open() (err error) {
	x.index, err = index.Open(filepath.Join(x.rig.MatcherDir(), "index"), index.Options{Epoch: app.IndexName(x.rig.Epoch, 0), Log: zap.NewNop()})
	return err
}

// close closes the index, if it is open, for the matcher to open it.
func (x *corpusIndex) close() error {
	if x.index == nil {
		return nil
	}
	err := x.index.Close()
	x.index = nil
	return err
}

// fill brings all that is in PROFILES into the index, and what the engines do not have
// yet into them.
func (x *corpusIndex) fill(ctx context.Context, progress func(done, total int)) error {
	last, from := x.rig.Last(), x.fed
	x.small = nil
	small := uint64(smallBatches * matchBatch)
	done := func() { progress(int(x.fed-from), int(last-from)) } //nolint:gosec // counts of profiles
	whole := last - min(small, last)
	if whole > x.fed {
		if err := x.rig.Follow(ctx, x.fed, whole, rebuildBatch, func(ctx context.Context, ms []event.Message) error {
			defer done()
			return x.take(ctx, ms, func(d time.Duration) {
				x.rebuild += d
				x.rebuilt += len(ms)
			})
		}); err != nil {
			return err
		}
	}
	return x.rig.Follow(ctx, x.fed, last, matchBatch, func(ctx context.Context, ms []event.Message) error {
		defer done()
		return x.take(ctx, ms, nil)
	})
}

// take takes in messages, which follow those that were taken in before. It tells
// timed, if there is one, how long analysis and index took.
func (x *corpusIndex) take(ctx context.Context, ms []event.Message, timed func(time.Duration)) error {
	begun := time.Now()
	found := match.Changes(x.rig.Epoch, ms, nil)
	analysed := time.Now()
	changes := make([]index.Change, len(found))
	for i, c := range found {
		changes[i] = index.Change{ID: c.ID, Seq: c.Seq, Side: c.Side, Alive: c.Alive}
	}
	last := ms[len(ms)-1]
	mark := index.Mark{Created: x.rig.Created, Seq: last.Sequence, Time: last.Time, Hash: sha256.Sum256(last.Data)}
	if err := x.index.Apply(ctx, changes, mark); err != nil {
		return err
	}
	if timed != nil {
		timed(time.Since(begun))
	} else if len(ms) == matchBatch {
		x.small = append(x.small, time.Since(analysed))
	}
	x.fed = last.Sequence
	for _, c := range found {
		x.seqs[c.ID] = c.Seq
	}
	docs := make([]peer.Document, len(found))
	for i, c := range found {
		docs[i] = peer.Document{ID: c.ID, Features: c.Side.Features}
	}
	var g errgroup.Group // what is not measured may share the processors
	for _, e := range x.peers {
		g.Go(func() error { return e.Load(ctx, docs) })
	}
	if x.brute != nil {
		g.Go(func() error {
			x.brute.compare(found)
			return nil
		})
	}
	return g.Wait()
}

// settle waits until merging has come to rest, and ends the loading of the peers.
func (x *corpusIndex) settle(ctx context.Context) error {
	for _, e := range x.peers {
		if err := e.Ready(ctx); err != nil {
			return err
		}
	}
	look := time.NewTicker(settleEvery)
	defer look.Stop()
	var before [2]int
	alike := 0
	for range settleLimit {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		}
		own, err := x.index.Stats()
		if err != nil {
			return err
		}
		now := [2]int{own.Segments}
		if e := x.peers[report.Bleve]; e != nil {
			s, err := e.Stats(ctx)
			if err != nil {
				return err
			}
			now[1] = s.Segments
		}
		if alike++; now != before {
			alike = 0
		}
		if before = now; alike == settleFor {
			return nil
		}
	}
	return fmt.Errorf("the indexes are still merging after %s: %w", settleLimit*settleEvery, fault.ErrUnavailable)
}
