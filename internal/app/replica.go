package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/match"
	"kobling/internal/score"
	"kobling/internal/stream"
)

// replica keeps this process's index in step with PROFILES.
type replica struct {
	streams *stream.Streams
	index   *index.Index
	epoch   *score.Epoch
	sides   *match.Sides // nil: nobody matches here
	meter   *stageMeter
	log     *zap.Logger
}

// run applies every message in order until ctx ends. It refuses to work, with an
// error wrapping stream.ErrFence, when the stream has lost what was applied.
func (r *replica) run(ctx context.Context) error {
	created, err := r.fence(ctx)
	if err != nil {
		return err
	}
	f := &stream.Follower{From: r.streams, Created: created, Log: r.log}
	return f.Run(ctx, r.index.Applied()+1, func(ctx context.Context, ms []event.Message) error {
		return r.apply(ctx, created, ms)
	})
}

// fence compares the index with the stream before either is trusted: of another
// stream, the index is thrown away and rebuilt; of a stream that lost data,
// somebody must look.
func (r *replica) fence(ctx context.Context) (created time.Time, err error) {
	info, err := r.streams.Info(ctx)
	if err != nil {
		return time.Time{}, err
	}
	mark, ok := r.index.Fence()
	if !ok {
		return info.Created, nil
	}
	if !mark.Created.Equal(info.Created) {
		r.log.Warn("the index was made from another stream; it is rebuilt", zap.Time("index", mark.Created), zap.Time("stream", info.Created))
		return info.Created, r.index.Reset()
	}
	if info.LastSeq < mark.Seq {
		return info.Created, fmt.Errorf("%w: PROFILES ends at %d, but the index had applied %d: the stream lost data; %s", stream.ErrFence, info.LastSeq, mark.Seq, mendIndexed)
	}
	anchor, there, err := r.streams.At(ctx, mark.Seq)
	if err != nil {
		return info.Created, err
	}
	if there && (!anchor.Time.Equal(mark.Time) || sha256.Sum256(anchor.Data) != mark.Hash) {
		return info.Created, fmt.Errorf("%w: message %d of PROFILES is not the one that the index applied: the stream lost data; %s", stream.ErrFence, mark.Seq, mendIndexed)
	}
	return info.Created, nil
}

// apply writes what ms say into the index, trying again while it cannot, e.g.
// because the disk is full: a message that was passed over would never be found.
func (r *replica) apply(ctx context.Context, created time.Time, ms []event.Message) error {
	began := time.Now()
	changes := r.changes(ms)
	r.meter.step("analyse", time.Since(began))
	last := ms[len(ms)-1]
	mark := index.Mark{Created: created, Seq: last.Sequence, Time: last.Time, Hash: sha256.Sum256(last.Data)}
	for {
		began = time.Now()
		err := r.index.Apply(ctx, changes, mark)
		if !errors.Is(err, fault.ErrUnavailable) {
			r.meter.step("apply", time.Since(began))
			r.meter.messages(float64(len(ms)))
			return err
		}
		r.log.Error("index cannot be written; it waits", zap.Error(err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// changes analyses ms. What cannot be read is left out, with what was known of
// its profile: the match worker quarantines it.
func (r *replica) changes(ms []event.Message) []index.Change {
	found := match.Changes(r.epoch, ms, r.sides)
	changes := make([]index.Change, len(found))
	for i, c := range found {
		changes[i] = index.Change{ID: c.ID, Seq: c.Seq, Side: c.Side, Alive: c.Alive}
	}
	return changes
}
