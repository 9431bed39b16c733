package schemas_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"kobling/internal/api"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/schemas"
)

// metaSchema comes with npm ci; it is not committed.
const metaSchema = "node_modules/@asyncapi/specs/schemas/3.0.0.json"

// asyncAPI returns asyncapi.yaml as a JSON value.
func asyncAPI(t *testing.T) map[string]any {
	t.Helper()
	raw, err := schemas.FS.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	raw, err = yaml.YAMLToJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		t.Fatal("asyncapi.yaml is no object")
	}
	return object
}

// dig returns what a path of names leads to; nil if it leads nowhere.
func dig(v any, path ...string) any {
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

func TestAsyncAPIConformsToItsMetaSchema(t *testing.T) {
	t.Parallel()
	f, err := os.Open(metaSchema)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("schemas/%s is missing: run make schemas/node_modules", metaSchema)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	meta, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // everything is in the one file
	const url = "http://asyncapi.com/definitions/3.0.0/asyncapi.json"
	if err := c.AddResource(url, meta); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	doc := asyncAPI(t)
	if err := s.Validate(doc); err != nil {
		t.Errorf("asyncapi.yaml: %v", err)
	}
	// The check must be able to fail.
	doc["channels"] = []any{}
	if s.Validate(doc) == nil {
		t.Error("a list of channels was accepted: the meta-schema checks nothing")
	}
}

func TestChannelsAreTheSubjectsOfTheCode(t *testing.T) {
	t.Parallel()
	const identity = ".{kind}.{organisation}.{profile}"
	want := map[string]string{
		"intake":            event.Intake + identity,
		"control":           event.Control + identity,
		"profiles":          event.Profiles + identity,
		"rejections":        event.Rejections + identity,
		"suggestionCreated": event.SubjectSuggestionCreated,
	}
	for _, op := range []string{
		api.OpStatus, api.OpReceipt, api.OpSuggestions, api.OpSearch, api.OpExplain, api.OpSubscribe, api.OpSubscriptions,
		api.OpUnsubscribe, api.OpUnknown, api.OpIndex, api.OpDeadLetters, api.OpDeadLetter, api.OpRetry, api.OpDrop, api.OpRematch,
	} {
		want[op] = event.API + "." + op
	}
	got := make(map[string]string)
	channels, _ := dig(asyncAPI(t), "channels").(map[string]any)
	for name, channel := range channels {
		got[name], _ = dig(channel, "address").(string)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("channels (-code +asyncapi.yaml):\n%s", diff)
	}

	kinds, _ := dig(asyncAPI(t), "components", "parameters", "kind", "enum").([]any)
	var gotKinds []string
	for _, k := range kinds {
		s, _ := k.(string)
		gotKinds = append(gotKinds, s)
	}
	if diff := cmp.Diff(names(profile.Kinds), gotKinds); diff != "" {
		t.Errorf("kinds (-code +asyncapi.yaml):\n%s", diff)
	}
}

func TestMessagesAreTheEventsOfTheCode(t *testing.T) {
	t.Parallel()
	doc := asyncAPI(t)
	var got []string
	messages, _ := dig(doc, "components", "messages").(map[string]any)
	for _, message := range messages {
		eventType, ok := dig(message, "name").(string)
		if !ok {
			continue // of the API
		}
		got = append(got, eventType)
		schema := dig(message, "payload", "schema", "$ref")
		if schema != nil && schema != "./"+schemaOf(eventType) && schema != "./envelope.json" {
			t.Errorf("%s has the schema %v", eventType, schema)
		}
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(eventTypes))
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("events (-code +asyncapi.yaml):\n%s", diff)
	}

	headers, _ := dig(doc, "components", "messageTraits", "canonical", "headers", "properties").(map[string]any)
	for _, h := range []string{event.HeaderIntakeSeq, event.HeaderRevision, event.HeaderStatus, event.HeaderQuiet} {
		if headers[h] == nil {
			t.Errorf("the header %s is not described", h)
		}
	}
}

func TestEveryReferenceLeadsSomewhere(t *testing.T) {
	t.Parallel()
	doc := asyncAPI(t)
	var walk func(v any, at string)
	walk = func(v any, at string) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item, at+"/-")
			}
		case map[string]any:
			for name, item := range v {
				walk(item, at+"/"+name)
			}
			ref, ok := v["$ref"].(string)
			if !ok {
				return
			}
			file, pointer, _ := strings.Cut(ref, "#")
			target := any(doc)
			if file != "" {
				var err error
				if target, err = read(strings.TrimPrefix(file, "./")); err != nil {
					t.Errorf("%s: %v", at, err)
					return
				}
			}
			if pointer != "" && dig(target, strings.Split(strings.TrimPrefix(pointer, "/"), "/")...) == nil {
				t.Errorf("%s: %s leads nowhere", at, ref)
			}
		}
	}
	walk(doc, "")
}

func TestTheLockFileNamesNoRegistry(t *testing.T) {
	t.Parallel()
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{`"resolved"`, "http:", "https:"} {
		if bytes.Contains(lock, []byte(s)) {
			t.Errorf("package-lock.json contains %s: keep omit-lockfile-registry-resolved in .npmrc", s)
		}
	}
}
