package simulate

import (
	"math/rand/v2"
	"testing"
)

// stage returns a world without a plot, in which nothing goes wrong by itself.
func stage(t *testing.T) *world {
	t.Helper()
	w := &world{rng: rand.New(rand.NewPCG(1, 2)), profiles: profileStream{all: make([]message, 1)}, healed: true}
	w.db.world = w
	w.db.committed.activeEpoch = 1
	t.Cleanup(func() {
		for _, p := range w.processes {
			if p.running {
				p.stop()
			}
		}
	})
	return w
}

// steps resumes p n times, as far as it can run.
func steps(p *process, n int) {
	for range n {
		if p.runnable() {
			p.resume()
		}
	}
}

// raise writes head 0 and commits; it takes three steps.
func raise(p *process, seq int) {
	t := p.begin()
	t.statement("write")
	t.lock(keyHead)
	t.view.heads[0].seq = seq
	t.wrote(keyHead)
	t.commit()
}

// Three statements of one transaction around another's commit.
func TestEachStatementHasItsOwnSnapshot(t *testing.T) {
	t.Parallel()
	w := stage(t)
	var before, still, after, own int
	reader := w.add("reader", func(p *process) {
		t := p.begin()
		t.statement("first")
		before = t.view.heads[0].seq
		t.lock(keyNetwork)
		t.view.network = true
		t.wrote(keyNetwork)
		p.step("within the statement")
		still = t.view.heads[0].seq
		t.statement("second")
		after = t.view.heads[0].seq
		if t.view.network && !w.db.committed.network {
			own = 1
		}
	})
	writer := w.add("writer", func(p *process) { raise(p, 7) })
	steps(reader, 2)
	steps(writer, 3)
	steps(reader, 2)
	if before != 0 || still != 0 || after != 7 || own != 1 {
		t.Errorf("sees head %d, then %d, then %d, its own write %d times; want 0, 0, 7, once", before, still, after, own)
	}
}

// A statement that waits for a row sees that row as it is then, and all others
// as they were when it began.
func TestALockedRowIsSeenAsItIsNow(t *testing.T) {
	t.Parallel()
	w := stage(t)
	var locked, other int
	first := w.add("first", func(p *process) {
		t := p.begin()
		t.statement("write")
		for i := range 2 {
			t.lock(keyHead + key(i))
			t.view.heads[i].seq = 7
			t.wrote(keyHead + key(i))
		}
		t.commit()
	})
	second := w.add("second", func(p *process) {
		t := p.begin()
		t.statement("lock")
		t.lock(keyHead)
		locked, other = t.view.heads[0].seq, t.view.heads[1].seq
	})
	steps(first, 2)
	steps(second, 5)
	if second.runnable() {
		t.Fatal("the second does not wait")
	}
	steps(first, 1)
	steps(second, 1)
	if locked != 7 || other != 0 {
		t.Errorf("sees %d in the row it locked and %d in the other, want 7 and 0", locked, other)
	}
}

func TestWhoMustWait(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		first, other func(*transaction)
		waits        bool
	}{
		{"two that share", sharing, sharing, false},
		{"one that shares, one that writes", sharing, locking, true},
		{"one that writes, one that shares", locking, sharing, true},
		{"two that write", locking, locking, true},
		{"one that skips what is locked", locking, func(t *transaction) {
			if t.tryLock(keyHead) {
				panic("it has the row")
			}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := stage(t)
			begin := func(get func(*transaction)) *process {
				p := w.add("", func(p *process) {
					t := p.begin()
					t.statement("get")
					get(t)
					p.step("has what it wants")
				})
				steps(p, 2)
				return p
			}
			first, other := begin(tt.first), begin(tt.other)
			if got := !other.runnable(); got != tt.waits {
				t.Errorf("the other waits: %t, want %t", got, tt.waits)
			}
			first.crash()
			if !other.runnable() {
				t.Error("the other still waits when the first is dead")
			}
		})
	}
}

func sharing(t *transaction) { t.share(keyHead) }
func locking(t *transaction) { t.lock(keyHead) }

func TestWhoDiesLeavesNothing(t *testing.T) {
	t.Parallel()
	w := stage(t)
	p := w.add("writer", func(p *process) { raise(p, 7) })
	steps(p, 2)
	p.crash()
	if got := w.db.committed.heads[0].seq; got != 0 {
		t.Errorf("head is at %d after the crash, want 0", got)
	}
	steps(p, 3) // it begins anew
	if got := w.db.committed.heads[0].seq; got != 7 {
		t.Errorf("head is at %d, want 7", got)
	}
	if w.db.used != 0 {
		t.Errorf("transactions %b are still open", w.db.used)
	}
}

func TestACircleIsADeadlock(t *testing.T) {
	t.Parallel()
	w := stage(t)
	both := func(a, b key) *process {
		return w.add("", func(p *process) {
			t := p.begin()
			t.statement("one")
			t.lock(a)
			t.statement("other")
			t.lock(b)
			t.commit()
		})
	}
	p, q := both(keyHead, keyHead+1), both(keyHead+1, keyHead)
	steps(p, 2)
	steps(q, 2)
	steps(p, 1)
	if len(w.faults) != 0 {
		t.Fatalf("faults %v before there is a circle", w.faults)
	}
	steps(q, 1)
	if len(w.faults) != 1 || w.faults[0].Kind != Deadlock {
		t.Errorf("faults %v, want one deadlock", w.faults)
	}
	if !p.runnable() {
		t.Error("the victim's rows are still locked")
	}
}
