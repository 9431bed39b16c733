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
//	app          ▶  api  intake  match  notify                                decide; know no driver
//	             ▶  store  index  stream  notify/mail  notify/webhook  embedded   do; know no decision
//	all          ▶  event ▶ alert ▶ suggestion ▶ profile,
//	                score ▶ analysis ▶ lexicon,  fault                        say what things are; pure
//
// Beside them stand config (the settings), telemetry (log, metrics, health),
// simulate (the protocol's proof), demo (the demonstration's data), testkit and
// e2e (tests).
package app
