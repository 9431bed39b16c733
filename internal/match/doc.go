// Package match turns profiles into suggestions: PROFILES → pairs → PostgreSQL.
// It decides; it knows no driver. What it needs is in [Finder], [Scorer] and
// [Ledger]; internal/app hands it the real ones.
//
// # The match protocol
//
// Two layers decide a suggestion. The predicate (package score) is pure: it
// knows two bodies and an epoch, no clock, no corpus, no order of arrival. The
// gate (view suggestion_live) is evaluated on reading with the database clock:
// both heads current, alive, valid now and visible to each other, different
// legal entities, not declined at these contents.
//
// Message m = profile P at stream sequence s, in epoch e, by any replica whose
// index has applied at least s:
//
//  1. Find every Q of the other side whose text part reaches the floor. The
//     impacts, Q's sequence and Q's facts come from one snapshot of the index.
//     Score the pairs. Nothing is cut. Find P's near-duplicates as well.
//  2. In one transaction, READ COMMITTED:
//     a. take the turn: SELECT number FROM active_epoch FOR UPDATE; stop if it
//     is not e. Match transactions pass one at a time (see "One at a time").
//     b. heads: INSERT … ON CONFLICT (id) DO UPDATE … WHERE
//     (profile.seq, profile.epoch) <= (excluded.seq, excluded.epoch) RETURNING
//     id. No row for P: superseded, write nothing more for it.
//     c. pairs in key order: INSERT … ON CONFLICT (demand_id, supply_id) DO
//     UPDATE … WHERE epoch, demand_seq and supply_seq are all at least those
//     stored. Nothing is ever deleted here: superseded rows are invisible, a
//     sweeper removes them later. Near-duplicates likewise.
//     d. in a later statement, with a new snapshot, over every pair of the
//     profiles in the batch: remember first_live_at in table pair for those in
//     suggestion_live, then insert the notifications for what is news,
//     ON CONFLICT (dedup_key) DO UPDATE SET state = 'pending' WHERE state =
//     'held' RETURNING id, and one River job for each returned id. Last, decide
//     which of these refer to another one (see "Near-duplicates").
//  3. Commit, then acknowledge.
//
// A row is current only if its sequences equal both heads and its epoch is the
// greater of theirs.
//
// # One at a time
//
// Step 2d reads what other transactions wrote. If two of them run at once, P's
// handler cannot see the row that Q's handler has not committed, and Q's cannot
// see P's head: the pair becomes live and neither tells. Locks on the rows that
// both touch do not help, because P's handler may not know of Q at all. So
// everything that can make a pair live takes the same turn: match transactions,
// the re-telling after a change of the gate, and the creation of a
// subscription. What can only end a pair (withdrawal, pause, decline) does not.
//
// # Heads are ordered by (seq, epoch)
//
// Not by (epoch, seq): an early withdrawal sets a head's sequence and leaves its
// epoch, and a re-match in a newer epoch that still holds the older revision
// must not resurrect it.
//
// # Early withdrawal
//
// Once PROFILES has acknowledged a withdrawal or a pause at sequence t, intake
// itself sets the head: INSERT (alive = false, seq = t, epoch = active) ON
// CONFLICT DO UPDATE SET alive = false, seq = t WHERE profile.seq < t. The match
// worker repeats it, should intake have died. Tombstones never wait for the
// index.
//
// # News
//
// A pair is news if the side with the higher sequence is not marked quiet and
// its row was not written by nothing but a re-match (suggestion.rematch: the
// logical AND over the writers of the row at these sequences). For each live
// pair that is news and each subscription that is active, was created before
// first_live_at, and whose cluster is that of either side: exactly one
// notification, unless one for the same subscription, pair and kind has a band
// at least as high in a state other than held.
//
// After a recovery, a revision that the database learns anew is quiet although its
// message is not (profile.withheld), up to the sequence repair.quiet_until: it may have
// been told of before what was lost. A head that is handled again at the sequence that
// it has keeps what it was.
//
// # Near-duplicates
//
// duplicate(a, b) is a relation of two profiles of one side and one organisation
// with a predicate of its own (score.Epoch.Duplicate): a translation is one, a
// revised copy is one. Its rows are written by the protocol of pairs, with a before
// b by id, and count under the same conditions: view duplicate_live, which also
// asks whether both are of one legal entity, for that is the ledger's to say. The
// index finds who shares the organisation or the legal entity that both profiles
// name; two organisations that only the operator has joined are not compared.
//
// Both pairs with a counterpart c are suggestions like any other. But if (a, c)
// was told to a subscription, or is about to be, then (b, c) is told to it as
// "also posted as a": notification.also_of refers to the earliest notification of
// the same subscription for a near-duplicate and the same counterpart. This is
// decided in the turn, in order of key, so one of several that become news at once
// is told in full. It is never chained: there is no transitive closure, and only
// what is told in full is referred to. If b is like a and c is like b, but c is not
// like a, then both a and c are told in full.
//
// Whether it comes to that is decided at the start of the attempt. While what it
// refers to is under way, it waits. It says "also posted as" only if the other one
// has been sent and was in full, the relation is current still, and whoever may
// see b may see a. Otherwise it is told in full, and refers to nothing from then on.
// So nobody hears only of a reference to what he was never told; at worst, when the
// other one comes back in the same moment, he is told in full twice.
//
// # Delivery
//
// The notify worker locks both heads FOR SHARE in key order, and with them that
// of the near-duplicate which it may name, then its notification FOR UPDATE with its subscription FOR SHARE, and only then, in a
// new statement and with clock_timestamp(), asks suggestion_live. Not live, or
// told at a higher band already: state held; the subscription has ended:
// suppressed; else: sending. That commit is the start of an attempt, so no
// attempt starts after a withdrawal or the end of a subscription commits.
//
// A profile that is not valid yet leaves a job for the moment when it is. That
// job, like every one that follows a change of the gate, takes the turn before it
// reads which profiles are concerned, and reads what still is not valid before it
// tells.
//
// suggestion.created is published once for a pair and band, when it first is
// news; pair.announced remembers it apart from pair.band, for a re-match may have
// made the pair live before.
package match
