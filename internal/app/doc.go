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
package app
