package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"
	"time"

	"kobling/internal/fault"
)

// Limits of what a stranger may send.
const (
	MaxIDLen     = 256       // characters of a CloudEvent's id
	MaxSourceLen = 1024      // characters of a CloudEvent's source
	MaxData      = 128 << 10 // bytes of a message's body
)

// The codes of what can be wrong with an event; package profile has those of a
// profile.
const (
	CodeBadEnvelope  = "bad_envelope"  // not a CloudEvent, or one with a faulty attribute
	CodeUnknownType  = "unknown_type"  // the CloudEvents type is none of ours
	CodeTooLarge     = "too_large"     // more bytes than allowed
	CodeNotJSON      = "not_json"      // the data is not JSON
	CodeWrongType    = "wrong_type"    // e.g. a number where a text is expected
	CodeUnknownField = "unknown_field" // a field that the schema does not have
	CodeMismatch     = "mismatch"      // body, event and subject disagree
	CodeConflict     = "conflict"      // expectedrevision is not the current one
	CodeWithdrawn    = "withdrawn"     // withdrawn is final
)

// The content types of the two modes.
const (
	contentType     = "content-type"
	mediaJSON       = "application/json"
	mediaStructured = "application/cloudevents+json"
	specVersion     = "1.0"
)

// Envelope is a CloudEvent 1.0 whose data is JSON.
type Envelope struct {
	ID              string
	Source          string
	Type            string
	Subject         string    // the profile's id; may be empty
	Time            time.Time // zero: not stated
	DataContentType string    // empty: application/json
	// ExpectedRevision is the revision that the producer believes to be the
	// newest one (extension attribute expectedrevision); 0: not stated.
	ExpectedRevision uint64
	Data             json.RawMessage // nil: none
}

// Decode reads the CloudEvent that m carries, in either mode. The error wraps
// fault.ErrInvalid and names everything wrong with the envelope. The data is
// not looked at.
func Decode(m Message) (Envelope, error) {
	e, faults := decodeEnvelope(m)
	if len(faults) == 0 {
		return e, nil
	}
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = errors.New(f.Message)
	}
	return e, fmt.Errorf("decode event: %w: %w", fault.ErrInvalid, errors.Join(errs...))
}

// Binary returns e as a message for subject in binary mode: attributes in
// headers, data as the body.
func (e Envelope) Binary(subject string) Message {
	h := map[string][]string{contentType: {e.dataContentType()}}
	for name, value := range e.attributes() {
		h["ce-"+name] = []string{escape(value)}
	}
	if e.ExpectedRevision > 0 {
		h["ce-expectedrevision"] = []string{strconv.FormatUint(e.ExpectedRevision, 10)}
	}
	return Message{Subject: subject, Header: h, Data: e.Data}
}

// Structured returns e as a message for subject in structured mode: one JSON
// object. Data that is not JSON travels as data_base64.
func (e Envelope) Structured(subject string) Message {
	object := make(map[string]any)
	for name, value := range e.attributes() {
		object[name] = value
	}
	if e.ExpectedRevision > 0 {
		object["expectedrevision"] = e.ExpectedRevision
	}
	switch {
	case e.Data == nil:
	case json.Valid(e.Data):
		object["data"] = e.Data
	default:
		object["data_base64"] = []byte(e.Data)
	}
	if e.DataContentType != "" {
		object["datacontenttype"] = e.DataContentType
	}
	body, err := json.Marshal(object)
	if err != nil { // strings, a number, valid JSON and bytes: cannot fail
		body = nil
	}
	return Message{
		Subject: subject,
		Header:  map[string][]string{contentType: {mediaStructured}},
		Data:    body,
	}
}

// attributes returns the attributes that are text in both modes.
func (e Envelope) attributes() map[string]string {
	a := map[string]string{
		"specversion": specVersion,
		"id":          e.ID,
		"source":      e.Source,
		"type":        e.Type,
	}
	if e.Subject != "" {
		a["subject"] = e.Subject
	}
	if !e.Time.IsZero() {
		a["time"] = e.Time.UTC().Format(time.RFC3339Nano)
	}
	return a
}

func (e Envelope) dataContentType() string {
	if e.DataContentType == "" {
		return mediaJSON
	}
	return e.DataContentType
}

// structured reports whether m says, or looks as if, it were in structured
// mode: "nats pub" sends no headers.
func structured(m Message) bool {
	media, _, err := mime.ParseMediaType(first(m.Header, contentType))
	if err == nil && media == mediaStructured {
		return true
	}
	if first(m.Header, "ce-specversion") != "" || first(m.Header, "ce-type") != "" {
		return false
	}
	var probe struct {
		SpecVersion json.RawMessage `json:"specversion"`
	}
	return json.Unmarshal(m.Data, &probe) == nil && probe.SpecVersion != nil
}

// first returns the first value of the header name, whatever its spelling.
func first(h map[string][]string, name string) string {
	if v := h[name]; len(v) > 0 { // the usual spelling
		return v[0]
	}
	for k, v := range h {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}
