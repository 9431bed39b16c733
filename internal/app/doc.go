// Package app builds each role from its parts. It is the only package that knows
// them all.
//
// # One way through the house
//
//	producers          INTAKE              PROFILES               PostgreSQL               people
//	CLI, importers, ─▶ stream, raw,  ─▶   stream, canonical, ─▶  profile, suggestion, ─▶  advisors
//	nats clients       untrusted          newest revision per    notification (outbox)
//	                      │               profile, one writer        ▲            ▲
//	                   intake worker          │        \             │            │
//	                   validate, enrich     index       match worker ┘   notify workers
//	                   reject with reason   (bleve, local, rebuildable)  (River jobs: mail, webhook)
//
// Data moves left to right and never back. Every arrow is a durable hand-over:
// the receiver commits before it acknowledges. Either store can rebuild the
// other; the index can be rebuilt from PROFILES.
//
// # Packages, in one direction
//
//	cmd/kobling  ▶  app
//	app          ▶  api  intake  match  notify  epoch                         decide; know no driver
//	                audit  rebuild  backup  dlq
//	             ▶  store  index  stream  notify/mail  notify/webhook  embedded   do; know no decision
//	all          ▶  event ▶ alert ▶ suggestion ▶ profile,
//	                score ▶ analysis ▶ lexicon,  fault                        say what things are; pure
//
// Beside them stand config (the settings), telemetry (log, metrics, health),
// simulate (the protocol's proof), demo (the demonstration's data), testkit and
// e2e (tests).
//
// # Epochs
//
// The active epoch is a number, a fingerprint and a model, in PostgreSQL. Every
// process makes its predicate of the model and its own program; if the fingerprint
// comes out the same, it agrees with all others to the bit. If not, there are two
// cases. The program is new: at its start it carries the model over into the next
// epoch; a running process never does, it only follows. Or the program is an old
// one, whose epochs another program's replaced: it stops with a sentence. Two
// versions that both made epochs whenever they saw one of the other's would never
// come to rest.
//
// A process that finds a later epoch active reads it while it goes on working, lets
// its roles finish what is in hand, and begins them anew. The servers and the API,
// and who is connected to them, notice nothing. Commits under the old epoch were
// refused meanwhile, so their messages come again.
//
// # Repair
//
// A start compares the streams with the database before anything is worked on: the
// latest heads must be on PROFILES, INTAKE must not end before a submission that is
// known, and what was settled must be in the database. The replica compares PROFILES
// with its index in the same way. Whoever finds that something is lost stops, and says
// which command to run.
//
// Table repair holds what an operator asked of all processes. Each looks at
// index_generation once a second; if it has been raised, the process goes on with an
// empty index of a new name, as it does in a new epoch. What heads learn up to
// quiet_until after a recovery is quiet, and withheld if their message is not: nobody
// knows who was told of it before what was lost. "kobling withheld" lists it and has
// it told.
//
// # Re-matches
//
// What PROFILES holds is matched again in runs: one at a time, of the active epoch,
// over the messages that there were when the run began. Each new epoch has one; its
// end is read after the epoch became active, so what comes later is matched in that
// epoch by live work. The command rematch begins others. A run is a row of table
// rematch and a durable consumer of its own; every process with the role match takes
// part in it, and any of them may die. Whoever sees that all its messages are settled
// ends it. To match a revision again in its own epoch is to handle its message once
// more, which the protocol makes a no-op where nothing was missing.
//
// A message that fails for two minutes is noted and left out, if the database takes
// the note: a run must end. Live work goes first: before each search and each
// transaction a re-match waits while the process has live messages in hand (see
// match.Throttle), and it takes no more than a share of the time. Other processes'
// live work it does not see; it only keeps its transactions short.
package app
