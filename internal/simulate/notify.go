package simulate

import "slices"

// jobKind is what a River job does.
type jobKind int

const (
	deliver       jobKind = iota // one notification
	retellProfile                // after a decision was taken back, or when it is valid
	retellCluster                // after its clusters were joined, a page
)

// job is a River job: inserted with the transaction, worked at least once.
type job struct {
	kind    jobKind
	arg     int // the notification, the profile or the cluster
	from    int // of a page: its first profile
	after   int // the step before which a delivery is not worked
	behind  int // of a delivery: one more than the notification it waits for
	tick    int // the tick before which it is not worked, as the worker sees it
	running bool
	done    bool
}

// jobWorker works the jobs of one of the queues, for ever.
func (w *world) jobWorker(p *process, deliveries bool) {
	n := 0
	for {
		p.await(func() bool {
			for n = range w.jobs {
				j := &w.jobs[n]
				if (j.kind == deliver) == deliveries && !j.running && !j.done && j.tick <= w.tick && (j.after <= w.steps || w.healed) && !w.waits(j) {
					return true
				}
			}
			return false
		})
		w.jobs[n].running = true
		j := w.jobs[n]
		p.step("takes a job")
		if j.kind == deliver {
			again, behind := w.deliver(p, j.arg)
			p.step("completes the job")
			w.jobs[n].done, w.jobs[n].behind = w.jobs[n].done || !again, behind
		} else {
			again := w.retell(p, j)
			p.step("completes the job")
			w.jobs[n].done = w.jobs[n].done || again == 0
			w.jobs[n].tick = again
		}
		w.jobs[n].running, w.jobs[n].after = false, w.steps+w.rng.IntN(w.backoff)
	}
}

// waits reports whether the job waits for a notification that is under way. When
// all trouble has ended, it would do nothing else.
func (w *world) waits(j *job) bool {
	if j.behind == 0 || !w.healed {
		return false
	}
	n := w.db.committed.notes[j.behind-1]
	return n == pending || n == sending
}

// deliver tells one subscription; again means: try again later. If that is when
// another notification is settled, behind is one more than that.
func (w *world) deliver(p *process, id int) (again bool, behind int) {
	start, other := w.startAttempt(p, id)
	switch {
	case !start && other.underWay:
		return true, other.other + 1
	case !start:
		return false, 0
	}
	p.step("sends")
	outcome := sent
	switch {
	case w.chance(w.retries):
		outcome = pending // a fault of the network: try again
	case w.chance(10):
		outcome = failed // given up
	case other.other < 0:
		w.history.full[id] = true
	}
	t := p.begin()
	t.statement("finish")
	k := keyNote + key(id)
	t.lock(k)
	// What is final stays, and that it is tried again counts only while nobody
	// else has held or revived it.
	n := &t.view.notes[id]
	if *n == sending || outcome != pending && (*n == pending || *n == held) {
		*n = outcome
		t.wrote(k)
	}
	t.commit()
	return outcome == pending, 0
}

// startAttempt commits the start of an attempt; false means that there is
// nothing to send, or not yet.
func (w *world) startAttempt(p *process, id int) (start bool, other reference) {
	sub, pair, band := noteKey(id)
	d, s := sidesOf(pair)
	live := false
	ask := func(t *transaction) {
		t.statement("is it live")
		live = w.live(&t.view, pair, w.clockTick(t)) != 0
	}
	t := p.begin()
	if w.variant == CheckBeforeLock {
		ask(t)
	}
	twin := -1
	if w.variant != HeadsUnlocked {
		t.statement("lock the heads")
		concerned := []int{d, s}
		if n := t.view.refers[id]; n != 0 && w.variant != TwinUnlocked {
			_, otherPair, _ := noteKey(n - 1)
			_, twin, _ = twinIn(pair, otherPair)
			concerned = append(concerned, twin)
			slices.Sort(concerned)
		}
		for _, i := range concerned {
			t.share(keyHead + key(i))
		}
	}
	t.statement("lock the notification")
	t.lock(keyNote + key(id))
	if w.variant != SubscriberUnlocked {
		t.share(keySub + key(sub))
	}
	ended := t.view.subscriptions[sub].ended
	if w.variant != CheckBeforeLock {
		ask(t)
	}
	other = w.readReference(t, id, twin)
	n := &t.view.notes[id]
	higher := band < 2 && w.overtaken(&t.view, sub, pair, band+1) && w.variant != LowerBandSent
	switch {
	case *n != pending && *n != sending:
		t.rollback()
		return false, reference{other: -1}
	case ended:
		*n = suppressed
	case live && !higher && other.underWay:
		w.tracef("%s: notification %d waits for notification %d", p.name, id, other.other)
		t.rollback()
		return false, other
	case live && !higher:
		*n = sending
		t.view.refers[id] = other.other + 1
		w.tracef("%s: starts notification %d of pair %d", p.name, id, pair)
	case w.variant == Suppressed:
		*n = suppressed
	default:
		*n = held
		w.tracef("%s: holds notification %d of pair %d", p.name, id, pair)
	}
	start, asked := *n == sending, t.view
	other.underWay = false
	t.wrote(keyNote + key(id))
	t.commit()
	if start {
		w.watchAttempt(&asked, id)
		if other.other >= 0 {
			w.watchReference(id, other.other)
		}
	}
	return start, other
}
