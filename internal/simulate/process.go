package simulate

import "iter"

// process is one worker of one replica: straight code that gives way to the
// others at every step. Only the world resumes it, so between two steps nothing
// else happens.
type process struct {
	world *world
	name  string
	body  func(*process)
	tx    transaction

	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool

	running bool        // a coroutine exists
	done    bool        // body returned for good
	ready   func() bool // what it waits for; nil: nothing
	rank    int         // who goes first in a ranked run
	slow    int         // it pauses for up to so many steps after each of its own
	wake    int         // the step until which it sleeps or is stalled
}

// unwound is thrown by a step of a process that has crashed.
type unwound struct{}

// start makes the coroutine; the world calls it for a new or crashed process.
func (p *process) start() {
	p.running, p.ready = true, nil
	p.next, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil && r != any(unwound{}) {
				panic(r)
			}
		}()
		p.yield = yield
		p.body(p)
		p.done = true
	})
}

// resume lets the process do one step.
func (p *process) resume() {
	if !p.running {
		p.start()
	}
	if _, ok := p.next(); !ok {
		p.end()
	}
}

// crash ends the process wherever it stands; PostgreSQL rolls its transaction
// back, and what it had taken from a queue stays taken until redelivery.
func (p *process) crash() {
	if p.running {
		p.world.tracef("%s: crash", p.name)
		p.stop()
		p.end()
	}
}

func (p *process) end() {
	p.running, p.ready = false, nil
	p.tx.rollback()
}

// step ends the current step; what follows happens when the process is resumed.
func (p *process) step(what string) {
	p.pause()
	p.world.tracef("%s: %s", p.name, what)
}

// pause is step without a line in the trace.
func (p *process) pause() {
	if !p.yield(struct{}{}) {
		panic(unwound{})
	}
}

// await gives way until ready returns true.
func (p *process) await(ready func() bool) {
	for !ready() {
		p.ready = ready
		p.pause()
	}
	p.ready = nil
}

// sleep gives way for n steps of the world.
func (p *process) sleep(n int) {
	p.wake = p.world.steps + n
	p.pause()
}

// runnable reports whether resuming the process would do anything.
func (p *process) runnable() bool {
	return !p.done && p.wake <= p.world.steps && (p.ready == nil || p.ready())
}
