package simulate

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
)

// The bounds of a run.
const (
	epochs   = 3
	texts    = 4
	maxSteps = 30_000
)

// Kind is how a run went wrong.
type Kind int

// The kinds of fault.
const (
	Lost     Kind = iota // a suggestion or a notification is missing
	Stale                // the wrong suggestion is shown, or the wrong revision kept
	Doubled              // somebody is told twice, or of what is no news
	Late                 // somebody is told after the end, or a withdrawal waits
	Deadlock             // transactions wait for each other
	Stuck                // the run does not come to rest
)

// String returns the kind in one word.
func (k Kind) String() string {
	return [...]string{"lost", "stale", "doubled", "late", "deadlock", "stuck"}[k]
}

// Fault is one thing that went wrong.
type Fault struct {
	Kind Kind
	Text string
}

// Result is what became of a run.
type Result struct {
	Steps  int
	Faults []Fault // in the order in which they were noticed; none: all is well
}

// Run runs one seed of one variant: the same arguments give the same run.
func Run(seed uint64, v Variant) Result { return Trace(seed, v, nil) }

// Trace is [Run] and writes what happens to out, a line for each step.
func Trace(seed uint64, v Variant, out io.Writer) Result {
	w := newWorld(seed, v, out)
	w.run()
	for _, p := range w.processes {
		if p.running {
			p.stop()
		}
	}
	return Result{Steps: w.steps, Faults: w.faults}
}

// world is everything that a run consists of.
type world struct {
	variant Variant
	theme   theme
	rng     *rand.Rand
	out     io.Writer // nil: no trace
	faults  []Fault
	history history

	processes []*process
	last      *process // that was resumed
	replicas  []*replica
	steps     int
	tick      int // time as validity sees it
	moment    int // time as an order of events
	healed    bool

	// How rough the run is: one in so many.
	retries                                                 int // of attempts
	backoff                                                 int // the longest pause before an attempt, in steps
	linger                                                  int // of a batch that is not full: one in so many steps ends it
	loseAck, crashes, stalls, redeliveries, restarts, ticks int
	slowCommits                                             int // of transactions
	publishGap, actionGap, commitGap                        int // between what outsiders do, and of a slow commit, in steps

	// In a ranked run the runnable process of the highest rank goes first, and
	// ranks change one time in swaps: long pauses at single points. Otherwise
	// each step is anybody's.
	ranked bool
	swaps  int

	script     []event
	produced   int
	operations []action
	opening    int // if positive, the operator starts so many steps after the producer ended
	planned    int // PROFILES' last sequence when the switch of the epoch began
	bands      [epochs][texts][texts]int
	alike      [epochs][texts][texts]bool // of one side; symmetric

	intake         []event // intake[0] is none
	intakeConsumer consumer
	profiles       profileStream
	matchConsumer  consumer
	rematch        rematch
	db             database
	jobs           []job
}

func newWorld(seed uint64, v Variant, out io.Writer) *world {
	w := &world{
		variant:  v,
		theme:    theme(seed % uint64(themes)),
		rng:      rand.New(rand.NewPCG(seed, 0x6b6f626c696e67)), //nolint:gosec // a simulation is repeatable by design
		out:      out,
		intake:   make([]event, 1, maxSequence+1),
		profiles: profileStream{all: make([]message, 1, maxSequence+1)},
		rematch:  rematch{epoch: 1},
		history:  history{tried: map[revisions]bool{}},
	}
	w.db.world = w
	w.db.committed.activeEpoch = 1
	for i := range w.db.committed.subscriptions[:2] {
		w.db.committed.subscriptions[i] = subscription{createdAt: w.clock().moment, cluster: i}
		w.history.subscribed[i] = w.moment
	}
	w.db.committed.network = w.rng.IntN(2) == 0
	w.roughen()
	w.plot()

	w.add("producer", w.producer)
	w.add("operator", w.operator)
	for range 2 {
		w.add("intake", w.intakeWorker)
		w.add("deliver", func(p *process) { w.jobWorker(p, true) })
		w.add("gate", func(p *process) { w.jobWorker(p, false) })
		r := &replica{epoch: 1}
		w.replicas = append(w.replicas, r)
		r.workers = []*process{
			w.add("index", func(p *process) { w.indexer(p, r) }),
			w.add("match", func(p *process) { w.matcher(p, r) }),
			w.add("match", func(p *process) { w.matcher(p, r) }),
		}
	}
	return w
}

// add makes a process; its name is numbered.
func (w *world) add(name string, body func(*process)) *process {
	p := &process{world: w, name: name + "-" + strconv.Itoa(len(w.processes)), body: body, rank: w.rng.IntN(100)}
	switch {
	case w.theme == gates && name == "deliver" && len(w.replicas) == 0,
		w.theme == orders && name == "intake" && w.rng.IntN(2) == 0,
		w.rng.IntN(4) == 0:
		p.slow = 5 << w.rng.IntN(6)
	}
	w.processes = append(w.processes, p)
	return p
}

