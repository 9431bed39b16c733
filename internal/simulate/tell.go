package simulate

// told says which pairs a telling concerns.
type told func(pair int) bool

// tell makes what is live and news a notification for everyone subscribed. The
// caller has locked a head of every pair that it concerns, so no attempt is
// asking whether one of them is live.
func (w *world) tell(t *transaction, concerns told) {
	t.statement("select the news")
	if n := w.selectNews(t, &t.view, concerns); len(n.ids) > 0 {
		t.statement("insert the notifications")
		w.insertNotes(t, n)
	}
}

// clockTick is the time at which a statement asks the gate.
func (w *world) clockTick(t *transaction) int {
	if w.variant == TransactionClock {
		return t.began.tick
	}
	return t.at.tick
}

// news is what there is to tell.
type news struct {
	ids  []int        // of notifications
	seen [notes]state // what was known of all of them
}

// selectNews remembers which pairs are live and how high, announces them to
// other systems, and returns which notifications there should be. It sees what
// snapshot shows.
func (w *world) selectNews(t *transaction, snapshot *tables, concerns told) news {
	found := news{seen: snapshot.notes}
	for pair := range pairs {
		if !concerns(pair) {
			continue
		}
		band := w.live(snapshot, pair, w.clockTick(t))
		if band == 0 {
			continue
		}
		old := snapshot.pairs[pair]
		row, isNews := old, w.news(snapshot, pair)
		if row.firstLive == 0 {
			row.firstLive = t.at.moment
		}
		row.highest = max(row.highest, band)
		if isNews && (w.variant != AnnounceRisen || old.highest < band) {
			row.announced = max(row.announced, band)
		}
		if row != old {
			t.lock(keyPair + key(pair))
			t.view.pairs[pair] = row
			t.wrote(keyPair + key(pair))
		}
		if !isNews {
			continue
		}
		d, s := sidesOf(pair)
		for sub, u := range snapshot.subscriptions {
			if u.createdAt != 0 && !u.ended && u.createdAt < row.firstLive &&
				(u.cluster == snapshot.heads[d].content.cluster || u.cluster == snapshot.heads[s].content.cluster) &&
				!w.overtaken(snapshot, sub, pair, band) {
				found.ids = append(found.ids, noteID(sub, pair, band))
			}
		}
	}
	return found
}

// overtaken reports whether the subscription was told of the pair at the band or
// a higher one, or is about to be.
func (w *world) overtaken(t *tables, sub, pair, band int) bool {
	if w.variant == TellEveryBand {
		return false
	}
	for ; band <= 2; band++ {
		if n := t.notes[noteID(sub, pair, band)]; n != absent && n != held {
			return true
		}
	}
	return false
}

// insertNotes makes the notifications pending that are not there or held.
func (w *world) insertNotes(t *transaction, found news) {
	var made []int
	for _, id := range found.ids {
		t.lock(keyNote + key(id))
		if n := t.view.notes[id]; n == absent || n == held {
			t.view.notes[id], t.view.refers[id] = pending, 0
			t.wrote(keyNote + key(id))
			made = append(made, id)
			t.jobs = append(t.jobs, job{kind: deliver, arg: id, after: w.steps + w.rng.IntN(w.backoff)})
			w.watchTold(t, &found, id)
		}
	}
	w.refer(t, made)
}

// retell is the job after a change of the gate that may have opened it: for one
// profile whose decision was taken back or which is valid now, or for those of a
// cluster that was joined, a page at a time. It returns the tick at which it must
// run again; 0: never.
func (w *world) retell(p *process, j job) (again int) {
	t := p.begin()
	var concerned [profiles]bool
	if j.kind == retellProfile {
		concerned[j.arg] = true
	}
	if w.variant == PageBeforeTurn {
		w.readPage(t, j, &concerned)
	}
	t.statement("take the turn")
	if w.variant != GateJobNoTurn {
		t.lock(keyEpoch)
	}
	if w.variant != PageBeforeTurn {
		w.readPage(t, j, &concerned)
	}
	if w.variant != TellUnlocked {
		// An attempt that asked the gate before it opened is about to hold its
		// notification, and must be waited for.
		t.statement("lock the heads")
		for i, c := range concerned {
			if c && t.view.heads[i].seq != 0 {
				t.lock(keyHead + key(i))
			}
		}
	}
	if w.variant != EarlyOnce && w.variant != WaitAfterTell {
		again = w.readWait(t, j)
	}
	w.tell(t, func(pair int) bool {
		d, s := sidesOf(pair)
		return concerned[d] || concerned[s]
	})
	if w.variant == WaitAfterTell {
		again = w.readWait(t, j)
	}
	t.commit()
	return again
}

// readWait returns the tick from which the job's profile is valid, if it is not
// valid yet: the clock of those who work jobs may be ahead of the database's.
func (w *world) readWait(t *transaction, j job) int {
	if j.kind == retellProfile {
		t.statement("what is not valid yet")
		if h := &t.view.heads[j.arg]; h.alive && h.content.from > w.clockTick(t) {
			return h.content.from
		}
	}
	return 0
}

// pageSize is how many profiles one transaction tells of.
const pageSize = 2

// readPage adds the next profiles of the job's cluster, and leaves a job for
// those behind them.
func (w *world) readPage(t *transaction, j job, concerned *[profiles]bool) {
	if j.kind != retellCluster {
		return
	}
	t.statement("read a page")
	n := 0
	for i := j.from; i < profiles; i++ {
		if h := &t.view.heads[i]; !h.alive || h.content.cluster != j.arg {
			continue
		}
		concerned[i] = true
		if n++; n == pageSize {
			t.jobs = append(t.jobs, job{kind: retellCluster, arg: j.arg, from: i + 1})
			return
		}
	}
}

// validityJob tells of a profile once it is valid, or a little earlier.
func (w *world) validityJob(profile, tick int) job {
	return job{kind: retellProfile, arg: profile, tick: tick - w.choose(0, 1)}
}
