package simulate

// history is what the oracle has watched: it sees everything that is committed,
// at the moment of the commit, and nothing else sees it.
type history struct {
	firstLive  [pairs]int // the moment at which the view first showed the pair
	remembered [pairs]int // the moment at which table pair first had it
	subscribed [subscriptions]int
	// matched are the epochs in which a message of PROFILES was matched by a live
	// handler, not a re-match, and committed; a bit each.
	matched [maxSequence + 1]uint8
	tried   map[revisions]bool // written by a live handler, committed or not
	full    [notes]bool        // has arrived in full
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
		if w.history.remembered[pair] == 0 && w.db.committed.pairs[pair].firstLive != 0 {
			w.history.remembered[pair] = at
		}
	}
}

// watchRow notes which revisions live handlers have written, watchMatched which
// messages they have committed.
func (w *world) watchRow(pair int, r row) {
	w.history.tried[revisions{pair, r.demandSeq, r.supplySeq}] = true
}

func (w *world) watchMatched(b *batch) {
	for _, m := range b.heads {
		if !b.rematch {
			w.history.matched[m.seq] |= 1 << b.epoch
		}
	}
}

// newsworthy reports whether the side with the higher sequence was not quiet.
func (w *world) newsworthy(demandSeq, supplySeq int) bool {
	return !w.profiles.all[max(demandSeq, supplySeq)].quiet
}

// watchTold looks at a notification that is about to become pending.
func (w *world) watchTold(t *transaction, found *news, id int) {
	sub, pair, band := noteKey(id)
	w.tracef("%s: tells subscription %d of pair %d band %d", t.p.name, sub, pair, band)
	for b := band + 1; b <= 2; b++ {
		// One that was held may have been told meanwhile by an attempt nobody had
		// heard of any more; this one is then held before it is sent.
		if n := found.seen[noteID(sub, pair, b)]; n != absent && n != held {
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
		if !w.db.committed.heads[i].alive {
			w.fault(Late, "an attempt for pair %d starts after profile %d ended", pair, i)
		}
	}
	if w.db.committed.subscriptions[sub].ended {
		w.fault(Late, "an attempt for pair %d starts after subscription %d ended", pair, sub)
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
		if got.status == published && w.history.matched[got.seq] == 0 {
			w.fault(Lost, "profile %d at %d was never matched but by a re-match", i, got.seq)
		}
		newest[i] = got
	}
	for couple := range couples {
		w.judgeCouple(couple, &newest)
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
		if got != 0 && w.db.committed.pairs[pair].firstLive == 0 {
			w.fault(Lost, "pair %d is live and nobody noticed", pair)
		}
		if a := w.db.committed.pairs[pair].announced; a < want && w.isNews(demand, supply) {
			w.fault(Lost, "pair %d is live at band %d and was announced at %d", pair, want, a)
		}
		for sub := range subscriptions {
			w.judgeTold(sub, pair, want, demand, supply)
		}
	}
}

// isNews reports whether the pair of two newest messages is news: if the later
// side was matched live in an epoch that suggests the pair. One of which only a
// re-match thought anything is none.
func (w *world) isNews(demand, supply message) bool {
	if !w.newsworthy(demand.seq, supply.seq) {
		return false
	}
	for epoch := 1; epoch <= epochs; epoch++ {
		if w.history.matched[max(demand.seq, supply.seq)]&(1<<epoch) != 0 &&
			w.predicate(epoch, demand.content.text, supply.content.text) != 0 {
			return true
		}
	}
	return false
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
	live, remembered := w.db.committed.pairs[pair].firstLive, h.remembered[pair]
	older := u.createdAt != 0 && !u.ended &&
		(u.createdAt < live || h.subscribed[sub] < h.firstLive[pair] && h.subscribed[sub] < remembered)
	concerned := u.cluster == demand.content.cluster || u.cluster == supply.content.cluster
	if want != 0 && older && concerned && w.isNews(demand, supply) && told < want {
		w.fault(Lost, "pair %d is live at band %d and subscription %d was told %d", pair, want, sub, told)
	}
}
