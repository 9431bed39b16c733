// Package intake accepts or refuses what producers say: INTAKE → PROFILES, or a
// rejection that names every fault at once. It keeps no state of its own and
// knows no clock: times are those at which INTAKE stored a message.
//
// # One order for each profile
//
// What is said of a profile takes effect in the order in which INTAKE stored it,
// however often, by whomever and in which order it is delivered:
//
//   - Each message of PROFILES names the submission that led to it. A submission
//     at or below that of the profile's newest revision is done: superseded, or
//     our own retry.
//   - Before a submission is handled, those between the newest revision and it
//     that may not have been handled yet are handled first. Handling is safe to
//     repeat, so nothing is remembered. Without this a pause that overtakes the
//     text it was meant to follow would bury that text, and a submission that
//     overtakes a withdrawal would undo it.
//   - Publishing compares and sets: who was overtaken reads again.
//
// # Statuses
//
//	draft      by drafted, unless it was published before
//	submitted  by submitted, in a cluster whose advisors review
//	published  by submitted otherwise, by resumed, and by the service's release
//	paused     by paused; a paused profile that is revised stays paused
//	withdrawn  by withdrawn, for good
//
// Every accepted submission makes a revision, also one that changes nothing:
// A → B → A are three.
package intake
