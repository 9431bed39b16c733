// Package rebuild makes the streams anew after they lost data: PROFILES from its
// own remains and the database, INTAKE where it was. It decides; it knows no driver.
//
// # Whose word counts
//
// Every revision carries the number of the submission that led to it. Of a profile,
// the revision with the greatest number counts, wherever it is found: in what is
// left of PROFILES, in the stream that a rebuild which was cut off left beside it,
// or in the database. A profile that the database has retired or quarantined is
// paused at the newest revision that is known: what was withdrawn must not come
// back, and whoever owns it can resume it.
//
// A submission that was settled, was not refused, and is later than all that is
// known of its profile had become a revision that is lost. It is submitted again.
//
// # Sequences
//
// The new PROFILES begins behind every sequence that anybody has seen, so that its
// messages count as later than all that is written. All are matched again. A
// revision that the database had before raises no alert by that.
//
// If INTAKE ends before submissions that are known, it begins behind them, with
// what had not been settled: else what is said from now on would be taken for old.
package rebuild

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// The streams.
const (
	intakeStream   = "INTAKE"
	profileStream  = "PROFILES"
	intakeConsumer = "intake"
)

// Extent is where a stream ends and how far its consumers have come.
type Extent struct {
	LastSeq uint64
	Settled map[string]uint64 // by durable consumer
}

// Log is the streams, on which nobody works. internal/stream implements it.
type Log interface {
	// Extent returns the state of a stream; the error wraps fault.ErrNotFound if
	// there is none.
	Extent(ctx context.Context, stream string) (Extent, error)
	// Walk calls f for the messages of a stream between two sequences, in order.
	Walk(ctx context.Context, stream string, first, last uint64, f func(event.Message) error) error
	// Held calls f for what a Recreate that was cut off left behind.
	Held(ctx context.Context, stream string, f func(event.Message) error) error
	// Recreate makes a stream anew, beginning at sequence first, with what is held
	// and then ms, and returns its last sequence.
	Recreate(ctx context.Context, stream string, first uint64, ms iter.Seq2[event.Message, error]) (uint64, error)
	// Publish appends to INTAKE.
	Publish(ctx context.Context, m event.Message, msgID string) (uint64, error)
}

// Head is what the database knows of a profile.
type Head struct {
	suggestion.Head

	Revision uint64
	Status   profile.Status
}

// Ledger is the database. internal/store implements it.
type Ledger interface {
	// Heads calls f for every head, in order of id, with its body as JSON.
	Heads(ctx context.Context, f func(Head) error) error
	// Heights returns the greatest sequences of PROFILES and INTAKE that are known.
	Heights(ctx context.Context) (seq, intakeSeq uint64, err error)
	// Refused reports whether a submission was refused.
	Refused(ctx context.Context, intakeSeq uint64) (bool, error)
	// QuietUntil has nobody told of what heads learn up to a sequence.
	QuietUntil(ctx context.Context, seq uint64) error
}

// Plan is what is lost, and what a rebuild does about it.
type Plan struct {
	Profiles     int `json:"profiles"`      // that there will be, withdrawn ones included
	FromStream   int `json:"from_stream"`   // of them, as what is left of the stream has them
	FromDatabase int `json:"from_database"` // of them, as the database has them
	// Paused are profiles that were retired or quarantined at a revision that is lost:
	// the one before is kept, out of matching.
	Paused []profile.ID `json:"paused"`
	// Unknown are profiles of which nothing is left but that there was something.
	Unknown     []profile.ID `json:"unknown"`
	Resubmitted int          `json:"resubmitted"` // submissions that are made again
	Intake      bool         `json:"intake"`      // INTAKE is made anew too
	Lost        bool         `json:"lost"`        // whether there is anything to do

	chosen        map[profile.ID]choice
	first         uint64 // sequence with which PROFILES begins
	walked        uint64 // where it ended
	held          bool   // there is something beside it
	remake        bool   // PROFILES is made anew
	intakeHeight  uint64 // the greatest sequence of INTAKE that anybody has seen
	firstIntake   uint64
	intakeEnd     uint64
	intakeSettled uint64
	intakeHeld    map[[32]byte]bool // what lies beside INTAKE
	again         map[uint64]bool   // of INTAKE, to be submitted again
}

// source says where the newest revision of a profile is.
type source int

const (
	inDatabase source = iota
	inHeld            // beside the stream
	inStream
)

// choice is the newest revision of a profile.
type choice struct {
	from      source
	intakeSeq uint64
	seq       uint64    // where it lies, in a stream
	time      time.Time // when its submission was stored; zero: not known
}

// better reports whether c counts more than d.
func (c choice) better(d choice) bool {
	if c.intakeSeq != d.intakeSeq {
		return c.intakeSeq > d.intakeSeq
	}
	return c.from > d.from
}

// Rebuilder makes the streams anew. Nobody may work on the installation.
type Rebuilder struct {
	Log    Log
	Ledger Ledger
	// Progress, if set, is told how far each stage is; a total of 0 is not known.
	Progress func(stage string, done, total int)
}

