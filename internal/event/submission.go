package event

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"kobling/internal/profile"
)

// Renewal is the data of a [TypeRenewed] event.
type Renewal struct {
	ValidUntil time.Time `json:"valid_until,omitzero"` // zero: a year on
}

// Submission is what a producer, or the service on control.*, says of a profile.
type Submission struct {
	Envelope

	ID       profile.ID       // from the subject
	Control  bool             // said by the service itself, on control.*
	Quiet    bool             // raises no alert; only ever set with Control
	Profile  *profile.Profile // of TypeDrafted and TypeSubmitted, as sent; else nil
	Renewal  Renewal          // of TypeRenewed
	Sequence uint64           // in INTAKE
	Stored   time.Time        // when the stream stored it
}

// submissionTypes are the types that a producer may publish.
var submissionTypes = []string{TypeDrafted, TypeSubmitted, TypePaused, TypeResumed, TypeRenewed, TypeWithdrawn}

// DecodeSubmission reads a message of INTAKE and returns every fault in it at
// once, in order of path: of the envelope, of the JSON, of the schema, of the
// profile, and of what does not agree with the subject. The submission is only
// to be used if there are none; until then it holds what could be read, so that
// a rejection can be addressed. The profile is not normalised.
func DecodeSubmission(m Message) (Submission, []Fault) {
	e, faults := decodeEnvelope(m)
	s := Submission{Envelope: e, Sequence: m.Sequence, Stored: m.Time}
	s.Control = strings.HasPrefix(m.Subject, Control+".")
	s.Quiet = s.Control && first(m.Header, HeaderQuiet) == "1"

	id, err := SubjectID(m.Subject)
	if err != nil {
		faults = append(faults, Fault{Code: profile.CodeBadForm, Message: err.Error()})
	}
	s.ID = id
	if id != "" && e.Subject != "" && e.Subject != string(id) {
		faults = append(faults, Fault{Code: CodeMismatch, Message: fmt.Sprintf(
			"the event's subject is %q, it was published for %q", shorten(e.Subject), id)})
	}
	switch {
	case slices.Contains(submissionTypes, e.Type):
		faults = append(faults, s.read()...)
	case e.Type != "": // a missing type is reported with the envelope
		faults = append(faults, Fault{Code: CodeUnknownType, Message: fmt.Sprintf(
			"the event's type is %q, it must be one of %s", shorten(e.Type), strings.Join(submissionTypes, ", "))})
	}
	return s, few(profile.SortFaults(faults))
}

// MaxFaults is how many faults are reported of one submission; more than that
// is no mistake but noise, and the report has to fit into a message.
const MaxFaults = 100

func few(faults []Fault) []Fault {
	if len(faults) <= MaxFaults {
		return faults
	}
	more := Fault{Code: profile.CodeTooMany, Message: fmt.Sprintf("there are %d faults more", len(faults)-MaxFaults+1)}
	return append([]Fault{more}, faults[:MaxFaults-1]...)
}

// read decodes the data into s and returns everything wrong with it. The checks
// of meaning run on whatever has the right shape.
func (s *Submission) read() []Fault {
	raw := s.Data
	if len(raw) == 0 {
		raw = json.RawMessage(`{}`)
	}
	tree, found := parse(raw)
	if tree == nil && len(found) > 0 {
		return report(found)
	}
	wrong, err := conform(s.Type, tree)
	if err != nil {
		return []Fault{{Code: profile.CodeBadForm, Message: "the data cannot be checked: " + err.Error()}}
	}
	lost := paths(found)
	wrong = slices.DeleteFunc(wrong, func(w located) bool { return within(w.at.String(), lost) })
	found = append(found, wrong...)
	if len(found) > 0 { // leave out what no field can hold
		for _, f := range found {
			if f.unreadable || f.code == CodeUnknownField {
				tree = remove(tree, f.at)
			}
		}
		if raw, err = json.Marshal(tree); err != nil {
			return report(found)
		}
	}
	meaning, err := s.decode(raw)
	if err != nil && len(found) == 0 {
		return []Fault{{Code: profile.CodeBadForm, Message: "the data cannot be read: " + err.Error()}}
	}
	return merge(meaning, found)
}

// decode reads data into s as far as it can be read, and returns what is wrong
// with its meaning.
func (s *Submission) decode(raw json.RawMessage) ([]Fault, error) {
	switch s.Type {
	case TypeDrafted, TypeSubmitted:
		var p profile.Profile
		err := json.Unmarshal(raw, &p)
		s.Profile = &p
		faults := p.Validate()
		if _, bad := profile.ParseID(string(p.ID)); bad == nil && s.ID != "" && p.ID != s.ID {
			faults = append(faults, Fault{Path: "/id", Code: CodeMismatch, Message: fmt.Sprintf(
				"the profile's id is %s, it was published for %s", p.ID, s.ID)})
		}
		return faults, err
	case TypeRenewed:
		err := json.Unmarshal(raw, &s.Renewal)
		if !profile.ValidYear(s.Renewal.ValidUntil) {
			return []Fault{{Path: "/valid_until", Code: profile.CodeOutOfRange, Message: "the year cannot be meant"}}, err
		}
		return nil, err
	}
	return nil, nil
}

// merge joins what the meaning and what the shape of the data have against
// them: of what both say, the meaning's words; nothing on the meaning of what
// could not be read; and no complaint on the form of what has a better one.
func merge(meaning []Fault, found []located) []Fault {
	lost := paths(found)
	faults := slices.DeleteFunc(meaning, func(f Fault) bool { return within(f.Path, lost) })
	said := make(map[[2]string]bool)
	better := make(map[string]bool)
	for _, f := range faults {
		said[[2]string{f.Path, f.Code}] = true
		better[f.Path] = true
	}
	for _, f := range report(found) {
		if said[[2]string{f.Path, f.Code}] || f.Code == profile.CodeBadForm && better[f.Path] {
			continue
		}
		faults = append(faults, f)
	}
	return faults
}

// paths returns where nothing could be read.
func paths(found []located) map[string]bool {
	lost := make(map[string]bool)
	for _, f := range found {
		if f.unreadable {
			lost[f.at.String()] = true
		}
	}
	return lost
}

// within reports whether path is one of paths, or below one.
func within(path string, paths map[string]bool) bool {
	for {
		if paths[path] {
			return true
		}
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return false
		}
		path = path[:i]
	}
}

// report returns found as faults; the parser's come first.
func report(found []located) []Fault {
	faults := make([]Fault, len(found))
	for i, f := range found {
		faults[i] = Fault{Path: f.at.String(), Code: f.code, Message: f.text}
	}
	return faults
}
