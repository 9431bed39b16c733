// Package event knows how profiles and what becomes of them travel: the
// subjects, the CloudEvents 1.0 envelope in binary and structured mode, the
// codecs of each event and the check against its JSON Schema. It is pure: it
// turns a [Message] into values and values into a Message, and knows no driver.
//
// What strangers send is read by [DecodeSubmission], which reports every fault
// at once. What the service itself wrote to PROFILES is read by
// [DecodeRevision], where a fault means that the stream is damaged.
package event
