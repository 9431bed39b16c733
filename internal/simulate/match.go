package simulate

import (
	"cmp"
	"slices"
)

// task is one message of a batch and what it was matched with.
type task struct {
	message

	rows    [pairs]row // seq 0: not found
	couples [couples]coupleRow
	failed  bool // it must come again
}

// batch is what one match transaction writes.
type batch struct {
	epoch   int
	rematch bool
	heads   [profiles]message // seq 0: none
	rows    [pairs]row
	couples [couples]coupleRow
}

// rematch is a run over everything that there is when it begins, with a durable
// consumer of its own.
type rematch struct {
	consumer consumer
	epoch    int
	run      int // within the epoch
	upto     int // the last sequence that it delivers
}

// ensureRematch begins the first run of an epoch that is already active, if it has
// not begun.
func (w *world) ensureRematch(epoch int) {
	if w.rematch.epoch < epoch {
		w.rematch = rematch{epoch: epoch, run: 1, upto: len(w.profiles.all) - 1}
		if w.variant == RangeBeforeSwitch {
			w.rematch.upto = w.planned
		}
	}
}

// finished reports whether every message of the run is settled.
func (r *rematch) finished(present uint64) bool {
	return present&(2<<r.upto-1)&^r.consumer.acked == 0
}

// matcher handles PROFILES messages in batches, for ever.
func (w *world) matcher(p *process, r *replica) {
	var seqs []int
	for {
		var live, again uint64
		p.await(func() bool {
			// In the end every replica hears of the active epoch.
			if w.healed && r.epoch != w.db.committed.activeEpoch {
				w.load(r, p)
			}
			live, again = w.deliverable(false, r), w.deliverable(true, r)
			return live|again != 0
		})
		from, available, rematch, epoch, run := &w.matchConsumer, live, false, r.epoch, w.rematch.run
		if live == 0 || again != 0 && w.rng.IntN(2) == 0 {
			from, available, rematch = &w.rematch.consumer, again, true
		}
		seqs = append(seqs[:0], from.take(available))
		for limit := 1 + w.rng.IntN(4); len(seqs) < limit; {
			if available = w.deliverable(rematch, r); available != 0 {
				seqs = append(seqs, from.take(available))
			} else if w.rng.IntN(w.linger) == 0 {
				break
			}
			p.step("lingers")
		}
		tasks, stale := w.handle(p, r, seqs, epoch, rematch)
		p.step("settles")
		for _, seq := range seqs {
			failed := slices.ContainsFunc(tasks, func(t *task) bool { return t.seq == seq && t.failed })
			switch {
			case rematch && (w.rematch.epoch != epoch || w.rematch.run != run): // that consumer is gone
			case failed && (!stale || w.variant != EpochAcknowledged):
				from.nak(seq)
			default:
				w.ack(from, seq)
			}
		}
		if stale {
			p.step("loads the active epoch")
			w.load(r, p)
		}
	}
}

// deliverable returns what the live consumer, or that of the re-match, has for a
// replica.
func (w *world) deliverable(again bool, r *replica) uint64 {
	switch {
	case !again:
		return w.matchConsumer.pending(w.profiles.present())
	case w.rematch.epoch == r.epoch:
		return w.rematch.consumer.pending(w.profiles.present() & (2<<w.rematch.upto - 1))
	}
	return 0
}

// load makes the replica score in the active epoch, as a new start of its
// process does. Its index of that epoch may be further behind; whoever used the
// old one stops.
func (w *world) load(r *replica, by *process) {
	if r.epoch != w.db.committed.activeEpoch {
		r.epoch = w.db.committed.activeEpoch
		for _, p := range r.workers {
			if p != by {
				p.crash()
			}
		}
		if w.rng.IntN(2) == 0 {
			r.index = r.stored
		}
		if w.healed {
			w.redeliverAll()
		}
	}
	w.ensureRematch(r.epoch)
}

