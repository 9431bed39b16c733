// Package audit compares what an installation keeps in several places and says of
// each difference which command mends it. It decides; it knows no driver. What it
// reads is in [Log], [Ledger] and [Index]; it changes nothing.
//
// # What is compared
//
// The truth is PROFILES, the newest message of each profile. Against it stand the
// heads in the database, the documents of the index, and what has been settled.
// What the ledger's rules exclude is looked for in the database alone.
//
// # The oracle
//
// The oracle computes all suggestions anew: every demand with every supply as
// PROFILES has them, without the index, by the predicate (package score) and by a
// gate of its own ([gate]), at the moment of one view of the database. They must be
// the live suggestions: the same set, and the same scores to the bit.
//
// # While work goes on
//
// The database is viewed at one moment, and PROFILES is read after it. A profile
// whose newest message had not been settled before the view is not judged, nor are
// its pairs; the report says how many these are. So an audit of a busy installation
// finds nothing that time alone would mend, but only one of an idle installation
// covers all of it.
package audit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// Extent is what a stream holds and how far its consumers have come.
type Extent struct {
	LastSeq  uint64
	Messages uint64
	Settled  map[string]uint64 // by durable consumer, the sequence up to which all is settled
}

// Log reads the streams. internal/stream implements it.
type Log interface {
	// Extent returns the state of stream INTAKE or PROFILES; the error wraps
	// fault.ErrNotFound if it does not exist.
	Extent(ctx context.Context, stream string) (Extent, error)
	// Walk calls f for the messages of a stream from one sequence to another, in order.
	Walk(ctx context.Context, stream string, first, last uint64, f func(event.Message) error) error
}

// Head is what the database knows of the newest revision of a profile.
type Head struct {
	suggestion.Head

	Revision uint64
	Status   profile.Status
	Digest   []byte // of what a person judges
}

// Anomaly is a state that the rules of the ledger exclude.
type Anomaly struct {
	Name    string // see the table in anomaly.go
	Count   int64
	Example string
}

// Ledger is the database. internal/store implements it.
type Ledger interface {
	// View calls f with the database at one moment.
	View(ctx context.Context, f func(View) error) error
}

// View is the database at one moment.
type View interface {
	At() time.Time
	Heads(ctx context.Context, f func(Head) error) error
	Live(ctx context.Context, f func(suggestion.Pair) error) error
	LegalEntities(ctx context.Context) (map[string]string, error)
	Networks(ctx context.Context) (map[string][]string, error)
	Declined(ctx context.Context, f func(demand, supply profile.ID, demandDigest, supplyDigest []byte) error) error
	Anomalies(ctx context.Context) ([]Anomaly, error)
}

// Index is the index of one running process.
type Index interface {
	// Contents returns what the index holds, as digests.
	Contents(ctx context.Context) (Contents, error)
	// Bucket returns the documents of one of the digests.
	Bucket(ctx context.Context, n int) ([]Entry, error)
}

// Auditor compares. Log, Ledger and Epoch are required.
type Auditor struct {
	Log    Log
	Ledger Ledger
	Index  Index // nil: there is none to ask
	Epoch  *score.Epoch
	// Digest is how the ledger identifies what a person judges in a profile.
	Digest func(*profile.Profile) ([]byte, error)
	// Progress, if set, is told how far each stage is; a total of 0 is not known.
	Progress func(stage string, done, total int)
}

// Finding is one kind of difference.
type Finding struct {
	What    string `json:"what"` // its name: a contract
	Count   int64  `json:"count"`
	Detail  string `json:"detail"`
	Example string `json:"example,omitempty"`
	Mend    string `json:"mend"` // the command that mends it
}

// Report is what an audit has found.
type Report struct {
	At       time.Time `json:"at"` // of the view, by the database's clock
	Epoch    int       `json:"epoch"`
	Checked  Checked   `json:"checked"`
	Findings []Finding `json:"findings"`
}

// Checked counts what was compared, so that "nothing found" can be weighed.
type Checked struct {
	Messages  int `json:"messages"`  // of PROFILES: one for each profile
	Heads     int `json:"heads"`     // in the database
	Documents int `json:"documents"` // in the index
	Waiting   int `json:"waiting"`   // profiles not judged, because they are being worked on
	// The rest is the oracle's.
	Pairs     int `json:"pairs,omitempty"`    // demands × supplies that were scored
	Expected  int `json:"expected,omitempty"` // suggestions that must be live
	Live      int `json:"live,omitempty"`     // suggestions that are
	PairsLeft int `json:"pairs_left,omitempty"`
}

// The streams, as Log knows them, and the consumer whose settling means that a
// head is written.
const (
	intakeStream  = "INTAKE"
	profileStream = "PROFILES"
	matchConsumer = "match"
)

// Run compares everything, and recomputes all suggestions if oracle is set. An
// error means that it could not look, not that it found something.
func (a *Auditor) Run(ctx context.Context, oracle bool) (Report, error) {
	r := &run{Auditor: a, report: Report{Epoch: a.Epoch.Number(), Findings: []Finding{}}}
	before, intake, err := r.extents(ctx)
	if err != nil {
		return r.report, err
	}
	var db database
	if err := a.Ledger.View(ctx, func(v View) error { return r.read(ctx, v, oracle, &db) }); err != nil {
		return r.report, fmt.Errorf("read the database: %w", err)
	}
	if err := r.walk(ctx, oracle); err != nil {
		return r.report, fmt.Errorf("read %s: %w", profileStream, err)
	}
	r.compareHeads(&db, before)
	r.compareIntake(&db, intake)
	if err := r.compareIndex(ctx); err != nil {
		return r.report, fmt.Errorf("read the index: %w", err)
	}
	if oracle {
		if err := r.recompute(ctx, &db); err != nil {
			return r.report, err
		}
	}
	r.addAnomalies(db.anomalies)
	return r.report, nil
}

// run is one audit under way.
type run struct {
	*Auditor

	report  Report
	newest  map[profile.ID]*revision
	walked  uint64 // the last sequence of PROFILES that was read
	waiting map[profile.ID]bool
	telling sync.Mutex
}

func (r *run) extents(ctx context.Context) (profiles, intake Extent, err error) {
	if profiles, err = r.Log.Extent(ctx, profileStream); err != nil {
		return profiles, intake, err
	}
	intake, err = r.Log.Extent(ctx, intakeStream)
	return profiles, intake, err
}

// progress tells how far a stage is.
func (r *run) progress(stage string, done, total int) {
	if r.Progress != nil {
		r.telling.Lock()
		defer r.telling.Unlock()
		r.Progress(stage, done, total)
	}
}

// tally collects the cases of one finding.
type tally struct {
	count   int64
	example string
}

func (t *tally) add(format string, args ...any) {
	if t.count++; t.count == 1 {
		t.example = fmt.Sprintf(format, args...)
	}
}

// found adds what t counted as a finding, if it is anything.
func (r *run) found(t tally, what, detail, mend string) {
	if t.count > 0 {
		r.report.Findings = append(r.report.Findings, Finding{What: what, Count: t.count, Detail: detail, Example: t.example, Mend: mend})
	}
}

// The commands that mend.
const (
	mendStream = "kobling rebuild stream"
	mendHeads  = "kobling rebuild heads"
	mendIndex  = "kobling rebuild index"
)
