package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/rebuild"
	"kobling/internal/store"
	"kobling/internal/stream"
	"kobling/internal/suggestion"
)

// RebuildIndex asks every process, running or not, to begin its index anew, and
// returns how often that has been asked.
func (i *Installation) RebuildIndex(ctx context.Context) (generation int, err error) {
	return i.store.RebuildIndexes(ctx)
}

// RebuiltHeads is what a rebuild of the heads begins with.
type RebuiltHeads struct {
	Profiles   uint64 `json:"profiles"`    // messages that are handled again
	QuietUntil uint64 `json:"quiet_until"` // what the database learns up to there is told to nobody
}

// RebuildHeads has every message of PROFILES handled again, so that what the
// database lost comes back. What it learns anew of a revision that had been
// delivered before raises no alert, but is withheld; see [Installation.Withheld].
func (i *Installation) RebuildHeads(ctx context.Context) (RebuiltHeads, error) {
	e, err := i.conn.Extent(ctx, stream.Profiles)
	if err != nil {
		return RebuiltHeads{}, err
	}
	until, delivered := e.Delivered[DurableMatch]
	if !delivered {
		until = e.LastSeq // nobody knows any more
	}
	if err := i.store.QuietUntil(ctx, until); err != nil {
		return RebuiltHeads{}, err
	}
	// A re-match too: the database may be of a time before it, and what it makes the
	// next epoch will have a number, and so a consumer, that was there already.
	for durable := range e.Settled {
		if durable == DurableMatch || strings.HasPrefix(durable, durableRematch) {
			if err := i.conn.Again(ctx, stream.Profiles, durable); err != nil {
				return RebuiltHeads{}, err
			}
		}
	}
	return RebuiltHeads{Profiles: e.Messages, QuietUntil: until}, nil
}

// Rebuilder makes the streams anew. No process of the installation may run; the
// error wraps fault.ErrConflict if one does.
func (i *Installation) Rebuilder(ctx context.Context, progress func(stage string, done, total int)) (*rebuild.Rebuilder, error) {
	if err := i.idle(ctx); err != nil {
		return nil, err
	}
	return &rebuild.Rebuilder{Log: rebuildLog{i.conn, i.streams}, Ledger: rebuildLedger{i.store}, Progress: progress}, nil
}

// errRuns is why something that needs the installation for itself is refused.
var errRuns = fmt.Errorf("%w: the service is running: stop all its processes first", fault.ErrConflict)

// idle fails while a process of the installation runs.
func (i *Installation) idle(ctx context.Context) error {
	if i.own {
		return nil // nobody else can run with this data directory
	}
	running, err := i.answers(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{stream.Profiles, stream.Intake} {
		e, err := i.conn.Extent(ctx, name)
		if err != nil && !errors.Is(err, fault.ErrNotFound) {
			return err
		}
		running = running || e.Pulling > 0
	}
	if running {
		return errRuns
	}
	return nil
}

// Withheld returns the live suggestions of which nobody was told because a recovery
// brought them: at most limit, after the first offset, the strongest first.
func (i *Installation) Withheld(ctx context.Context, limit, offset int) ([]suggestion.Row, error) {
	return i.store.Withheld(ctx, limit, offset)
}

// Release has told what was withheld of one profile, of all if id is empty, and
// returns of how many profiles.
func (i *Installation) Release(ctx context.Context, id profile.ID) (int, error) {
	return i.store.Release(ctx, id)
}

// rebuildLog is the streams as a rebuild uses them.
type rebuildLog struct {
	*stream.Conn

	config stream.Config
}

func (l rebuildLog) Extent(ctx context.Context, name string) (rebuild.Extent, error) {
	e, err := l.Conn.Extent(ctx, name)
	return rebuild.Extent{LastSeq: e.LastSeq, Settled: e.Settled}, err
}

func (l rebuildLog) Recreate(ctx context.Context, name string, first uint64, ms iter.Seq2[event.Message, error]) (uint64, error) {
	cfg := l.config
	cfg.FirstIntake, cfg.FirstProfile = first, first // one of them is made
	last, err := l.Conn.Recreate(ctx, name, cfg, ms)
	if err != nil {
		return last, fmt.Errorf("%w; run the same command again, nothing is lost", err)
	}
	return last, nil
}

// rebuildLedger is the database as a rebuild uses it.
type rebuildLedger struct{ *store.Store }

func (l rebuildLedger) Heads(ctx context.Context, f func(rebuild.Head) error) error {
	return l.View(ctx, func(v *store.View) error {
		return v.Heads(ctx, func(h store.StoredHead) error {
			return f(rebuild.Head{Head: h.Head, Revision: h.Revision, Status: h.Status})
		})
	})
}

func (l rebuildLedger) Heights(ctx context.Context) (seq, intakeSeq uint64, err error) {
	h, err := l.Store.Heights(ctx)
	return h.Seq, h.IntakeSeq, err
}

// MigrateStreams makes the streams that are missing, and brings the others up to
// date.
func (i *Installation) MigrateStreams(ctx context.Context) error {
	return stream.Migrate(ctx, i.conn, i.streams)
}
