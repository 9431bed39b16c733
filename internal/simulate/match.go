package simulate

import "slices"

// batch is what one match transaction writes.
type batch struct {
	epoch   int
	rematch bool
	heads   []message // newest of each profile, by profile
	rows    [pairs]row
}

// rematch is the second durable consumer, that of the newest epoch.
type rematch struct {
	consumer consumer
	epoch    int
	upto     int // the last sequence when it was created
}

// ensureRematch creates the consumer of an epoch that is already active, if it
// does not exist: everything published before it exists is re-matched, and
// everything after is handled live in the new epoch.
func (w *world) ensureRematch(epoch int) {
	if w.rematch.epoch < epoch {
		w.rematch = rematch{epoch: epoch, upto: len(w.profiles.all) - 1}
		if w.variant == RangeBeforeSwitch {
			w.rematch.upto = w.planned
		}
	}
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
		from, available := &w.matchConsumer, live
		b := batch{epoch: r.epoch}
		if live == 0 || again != 0 && w.rng.IntN(2) == 0 {
			from, available, b.rematch = &w.rematch.consumer, again, true
		}
		seqs = append(seqs[:0], from.take(available))
		for limit := 1 + w.rng.IntN(4); len(seqs) < limit; {
			if available = w.deliverable(b.rematch, r); available != 0 {
				seqs = append(seqs, from.take(available))
			} else if w.rng.IntN(3) == 0 {
				break
			}
			p.step("lingers")
		}
		done := w.handle(p, r, seqs, b)
		p.step("settles")
		for _, seq := range seqs {
			switch {
			case b.rematch && w.rematch.epoch != b.epoch: // that consumer is gone
			case done || w.variant == EpochAcknowledged:
				w.ack(from, seq)
			default:
				from.nak(seq)
			}
		}
		if !done {
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

// load makes the replica score in the active epoch. Its index was built beside
// the old one and may be further behind; whoever used the old one stops.
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

// handle does the protocol for the messages; false means that the epoch is no
// longer active.
func (w *world) handle(p *process, r *replica, seqs []int, b batch) bool {
	w.tracef("%s: takes %v epoch %d rematch=%t", p.name, seqs, b.epoch, b.rematch)
	var newest [profiles]message
	wait := 0
	for _, seq := range seqs {
		m := w.profiles.all[seq]
		if m.seq > newest[m.profile].seq {
			newest[m.profile] = m
		}
	}
	for _, m := range newest {
		if m.seq == 0 {
			continue
		}
		b.heads = append(b.heads, m)
		if m.status == published {
			wait = max(wait, m.seq)
		}
	}
	if w.variant != NoIndexWait {
		p.await(func() bool { return r.index.applied >= wait })
	}
	for _, m := range b.heads {
		if m.status == published {
			p.step("searches")
			w.find(r, m, &b)
		}
	}
	return w.write(p, &b)
}

// find scores m against every counterpart in one snapshot of the index.
func (w *world) find(r *replica, m message, b *batch) {
	for other := range profiles {
		doc := r.index.docs[other]
		if doc.seq == 0 || (other < demands) == (m.profile < demands) {
			continue
		}
		pair, found := pairOf(m.profile, other), row{demandSeq: m.seq, supplySeq: doc.seq, epoch: b.epoch, rematch: b.rematch}
		demand, supply := m.content.text, doc.content.text
		if m.profile >= demands {
			pair = pairOf(other, m.profile)
			found.demandSeq, found.supplySeq = doc.seq, m.seq
			demand, supply = supply, demand
		}
		found.band = w.predicate(b.epoch, demand, supply)
		old := b.rows[pair]
		if found.band != 0 && found.demandSeq+found.supplySeq >= old.demandSeq+old.supplySeq {
			b.rows[pair] = found
			w.tracef("found pair %d %+v", pair, found)
		}
	}
}

// write is the match transaction.
func (w *world) write(p *process, b *batch) bool {
	t := p.begin()
	t.statement("take the turn")
	if w.variant != NoTurn {
		t.lock(keyEpoch)
	}
	if t.view.activeEpoch != b.epoch && w.variant != EpochIgnored && w.variant != EpochUnchecked {
		w.tracef("%s: epoch %d is over", p.name, b.epoch)
		t.rollback()
		return false
	}
	t.statement("heads")
	for _, m := range b.heads {
		if !w.writeHead(t, m, b.epoch) {
			w.dropRows(b, m)
		}
	}
	if w.variant == Deletes {
		w.deleteRows(t, b)
	}
	t.statement("pairs")
	before := t.view
	var accepted [pairs]bool
	for pair, r := range b.rows {
		if r.demandSeq != 0 {
			accepted[pair] = w.writeRow(t, pair, r)
		}
	}
	concerns := func(pair int) bool {
		d, s := sidesOf(pair)
		return slices.ContainsFunc(b.heads, func(m message) bool { return m.profile == d || m.profile == s })
	}
	switch w.variant {
	case NotifyInUpsert:
		w.insertNotes(t, &before, concerns)
	case NotifyWritten:
		w.tell(t, func(pair int) bool { return accepted[pair] })
	default:
		w.tell(t, concerns)
	}
	t.commit()
	w.watchWritten(b)
	return true
}

// writeHead is the upsert of one head; false means superseded.
func (w *world) writeHead(t *transaction, m message, epoch int) bool {
	k := keyHead + key(m.profile)
	t.lock(k)
	h := &t.view.heads[m.profile]
	newer := m.seq > h.seq || m.seq == h.seq && epoch >= h.epoch
	switch w.variant { //nolint:exhaustive // the other variants order heads as the protocol does
	case HeadsByEpoch:
		newer = epoch > h.epoch || epoch == h.epoch && m.seq >= h.seq
	case EpochIgnored:
		newer = m.seq >= h.seq
	case PlainUpsert:
		newer = true
	}
	if newer || h.seq == 0 {
		*h = head{seq: m.seq, epoch: epoch, alive: m.status == published, quiet: m.quiet, content: m.content}
		t.wrote(k)
		return true
	}
	w.tracef("%s: profile %d at %d is superseded", t.p.name, m.profile, m.seq)
	return false
}

// dropRows writes nothing more for a superseded message. What another profile
// of the batch found of a newer revision stays.
func (w *world) dropRows(b *batch, m message) {
	for pair := range b.rows {
		d, s := sidesOf(pair)
		r := &b.rows[pair]
		if m.profile == d && (r.demandSeq == m.seq || w.variant == DropWithSuperseded) ||
			m.profile == s && (r.supplySeq == m.seq || w.variant == DropWithSuperseded) {
			*r = row{}
		}
	}
}

// writeRow is the upsert of one pair; false means that a newer row was stored.
func (w *world) writeRow(t *transaction, pair int, r row) bool {
	k := keyRow + key(pair)
	t.lock(k)
	old := &t.view.rows[pair]
	newer := r.epoch >= old.epoch && r.demandSeq >= old.demandSeq && r.supplySeq >= old.supplySeq
	switch w.variant { //nolint:exhaustive // the other variants compare as the protocol does
	case NoCompareAndSet, PlainUpsert:
		newer = true
	case EpochIgnored:
		newer = r.demandSeq >= old.demandSeq && r.supplySeq >= old.supplySeq
	}
	if newer {
		if !r.rematch {
			w.watchRow(pair, r)
		}
		r.rematch = r.rematch && (old.rematch || r.demandSeq != old.demandSeq || r.supplySeq != old.supplySeq)
		*old = r
		t.wrote(k)
	}
	return newer
}

// deleteRows deletes the rows of the batch's profiles that were not found again.
func (w *world) deleteRows(t *transaction, b *batch) {
	t.statement("delete")
	for pair := range b.rows {
		d, s := sidesOf(pair)
		own := slices.ContainsFunc(b.heads, func(m message) bool { return m.profile == d || m.profile == s })
		if own && b.rows[pair].demandSeq == 0 && t.view.rows[pair].demandSeq != 0 {
			t.lock(keyRow + key(pair))
			t.view.rows[pair] = row{}
			t.wrote(keyRow + key(pair))
		}
	}
}

// sweep deletes the rows that later revisions have superseded.
func (w *world) sweep(p *process) {
	t := p.begin()
	t.statement("sweep")
	snapshot := t.view
	for pair, old := range snapshot.rows {
		d, s := sidesOf(pair)
		superseded := func(r row) bool {
			return r.demandSeq < snapshot.heads[d].seq || r.supplySeq < snapshot.heads[s].seq
		}
		if old.demandSeq == 0 || !superseded(old) {
			continue
		}
		t.lock(keyRow + key(pair))
		if superseded(t.view.rows[pair]) {
			t.view.rows[pair] = row{}
			t.wrote(keyRow + key(pair))
		}
	}
	t.commit()
}
