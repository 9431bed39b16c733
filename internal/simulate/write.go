package simulate

// write is the match transaction; false means that the epoch is over.
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
	written := w.writeHeads(t, b)
	if written != [profiles]bool{} {
		w.writePairs(t, b, written)
	}
	t.commit()
	w.watchMatched(b)
	return true
}

// writeHeads is the upsert of the heads, in key order. It returns which were
// written, and drops from b what was found of the others. Those that are not
// valid yet are told again when they are.
func (w *world) writeHeads(t *transaction, b *batch) (written [profiles]bool) {
	t.statement("heads")
	for i, m := range b.heads {
		switch {
		case m.seq == 0:
		case w.writeHead(t, m, b.epoch):
			written[i] = true
			if from := m.content.from; m.status == published && from > w.tick {
				t.jobs = append(t.jobs, w.validityJob(i, from))
			}
		default:
			w.dropRows(b, m)
		}
	}
	return written
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
	for couple := range b.couples {
		r := &b.couples[couple]
		if m.profile == coupled[couple][0] && r.aSeq == m.seq || m.profile == coupled[couple][1] && r.bSeq == m.seq {
			*r = coupleRow{}
		}
	}
}

// writePairs is the rest of the match transaction: the upsert of the pairs, in
// key order, and what is told of the profiles just written.
func (w *world) writePairs(t *transaction, b *batch, written [profiles]bool) {
	concerns := func(pair int) bool {
		d, s := sidesOf(pair)
		return written[d] || written[s]
	}
	if w.variant == Deletes {
		w.deleteRows(t, b, concerns)
	}
	t.statement("pairs")
	before := t.view
	var accepted [pairs]bool
	for pair, r := range b.rows {
		if r.demandSeq != 0 {
			accepted[pair] = w.writeRow(t, pair, r)
		}
	}
	w.writeCouples(t, b)
	switch w.variant {
	case NotifyInUpsert:
		w.insertNotes(t, w.selectNews(t, &before, concerns))
	case NotifyWritten:
		w.tell(t, func(pair int) bool { return accepted[pair] })
	default:
		w.tell(t, concerns)
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
		r.rematch = r.rematch && (old.rematch || r.demandSeq != old.demandSeq || r.supplySeq != old.supplySeq || w.variant == RematchMarks)
		*old = r
		t.wrote(k)
	}
	return newer
}

// deleteRows deletes the rows of the batch's profiles that were not found again.
func (w *world) deleteRows(t *transaction, b *batch, concerns told) {
	t.statement("delete")
	for pair := range b.rows {
		if concerns(pair) && b.rows[pair].demandSeq == 0 && t.view.rows[pair].demandSeq != 0 {
			t.lock(keyRow + key(pair))
			t.view.rows[pair] = row{}
			t.wrote(keyRow + key(pair))
		}
	}
}

// sweep deletes the rows that later revisions have superseded, but waits for
// nobody who has one locked.
func (w *world) sweep(p *process) {
	t := p.begin()
	t.statement("sweep")
	snapshot := t.view
	for pair, old := range snapshot.rows {
		d, s := sidesOf(pair)
		superseded := func(r row) bool {
			return r.demandSeq != 0 && (r.demandSeq < snapshot.heads[d].seq || r.supplySeq < snapshot.heads[s].seq)
		}
		if !superseded(old) || !t.tryLock(keyRow+key(pair)) {
			continue
		}
		if superseded(t.view.rows[pair]) {
			t.view.rows[pair] = row{}
			t.wrote(keyRow + key(pair))
		}
	}
	t.commit()
}
