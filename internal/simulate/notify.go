package simulate

// jobKind is what a River job does.
type jobKind int

const (
	deliver       jobKind = iota // one notification
	retellPair                   // after a decision was taken back
	retellNetwork                // after the clusters were joined
)

// job is a River job: inserted with the transaction, worked at least once.
type job struct {
	kind    jobKind
	arg     int // the notification or the pair
	after   int // the step before which a delivery is not worked
	running bool
	done    bool
}

// jobWorker works jobs, for ever.
func (w *world) jobWorker(p *process) {
	n := 0
	for {
		p.await(func() bool {
			for n = range w.jobs {
				if j := &w.jobs[n]; !j.running && !j.done && (j.after <= w.steps || w.healed) {
					return true
				}
			}
			return false
		})
		w.jobs[n].running = true
		j := w.jobs[n]
		p.step("takes a job")
		again := false
		switch j.kind {
		case deliver:
			again = w.deliver(p, j.arg)
		case retellPair:
			w.retell(p, func(pair int) bool { return pair == j.arg })
		case retellNetwork:
			w.retell(p, func(pair int) bool {
				d, s := sidesOf(pair)
				return p.tx.view.heads[d].content.cluster != p.tx.view.heads[s].content.cluster
			})
		}
		p.step("completes the job")
		w.jobs[n].running, w.jobs[n].after = false, w.steps+w.rng.IntN(w.backoff)
		w.jobs[n].done = w.jobs[n].done || !again
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
	// What was told stays told, whatever became of the notification meanwhile;
	// any other outcome counts only while no one else has settled it.
	n := &t.view.notes[id]
	if outcome == sent || *n == sending {
		*n = outcome
		t.wrote(k)
	}
	again := *n == pending // also when another attempt of this job asked for it
	t.commit()
	return again
}

// startAttempt commits the start of an attempt; false means that there is
// nothing to send.
func (w *world) startAttempt(p *process, id int) bool {
	_, pair, _ := noteKey(id)
	d, s := sidesOf(pair)
	t := p.begin()
	if w.variant != HeadsUnlocked {
		t.statement("lock the heads")
		t.share(keyHead + key(d))
		t.share(keyHead + key(s))
	}
	sendable := false
	if w.variant == CheckBeforeLock {
		t.statement("is it live")
		sendable = w.sendable(t, id)
	}
	t.statement("lock the notification")
	t.lock(keyNote + key(id))
	if n := t.view.notes[id]; n != pending && n != sending {
		t.rollback()
		return false
	}
	if w.variant != CheckBeforeLock {
		t.statement("is it live")
		sendable = w.sendable(t, id)
	}
	n := &t.view.notes[id]
	switch {
	case sendable:
		*n = sending
		w.tracef("%s: starts notification %d of pair %d", p.name, id, pair)
	case w.variant == Suppressed:
		*n = suppressed
	default:
		*n = held
		w.tracef("%s: holds notification %d of pair %d", p.name, id, pair)
	}
	asked := t.view
	t.wrote(keyNote + key(id))
	t.commit()
	if sendable {
		w.watchAttempt(&asked, id)
	}
	return sendable
}

// sendable asks the gate, and whether a higher band has overtaken this one.
func (w *world) sendable(t *transaction, id int) bool {
	sub, pair, band := noteKey(id)
	if w.live(&t.view, pair, t.at.tick) == 0 {
		return false
	}
	for b := band + 1; b <= 2 && w.variant != LowerBandSent; b++ {
		if n := t.view.notes[noteID(sub, pair, b)]; n != absent && n != held {
			return false
		}
	}
	return true
}

// retell is the job after a change of the gate that may have opened it.
func (w *world) retell(p *process, concerns told) {
	t := p.begin()
	t.statement("take the turn")
	if w.variant != GateJobNoTurn {
		t.lock(keyEpoch)
	}
	w.tell(t, concerns)
	t.commit()
}

// timer tells what the passing of time has made live, for ever.
func (w *world) timer(p *process) {
	for {
		p.await(func() bool {
			for _, h := range w.db.committed.heads {
				if from := h.content.from; h.alive && w.db.committed.swept < from && from <= w.tick {
					return true
				}
			}
			return false
		})
		t := p.begin()
		t.statement("take the turn")
		if w.variant != GateJobNoTurn {
			t.lock(keyEpoch)
		}
		t.statement("what became valid")
		t.lock(keySwept)
		var began [profiles]bool
		for i, h := range t.view.heads {
			began[i] = t.view.swept < h.content.from && h.content.from <= t.at.tick
		}
		t.view.swept = t.at.tick
		t.wrote(keySwept)
		w.tell(t, func(pair int) bool {
			d, s := sidesOf(pair)
			return began[d] || began[s]
		})
		t.commit()
	}
}
