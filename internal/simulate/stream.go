package simulate

import "math/bits"

// operation is what a producer asks for.
type operation int

const (
	submit operation = iota
	pause
	resume
	renew
	withdraw
)

var operations = [...]string{"submit", "pause", "resume", "renew", "withdraw"}

// event is a message of stream INTAKE; its sequence is its place in the log.
type event struct {
	profile int
	op      operation
	content content // of a submit
	quiet   bool
}

type status int

const (
	none status = iota // no message yet
	published
	paused
	withdrawn
)

// message is a message of stream PROFILES.
type message struct {
	profile, seq, intakeSeq int
	status                  status
	quiet                   bool
	content                 content
}

// revise is the rule of intake: what e makes of a profile's last message. It
// returns false for what is refused.
func revise(last message, e event) (message, bool) {
	next := last
	next.profile, next.quiet = e.profile, e.quiet
	switch {
	case last.status == withdrawn: // final
		return last, false
	case e.op == submit:
		next.status, next.content = published, e.content
	case e.op == pause && last.status == published:
		next.status = paused
	case e.op == resume && last.status == paused:
		next.status = published
	case e.op == renew && last.status != none:
		next.content.until = 0
	case e.op == withdraw && last.status != none:
		next.status = withdrawn
	default:
		return last, false
	}
	return next, true
}

// maxSequence bounds both streams, so that sets of sequences fit in a word.
const maxSequence = 63

// profileStream is the compacted stream PROFILES.
type profileStream struct {
	all  []message         // by sequence, also those compacted away; all[0] is none
	last [profiles]message // zero: none
}

// publish appends m if its subject's last message still has sequence expected.
func (s *profileStream) publish(m message, expected int) (seq int, ok bool) {
	if s.last[m.profile].seq != expected || len(s.all) > maxSequence {
		return 0, false
	}
	m.seq = len(s.all)
	s.all = append(s.all, m)
	s.last[m.profile] = m
	return m.seq, true
}

// present returns the sequences that compaction has left.
func (s *profileStream) present() uint64 {
	var set uint64
	for i := range s.last {
		if s.last[i].seq != 0 {
			set |= 1 << s.last[i].seq
		}
	}
	return set
}

// consumer is a durable consumer shared by all replicas.
type consumer struct{ acked, taken uint64 }

// pending returns what of present can be delivered.
func (c *consumer) pending(present uint64) uint64 { return present &^ c.acked &^ c.taken }

// take delivers the lowest of pending.
func (c *consumer) take(pending uint64) int {
	seq := lowest(pending)
	c.taken |= 1 << seq
	return seq
}

// floor returns the sequence up to which everything is settled.
func (c *consumer) floor() int { return lowest(^c.acked >> 1) }

// nak gives a message back.
func (c *consumer) nak(seq int) { c.taken &^= 1 << seq }

// ack settles a message, unless the acknowledgement is lost.
func (w *world) ack(c *consumer, seq int) {
	if w.chance(w.loseAck) {
		w.tracef("acknowledgement of %d lost", seq)
		return
	}
	c.acked |= 1 << seq
}

// document is what an index holds of one profile; seq 0: nothing.
type document struct {
	seq     int
	content content
}

// index is one replica's index of one epoch, and its watermark.
type index struct {
	applied int
	docs    [profiles]document
}

// replica is one match process: an index, its indexer and two workers.
type replica struct {
	epoch   int // in which its workers score
	index   index
	stored  index // what a restart finds on disk
	workers []*process
}

// indexer applies PROFILES to the index in stream order.
func (w *world) indexer(p *process, r *replica) {
	var ahead uint64
	for {
		p.await(func() bool {
			ahead = w.profiles.present() &^ (1<<(r.index.applied+1) - 1)
			return ahead != 0
		})
		m := w.profiles.all[lowest(ahead)]
		p.step("has fetched") // and may apply it after it was superseded
		r.index.applied = m.seq
		if m.status == published {
			r.index.docs[m.profile] = document{m.seq, m.content}
		} else {
			r.index.docs[m.profile] = document{}
		}
		w.tracef("%s: applied %d", p.name, m.seq)
		if w.rng.IntN(4) == 0 {
			r.stored = r.index
		}
	}
}

// restart is what happens to a replica whose machine dies: the workers crash,
// and the index comes back as it was stored, or empty to be rebuilt.
func (w *world) restart(r *replica) {
	for _, p := range r.workers {
		p.crash()
	}
	if w.rng.IntN(3) == 0 {
		r.stored = index{}
	}
	r.index = r.stored
	w.tracef("a replica restarts, its index at %d", r.index.applied)
	r.epoch = w.db.committed.activeEpoch
	w.ensureRematch(r.epoch)
}

// lowest returns the lowest element of a set.
func lowest(set uint64) int { return bits.TrailingZeros64(set) }
