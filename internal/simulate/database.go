package simulate

import (
	"math/bits"
	"slices"
)

// The sizes of the world: small, so that everything meets everything.
const (
	demands       = 2
	supplies      = 3
	profiles      = demands + supplies // 0 to demands-1 are the demands
	pairs         = demands * supplies
	subscriptions = 4
	notes         = pairs * subscriptions * 2
)

// content is a body; two bodies with one digest are equal.
type content struct {
	text        int // what the predicate sees
	cluster     int // 0 or 1
	from, until int // valid at ticks t with from <= t < until; until 0: no end
}

// head is a row of table profile.
type head struct {
	seq          int // 0: no row
	epoch        int
	alive, quiet bool
	content      content
}

// row is a row of table suggestion.
type row struct {
	demandSeq, supplySeq int // 0: no row
	epoch                int
	band                 int // 1 possible, 2 strong
	rematch              bool
}

// pairRow is a row of table pair, which is never deleted.
type pairRow struct {
	firstLive int // a moment; 0: no row
	highest   int // the highest band it was ever live with
	announced int // the highest band of which other systems were told
}

// decision is a row of table decision.
type decision struct {
	declined       bool
	demand, supply content
}

// subscription is a row of table subscription.
type subscription struct {
	createdAt int // a moment; 0: no row
	cluster   int
	ended     bool
}

type state uint8

const (
	absent state = iota
	pending
	sending
	sent
	failed
	held
	suppressed
)

// tables is everything that PostgreSQL holds but the jobs. It is a value: a
// snapshot is a copy.
type tables struct {
	activeEpoch   int
	network       bool
	heads         [profiles]head
	rows          [pairs]row
	couples       [couples]coupleRow
	pairs         [pairs]pairRow
	decisions     [pairs]decision
	subscriptions [subscriptions]subscription
	notes         [notes]state // by [noteID]
	refers        [notes]int   // one more than the notification referred to; 0: told in full
}

// key names one row that can be locked.
type key int

const (
	keyEpoch    key = 0
	keyNetwork  key = 1
	keyHead     key = 2
	keyRow          = keyHead + profiles
	keyCouple       = keyRow + pairs
	keyPair         = keyCouple + couples
	keyDecision     = keyPair + pairs
	keySub          = keyDecision + pairs
	keyNote         = keySub + subscriptions
	keys            = keyNote + notes
)

// copyRow copies one row between two versions of the tables.
func copyRow(to, from *tables, k key) {
	switch {
	case k == keyEpoch:
		to.activeEpoch = from.activeEpoch
	case k == keyNetwork:
		to.network = from.network
	case k < keyRow:
		to.heads[k-keyHead] = from.heads[k-keyHead]
	case k < keyCouple:
		to.rows[k-keyRow] = from.rows[k-keyRow]
	case k < keyPair:
		to.couples[k-keyCouple] = from.couples[k-keyCouple]
	case k < keyDecision:
		to.pairs[k-keyPair] = from.pairs[k-keyPair]
	case k < keySub:
		to.decisions[k-keyDecision] = from.decisions[k-keyDecision]
	case k < keyNote:
		to.subscriptions[k-keySub] = from.subscriptions[k-keySub]
	default:
		to.notes[k-keyNote], to.refers[k-keyNote] = from.notes[k-keyNote], from.refers[k-keyNote]
	}
}

// database is PostgreSQL at READ COMMITTED, as far as the protocol sees it.
type database struct {
	world     *world
	committed tables
	locks     [keys]lock
	open      [64]*transaction
	used      uint64 // numbers of open transactions
}

// lock is who holds one row; each bit is a transaction.
type lock struct{ exclusive, shared uint64 }

// transaction is one transaction of one process.
type transaction struct {
	db      *database
	p       *process
	bit     uint64 // 0: not open
	view    tables // the statement's snapshot and the transaction's own writes
	written []key
	locked  []key
	jobs    []job
	began   now // at BEGIN
	at      now // at the start of the statement

	waits     bool // for wanted
	wanted    key
	exclusive bool
}

// now is what the database clock shows: the tick decides validity, the moment
// orders what happens; no two readings show the same moment.
type now struct{ tick, moment int }

