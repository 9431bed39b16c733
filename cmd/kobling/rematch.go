package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/fault"
)

type rematchCmd struct {
	connection
	output

	Watch  bool `xor:"how" help:"Begin nothing: follow the one that runs, also that of a new epoch."`
	Detach bool `xor:"how" help:"Return as soon as it has begun."`
}

// Help is shown under --help.
func (*rematchCmd) Help() string {
	return `Example: kobling rematch --watch

Matches every published profile again, in the epoch that is active: after a restored backup, say, or
when suggestions are missing. It runs in the service and needs this command only to begin: end it with
Ctrl-C and look again with --watch. Killed processes go on where they were. Profiles that are published
meanwhile go first (see the setting rematch-share), and what only a re-match finds is alerted in digests.

What fails for minutes is left out, so that the rest comes to an end, and is listed; the exit code is
then 1.`
}

// Times of following a re-match.
const (
	rematchLook   = 250 * time.Millisecond
	rematchSilent = time.Minute      // without an answer: the command ends, not the re-match
	rematchStill  = 30 * time.Second // without progress: something is said
	rematchLine   = 10 * time.Second // between two lines, where there is no terminal
	rateWindow    = 15 * time.Second // over which the rate is measured
)

// rematchReport is what is printed as JSON.
type rematchReport struct {
	api.Rematch

	Seconds   float64 `json:"seconds,omitempty"`
	PerSecond float64 `json:"per_second,omitempty"`
}

// Run begins a re-match, or finds the one that runs, and follows it to its end.
func (c *rematchCmd) Run(p *process) error {
	var r api.Rematch
	err := p.ask(func(ctx context.Context, client *app.Client) (err error) {
		r, err = client.Rematch(ctx, api.RematchQuery{Start: !c.Watch})
		return err
	})
	if err != nil {
		return err
	}
	if !c.Detach {
		if r, err = p.followRematch(r); err != nil {
			return err
		}
	}
	report := rematchReport{Rematch: r}
	if !r.FinishedAt.IsZero() {
		report.Seconds = r.FinishedAt.Sub(r.StartedAt).Seconds()
		report.PerSecond = float64(r.Done) / max(report.Seconds, 0.001)
	}
	if c.JSON {
		err = p.printJSON(report)
	} else {
		c.print(p, report)
	}
	if r.Stuck > 0 && r.State == api.RematchFinished {
		return errors.Join(err, fmt.Errorf("%d profiles were left out: mend what they failed of and run it again", r.Stuck))
	}
	return err
}

// print says where a run is.
func (c *rematchCmd) print(p *process, r rematchReport) {
	switch r.State {
	case api.RematchFinished:
		say(p.out, "Epoch %d, run %d: %d of %d profiles matched again in %s, %.0f a second.", r.Epoch, r.Run, r.Done, r.Total, duration(r.Seconds), r.PerSecond)
	case api.RematchReplaced:
		say(p.out, "Epoch %d, run %d: a later epoch began after %d of %d profiles.", r.Epoch, r.Run, r.Done, r.Total)
	case api.RematchDue:
		say(p.out, "Epoch %d: the processes are about to begin.", r.Epoch)
	case api.RematchRuns:
		say(p.out, "Epoch %d, run %d: %d of %d profiles. It goes on by itself; follow it with: kobling rematch --watch", r.Epoch, r.Run, r.Done, r.Total)
	}
	for _, s := range r.Profiles {
		say(p.out, "Left out: %s (message %d): %s", s.ProfileID, s.Seq, s.Reason)
	}
	if more := r.Stuck - int64(len(r.Profiles)); more > 0 && len(r.Profiles) > 0 {
		say(p.out, "… and %d more", more)
	}
}

func duration(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond).String()
}

