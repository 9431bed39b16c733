// Package simulate checks the match protocol: a seeded simulation, single-threaded
// in effect, of everything between a producer and a person who is told, with an
// oracle that knows what should have come of it, and with broken variants of the
// protocol (mutants) that must go wrong. The protocol itself is described in
// packages match and intake. It was found here, and a change of it begins here: a
// mutant that survives shows that the simulation is blind there.
//
// # What is simulated
//
// Two demands, three supplies and four subscriptions, so that everything meets
// everything. Each worker is a coroutine, straight code like that of the real
// one, and the world resumes one of them at a time, chosen by the seed:
//
//   - Intake. Two workers bring INTAKE to PROFILES, any message at any time: what
//     is pending before it comes first, publishing compares and sets, and what is
//     settled already is known by the consumer's floor. Producers repeat
//     themselves.
//   - Streams. PROFILES is compacted; its two consumers, the live one and that of
//     a re-match, are shared by all replicas and deliver again what is not
//     acknowledged. Acknowledgements are lost.
//   - Indexes. Each replica has one, behind the stream, stored now and then; after
//     a crash it is as old as it was stored, or empty.
//   - Match workers. Two in each replica, in batches that fill up while others
//     work: tombstones that go ahead of the index, waits that are given up,
//     batches that are divided, messages that are superseded.
//   - PostgreSQL at READ COMMITTED. Each statement has its own snapshot and sees
//     what its transaction wrote; a row that is locked is seen as it is now, and
//     waited for; commits are slow; whoever dies is rolled back; SKIP LOCKED; a
//     wait in a circle is a fault.
//   - The match transaction, statement by statement: the turn, the heads ordered
//     by (seq, epoch), the pairs by compare-and-set, near-duplicates likewise, the
//     news in a later snapshot, the notifications in one more, and in another what
//     they refer to. All demands are of one organisation, and all supplies.
//   - The gate: validity against a clock that moves between any two steps, clusters
//     that are joined and parted, decisions bound to contents. What opens it leaves
//     a job; the clock of those who work jobs may be ahead.
//   - Epochs, with the re-match of everything that there is when they have begun,
//     and replicas that are late to hear of them; more re-matches in the same epoch.
//   - Early withdrawal: retiring a head before its message is matched.
//   - Delivery: pending, sending, sent, failed, held and suppressed, with several
//     attempts at one notification at once; subscriptions that begin and end; what
//     refers to a near-duplicate waits for it.
//   - The sweeper.
//
// All this goes wrong at random, and differently in each run: processes stall,
// crash and are slow, the one that acted last most of all. The seed's remainder
// decides what a run is about (see theme), because a race is rare where
// everything happens. When everything has been said, the trouble ends, and the
// world must come to rest.
//
// # What the oracle checks
//
// It sees every commit and nothing sees it. During the run: no head goes back; no
// attempt to tell starts after a withdrawal, a pause or the end of the
// subscription was committed, nor after one of a higher band; nothing is told
// that is no news; nothing is told as a near-duplicate of what has ended, is not
// like it, or never arrived in full; the acknowledgement of a withdrawal comes
// after its head.
// At the end, against a plain computation over what the producers said: PROFILES
// holds what all messages in order make; exactly those pairs are live that should
// be, at the newest revisions, in the right band; every revision was matched by a
// live handler; exactly those profiles are near-duplicates that are alike; every
// pair that is live was noticed, and announced if it is news;
// everybody who should have been told was, and nobody else; nothing stays pending.
//
// # Replaying a run
//
// A seed is a run, on every machine: the same seed and variant do the same steps.
// What a test prints of a failing seed is the end of its trace; all of it is
// written by
//
//	simulate.Trace(seed, simulate.Protocol, os.Stdout)
//
// A line is the step, the tick of the clock, who, and the statement or step that
// begins. Any change of this package that draws another random number makes other
// runs of all seeds.
//
// # What is not simulated
//
// Scoring (the predicate is a table), reasons and texts; messages that cannot be
// read, dead letters and quarantine; review, drafts and membership; visibility
// other than by network, legal entities; least bands and renewals of
// subscriptions; two people who decide on one pair at once; digests; the search
// for notifications without a job; loss of committed data and restoring a backup;
// replicas of a stream that answer with something old; an index whose two halves
// are not equally far; time limits other than by redelivery; and real SQL. That
// the statements in package store do what is simulated here is for a reader to
// compare, and for that package's tests.
package simulate
