package event_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/event"
	"kobling/internal/fault"
)

func TestAnEventSurvivesBothModes(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-z0-9 %"/.:æøå€\n-]{0,20}[a-zé%]`)
	rapid.Check(t, func(t *rapid.T) {
		e := event.Envelope{
			ID:               word.Draw(t, "id"),
			Source:           rapid.SampledFrom([]string{"/acme", "https://acme.example/crm?x=1", "urn:x:y"}).Draw(t, "source"),
			Type:             word.Draw(t, "type"),
			Subject:          rapid.OneOf(rapid.Just(""), word).Draw(t, "subject"),
			DataContentType:  "application/json",
			ExpectedRevision: rapid.Uint64().Draw(t, "revision"),
		}
		if rapid.Bool().Draw(t, "time") {
			e.Time = time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		}
		if rapid.Bool().Draw(t, "data") {
			data, err := json.Marshal(map[string]string{"a": word.Draw(t, "data")})
			if err != nil {
				t.Fatal(err)
			}
			e.Data = data
		}
		for mode, m := range map[string]event.Message{"binary": e.Binary("intake.x"), "structured": e.Structured("intake.x")} {
			got, err := event.Decode(m)
			if err != nil {
				t.Fatalf("%s: %v", mode, err)
			}
			if diff := cmp.Diff(e, got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", mode, diff)
			}
			if m.Subject != "intake.x" {
				t.Fatalf("%s: subject %q", mode, m.Subject)
			}
		}
	})
}

