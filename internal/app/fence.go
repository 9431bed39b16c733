package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/stream"
)

// fencedHeads is how many of the latest heads a start looks for in PROFILES, and
// fenceEvery how often a process looks whether a stream has gone back.
const (
	fencedHeads = 16
	fenceEvery  = 5 * time.Second
)

// The commands that mend what a fence has found.
const (
	mendStream = "stop all processes and run \"kobling rebuild stream\", or restore the streams from a backup"
	// Only the index knows: to the database nothing may be missing.
	mendIndexed = "stop all processes and run \"kobling rebuild stream --force\", or restore the streams from a backup"
	mendHeads   = "run \"kobling rebuild heads\" and start again"
)

// fence compares the streams with the database before anything is worked on, and
// fails, with an error that wraps stream.ErrFence and says what to run, if either
// has lost what the other knows.
func (a *App) fence(ctx context.Context) error {
	before, err := a.conn.Extent(ctx, stream.Profiles)
	if err != nil {
		return err
	}
	latest, submitted, err := a.store.Latest(ctx, fencedHeads)
	if err != nil {
		return err
	}
	if err := a.fenceIntake(ctx, submitted); err != nil {
		return err
	}
	seen := uint64(0)
	for _, h := range latest {
		seen = max(seen, h.Seq)
		last, ok, err := a.streams.Last(ctx, h.ID)
		if err != nil {
			return err
		}
		if !ok || last.Sequence < h.Seq {
			return fmt.Errorf("%w: the database has %s at %d of %s, which is not there: the stream lost data; %s", stream.ErrFence, h.ID, h.Seq, stream.Profiles, mendStream)
		}
	}
	// Whatever was settled is in the database, or something later is.
	var lost *event.Message
	err = a.conn.Walk(ctx, stream.Profiles, seen+1, before.Settled[DurableMatch], func(m event.Message) error {
		if _, err := event.SubjectID(m.Subject); err != nil {
			return nil //nolint:nilerr // nobody keeps what names no profile
		}
		lost = &m
		return errFound
	})
	if err != nil && !errors.Is(err, errFound) {
		return err
	}
	if lost != nil {
		return fmt.Errorf("%w: message %d of %s was settled and is not in the database, which ends at %d: it was restored from an older dump, or lost data; %s",
			stream.ErrFence, lost.Sequence, stream.Profiles, seen, mendHeads)
	}
	return nil
}

// errFound ends a walk that has found what it looked for.
var errFound = errors.New("found")

// watchFence returns an error wrapping stream.ErrFence when a stream has gone back
// behind what it was, as a server's does that lost its last writes or was restored:
// what is submitted then would be taken for old.
func (a *App) watchFence(ctx context.Context) error {
	tick := time.NewTicker(fenceEvery)
	defer tick.Stop()
	last := map[string]uint64{}
	for {
		for _, name := range []string{stream.Intake, stream.Profiles} {
			e, err := a.conn.Extent(ctx, name)
			switch {
			case errors.Is(err, fault.ErrNotFound):
				return fmt.Errorf("%w: %s is gone", stream.ErrFence, name)
			case err != nil: // the readiness tells of it
			case e.LastSeq < last[name]:
				return fmt.Errorf("%w: %s ends at %d, and had gone to %d", stream.ErrFence, name, e.LastSeq, last[name])
			default:
				last[name] = e.LastSeq
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// advised returns err with what to run, if it is of a fence and does not say so.
func advised(err error) error {
	if errors.Is(err, stream.ErrFence) && !strings.Contains(err.Error(), "kobling rebuild") {
		return fmt.Errorf("%w: the stream lost data; %s", err, mendStream)
	}
	return err
}

// fenceIntake asks whether INTAKE still counts on from where it was.
func (a *App) fenceIntake(ctx context.Context, submitted uint64) error {
	intake, err := a.conn.Extent(ctx, stream.Intake)
	if err == nil && intake.LastSeq < submitted {
		err = fmt.Errorf("%w: %s ends at %d, but submission %d is in the database: the stream lost data, and what is submitted now would be taken for old; %s",
			stream.ErrFence, stream.Intake, intake.LastSeq, submitted, mendStream)
	}
	return err
}
