package event

import (
	"fmt"
	"strings"
	"time"

	"kobling/internal/profile"
)

// The roots of the subjects. Contracts: change them only by adding.
const (
	Intake     = "intake"     // intake.<kind>.<org>.<id>: producers say
	Control    = "control"    // control.<kind>.<org>.<id>: the service says
	Profiles   = "profiles"   // profiles.<kind>.<org>.<id>: canonical, one trusted writer
	Rejections = "rejections" // rejections.<kind>.<org>.<id>: told to the producer
	Events     = "events"     // events.<type>…: for other systems
	API        = "kobling.api"
)

// The headers of this product; CloudEvents' own are "ce-" and the attribute's
// name. NATS headers are case-sensitive on the wire: write these spellings.
const (
	HeaderIntakeSeq = "Kobling-Intake-Seq" // on PROFILES: sequence in INTAKE
	HeaderRevision  = "Kobling-Revision"   // on PROFILES
	HeaderStatus    = "Kobling-Status"     // on PROFILES: published, paused, withdrawn, …
	HeaderQuiet     = "Kobling-Quiet"      // on control.* and PROFILES: "1" raises no alert
)

// The CloudEvents types. In: what producers publish. Out: what others read.
const (
	TypeDrafted   = "kobling.profile.drafted.v1"
	TypeSubmitted = "kobling.profile.submitted.v1" // publish or revise
	TypePaused    = "kobling.profile.paused.v1"
	TypeResumed   = "kobling.profile.resumed.v1"
	TypeRenewed   = "kobling.profile.renewed.v1" // data: {"valid_until": …}, default a year on
	TypeWithdrawn = "kobling.profile.withdrawn.v1"

	TypeRevised    = "kobling.profile.revised.v1" // on PROFILES: the canonical profile
	TypeRejected   = "kobling.profile.rejected.v1"
	TypeSuggestion = "kobling.suggestion.created.v1"
)

// Subject returns "<root>.<kind>.<org>.<id>".
func Subject(root string, id profile.ID) string { return root + "." + string(id) }

// SubjectID returns the profile id that is the tail of subject.
func SubjectID(subject string) (profile.ID, error) {
	_, tail, ok := strings.Cut(subject, ".")
	if !ok {
		return "", fmt.Errorf("subject %q: want <root>.<kind>.<org>.<id>", subject)
	}
	return profile.ParseID(tail)
}

// Message is one JetStream message as handlers see it: no driver's type, and no
// way to acknowledge it.
type Message struct {
	Subject  string
	Sequence uint64    // in its stream; 0 for a message not read from a stream
	Time     time.Time // when the stream stored it
	Header   map[string][]string
	Data     []byte
	Attempt  uint64 // deliveries so far; 1 for the first
}

// Rejection is what a producer is told of a submission that was refused. It is
// the data of a [TypeRejected] event on rejections.<kind>.<org>.<id>.
type Rejection struct {
	ProfileID profile.ID `json:"profile_id"`
	IntakeSeq uint64     `json:"intake_seq"`
	EventID   string     `json:"event_id,omitempty"` // of the refused CloudEvent
	Faults    []Fault    `json:"faults"`             // every fault at once
	At        time.Time  `json:"at"`
}

// Fault is one thing wrong with a submission. Its Path points into the event's
// data; "" is the event as a whole.
type Fault = profile.Fault
