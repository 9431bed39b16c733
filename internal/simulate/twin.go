package simulate

import "slices"

// All demands are of one organisation, all supplies of another, so that any two
// of one side may be near-duplicates: a couple.
const couples = demands*(demands-1)/2 + supplies*(supplies-1)/2

// coupled are the profiles of each couple, in order of key.
var coupled = func() (all [couples][2]int) { //nolint:gochecknoglobals // a table
	n := 0
	for b := range profiles {
		for a := range b {
			if (a < demands) == (b < demands) {
				all[n] = [2]int{a, b}
				n++
			}
		}
	}
	return all
}()

// coupleOf returns the couple of two profiles of one side, and whether the first
// of them is the second in order of key.
func coupleOf(a, b int) (couple int, swapped bool) {
	if swapped = b < a; swapped {
		a, b = b, a
	}
	return slices.Index(coupled[:], [2]int{a, b}), swapped
}

// coupleRow is a row of table duplicate.
type coupleRow struct {
	aSeq, bSeq int // 0: no row
	epoch      int
}

// findTwin compares t with the document of another profile of its side.
func (w *world) findTwin(t *task, other int, doc document, epoch int) {
	if !w.alike[epoch-1][t.content.text][doc.content.text] {
		return
	}
	couple, swapped := coupleOf(t.profile, other)
	found := coupleRow{t.seq, doc.seq, epoch}
	if swapped {
		found.aSeq, found.bSeq = found.bSeq, found.aSeq
	}
	t.couples[couple] = found
	w.tracef("found couple %d %+v", couple, found)
}

// writeCouples is the upsert of near-duplicates, in key order, like that of the
// pairs.
func (w *world) writeCouples(t *transaction, b *batch) {
	if b.couples == [couples]coupleRow{} {
		return
	}
	t.statement("near-duplicates")
	for couple, r := range b.couples {
		if r.aSeq == 0 {
			continue
		}
		k := keyCouple + key(couple)
		t.lock(k)
		old := &t.view.couples[couple]
		if r.epoch >= old.epoch && r.aSeq >= old.aSeq && r.bSeq >= old.bSeq || w.variant == TwinNoCompare {
			*old = r
			t.wrote(k)
		}
	}
}

// alikeNow is view duplicate_live for two profiles of one side.
func alikeNow(t *tables, a, b int) bool {
	couple, _ := coupleOf(a, b)
	r := &t.couples[couple]
	a, b = coupled[couple][0], coupled[couple][1]
	x, y := &t.heads[a], &t.heads[b]
	return r.aSeq != 0 && x.alive && y.alive && r.aSeq == x.seq && r.bSeq == y.seq && r.epoch == max(x.epoch, y.epoch)
}

// named reports whether whoever is shown a profile may be told that it is also
// posted as another.
func named(t *tables, profile, twin, tick int) bool {
	c := t.heads[twin].content
	return alikeNow(t, profile, twin) && c.from <= tick && (c.until == 0 || tick < c.until) &&
		c.cluster == t.heads[profile].content.cluster
}

// twinIn returns the profile that one pair has in place of another's, if they
// have the other side in common.
func twinIn(pair, other int) (profile, twin int, ok bool) {
	d, s := sidesOf(pair)
	od, os := sidesOf(other)
	switch {
	case pair == other:
	case s == os:
		return d, od, true
	case d == od:
		return s, os, true
	}
	return 0, 0, false
}

// refer decides which of the notifications made pending just now, in order of
// key, refer to another.
func (w *world) refer(t *transaction, made []int) {
	if len(made) == 0 {
		return
	}
	t.statement("refer")
	for i, id := range made {
		sub, pair, _ := noteKey(id)
		for other := range notes {
			theirs, otherPair, _ := noteKey(other)
			profile, twin, ok := twinIn(pair, otherPair)
			n := t.view.notes[other]
			if !ok || theirs != sub || n != pending && n != sending && n != sent || slices.Contains(made[i:], other) ||
				t.view.refers[other] != 0 && w.variant != TwinChained || !named(&t.view, profile, twin, w.clockTick(t)) {
				continue
			}
			w.tracef("%s: notification %d refers to %d", t.p.name, id, other)
			t.view.refers[id] = other + 1
			t.wrote(keyNote + key(id))
			break
		}
	}
}

// reference is what the start of an attempt learns of the notification that its
// own one refers to.
type reference struct {
	other    int  // -1: none, or none any more
	underWay bool // its own attempt comes first
}

// readReference looks at what notification id refers to. locked is the profile
// that was locked beside the pair's own; -1: none.
func (w *world) readReference(t *transaction, id, locked int) reference {
	other := t.view.refers[id] - 1
	if other < 0 {
		return reference{other: -1}
	}
	_, pair, _ := noteKey(id)
	_, otherPair, _ := noteKey(other)
	profile, twin, _ := twinIn(pair, otherPair)
	n := t.view.notes[other]
	switch {
	case w.variant == TwinUnchecked:
		return reference{other: other}
	case twin != locked && w.variant != TwinUnlocked, t.view.refers[other] != 0 && w.variant != TwinChained,
		!named(&t.view, profile, twin, w.clockTick(t)):
		return reference{other: -1}
	case n == pending || n == sending:
		return reference{other: other, underWay: w.variant != TwinNotAwaited}
	case n == sent:
		return reference{other: other}
	}
	return reference{other: -1}
}

// watchReference looks at the commit of the start of an attempt that only says
// "also posted as".
func (w *world) watchReference(id, other int) {
	_, pair, _ := noteKey(id)
	_, otherPair, _ := noteKey(other)
	profile, twin, _ := twinIn(pair, otherPair)
	a, b := &w.db.committed.heads[profile], &w.db.committed.heads[twin]
	w.tracef("notification %d says also posted as %d", id, twin)
	if !b.alive {
		w.fault(Late, "pair %d is told as profile %d, which has ended", pair, twin)
	}
	if !w.history.full[other] {
		w.fault(Lost, "pair %d is told as pair %d, which was not told in full", pair, otherPair)
	}
	if !w.alike[max(a.epoch, b.epoch)-1][a.content.text][b.content.text] {
		w.fault(Stale, "pair %d is told as profile %d, which is not like %d", pair, twin, profile)
	}
}

// judgeCouple compares what ends as near-duplicates with the messages.
func (w *world) judgeCouple(couple int, newest *[profiles]message) {
	a, b := coupled[couple][0], coupled[couple][1]
	x, y := newest[a], newest[b]
	want := x.status == published && y.status == published && w.alike[w.db.committed.activeEpoch-1][x.content.text][y.content.text]
	switch got := alikeNow(&w.db.committed, a, b); {
	case want && !got:
		w.fault(Lost, "profiles %d and %d are near-duplicates and nobody knows", a, b)
	case got && !want:
		w.fault(Stale, "profiles %d and %d are taken for near-duplicates", a, b)
	}
}