// run lets things go wrong until everything has been said, then heals the world
// and lets it come to rest.
func (w *world) run() {
	rest := w.rng.IntN(300)
	if w.theme == waiting {
		rest += 200
	}
	for w.produced < len(w.script) || len(w.operations) > 0 || rest > 0 {
		if w.produced == len(w.script) && len(w.operations) == 0 {
			rest--
		}
		w.goWrong()
		w.stepOne()
	}
	w.heal()
	for w.stepOne() {
		if w.steps > maxSteps {
			w.fault(Stuck, "no rest after %d steps", w.steps)
			return
		}
	}
	w.judge()
}

// stepOne resumes one process that can run; false means that there is none.
func (w *world) stepOne() bool {
	w.steps++
	var best *process
	asleep := false
	start := w.rng.IntN(len(w.processes))
	for i := range w.processes {
		p := w.processes[(start+i)%len(w.processes)]
		switch {
		case !p.runnable():
			asleep = asleep || !p.done && p.wake > w.steps
		case best == nil || p.rank > best.rank:
			best = p
		}
		if best != nil && !w.ranked {
			break
		}
	}
	if best == nil {
		return asleep
	}
	w.resume(best)
	return true
}

// resume resumes p, which then pauses for a while if it is a slow one.
func (w *world) resume(p *process) {
	w.last = p
	p.resume()
	if p.slow > 0 && !w.healed {
		p.wake = max(p.wake, w.steps+w.rng.IntN(p.slow))
	}
}

// goWrong does what may happen between any two steps.
func (w *world) goWrong() {
	if w.chance(w.ticks) {
		w.tick++
		w.watchView(w.clock().moment)
	}
	if w.ranked && w.chance(w.swaps) {
		w.processes[w.rng.IntN(len(w.processes))].rank = w.rng.IntN(100)
	}
	if w.chance(w.stalls) {
		w.victim().wake = w.steps + w.rng.IntN(80)
	}
	if w.chance(w.crashes) {
		w.victim().crash()
	}
	if w.chance(w.restarts) {
		w.restart(w.replicas[w.rng.IntN(len(w.replicas))])
	}
	if w.chance(w.redeliveries) {
		w.redeliver()
	}
	if w.chance(100) {
		w.load(w.replicas[w.rng.IntN(len(w.replicas))], nil)
	}
}

// victim returns whom something happens to: most of the processes only wait, so
// it is often the one that has just done something.
func (w *world) victim() *process {
	if w.last != nil && w.rng.IntN(2) == 0 {
		return w.last
	}
	return w.processes[w.rng.IntN(len(w.processes))]
}

// redeliver gives back something that was taken and not settled in time,
// whether or not its worker still lives.
func (w *world) redeliver() {
	switch n := w.rng.IntN(4); n {
	case 0, 1, 2:
		c := []*consumer{&w.intakeConsumer, &w.matchConsumer, &w.rematch.consumer}[n]
		if open := c.taken &^ c.acked; open != 0 {
			c.nak(lowest(open))
		}
	case 3:
		if len(w.jobs) > 0 {
			w.jobs[w.rng.IntN(len(w.jobs))].running = false
		}
	}
}

// redeliverAll gives back everything that was not settled.
func (w *world) redeliverAll() {
	for _, c := range []*consumer{&w.intakeConsumer, &w.matchConsumer, &w.rematch.consumer} {
		c.taken &= c.acked
	}
}

// heal ends all trouble: nothing crashes or stalls any more, what was taken is
// delivered again, every replica learns of the active epoch, and the clock
// jumps and stops.
func (w *world) heal() {
	w.healed = true
	w.tracef("healed")
	for _, p := range w.processes {
		p.wake = 0
	}
	w.redeliverAll()
	for i := range w.jobs {
		w.jobs[i].running = false
	}
	for _, r := range w.replicas {
		w.load(r, nil)
	}
	w.tick += w.rng.IntN(30)
	w.watchView(w.clock().moment)
}

// chance is true one time in n while the world is not healed.
func (w *world) chance(n int) bool { return !w.healed && w.rng.IntN(n) == 0 }

// clock reads the database clock.
func (w *world) clock() now {
	w.moment++
	return now{w.tick, w.moment}
}

func (w *world) fault(k Kind, format string, args ...any) {
	f := Fault{k, fmt.Sprintf(format, args...)}
	w.faults = append(w.faults, f)
	w.tracef("WRONG: %s", f.Text)
}

func (w *world) tracef(format string, args ...any) {
	if w.out != nil {
		fmt.Fprintf(w.out, "%5d t%-3d %s\n", w.steps, w.tick, fmt.Sprintf(format, args...))
	}
}
