// Package notify decides whether and how a person or system is told of a
// suggestion. When to tell is decided where the suggestion is written (see "News"
// in package match); how it is told is each channel's own package. An attempt is
// begun by Outbox.Start, whose commit is the last moment at which a withdrawal
// can stop it, and ends with Outbox.Finish.
package notify
