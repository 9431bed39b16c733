// Package e2e tests the whole way: from a message that any NATS client could
// publish to the mail and the webhook that an advisor gets, on real servers.
package e2e
