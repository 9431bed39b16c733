// Package simulate runs the protocol of packages intake, match and notify in a
// world where everything goes wrong, and says whether the outcome was right. It
// is how the protocol was found, and what has to be changed first when the
// protocol changes.
//
// One run has two replicas, each with an index, two match workers and their
// helpers, a producer, an operator, a database and two streams. It is a single
// thread: every process is a coroutine, and a generator seeded with the run's
// number decides who takes the next step, who crashes, stalls or loses an
// acknowledgement, what is delivered again and when time passes. The same seed
// gives the same run; [Trace] writes it down step by step.
//
// Simulated are the order of INTAKE and its redelivery, compare-and-set and
// compaction of PROFILES, heads and their order, epochs with their re-match,
// pairs and their compare-and-set, the turn, the gate with validity, visibility
// and decisions, the statement that selects notifications, their states, early
// withdrawal, and of PostgreSQL what matters here: a snapshot for each statement
// (READ COMMITTED), row locks, waiting, deadlock, and roll-back at a crash.
//
// When a world has come to rest, the oracle recomputes every pair from the
// newest bodies and compares: nothing lost, nothing stale, nobody told twice or
// of what is no news, nobody told after the end. While it runs, watchers check
// what must hold at every moment, such as that no attempt to send starts after a
// withdrawal has been committed.
//
// [Mutants] are the protocol with one thing broken each. Every one of them must
// go wrong in some run; a mutant that does not shows that the simulation is
// blind there.
//
// Not simulated: loss or corruption of what a server has acknowledged, and the
// contents of texts (the predicate is a table of random bands).
package simulate