func TestEventsAreUnderstoodHoweverTheyAreSpelled(t *testing.T) {
	t.Parallel()
	want := event.Envelope{
		ID: "1", Source: "/acme", Type: "t", Time: time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC),
		ExpectedRevision: 4, Data: json.RawMessage(`{"a":1}`),
	}
	object := `"specversion":"1.0","id":"1","source":"/acme","type":"t","time":"2026-09-01T08:00:00+02:00","traceparent":"x","sampled":true`
	for name, m := range map[string]event.Message{
		"binary": {
			Header: map[string][]string{
				"Ce-Specversion": {"1.0"}, "CE-ID": {"1"}, "ce-source": {"/acme"}, "ce-type": {"t"}, "Nats-Msg-Id": {"1"},
				"ce-time": {"2026-09-01T08:00:00+02:00"}, "ce-expectedrevision": {"4"}, "ce-traceparent": {"x"},
			},
			Data: []byte(`{"a":1}`),
		},
		"structured": {
			Header: map[string][]string{"Content-Type": {"application/cloudevents+json; charset=UTF-8"}},
			Data:   []byte(`{` + object + `,"expectedrevision":4,"data":{"a":1}}`),
		},
		"no headers":        {Data: []byte(` {` + object + `,"expectedrevision":"4","data":{"a":1}}`)},
		"curious structure": {Data: []byte(`{` + object + `,"expectedrevision":4,"data":null,"subject":null,"data_base64":"` + base64.StdEncoding.EncodeToString([]byte(`{"a":1}`)) + `"}`)},
	} {
		got, err := event.Decode(m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhatIsNoEventIsRefusedWithASentence(t *testing.T) {
	t.Parallel()
	headers := func(extra ...string) map[string][]string {
		h := map[string][]string{"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-source": {"/acme"}, "ce-type": {"t"}}
		for i := 0; i < len(extra); i += 2 {
			h[extra[i]] = append(h[extra[i]], extra[i+1])
		}
		return h
	}
	object := func(more string) []byte {
		return []byte(`{"specversion":"1.0","id":"1","source":"/acme","type":"t"` + more + `}`)
	}
	for want, m := range map[string]event.Message{
		"either put ce-specversion":                              {Data: []byte(`{"id":"need.acme.1","texts":[]}`)},
		"or send one JSON object":                                {Data: []byte("\x00")},
		"structured event must be one JSON":                      {Header: map[string][]string{"content-type": {"application/cloudevents+json"}}, Data: []byte(`[]`)},
		"the message has 131073 bytes, the limit is 131072":      {Data: make([]byte, event.MaxData+1)},
		"id has 257 characters":                                  {Header: headers("ce-subject", "x"), Data: nil},
		"source has 1025 characters":                             {Data: []byte(`{"specversion":"1.0","id":"1","source":"` + strings.Repeat("s", 1025) + `","type":"t"}`)},
		"header ce-id is given more than once":                   {Header: headers("ce-id", "2")},
		"header ce-type is given more than once":                 {Header: headers("CE-Type", "u")},
		`specversion is "0.3"`:                                   {Data: []byte(`{"specversion":"0.3","id":"1","source":"/","type":"t"}`)},
		"has no source":                                          {Data: []byte(`{"specversion":"1.0","id":"1","type":"t"}`)},
		"source is not a URI":                                    {Data: []byte(`{"specversion":"1.0","id":"1","source":"http://a b","type":"t"}`)},
		"id must be a text":                                      {Data: []byte(`{"specversion":"1.0","id":1,"source":"/","type":"t"}`)},
		"time must look like":                                    {Data: object(`,"time":"1.9.2026"`)},
		"expectedrevision must be a whole number":                {Data: object(`,"expectedrevision":1.5`)},
		`attribute "Colour"`:                                     {Data: object(`,"Colour":"x"`)},
		"extension must be a text, a number or a boolean":        {Data: object(`,"extension":{}`)},
		"both data and data_base64":                              {Data: object(`,"data":1,"data_base64":"MQ=="`)},
		"not base64":                                             {Data: object(`,"data_base64":"?"`)},
		"data_base64 must be a text":                             {Data: object(`,"data_base64":1`)},
		`"text/plain": only JSON is understood`:                  {Header: headers("content-type", "text/plain")},
		`"application/cloudevents-batch+json": only JSON is und`: {Header: headers("content-type", "application/cloudevents-batch+json")},
		"id is not UTF-8":                                        {Header: headers("ce-subject", "")},
	} {
		switch { // these need an attribute that the table cannot spell
		case strings.HasPrefix(want, "id has"):
			m.Header["ce-id"] = []string{strings.Repeat("æ", 257)}
		case strings.HasPrefix(want, "id is not"):
			m.Header["ce-id"] = []string{"%ff"}
		}
		_, err := event.Decode(m)
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestDataThatIsNotJSONTravelsEncoded(t *testing.T) {
	t.Parallel()
	e := event.Envelope{ID: "1", Source: "/", Type: "t", Data: []byte("\xffnot JSON")}
	got, err := event.Decode(e.Structured("x"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, got); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("ce-id", "1", []byte(`{"specversion":"1.0","id":"1","source":"/acme","type":"t","data":{"a":1}}`))
	f.Add("content-type", "application/cloudevents+json", []byte(`{"specversion":"1.0"}`))
	f.Add("Ce-Specversion", "1.0", []byte(`{"id":"need.acme.1"}`))
	f.Add("ce-type", "%41%zz", []byte{0xff})
	f.Fuzz(func(t *testing.T, name, value string, data []byte) {
		e, err := event.Decode(event.Message{Header: map[string][]string{name: {value}}, Data: data})
		if err != nil {
			if !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("error %v does not wrap ErrInvalid", err)
			}
			return
		}
		for mode, m := range map[string]event.Message{"binary": e.Binary("x"), "structured": e.Structured("x")} {
			again, err := event.Decode(m)
			if err != nil {
				t.Fatalf("%s: accepted, but not when sent on: %v", mode, err)
			}
			if again.ID != e.ID || again.Source != e.Source || again.Type != e.Type || !again.Time.Equal(e.Time) {
				t.Errorf("%s: %+v became %+v", mode, e, again)
			}
		}
	})
}
