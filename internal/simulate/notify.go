package simulate

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
				if (j.kind == deliver) == deliveries && !j.running && !j.done && j.tick <= w.tick && (j.after <= w.steps || w.healed) {
					return true
				}
			}
			return false
		})
		w.jobs[n].running = true
		j := w.jobs[n]
		p.step("takes a job")
		if j.kind == deliver {
			again := w.deliver(p, j.arg)
			p.step("completes the job")
			w.jobs[n].done = w.jobs[n].done || !again
		} else {
			again := w.retell(p, j)
			p.step("completes the job")
			w.jobs[n].done = w.jobs[n].done || again == 0
			w.jobs[n].tick = again
		}
		w.jobs[n].running, w.jobs[n].after = false, w.steps+w.rng.IntN(w.backoff)
	}
}

// deliver tells one subscription; true means: try again later.
func (w *world) deliver(p *process, id int) bool {
	if !w.startAttempt(p, id) {
		return false
	}
	p.step("sends")
	outcome := sent
	switch {
	case w.chance(w.retries):
		outcome = pending // a fault of the network: try again
	case w.chance(10):
		outcome = failed // given up
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
	return outcome == pending
}

// startAttempt commits the start of an attempt; false means that there is
// nothing to send.
func (w *world) startAttempt(p *process, id int) bool {
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
	if w.variant != HeadsUnlocked {
		t.statement("lock the heads")
		t.share(keyHead + key(d))
		t.share(keyHead + key(s))
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
	n := &t.view.notes[id]
	higher := band < 2 && w.overtaken(&t.view, sub, pair, band+1) && w.variant != LowerBandSent
	switch {
	case *n != pending && *n != sending:
		t.rollback()
		return false
	case ended:
		*n = suppressed
	case live && !higher:
		*n = sending
		w.tracef("%s: starts notification %d of pair %d", p.name, id, pair)
	case w.variant == Suppressed:
		*n = suppressed
	default:
		*n = held
		w.tracef("%s: holds notification %d of pair %d", p.name, id, pair)
	}
	start, asked := *n == sending, t.view
	t.wrote(keyNote + key(id))
	t.commit()
	if start {
		w.watchAttempt(&asked, id)
	}
	return start
}
