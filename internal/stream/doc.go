// Package stream is JetStream: the streams, publishing with compare-and-set, the
// one place that settles messages, the ordered follower of PROFILES and the
// request/reply API. It decides nothing; what a message means is its handler's
// business.
//
//	INTAKE    what producers and the service say of profiles; every message kept for a while
//	PROFILES  the newest revision of each profile; one trusted writer
//	EVENTS    facts and refusals, for producers and other systems
//	CANARY    one message for each process that checks its readiness
//
// Streams are created by [Migrate] only: a start-up that found none and made
// them would hide a total loss. Errors wrap the kinds of package fault.
package stream
