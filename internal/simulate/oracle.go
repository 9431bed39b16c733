package simulate

// history is what the oracle has watched: it sees everything that is committed,
// at the moment of the commit, and nothing else sees it.
type history struct {
	ended      [profiles]int // the last sequence at which a head was not alive
	firstLive  [pairs]int    // the moment at which the view first showed the pair
	remembered [pairs]int    // the moment at which table pair first had it
	subscribed [subscriptions]int
	live       map[revisions]bool // written by a live handler, not a re-match, and committed
	tried      map[revisions]bool // the same, committed or not
}

// revisions is a pair at one sequence of each side.
type revisions struct{ pair, demandSeq, supplySeq int }

// watchCommit looks at every commit.
func (w *world) watchCommit(before *tables, t *transaction) {
	after, at := &w.db.committed, w.clock().moment
	for i, h := range after.heads {
		if h.seq < before.heads[i].seq {
			w.fault(Stale, "the head of profile %d went back from %d to %d", i, before.heads[i].seq, h.seq)
		}
		if !h.alive {
			w.history.ended[i] = max(w.history.ended[i], h.seq)
		}
	}
	for i, u := range after.subscriptions {
		if u.createdAt != 0 && w.history.subscribed[i] == 0 {
			w.history.subscribed[i] = at
			w.tracef("%s: subscription %d exists", t.p.name, i)
		}
	}
	w.watchView(at)
}

// watchView notes what has become live, by a commit or by the passing of time.
func (w *world) watchView(at int) {
	for pair := range pairs {
		if w.history.firstLive[pair] == 0 && w.live(&w.db.committed, pair, w.tick) != 0 {
			w.history.firstLive[pair] = at
		}
		if w.history.remembered[pair] == 0 && w.db.committed.firstLive[pair] != 0 {
			w.history.remembered[pair] = at
		}
	}
}

// watchRow and watchWritten note which revisions live handlers have written.
func (w *world) watchRow(pair int, r row) {
	w.history.tried[revisions{pair, r.demandSeq, r.supplySeq}] = true
}

func (w *world) watchWritten(b *batch) {
	for pair, r := range b.rows {
		if r.demandSeq != 0 && !b.rematch {
			w.history.live[revisions{pair, r.demandSeq, r.supplySeq}] = true
		}
	}
}

// newsworthy reports whether the side with the higher sequence was not quiet.
func (w *world) newsworthy(demandSeq, supplySeq int) bool {
	return !w.profiles.all[max(demandSeq, supplySeq)].quiet
}

// watchTold looks at a notification that is about to become pending.
func (w *world) watchTold(t *transaction, id int) {
	sub, pair, band := noteKey(id)
	w.tracef("%s: tells subscription %d of pair %d band %d", t.p.name, sub, pair, band)
	for b := band + 1; b <= 2; b++ {
		if n := t.view.notes[noteID(sub, pair, b)]; n != absent && n != held {
			w.fault(Doubled, "pair %d is told to %d at band %d after %d", pair, sub, band, b)
		}
	}
	r := t.view.rows[pair]
	if !w.newsworthy(r.demandSeq, r.supplySeq) || !w.history.tried[revisions{pair, r.demandSeq, r.supplySeq}] {
		w.fault(Doubled, "pair %d is told to %d and is no news", pair, sub)
	}
}

// watchAttempt looks at the commit of the start of an attempt, which asked the
// gate in the snapshot asked.
func (w *world) watchAttempt(asked *tables, id int) {
	sub, pair, band := noteKey(id)
	d, s := sidesOf(pair)
	for _, i := range []int{d, s} {
		if h := w.db.committed.heads[i]; !h.alive || h.seq < w.history.ended[i] {
			w.fault(Late, "an attempt for pair %d starts after profile %d ended", pair, i)
		}
	}
	if w.history.firstLive[pair] == 0 {
		w.fault(Late, "an attempt starts for pair %d, which was never live", pair)
	}
	for b := band + 1; b <= 2; b++ {
		// One that was held when we asked may have been told by an attempt
		// nobody had heard of any more: at least once.
		other := noteID(sub, pair, b)
		if n := w.db.committed.notes[other]; asked.notes[other] != held && (n == sending || n == sent || n == failed) {
			w.fault(Doubled, "pair %d is sent to %d at band %d after %d", pair, sub, band, b)
		}
	}
}

