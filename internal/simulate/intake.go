package simulate

// producer publishes the script to INTAKE, now and then one event twice.
func (w *world) producer(p *process) {
	for w.produced < len(w.script) {
		p.sleep(w.rng.IntN(w.publishGap))
		e := w.script[w.produced]
		w.publishIntake(p, e)
		if w.rng.IntN(10) == 0 {
			w.publishIntake(p, w.script[w.rng.IntN(w.produced+1)]) // somebody's late repeat
		}
		w.produced++
	}
}

func (w *world) publishIntake(p *process, e event) {
	w.intake = append(w.intake, e)
	w.tracef("%s: intake %d: %s profile %d %+v quiet=%t", p.name, len(w.intake)-1, operations[e.op], e.profile, e.content, e.quiet)
}

// intakeWorker handles INTAKE messages, in any order, for ever.
func (w *world) intakeWorker(p *process) {
	c := &w.intakeConsumer
	present := func() uint64 { return (1<<len(w.intake) - 1) &^ 1 }
	for {
		p.await(func() bool { return c.pending(present()) != 0 })
		seq := c.take(c.pending(present()))
		p.step("has taken")
		for !w.publishProfile(p, seq) {
			w.tracef("%s: conflict on intake %d", p.name, seq)
		}
		p.step("ack")
		w.watchIntake(seq)
		w.ack(c, seq)
	}
}

// publishProfile brings PROFILES up to INTAKE message seq on its subject; false
// means that somebody else was first.
func (w *world) publishProfile(p *process, seq int) bool {
	subject := w.intake[seq].profile
	floor := 0
	readFloor := func() {
		p.step("reads the floor")
		floor = w.intakeConsumer.floor()
	}
	if w.variant != FloorAfterLast {
		readFloor()
	}
	p.step("reads last")
	last := w.profiles.last[subject]
	if last.intakeSeq >= seq && w.variant != NoIntakeOrder {
		// Done before, or superseded. If a crash came between publishing and
		// retiring, this is the only one left to retire at once.
		if last.intakeSeq == seq && w.variant != RetireOnce {
			w.retire(p, last)
		}
		return true
	}
	if w.variant == FloorAfterLast {
		readFloor()
	}
	// What lies at or below the floor was handled before we read what came of it.
	for at := min(max(last.intakeSeq, floor)+1, seq); at <= seq; at++ {
		if w.variant == NoIntakeOrder || w.variant == IntakeSkips {
			at = seq
		}
		if w.intake[at].profile != subject {
			continue
		}
		next, ok := revise(last, w.intake[at])
		if !ok {
			p.step("rejects")
			continue
		}
		next.intakeSeq = at
		p.step("publishes")
		if next.seq, ok = w.profiles.publish(next, last.seq); !ok {
			return false
		}
		w.tracef("%s: intake %d is profile %d at %d", p.name, at, subject, next.seq)
		last = next
		w.retire(p, last)
	}
	return true
}

// retire is the early withdrawal.
func (w *world) retire(p *process, m message) {
	if m.status == published || w.variant == NoRetire {
		return
	}
	p.step("withdraws early")
	t := p.begin()
	t.statement("retire")
	epoch := t.view.activeEpoch
	k := keyHead + key(m.profile)
	t.lock(k)
	h := &t.view.heads[m.profile]
	if h.seq >= m.seq {
		t.rollback()
		return
	}
	if h.seq == 0 {
		h.epoch = epoch
	}
	h.seq, h.alive = m.seq, false
	t.wrote(k)
	t.commit()
}
