package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"kobling/internal/bench/corpus"
	"kobling/internal/bench/peer"
	"kobling/internal/bench/report"
	"kobling/internal/bench/rig"
	"kobling/internal/fault"
	"kobling/internal/lexicon"
	"kobling/internal/score"
)

// Limits of what may be asked for.
const (
	MinProfiles = 300
	MaxProfiles = 5_000_000
)

// meaningful is the number of profiles below which figures say little.
const meaningful = 10_000

// growthSizes are the sizes at which growth is measured, up to that of the corpus;
// with [Options.Growth] also the others.
var growthSizes = []int{10_000, 25_000, 50_000, 100_000, 250_000, 500_000}

// Options say what to measure.
type Options struct {
	Profiles    int    // MinProfiles at least
	Growth      bool   // go on growing up to 500,000 profiles
	Seed        uint64 // of the corpus
	Text        string // folder of real texts; "": invented words
	Dir         string // a folder in which one for the measurement is made and removed again; "": the system's temporary one
	PostgresBin string // as the setting of that name
	Program     string // this program: its "serve" is what is measured
	Version     string // of it
	CPUProfile  string // file for a CPU profile of the matcher at Profiles; "": none
	// Progress, if set, is told how far each stage is; total is 0 while it is not
	// known, or is never.
	Progress func(stage string, done, total int)
}

// Sizes of samples: events on the whole way, queries, events one by one.
func (o *Options) window() int { return min(max(o.Profiles/10, matchBatch), 2000) }
func (o *Options) asked() int  { return min(o.window(), 200) }
func (o *Options) alone() int  { return min(o.window(), 250) }

// rounds is for how long an engine is asked, about.
func (o *Options) rounds() time.Duration {
	return min(time.Duration(o.Profiles)*time.Millisecond, 3*time.Second)
}

// What slow peers get at most.
const (
	bleveLimit    = 40 * time.Second
	postgresLimit = 45 * time.Second
)

// measurement is one run.
type measurement struct {
	Options
	rig    *rig.Rig
	index  *corpusIndex
	report report.Report
	sample rig.Window // at Profiles
	peers  map[string]peer.Engine
	copies map[string]string // addresses of the copied databases, by engine

	now   string // the stage in hand
	since time.Time
}

// Run measures. The error wraps fault.ErrInvalid if the options cannot be.
func Run(ctx context.Context, o Options) (_ *report.Report, err error) {
	if o.Profiles < MinProfiles || o.Profiles > MaxProfiles {
		return nil, fmt.Errorf("%d profiles: from %d to %d can be measured: %w", o.Profiles, MinProfiles, MaxProfiles, fault.ErrInvalid)
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	begun := time.Now()
	m := &measurement{Options: o, peers: map[string]peer.Engine{}, copies: map[string]string{}}
	dir, err := os.MkdirTemp(o.Dir, "kobling-bench-*")
	if err != nil {
		return nil, fmt.Errorf("folder for the measurement: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // PostgreSQL runs under another account than root
		return nil, err
	}
	c, err := m.openCorpus()
	if err != nil {
		return nil, err
	}
	if m.rig, err = rig.Open(ctx, c, dir, o.PostgresBin); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.rig.Close()) }()
	defer func() { err = errors.Join(err, m.closeAll()) }()
	if err := m.run(ctx); err != nil {
		return nil, err
	}
	m.ended()
	m.report.Seconds = report.Round(time.Since(begun).Seconds(), 1)
	return &m.report, nil
}

func (m *measurement) openCorpus() (*corpus.Corpus, error) {
	if m.Text == "" {
		lex, err := lexicon.Default()
		if err != nil {
			return nil, err
		}
		var phrases []string
		for _, c := range lex.Concepts {
			if l := c.Labels["en"]; len(l) > 0 {
				phrases = append(phrases, l[0].Text)
			}
		}
		return corpus.New(m.Seed, phrases...), nil
	}
	e, err := score.DefaultEpoch(1)
	if err != nil {
		return nil, err
	}
	return corpus.Read(m.Text, m.Seed, e.Analyzer().Detect)
}

// closeAll closes what a run leaves open.
func (m *measurement) closeAll() error {
	var errs []error
	for _, e := range m.peers {
		errs = append(errs, e.Close())
	}
	if m.index != nil {
		errs = append(errs, m.index.close())
	}
	return errors.Join(errs...)
}

// stage begins a stage and returns what tells how far it is. How long the one before
// took goes into the report.
func (m *measurement) stage(name string) func(done, total int) {
	m.ended()
	m.now, m.since = name, time.Now()
	m.Progress(name, 0, 0)
	return func(done, total int) { m.Progress(name, done, total) }
}

// ended ends the stage in hand.
func (m *measurement) ended() {
	if m.now == "" {
		return
	}
	m.report.Phases = append(m.report.Phases, report.Phase{Name: m.now, Seconds: report.Round(time.Since(m.since).Seconds(), 1)})
	m.now = ""
}

func (m *measurement) run(ctx context.Context) error {
	r := &m.report
	r.Profiles, r.Corpus, r.Seed, r.Machine = m.Profiles, m.rig.Corpus.Kind(), m.Seed, rig.Machine(m.Version)
	r.DiskBytes = map[string]int64{}
	if m.Profiles < meaningful {
		r.Note("%d profiles are too few for figures that mean something; take %d at least", m.Profiles, meaningful)
	}
	var err error
	if r.Machine.Postgres, err = m.rig.DatabaseVersion(ctx); err != nil {
		return err
	}
	if err := m.rig.Begin(ctx, m.Profiles, m.stage("Counting words")); err != nil {
		return err
	}
	m.index = newCorpusIndex(m.rig, m.peers)
	if err := m.openPeers(ctx); err != nil {
		return err
	}
	asked := questions(m.rig, m.Profiles, m.asked())
	m.index.brute = newBrute(m.rig.Epoch, asked)
	for _, n := range growthSizes {
		if n+m.window() < m.Profiles {
			if err := m.grow(ctx, n); err != nil {
				return err
			}
		}
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return m.fill(ctx, m.Profiles) },
		func(ctx context.Context) error { return m.asleep(ctx, asked) },
		m.matched,
		m.others,
		m.far,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	slices.SortFunc(r.Growth, func(a, b report.Growth) int { return a.Profiles - b.Profiles })
	r.Compare()
	return nil
}