func (r *Rebuilder) progress(stage string, done, total int) {
	if r.Progress != nil {
		r.Progress(stage, done, total)
	}
}

// Plan looks at what is there and changes nothing.
func (r *Rebuilder) Plan(ctx context.Context) (*Plan, error) {
	p := &Plan{
		Paused: []profile.ID{}, Unknown: []profile.ID{},
		chosen: map[profile.ID]choice{}, again: map[uint64]bool{}, intakeHeld: map[[32]byte]bool{},
	}
	seq, intakeSeq, err := r.Ledger.Heights(ctx)
	if err != nil {
		return nil, err
	}
	p.intakeHeight = intakeSeq
	if err := r.planProfiles(ctx, p, seq); err != nil {
		return nil, err
	}
	if err := r.planHeads(ctx, p); err != nil {
		return nil, err
	}
	err = r.planIntake(ctx, p)
	p.Lost = p.remake || p.Intake
	return p, err
}

// planProfiles takes what is left of PROFILES.
func (r *Rebuilder) planProfiles(ctx context.Context, p *Plan, height uint64) error {
	take := func(from source) func(event.Message) error {
		return func(m event.Message) error {
			rev, err := event.DecodeRevision(m)
			if err != nil {
				return nil //nolint:nilerr // what cannot be read cannot count; the database has the one before
			}
			p.intakeHeight = max(p.intakeHeight, rev.IntakeSeq)
			c := choice{from, rev.IntakeSeq, m.Sequence, rev.Time}
			if old, ok := p.chosen[rev.ID]; !ok || c.better(old) {
				p.chosen[rev.ID] = c
			}
			r.progress("Reading the stream", len(p.chosen), 0)
			return nil
		}
	}
	err := r.Log.Held(ctx, profileStream, func(m event.Message) error {
		p.held = true
		return take(inHeld)(m)
	})
	if err != nil {
		return err
	}
	e, err := r.Log.Extent(ctx, profileStream)
	switch {
	case errors.Is(err, fault.ErrNotFound):
		p.remake = true
	case err != nil:
		return err
	default:
		if err := r.Log.Walk(ctx, profileStream, 1, e.LastSeq, take(inStream)); err != nil {
			return err
		}
	}
	p.walked = e.LastSeq
	p.first = max(height, e.LastSeq) + 1
	p.remake = p.remake || p.held || height > e.LastSeq
	return nil
}

// planHeads takes what the database has.
func (r *Rebuilder) planHeads(ctx context.Context, p *Plan) error {
	err := r.Ledger.Heads(ctx, func(h Head) error {
		old, there := p.chosen[h.ID]
		// A revision that the database has ended may have come back in a stream that
		// was cut short.
		ended := there && retired(h) && old.from == inStream && old.seq < h.Seq && old.intakeSeq == h.IntakeSeq
		switch {
		case there && old.intakeSeq >= h.IntakeSeq && !ended:
			// The stream has it, unless its numbers went back.
			p.remake = p.remake || old.from == inStream && old.seq < h.Seq
			return nil
		case h.IntakeSeq == 0 || h.Raw == nil && h.Status != profile.Withdrawn:
			p.Unknown = append(p.Unknown, h.ID)
			return nil
		}
		if retired(h) {
			p.Paused = append(p.Paused, h.ID)
		}
		p.chosen[h.ID] = choice{from: inDatabase, intakeSeq: h.IntakeSeq}
		p.remake = true
		return nil
	})
	for _, c := range p.chosen {
		if c.from == inDatabase {
			p.FromDatabase++
		} else {
			p.FromStream++
		}
	}
	p.Profiles = len(p.chosen)
	return err
}

// retired reports whether a head was ended by a revision that it does not have.
func retired(h Head) bool { return !h.Alive && h.Status == profile.Published }

// planIntake finds the submissions whose revisions are lost, and whether INTAKE
// counts on from where it was.
func (r *Rebuilder) planIntake(ctx context.Context, p *Plan) error {
	err := r.Log.Held(ctx, intakeStream, func(m event.Message) error {
		p.intakeHeld[identity(m)] = true
		return nil
	})
	if err != nil {
		return err
	}
	e, err := r.Log.Extent(ctx, intakeStream)
	missing := errors.Is(err, fault.ErrNotFound)
	if err != nil && !missing {
		return err
	}
	p.Intake = missing || len(p.intakeHeld) > 0 || e.LastSeq < p.intakeHeight
	p.firstIntake, p.intakeEnd, p.intakeSettled = max(p.intakeHeight, e.LastSeq)+1, e.LastSeq, e.Settled[intakeConsumer]
	if missing {
		return nil
	}
	err = r.Log.Walk(ctx, intakeStream, 1, e.LastSeq, func(m event.Message) error {
		again, err := r.again(ctx, p, m)
		if again {
			p.again[m.Sequence] = true
		}
		return err
	})
	p.Resubmitted = len(p.again)
	p.remake = p.remake || p.Resubmitted > 0 && !p.Intake
	return err
}

