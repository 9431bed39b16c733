package event

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// notAnEvent tells a producer what is expected, and is all that is said to
// somebody who sends a bare profile.
const notAnEvent = "this is not a CloudEvent: either put ce-specversion, ce-id, ce-source and ce-type into headers and the data " +
	"into the body (binary mode), or send one JSON object with specversion, id, source, type and data (structured mode, " +
	"content type application/cloudevents+json)"

// attributeName is how CloudEvents spells attributes.
var attributeName = regexp.MustCompile(`^[a-z0-9]+$`)

// reader collects what is wrong with an envelope while it is read.
type reader struct {
	attributes map[string]string
	faults     []Fault
}

func (r *reader) fail(code, format string, args ...any) {
	r.faults = append(r.faults, Fault{Code: code, Message: fmt.Sprintf(format, args...)})
}

// decodeEnvelope reads as much of the envelope as can be read.
func decodeEnvelope(m Message) (Envelope, []Fault) {
	r := reader{attributes: make(map[string]string)}
	if len(m.Data) > MaxData {
		r.fail(CodeTooLarge, "the message has %d bytes, the limit is %d", len(m.Data), MaxData)
		return Envelope{}, r.faults
	}
	var data json.RawMessage
	if structured(m) {
		data = r.object(m.Data)
	} else {
		data = r.headers(m)
	}
	if r.attributes == nil {
		return Envelope{Data: data}, r.faults
	}
	return r.envelope(data), r.faults
}

// headers reads the attributes of binary mode and returns the data.
func (r *reader) headers(m Message) json.RawMessage {
	names := make([]string, 0, len(m.Header))
	for name := range m.Header {
		names = append(names, name)
	}
	slices.Sort(names) // so that faults come in one order
	for _, name := range names {
		values := m.Header[name]
		attribute := strings.ToLower(name)
		switch {
		case attribute == contentType:
			attribute = "datacontenttype"
		case strings.HasPrefix(attribute, "ce-"):
			attribute = strings.TrimPrefix(attribute, "ce-")
		default:
			continue
		}
		if _, twice := r.attributes[attribute]; twice || len(values) > 1 {
			r.fail(CodeBadEnvelope, "the header %s is given more than once", strings.ToLower(name))
		}
		if len(values) > 0 {
			r.attributes[attribute] = unescape(values[0])
		}
	}
	if r.attributes["specversion"] == "" && r.attributes["type"] == "" {
		r.attributes = nil
		r.faults = nil
		r.fail(CodeBadEnvelope, "%s", notAnEvent)
	}
	if len(m.Data) == 0 {
		return nil
	}
	return m.Data
}

// object reads the attributes of structured mode and returns the data.
func (r *reader) object(body []byte) json.RawMessage {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		r.attributes = nil
		r.fail(CodeNotJSON, "the body of a structured event must be one JSON object")
		return nil
	}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if name == "data" || name == "data_base64" {
			continue
		}
		r.attribute(name, object[name])
	}
	return r.data(object)
}

// attribute reads one attribute: a text, a whole number or a boolean.
func (r *reader) attribute(name string, raw json.RawMessage) {
	if !attributeName.MatchString(name) {
		r.fail(CodeBadEnvelope, "the event has an attribute %q: names are lower-case letters and digits", shorten(name))
		return
	}
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return // the whole object was valid JSON
	}
	switch v := value.(type) {
	case nil: // as if it were not there
	case string:
		r.attributes[name] = v
	case bool, float64:
		if slices.Contains([]string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype"}, name) {
			r.fail(CodeBadEnvelope, "the event's %s must be a text", name)
			return
		}
		r.attributes[name] = string(raw)
	default:
		r.fail(CodeBadEnvelope, "the event's %s must be a text, a number or a boolean", name)
	}
}

// data returns the data of a structured event.
func (r *reader) data(object map[string]json.RawMessage) json.RawMessage {
	data, encoded := object["data"], object["data_base64"]
	if string(data) == "null" {
		data = nil
	}
	if encoded == nil || string(encoded) == "null" {
		return data
	}
	if data != nil {
		r.fail(CodeBadEnvelope, "the event has both data and data_base64")
		return data
	}
	var text string
	if json.Unmarshal(encoded, &text) != nil {
		r.fail(CodeBadEnvelope, "the event's data_base64 must be a text")
		return nil
	}
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		r.fail(CodeBadEnvelope, "the event's data_base64 is not base64")
		return nil
	}
	return plain
}

// envelope checks the attributes.
func (r *reader) envelope(data json.RawMessage) Envelope {
	if v := r.attributes["specversion"]; v != specVersion {
		r.fail(CodeBadEnvelope, "the event's specversion is %q, not 1.0", shorten(v))
	}
	e := Envelope{
		ID:              r.text("id", MaxIDLen),
		Source:          r.text("source", MaxSourceLen),
		Type:            r.text("type", MaxIDLen),
		Subject:         r.attributes["subject"],
		DataContentType: r.attributes["datacontenttype"],
		Data:            data,
	}
	if _, err := url.Parse(e.Source); err != nil {
		r.fail(CodeBadEnvelope, "the event's source is not a URI reference")
	}
	if !isJSON(e.DataContentType) {
		r.fail(CodeBadEnvelope, "the event's data is %q: only JSON is understood", shorten(e.DataContentType))
	}
	if v, ok := r.attributes["time"]; ok {
		t, err := time.Parse(time.RFC3339, v)
		if y := t.UTC().Year(); err != nil || y < 1 || y > 9999 {
			r.fail(CodeBadEnvelope, "the event's time must look like 2026-08-31T12:00:00Z")
		}
		e.Time = t.UTC() // zero if it could not be read
	}
	if v, ok := r.attributes["expectedrevision"]; ok {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil || n == 0 {
			r.fail(CodeBadEnvelope, "the event's expectedrevision must be a whole number from 1")
		}
		e.ExpectedRevision = n
	}
	return e
}

// text returns a required attribute of at most limit characters.
func (r *reader) text(name string, limit int) string {
	v := r.attributes[name]
	if v == "" {
		r.fail(CodeBadEnvelope, "the event has no %s", name)
	}
	if !utf8.ValidString(v) {
		r.fail(CodeBadEnvelope, "the event's %s is not UTF-8", name)
	}
	if n := utf8.RuneCountInString(v); n > limit {
		r.fail(CodeBadEnvelope, "the event's %s has %d characters, the limit is %d", name, n, limit)
	}
	return v
}

// isJSON reports whether contentType names JSON; none means JSON.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || strings.HasPrefix(media, "application/cloudevents") { // a batch, or an event in an event
		return false
	}
	return media == mediaJSON || strings.HasSuffix(media, "+json")
}

// escape percent-encodes what CloudEvents does not allow in a header: all but
// printable ASCII, and the blank, the quotation mark and the percent sign.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == '"' || c == '%' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unescape undoes escape. A percent sign that stands for itself stays.
func unescape(s string) string {
	plain, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return plain
}

// shorten returns s as it may be quoted in a message.
func shorten(s string) string {
	const limit = 40
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}
