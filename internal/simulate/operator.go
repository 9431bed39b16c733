package simulate

// operator does what people and other roles do to the database: subscriptions,
// decisions, the network of clusters, new epochs, sweeping. A crash loses what
// was under way and not committed.
func (w *world) operator(p *process) {
	for len(w.operations) > 0 {
		if w.opening > 0 && w.produced == len(w.script) {
			p.sleep(w.opening)
			w.opening = 0
		}
		p.await(func() bool { return w.opening == 0 || w.produced == len(w.script) })
		p.sleep(w.rng.IntN(w.actionGap))
		do := w.operations[0]
		w.operations = w.operations[1:]
		switch do {
		case changeNetwork:
			w.changeNetwork(p)
		case decide:
			w.decide(p)
		case subscribe:
			w.subscribe(p)
		case unsubscribe:
			w.unsubscribe(p)
		case switchEpoch:
			w.switchEpoch(p)
		case rematchAgain:
			w.rematchAgain(p)
		case sweep:
			w.sweep(p)
		}
	}
}

// changeNetwork joins the two clusters or separates them.
func (w *world) changeNetwork(p *process) {
	t := p.begin()
	t.statement("change the network")
	t.lock(keyNetwork)
	t.view.network = !t.view.network
	t.wrote(keyNetwork)
	if t.view.network {
		t.jobs = append(t.jobs, job{kind: retellCluster, arg: w.rng.IntN(2)}) // whichever was added
	}
	t.commit()
}

// decide declines a pair at its contents, or takes that back.
func (w *world) decide(p *process) {
	pair := w.rng.IntN(pairs)
	for i, d := range w.db.committed.decisions {
		if d.declined && w.rng.IntN(2) == 0 {
			pair = i
		}
	}
	d, s := sidesOf(pair)
	t := p.begin()
	t.statement("decide")
	t.lock(keyDecision + key(pair))
	old := &t.view.decisions[pair]
	if old.declined {
		t.jobs = append(t.jobs, job{kind: retellProfile, arg: d})
		*old = decision{}
	} else {
		*old = decision{declined: true, demand: t.view.heads[d].content, supply: t.view.heads[s].content}
	}
	t.wrote(keyDecision + key(pair))
	t.commit()
}

// subscribe creates the next subscription.
func (w *world) subscribe(p *process) {
	t := p.begin()
	t.statement("take the turn")
	if w.variant != SubscribeNoTurn {
		t.lock(keyEpoch)
	}
	t.statement("subscribe")
	for i := range t.view.subscriptions {
		u := &t.view.subscriptions[i]
		if u.createdAt != 0 {
			continue
		}
		t.lock(keySub + key(i))
		*u = subscription{createdAt: t.at.moment, cluster: i % 2}
		if w.variant == TransactionClock {
			u.createdAt = t.began.moment
		}
		t.wrote(keySub + key(i))
		break
	}
	t.commit()
}

// unsubscribe ends a subscription.
func (w *world) unsubscribe(p *process) {
	i := w.rng.IntN(subscriptions)
	t := p.begin()
	t.statement("unsubscribe")
	if t.view.subscriptions[i].createdAt != 0 {
		t.lock(keySub + key(i))
		t.view.subscriptions[i].ended = true
		t.wrote(keySub + key(i))
	}
	t.commit()
}

// switchEpoch makes the next epoch the active one, once its index is built.
func (w *world) switchEpoch(p *process) {
	w.planned = len(w.profiles.all) - 1
	p.sleep(w.rng.IntN(w.actionGap))
	t := p.begin()
	t.statement("take the turn")
	t.lock(keyEpoch)
	if t.view.activeEpoch == epochs {
		t.rollback()
		return
	}
	t.statement("switch the epoch")
	t.view.activeEpoch++
	t.wrote(keyEpoch)
	t.commit()
	p.step("creates the re-match")
	w.ensureRematch(w.db.committed.activeEpoch)
}

// rematchAgain begins another run in the active epoch, unless one is not finished.
func (w *world) rematchAgain(p *process) {
	p.step("looks where the stream ends")
	epoch, upto := w.rematch.epoch, len(w.profiles.all)-1
	p.step("begins another re-match")
	if w.rematch.epoch != epoch || w.db.committed.activeEpoch != epoch || !w.rematch.finished(w.profiles.present()) {
		w.tracef("another re-match is refused")
		return
	}
	w.rematch = rematch{epoch: epoch, run: w.rematch.run + 1, upto: upto}
	w.tracef("run %d of epoch %d up to %d", w.rematch.run, epoch, upto)
}
