package schemas_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"kobling/internal/event"
	"kobling/schemas"
)

// base is where the compiler thinks the files are.
const base = "schemas:///"

type loader struct{}

func (loader) Load(url string) (any, error) {
	return read(strings.TrimPrefix(url, base))
}

// read returns the JSON value in the embedded file name.
func read(name string) (any, error) {
	b, err := schemas.FS.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(b))
}

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{"schemas": loader{}})
	s, err := c.Compile(base + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// schemaOf names the schema of the data of an event: the type's own name.
func schemaOf(eventType string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(eventType, "kobling."), "profile."), ".v1")
	return strings.ReplaceAll(name, ".", "-") + ".json"
}

// eventTypes are all of them.
var eventTypes = []string{
	event.TypeDrafted, event.TypeSubmitted, event.TypePaused, event.TypeResumed, event.TypeRenewed, event.TypeWithdrawn,
	event.TypeRevised, event.TypeRejected, event.TypeSuggestion,
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := fs.Glob(schemas.FS, pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(names), err)
	}
	return names
}

// decoded is a structured event as an example file has it.
type decoded struct {
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Data    json.RawMessage `json:"data"`
}

func TestExamplesConformToTheirSchemas(t *testing.T) {
	t.Parallel()
	envelope := compile(t, "envelope.json")
	count := make(map[string]int)
	for _, name := range files(t, "examples/*.json") {
		value, err := read(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := envelope.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		object, _ := value.(map[string]any)
		eventType, _ := object["type"].(string)
		schema := schemaOf(eventType)
		count[schema]++
		if data, ok := object["data"]; ok {
			if err := compile(t, schema).Validate(data); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if want := strings.TrimSuffix(schema, ".json"); !strings.HasPrefix(path.Base(name), want) {
			t.Errorf("%s holds an event of type %s: its name must begin with %s", name, eventType, want)
		}
	}
	for _, eventType := range eventTypes {
		if n := count[schemaOf(eventType)]; n < 2 {
			t.Errorf("%s has %d examples, want at least 2", eventType, n)
		}
	}
}

func TestExamplesSurviveTheGoTypes(t *testing.T) {
	t.Parallel()
	for _, name := range files(t, "examples/*.json") {
		t.Run(path.Base(name), func(t *testing.T) {
			t.Parallel()
			raw, err := schemas.FS.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var d decoded
			if err := json.Unmarshal(raw, &d); err != nil {
				t.Fatal(err)
			}
			again, err := throughGo(raw, d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(value(t, raw), value(t, again)); diff != "" {
				t.Errorf("decoded and encoded (-want +got):\n%s", diff)
			}
		})
	}
}

// throughGo decodes an example into the Go types and encodes those.
func throughGo(raw []byte, d decoded) ([]byte, error) {
	switch d.Type {
	case event.TypeRevised:
		return revised(raw, d)
	case event.TypeRejected:
		var r event.Rejection
		if err := json.Unmarshal(d.Data, &r); err != nil {
			return nil, err
		}
		m, err := event.NewRejected(r)
		return restructured(m, err)
	case event.TypeSuggestion:
		e, err := event.Decode(event.Message{Data: raw})
		if err != nil {
			return nil, err
		}
		var s event.SuggestionCreated
		if err := json.Unmarshal(e.Data, &s); err != nil {
			return nil, err
		}
		m, err := event.NewSuggestionCreated(e.ID, e.Time, s)
		return m.Data, err
	default:
		return submitted(raw, d)
	}
}

func submitted(raw []byte, d decoded) ([]byte, error) {
	s, faults := event.DecodeSubmission(event.Message{Subject: "intake." + d.Subject, Data: raw})
	if faults != nil {
		return nil, fmt.Errorf("refused: %v", faults)
	}
	e := s.Envelope
	var err error
	switch {
	case s.Profile != nil:
		e.Data, err = json.Marshal(s.Profile)
	case !s.Renewal.ValidUntil.IsZero():
		e.Data, err = json.Marshal(s.Renewal)
	}
	return e.Structured("").Data, err
}

func revised(raw []byte, d decoded) ([]byte, error) {
	var head struct {
		Revision int    `json:"revision"`
		Status   string `json:"status"`
	}
	if err := json.Unmarshal(d.Data, &head); err != nil {
		return nil, err
	}
	e, err := event.Decode(event.Message{Data: raw})
	if err != nil {
		return nil, err
	}
	m := e.Binary("profiles." + d.Subject)
	m.Header[event.HeaderIntakeSeq] = []string{e.ID[strings.LastIndexByte(e.ID, '-')+1:]}
	m.Header[event.HeaderRevision] = []string{strconv.Itoa(head.Revision)}
	m.Header[event.HeaderStatus] = []string{head.Status}
	r, err := event.DecodeRevision(m)
	if err != nil {
		return nil, err
	}
	p := *r.Profile
	p.Normalise()
	if diff := cmp.Diff(*r.Profile, p); diff != "" {
		return nil, fmt.Errorf("the example is not normalised:\n%s", diff)
	}
	m, err = event.EncodeRevision(r)
	return restructured(m, err)
}

// restructured returns the event in m as the structured mode has it.
func restructured(m event.Message, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	e, err := event.Decode(m)
	return e.Structured("").Data, err
}

func value(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestInvalidExamplesHaveTheFaultsTheyName(t *testing.T) {
	t.Parallel()
	type place struct {
		Path string `json:"path"`
		Code string `json:"code"`
	}
	for _, name := range files(t, "examples/invalid/*.json") {
		t.Run(path.Base(name), func(t *testing.T) {
			t.Parallel()
			raw, err := schemas.FS.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var example struct {
				Subject string          `json:"subject"`
				Event   json.RawMessage `json:"event"`
				Faults  []place         `json:"faults"`
			}
			if err := json.Unmarshal(raw, &example); err != nil {
				t.Fatal(err)
			}
			_, faults := event.DecodeSubmission(event.Message{Subject: example.Subject, Data: example.Event})
			var got []place
			for _, f := range faults {
				got = append(got, place{f.Path, f.Code})
			}
			if diff := cmp.Diff(example.Faults, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s\n%v", diff, faults)
			}
		})
	}
}
