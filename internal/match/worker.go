package match

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// Waits for the index.
const (
	briefWait = 5 * time.Millisecond // before tombstones go ahead
	indexWait = 10 * time.Second     // before the messages come later
)

// defaultMaxPairs is MaxPairs unless a Worker says otherwise.
const defaultMaxPairs = 20_000

// Worker handles PROFILES messages of one epoch. Finder and Scorer must be of
// the same one. It is safe for concurrent use.
type Worker struct {
	Finder  Finder
	Ledger  Ledger
	Scorer  Scorer
	Sides   *Sides // what the indexer of this process has analysed; may be nil
	Rematch bool   // what it finds raises no alert at once
	// MaxPairs is how many rows one transaction writes; more are divided, if they
	// are of more than one profile. 0 means 20,000.
	MaxPairs int
	// Yield, if set, is called before each search and each transaction and may wait:
	// there a re-match lets live work go first.
	Yield func(ctx context.Context)
	// Observe, if set, is told how long each step took.
	Observe func(s Step, took time.Duration)
	Log     *zap.Logger
}

// Step is a part of the work on a batch.
type Step string

// The steps.
const (
	StepWait   Step = "wait"   // for the index
	StepFind   Step = "find"   // of all profiles of a batch, which are analysed and scored as well
	StepCommit Step = "commit" // of one transaction
)

// observe returns a function that ends a step.
func (w *Worker) observe(s Step) func() {
	if w.Observe == nil {
		return func() {}
	}
	began := time.Now()
	return func() { w.Observe(s, time.Since(began)) }
}

func (w *Worker) yield(ctx context.Context) {
	if w.Yield != nil {
		w.Yield(ctx)
	}
}

// task is one message of a batch.
type task struct {
	event.Message
	event.Revision

	pairs      []suggestion.Pair
	duplicates []suggestion.Duplicate
	err        error // why it cannot be handled
}

// alive reports whether the revision may take part in suggestions.
func (t *task) alive() bool { return t.Status == profile.Published }

// fail notes why the tasks are not done.
func fail(tasks []*task, err error) {
	for _, t := range tasks {
		t.err = err
	}
}

// Handle matches a batch and returns an error for each message. Those that break
// it are kept as dead letters; of several revisions of one profile only the
// newest is worked on.
func (w *Worker) Handle(ctx context.Context, ms []event.Message) []error {
	tasks := make([]*task, len(ms))
	newest := make(map[profile.ID]*task)
	for i, m := range ms {
		t := &task{Message: m}
		tasks[i] = t
		if t.Revision, t.err = event.DecodeRevision(m); t.err != nil {
			continue
		}
		if other := newest[t.ID]; other == nil || other.Seq < t.Seq {
			newest[t.ID] = t
		}
	}
	w.work(ctx, slices.SortedFunc(maps.Values(newest), func(a, b *task) int { return cmp.Compare(a.Seq, b.Seq) }))

	errs := make([]error, len(tasks))
	for i, t := range tasks {
		errs[i] = w.keep(ctx, t)
	}
	return errs
}

// keep returns the task's error once a message that was given up is kept.
func (w *Worker) keep(ctx context.Context, t *task) error {
	if t.err == nil || fault.Judge(t.err) != fault.Reject {
		return t.err
	}
	if err := w.Ledger.Quarantine(ctx, t.Message, t.err.Error()); err != nil {
		return fmt.Errorf("quarantine %s: %v: %w", t.Subject, err, fault.ErrUnavailable) //nolint:errorlint // tried again, whatever kind the cause is of
	}
	return t.err
}

// work handles tasks of different profiles, in order of sequence. Those that
// only say that a profile is no more do not wait for the index.
func (w *Worker) work(ctx context.Context, tasks []*task) {
	var alive, dead []*task
	for _, t := range tasks {
		if t.alive() {
			alive = append(alive, t)
		} else {
			dead = append(dead, t)
		}
	}
	if len(alive) == 0 {
		w.commit(ctx, dead)
		return
	}
	last := alive[len(alive)-1].Seq
	if len(dead) > 0 && w.wait(ctx, last, briefWait) != nil {
		w.commit(ctx, dead)
		dead = nil
	}
	if err := w.wait(ctx, last, indexWait); err != nil {
		fail(append(dead, alive...), err)
		return
	}
	w.commit(ctx, append(dead, w.match(ctx, alive)...))
}

// wait waits for the index, but no longer than limit.
func (w *Worker) wait(ctx context.Context, seq uint64, limit time.Duration) error {
	defer w.observe(StepWait)()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := w.Finder.WaitFor(ctx, seq); err != nil {
		return fmt.Errorf("wait for the index to reach %d: %w", seq, err)
	}
	return nil
}

