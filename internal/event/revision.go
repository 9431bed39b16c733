package event

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"kobling/internal/fault"
	"kobling/internal/profile"
)

// source is what the service's own events state as their source.
const source = "/kobling"

// Revision is one message of PROFILES: the canonical profile, or its tombstone.
type Revision struct {
	ID        profile.ID
	Seq       uint64 // in PROFILES; 0 before it is published
	IntakeSeq uint64 // of the submission that led to it, in INTAKE
	Revision  uint64 // 1, 2, 3, …
	Status    profile.Status
	Quiet     bool      // raises no alert
	Time      time.Time // when the submission was stored; zero: not stated
	// Profile is nil for a tombstone. Its ID, Revision and Status agree with
	// those beside it.
	Profile *profile.Profile
	Raw     []byte // the body as published; nil for a tombstone
}

// Tombstone reports whether r says that its profile is no more.
func (r Revision) Tombstone() bool { return r.Status == profile.Withdrawn }

// MessageID returns what makes a repeat of r recognisable in PROFILES. It is
// made of the intake sequence and not of the content: A → B → A are three
// revisions.
func (r Revision) MessageID() string {
	return string(r.ID) + "-" + strconv.FormatUint(r.IntakeSeq, 10)
}

// EncodeRevision returns r as it is published on PROFILES. The body is made of
// r.Profile, with r's identity, revision and status; r.Raw is not read. The
// error wraps fault.ErrInvalid.
func EncodeRevision(r Revision) (Message, error) {
	e := Envelope{ID: r.MessageID(), Source: source, Type: TypeWithdrawn, Subject: string(r.ID), Time: r.Time}
	switch {
	case r.Tombstone():
	case r.Profile == nil:
		return Message{}, fmt.Errorf("encode revision of %s: %w: no profile", r.ID, fault.ErrInvalid)
	default:
		p := *r.Profile
		p.ID, p.Revision, p.Status = r.ID, r.Revision, r.Status
		body, err := json.Marshal(&p)
		if err != nil {
			return Message{}, fmt.Errorf("encode revision of %s: %w: %w", r.ID, fault.ErrInvalid, err)
		}
		e.Type, e.Data = TypeRevised, body
	}
	m := e.Binary(Subject(Profiles, r.ID))
	m.Header[HeaderIntakeSeq] = []string{strconv.FormatUint(r.IntakeSeq, 10)}
	m.Header[HeaderRevision] = []string{strconv.FormatUint(r.Revision, 10)}
	m.Header[HeaderStatus] = []string{string(r.Status)}
	if r.Quiet {
		m.Header[HeaderQuiet] = []string{"1"}
	}
	return m, nil
}

// DecodeRevision reads a message of PROFILES. It trusts the writer's rules but
// not the bytes: what does not fit together is an error that wraps
// fault.ErrPoison. Fields that a later version added are ignored.
func DecodeRevision(m Message) (Revision, error) {
	r, err := decodeRevision(m)
	if err != nil {
		return Revision{}, fmt.Errorf("decode revision on %s: %w: %w", m.Subject, fault.ErrPoison, err)
	}
	return r, nil
}

func decodeRevision(m Message) (Revision, error) {
	id, err := SubjectID(m.Subject)
	if err != nil {
		return Revision{}, err
	}
	r := Revision{
		ID:     id,
		Seq:    m.Sequence,
		Status: profile.Status(first(m.Header, HeaderStatus)),
		Quiet:  first(m.Header, HeaderQuiet) == "1",
	}
	if r.IntakeSeq, err = number(m.Header, HeaderIntakeSeq); err != nil {
		return Revision{}, err
	}
	if r.Revision, err = number(m.Header, HeaderRevision); err != nil {
		return Revision{}, err
	}
	e, err := Decode(m)
	if err != nil {
		return Revision{}, err
	}
	r.Time = e.Time
	want := TypeRevised
	if r.Tombstone() {
		want = TypeWithdrawn
	}
	if e.Type != want {
		return Revision{}, fmt.Errorf("type %q with status %q", e.Type, r.Status)
	}
	if r.Tombstone() {
		return r, nil
	}
	var p profile.Profile
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return Revision{}, err
	}
	if p.ID != id || p.Revision != r.Revision || p.Status != r.Status {
		return Revision{}, fmt.Errorf("body is %s revision %d %s, headers say %s revision %d %s",
			p.ID, p.Revision, p.Status, id, r.Revision, r.Status)
	}
	r.Profile, r.Raw = &p, e.Data
	return r, nil
}

// number returns the value of a header that must be a number from 1.
func number(h map[string][]string, name string) (uint64, error) {
	n, err := strconv.ParseUint(first(h, name), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("header %s: %w", name, err)
	}
	if n == 0 {
		return 0, fmt.Errorf("header %s is 0", name)
	}
	return n, nil
}