// handle does the protocol for the messages, of each profile only for the newest;
// the others are done whatever becomes of it. stale means that the epoch is no
// longer active.
func (w *world) handle(p *process, r *replica, seqs []int, epoch int, rematch bool) (tasks []*task, stale bool) {
	w.tracef("%s: takes %v epoch %d rematch=%t", p.name, seqs, epoch, rematch)
	var newest [profiles]message
	for _, seq := range seqs {
		if m := w.profiles.all[seq]; m.seq > newest[m.profile].seq {
			newest[m.profile] = m
		}
	}
	var alive, dead []*task
	for _, m := range newest {
		t := &task{message: m}
		switch {
		case m.seq == 0:
			continue
		case m.status == published:
			alive = append(alive, t)
		default:
			dead = append(dead, t)
		}
		tasks = append(tasks, t)
	}
	slices.SortFunc(alive, func(a, b *task) int { return cmp.Compare(a.seq, b.seq) })

	commit := func(ts []*task) { stale = w.commit(p, ts, epoch, rematch) || stale }
	if len(alive) > 0 && w.variant != NoIndexWait {
		there := func() bool { return r.index.applied >= alive[len(alive)-1].seq }
		if len(dead) > 0 && !there() && w.rng.IntN(2) == 0 { // they do not wait for long
			commit(dead)
			dead = nil
		}
		if !there() && w.chance(20) { // nor anybody for ever
			w.tracef("%s: gives up waiting for the index", p.name)
			for _, t := range alive {
				t.failed = true
			}
		} else {
			p.await(there)
		}
	}
	for i, first := 0, w.rng.IntN(profiles); i < len(alive); i++ { // at once, in any order
		if t := alive[(first+i)%len(alive)]; !t.failed {
			p.step("searches")
			w.find(r, t, epoch, rematch)
		}
	}
	commit(append(dead, alive...))
	return tasks, stale
}

// find scores t against every counterpart, and compares it with those of its own
// side, in one snapshot of the index.
func (w *world) find(r *replica, t *task, epoch int, rematch bool) {
	for other := range profiles {
		doc := r.index.docs[other]
		if doc.seq == 0 || other == t.profile {
			continue
		}
		if (other < demands) == (t.profile < demands) {
			w.findTwin(t, other, doc, epoch)
			continue
		}
		pair, found := pairOf(t.profile, other), row{demandSeq: t.seq, supplySeq: doc.seq, epoch: epoch, rematch: rematch}
		demand, supply := t.content.text, doc.content.text
		if t.profile >= demands {
			pair = pairOf(other, t.profile)
			found.demandSeq, found.supplySeq = doc.seq, t.seq
			demand, supply = supply, demand
		}
		if found.band = w.predicate(epoch, demand, supply); found.band != 0 {
			t.rows[pair] = found
			w.tracef("found pair %d %+v", pair, found)
		}
	}
}

// commit writes the tasks that have not failed, now and then in two
// transactions, as a worker does that divides what is too large or breaks. It
// returns whether the epoch is over.
func (w *world) commit(p *process, tasks []*task, epoch int, rematch bool) (stale bool) {
	tasks = slices.DeleteFunc(slices.Clone(tasks), func(t *task) bool { return t.failed })
	if len(tasks) == 0 {
		return false
	}
	if len(tasks) > 1 && w.chance(8) {
		first, second := tasks[:len(tasks)/2], tasks[len(tasks)/2:]
		stale = w.commit(p, first, epoch, rematch)
		return w.commit(p, second, epoch, rematch) || stale
	}
	b := batch{epoch: epoch, rematch: rematch}
	for _, t := range tasks {
		b.heads[t.profile] = t.message
		for pair, found := range t.rows {
			old := &b.rows[pair]
			// When each is newer on one side, both are overtaken.
			if found.demandSeq != 0 && found.demandSeq >= old.demandSeq && found.supplySeq >= old.supplySeq {
				*old = found
			}
		}
		for couple, found := range t.couples {
			old := &b.couples[couple]
			if found.aSeq != 0 && found.aSeq >= old.aSeq && found.bSeq >= old.bSeq {
				*old = found
			}
		}
	}
	if w.write(p, &b) {
		return false
	}
	for _, t := range tasks {
		t.failed = true
	}
	return true
}