// match fills in what is found of tasks, on all processors, and returns those tasks
// that did not fail.
func (w *Worker) match(ctx context.Context, tasks []*task) []*task {
	defer w.observe(StepFind)()
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, t := range tasks {
		g.Go(func() error {
			w.yield(ctx)
			t.err = w.search(ctx, t)
			return nil // each task has its own
		})
	}
	_ = g.Wait() // see above
	return slices.DeleteFunc(tasks, func(t *task) bool { return t.err != nil })
}

// commit writes the heads and pairs of tasks in one transaction. If that fails
// because of one of them, they are divided.
func (w *Worker) commit(ctx context.Context, tasks []*task) {
	if len(tasks) == 0 {
		return
	}
	b := w.batch(tasks)
	if len(b.Pairs)+len(b.Duplicates) > cmp.Or(w.MaxPairs, defaultMaxPairs) && len(tasks) > 1 {
		w.divide(ctx, tasks)
		return
	}
	out, err := w.commitBatch(ctx, b)
	switch {
	case err == nil:
		w.Log.Debug("batch committed", zap.Int("profiles", len(b.Heads)), zap.Int("pairs", len(b.Pairs)),
			zap.Int("duplicates", len(b.Duplicates)), zap.Int("superseded", len(out.Superseded)), zap.Int("told", out.Told))
	case errors.Is(err, fault.ErrStale):
		// Not done, as that kind would mean: a worker of the new epoch does it.
		fail(tasks, fmt.Errorf("epoch %d is not the active one: %w", b.Epoch, fault.ErrUnavailable))
	case len(tasks) == 1 || errors.Is(err, fault.ErrUnavailable) || ctx.Err() != nil:
		fail(tasks, err)
	default:
		w.Log.Warn("batch is divided", zap.Int("profiles", len(tasks)), zap.Error(err))
		w.divide(ctx, tasks)
	}
}

// commitBatch is the ledger's Commit; a panic is an error that wraps
// fault.ErrPoison.
func (w *Worker) commitBatch(ctx context.Context, b suggestion.Batch) (out suggestion.Outcome, err error) {
	w.yield(ctx)
	defer w.observe(StepCommit)()
	defer w.recovered(&err)
	return w.Ledger.Commit(ctx, b)
}

func (w *Worker) divide(ctx context.Context, tasks []*task) {
	half := len(tasks) / 2
	w.commit(ctx, tasks[:half])
	w.commit(ctx, tasks[half:])
}

// batch is what is written for tasks: a head for each, and each pair and each
// two near-duplicates once. The ledger puts all in order of key.
func (w *Worker) batch(tasks []*task) suggestion.Batch {
	b := suggestion.Batch{Epoch: w.Scorer.Number(), Rematch: w.Rematch}
	rows := make(map[[2]profile.ID]int) // by key, the place; no two profiles are both a pair and duplicates
	for _, t := range tasks {
		b.Heads = append(b.Heads, suggestion.Head{
			ID:        t.ID,
			Seq:       t.Seq,
			Epoch:     b.Epoch,
			IntakeSeq: t.IntakeSeq,
			Alive:     t.alive(),
			Quiet:     t.Quiet,
			Profile:   t.Profile,
			Raw:       t.Raw,
		})
		for _, p := range t.pairs {
			key := [2]profile.ID{p.Demand, p.Supply}
			i, ok := rows[key]
			switch {
			case !ok:
				rows[key] = len(b.Pairs)
				b.Pairs = append(b.Pairs, p)
			case newer(p, b.Pairs[i]):
				b.Pairs[i] = p
			}
		}
		for _, d := range t.duplicates {
			key := [2]profile.ID{d.A, d.B}
			i, ok := rows[key]
			switch {
			case !ok:
				rows[key] = len(b.Duplicates)
				b.Duplicates = append(b.Duplicates, d)
			case d.ASeq >= b.Duplicates[i].ASeq && d.BSeq >= b.Duplicates[i].BSeq: // see newer
				b.Duplicates[i] = d
			}
		}
	}
	return b
}

// newer reports whether a is of later revisions than b. When each is later on
// one side, both are overtaken, and it does not matter which is written.
func newer(a, b suggestion.Pair) bool {
	return a.DemandSeq >= b.DemandSeq && a.SupplySeq >= b.SupplySeq
}

// recovered turns a panic into an error that wraps fault.ErrPoison.
func (w *Worker) recovered(err *error) {
	if p := recover(); p != nil {
		w.Log.Error("matching panicked", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
		*err = fmt.Errorf("panic: %v: %w", p, fault.ErrPoison)
	}
}