// begin opens the process's transaction.
func (p *process) begin() *transaction {
	db := &p.world.db
	n := bits.TrailingZeros64(^db.used)
	t := &p.tx
	t.db, t.p, t.bit = db, p, 1<<n
	t.written, t.locked, t.jobs = t.written[:0], t.locked[:0], t.jobs[:0]
	t.began = p.world.clock()
	db.used |= t.bit
	db.open[n] = t
	return t
}

// statement starts the next statement: it sees what is committed now and what
// the transaction wrote itself.
func (t *transaction) statement(what string) {
	t.p.step(what)
	t.at = t.p.world.clock()
	if len(t.written) == 0 {
		t.view = t.db.committed
		return
	}
	own := t.view
	t.view = t.db.committed
	for _, k := range t.written {
		copyRow(&t.view, &own, k)
	}
}

// lock waits for the row and then sees its newest version, also when that is
// younger than the snapshot, as PostgreSQL does for every row that it locks. A
// row that another transaction has inserted and not committed is waited for too.
func (t *transaction) lock(k key) { t.acquire(k, true) }

// share is lock FOR SHARE.
func (t *transaction) share(k key) { t.acquire(k, false) }

// tryLock is lock SKIP LOCKED: false means that somebody else has the row.
func (t *transaction) tryLock(k key) bool {
	t.wanted, t.exclusive = k, true
	if t.blockers() != 0 {
		return false
	}
	t.acquire(k, true)
	return true
}

func (t *transaction) acquire(k key, exclusive bool) {
	t.wanted, t.exclusive = k, exclusive
	if t.blockers() != 0 {
		t.p.world.tracef("%s: waits for row %d", t.p.name, k)
		t.waits = true
		if t.deadlocked() {
			t.p.world.fault(Deadlock, "%s on row %d", t.p.name, k)
			panic(unwound{}) // PostgreSQL aborts one of them
		}
		t.p.await(func() bool { return t.blockers() == 0 })
		t.waits = false
	}
	if exclusive {
		t.db.locks[k].exclusive |= t.bit
	} else {
		t.db.locks[k].shared |= t.bit
	}
	t.locked = append(t.locked, k)
	if !slices.Contains(t.written, k) {
		copyRow(&t.view, &t.db.committed, k)
	}
}

// blockers returns the transactions that hold what t wants.
func (t *transaction) blockers() uint64 {
	l := t.db.locks[t.wanted]
	b := l.exclusive
	if t.exclusive {
		b |= l.shared
	}
	return b &^ t.bit
}

// deadlocked reports whether t waits, in the end, for itself.
func (t *transaction) deadlocked() bool {
	var seen uint64
	for ahead := t.blockers(); ahead != 0; {
		n := bits.TrailingZeros64(ahead)
		ahead &^= 1 << n
		if other := t.db.open[n]; other.waits && seen&other.bit == 0 {
			seen |= other.bit
			ahead |= other.blockers()
		}
		if ahead&t.bit != 0 {
			return true
		}
	}
	return false
}

// wrote marks a locked row, changed in view, as written.
func (t *transaction) wrote(k key) { t.written = append(t.written, k) }

// commit makes everything written visible at once.
func (t *transaction) commit() {
	if t.db.world.chance(t.db.world.slowCommits) {
		t.p.sleep(t.db.world.rng.IntN(t.db.world.commitGap))
	}
	t.p.step("commit")
	before := t.db.committed
	for _, k := range t.written {
		copyRow(&t.db.committed, &t.view, k)
	}
	t.db.world.jobs = append(t.db.world.jobs, t.jobs...)
	t.db.world.watchCommit(&before, t)
	t.release()
}

// rollback undoes the transaction if it is open.
func (t *transaction) rollback() {
	if t.bit != 0 {
		t.release()
	}
}

func (t *transaction) release() {
	for _, k := range t.locked {
		t.db.locks[k].exclusive &^= t.bit
		t.db.locks[k].shared &^= t.bit
	}
	t.db.used &^= t.bit
	t.bit, t.waits = 0, false
}