// again reports whether a submission is to be made again.
func (r *Rebuilder) again(ctx context.Context, p *Plan, m event.Message) (bool, error) {
	id, err := event.SubjectID(m.Subject)
	if err != nil {
		return false, nil //nolint:nilerr // it was refused
	}
	c := p.chosen[id]
	switch {
	case p.intakeHeld[identity(m)]:
		return false, nil
	case m.Sequence > p.intakeSettled:
		return p.Intake, nil // else it will be delivered
	case p.Intake:
		// Numbers are no measure: this one may be younger than one with a greater.
		return !c.time.IsZero() && m.Time.After(c.time), nil
	case m.Sequence <= c.intakeSeq:
		return false, nil
	}
	refused, err := r.Ledger.Refused(ctx, m.Sequence)
	return !refused, err
}

// identity tells submissions apart whatever their place.
func identity(m event.Message) [32]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", m.Subject)
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		if !strings.HasPrefix(name, "Nats-") {
			fmt.Fprintf(h, "%s: %q\n", name, m.Header[name])
		}
	}
	h.Write(m.Data)
	return [32]byte(h.Sum(nil))
}

// errNoMore ends a walk early.
var errNoMore = errors.New("no more")

// Run does what p says; with force, PROFILES is made anew although nothing of it is
// known to be lost. It may be cut off and begun again, with a new plan.
func (r *Rebuilder) Run(ctx context.Context, p *Plan, force bool) error {
	if p.remake || force {
		if err := r.profiles(ctx, p); err != nil {
			return err
		}
	}
	return r.intake(ctx, p)
}

func (r *Rebuilder) profiles(ctx context.Context, p *Plan) error {
	last, err := r.Log.Recreate(ctx, profileStream, p.first, r.revisions(ctx, p))
	if err != nil {
		return err
	}
	return r.Ledger.QuietUntil(ctx, last)
}

func (r *Rebuilder) intake(ctx context.Context, p *Plan) error {
	if p.Intake {
		_, err := r.Log.Recreate(ctx, intakeStream, p.firstIntake, r.submissions(ctx, p))
		return err
	}
	for m, err := range r.submissions(ctx, p) {
		if err != nil {
			return err
		}
		if _, err := r.Log.Publish(ctx, event.Message{Subject: m.Subject, Header: without(m.Header), Data: m.Data}, fmt.Sprintf("rebuild-%d", m.Sequence)); err != nil {
			return err
		}
	}
	return nil
}

// without returns a header without what the server put into it.
func without(h map[string][]string) map[string][]string {
	h = maps.Clone(h)
	maps.DeleteFunc(h, func(name string, _ []string) bool { return strings.HasPrefix(name, "Nats-") })
	return h
}

// revisions yields what is to be in PROFILES and not held yet.
func (r *Rebuilder) revisions(ctx context.Context, p *Plan) iter.Seq2[event.Message, error] {
	return func(yield func(event.Message, error) bool) {
		done := 0
		emit := func(m event.Message) error {
			done++
			r.progress("Writing the stream", done, p.Profiles)
			if !yield(m, nil) {
				return errNoMore
			}
			return nil
		}
		err := r.Log.Walk(ctx, profileStream, 1, p.walked, func(m event.Message) error {
			id, err := event.SubjectID(m.Subject)
			if c := p.chosen[id]; err != nil || c.from != inStream || c.seq != m.Sequence {
				return nil //nolint:nilerr // not that one
			}
			return emit(m)
		})
		if err == nil || errors.Is(err, fault.ErrNotFound) {
			err = r.Ledger.Heads(ctx, func(h Head) error {
				if c, ok := p.chosen[h.ID]; !ok || c.from != inDatabase {
					return nil
				}
				m, err := revisionOf(h)
				if err != nil {
					return err
				}
				return emit(m)
			})
		}
		if err != nil && !errors.Is(err, errNoMore) {
			yield(event.Message{}, err)
		}
	}
}

// revisionOf returns what PROFILES must say of a head.
func revisionOf(h Head) (event.Message, error) {
	rev := event.Revision{ID: h.ID, IntakeSeq: h.IntakeSeq, Revision: max(h.Revision, 1), Status: h.Status, Quiet: h.Quiet}
	if retired(h) {
		rev.Status = profile.Paused
	}
	if rev.Tombstone() {
		return event.EncodeRevision(rev)
	}
	rev.Profile = new(profile.Profile)
	if err := json.Unmarshal(h.Raw, rev.Profile); err != nil {
		return event.Message{}, fmt.Errorf("stored body of %s: %w", h.ID, err)
	}
	return event.EncodeRevision(rev)
}

// submissions yields what is to be submitted again.
func (r *Rebuilder) submissions(ctx context.Context, p *Plan) iter.Seq2[event.Message, error] {
	return func(yield func(event.Message, error) bool) {
		if len(p.again) == 0 {
			return
		}
		err := r.Log.Walk(ctx, intakeStream, 1, p.intakeEnd, func(m event.Message) error {
			if p.again[m.Sequence] && !yield(m, nil) {
				return errNoMore
			}
			return nil
		})
		if err != nil && !errors.Is(err, errNoMore) {
			yield(event.Message{}, err)
		}
	}
}