// watchIntake looks at the acknowledgement of an INTAKE message: a withdrawal
// or a pause that is still the newest has been committed by then.
func (w *world) watchIntake(seq int) {
	last := w.profiles.last[w.intake[seq].profile]
	if last.intakeSeq == seq && last.status != published && w.db.committed.heads[last.profile].seq < last.seq {
		w.fault(Late, "intake %d ends profile %d and is acknowledged before the head", seq, last.profile)
	}
}

// judge compares the end of the run with what the producers said, computed
// plainly: every message in order, every pair, one gate at one time.
func (w *world) judge() {
	var newest [profiles]message
	for seq, e := range w.intake[1:] {
		if next, ok := revise(newest[e.profile], e); ok {
			next.intakeSeq = seq + 1
			newest[e.profile] = next
		}
	}
	for i, want := range newest {
		got := w.profiles.last[i]
		want.seq = got.seq
		if w.variant == IntakeSkips || w.variant == NoIntakeOrder {
			want.intakeSeq = got.intakeSeq // the harm is in the content
		}
		if got != want {
			w.fault(Stale, "PROFILES ends with %+v, want %+v", got, want)
		}
		newest[i] = got
	}
	for pair := range pairs {
		d, s := sidesOf(pair)
		demand, supply := newest[d], newest[s]
		want := 0
		if demand.status == published && supply.status == published &&
			w.gate(&w.db.committed, pair, demand.content, supply.content, w.tick) {
			want = w.predicate(w.db.committed.activeEpoch, demand.content.text, supply.content.text)
		}
		got := w.live(&w.db.committed, pair, w.tick)
		r := w.db.committed.rows[pair]
		switch {
		case got == 0 && want != 0:
			w.fault(Lost, "pair %d is not live, want band %d", pair, want)
		case got != want:
			w.fault(Stale, "pair %d is live at band %d, want %d", pair, got, want)
		case got != 0 && (r.demandSeq != demand.seq || r.supplySeq != supply.seq):
			w.fault(Stale, "pair %d is live at %d, %d, want %d, %d", pair, r.demandSeq, r.supplySeq, demand.seq, supply.seq)
		}
		for sub := range subscriptions {
			w.judgeTold(sub, pair, want, demand, supply)
		}
	}
}

// judgeTold judges what one subscription was told of one pair that ends live
// at band want, or not live (0).
func (w *world) judgeTold(sub, pair, want int, demand, supply message) {
	u := w.db.committed.subscriptions[sub]
	h := &w.history
	told := 0
	for band := 1; band <= 2; band++ {
		n := w.db.committed.notes[noteID(sub, pair, band)]
		if n == pending || n == sending {
			w.fault(Lost, "the notification of pair %d to %d stays pending", pair, sub)
		}
		if n == sent || n == failed {
			told = band
		}
		if n != absent && h.remembered[pair] < h.subscribed[sub] {
			w.fault(Doubled, "subscription %d is younger than pair %d and was told", sub, pair)
		}
	}
	// A pair becomes live for others when the gate opens or a commit shows it,
	// and is remembered by the statement that noticed, which may be later (a
	// job) or a moment earlier (its own transaction). A subscription older than
	// both is told; one younger than what was remembered is not; in between,
	// what the table says holds.
	live, remembered := w.db.committed.firstLive[pair], h.remembered[pair]
	older := u.createdAt != 0 &&
		(u.createdAt < live || h.subscribed[sub] < h.firstLive[pair] && h.subscribed[sub] < remembered)
	concerned := u.cluster == demand.content.cluster || u.cluster == supply.content.cluster
	// A pair that only a re-match has written is no news; redelivery of a live
	// message in the new epoch makes it so, which is why the writers are watched.
	news := w.newsworthy(demand.seq, supply.seq) && h.live[revisions{pair, demand.seq, supply.seq}]
	if want != 0 && older && concerned && news && told < want {
		w.fault(Lost, "pair %d is live at band %d and subscription %d was told %d", pair, want, sub, told)
	}
}