// followRematch shows how far the re-match is until it ends, or the command is told
// to. It survives a restart of the service.
func (p *process) followRematch(r api.Rematch) (api.Rematch, error) {
	f := rematchFollower{process: p, last: r, heard: time.Now()}
	f.show()
	defer f.stop()
	tick := time.NewTicker(rematchLook)
	defer tick.Stop()
	for f.last.State == api.RematchRuns || f.last.State == api.RematchDue {
		select {
		case <-p.Done():
			return f.last, nil
		case <-tick.C:
		}
		if err := f.look(); err != nil && p.Err() == nil {
			return f.last, err
		}
	}
	return f.last, nil
}

// rematchFollower is what followRematch keeps.
type rematchFollower struct {
	*process

	client *app.Client
	last   api.Rematch
	bar    *bar
	moves  []move    // of the last rateWindow
	heard  time.Time // when the service answered last
	said   time.Time // when a line was written last
	still  bool      // it was said that nothing moves
}

// move is a moment at which so much was done.
type move struct {
	at   time.Time
	done int64
}

func (f *rematchFollower) stop() {
	if f.bar != nil {
		f.bar.stop()
	}
	if f.client != nil {
		f.client.Close()
	}
}

// look asks once. An error means that there is no more to ask.
func (f *rematchFollower) look() error {
	r, err := f.ask()
	switch {
	case err == nil:
		f.heard, f.last = time.Now(), r
		f.show()
		return nil
	case !errors.Is(err, fault.ErrUnavailable):
		return err
	case time.Since(f.heard) > rematchSilent:
		return fmt.Errorf("the service does not answer any more; the re-match goes on where it is once it runs: %w", err)
	}
	return nil
}

func (f *rematchFollower) ask() (r api.Rematch, err error) {
	ctx, cancel := context.WithTimeout(f, short)
	defer cancel()
	if f.client == nil {
		if f.client, err = f.dial(); err != nil {
			f.client = nil
			return r, err
		}
	}
	r, err = f.client.Rematch(ctx, api.RematchQuery{})
	if errors.Is(err, fault.ErrUnavailable) { // started anew it may have another address
		f.client.Close()
		f.client = nil
	}
	return r, err
}

// show draws the progress.
func (f *rematchFollower) show() {
	r, now := f.last, time.Now()
	if r.State == api.RematchDue {
		return
	}
	if f.bar == nil {
		f.bar = newBar(f.process, fmt.Sprintf("Matching again in epoch %d", r.Epoch), r.Total)
		f.said = now
	}
	f.bar.set(r.Done + r.Stuck)
	if n := len(f.moves); n == 0 || f.moves[n-1].done != r.Done {
		f.moves, f.still = append(f.moves, move{now, r.Done}), false
	}
	for len(f.moves) > 2 && now.Sub(f.moves[0].at) > rateWindow {
		f.moves = f.moves[1:]
	}
	if !f.still && r.State == api.RematchRuns && now.Sub(f.moves[len(f.moves)-1].at) > rematchStill {
		f.still = true
		say(f.err, "Nothing has moved for %s: does a process with the role match run, and has its index come far enough (kobling status)?", rematchStill)
	}
	if !isTerminal(f.err) && now.Sub(f.said) >= rematchLine {
		f.said = now
		say(f.err, "%s", f.line(now))
	}
}

// line says how far it is and when it will end.
func (f *rematchFollower) line(now time.Time) string {
	line := fmt.Sprintf("%d of %d", f.last.Done, f.last.Total)
	first := f.moves[0]
	rate := float64(f.last.Done-first.done) / max(now.Sub(first.at).Seconds(), 0.001)
	if rate > 0 {
		left := float64(f.last.Total-f.last.Done-f.last.Stuck) / rate
		line += fmt.Sprintf(", %.0f a second, %s to go", rate, time.Duration(left*float64(time.Second)).Round(time.Second))
	}
	if f.last.Stuck > 0 {
		line += fmt.Sprintf(", %d left out", f.last.Stuck)
	}
	return line
}
