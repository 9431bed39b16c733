package event_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/event"
	"kobling/internal/profile"
)

// need is a profile that is accepted.
const need = `{
	"id": "need.acme.1",
	"organisation": {"name": "Acme ApS", "type": "sme", "identifiers": [{"scheme": "cvr", "value": "28693222"}]},
	"texts": [{"lang": "da", "title": "Faldsensor"}],
	"trl": {"min": 4, "max": 7}
}`

// structured returns a structured event without headers, as "nats pub" sends it.
func structured(subject, eventType, data string) event.Message {
	return event.Message{
		Subject:  subject,
		Sequence: 17,
		Time:     time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC),
		Data: fmt.Appendf(nil, `{"specversion": "1.0", "id": "e1", "source": "/acme", "type": %q, "data": %s}`,
			eventType, data),
	}
}

// codes returns "path code" of each fault.
func codes(faults []event.Fault) []string {
	var s []string
	for _, f := range faults {
		s = append(s, f.Path+" "+f.Code)
	}
	return s
}

func TestOneRejectionNamesEveryFault(t *testing.T) {
	t.Parallel()
	data := strings.NewReplacer(
		"28693222", "13585627", // wrong check digit
		"Faldsensor", strings.Repeat("x", 8192),
		`"max": 7`, `"max": 12`,
		`"trl"`, `"colour": "blue", "trl"`,
	).Replace(need)
	_, faults := event.DecodeSubmission(structured("intake.need.acme.1", event.TypeSubmitted, data))
	want := []event.Fault{
		{Path: "/colour", Code: "unknown_field", Message: `there is no field "colour" here`},
		{
			Path: "/organisation/identifiers/0/value", Code: "bad_identifier",
			Message: "the check digits of this cvr number are wrong: is there a typing error?",
		},
		{Path: "/texts/0/title", Code: "too_long", Message: "the title has 8192 characters, the limit is 256"},
		{Path: "/trl/max", Code: "out_of_range", Message: "the technology readiness level is 12, it must be 1 to 9"},
	}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Errorf("DecodeSubmission (-want +got):\n%s", diff)
	}
}

func TestASubmissionIsRead(t *testing.T) {
	t.Parallel()
	s, faults := event.DecodeSubmission(structured("intake.need.acme.1", event.TypeSubmitted, need))
	if faults != nil {
		t.Fatal(faults)
	}
	if s.ID != "need.acme.1" || s.Envelope.ID != "e1" || s.Sequence != 17 || s.Stored.IsZero() || s.Control {
		t.Errorf("submission = %+v", s)
	}
	want := &profile.Profile{
		ID: "need.acme.1",
		Organisation: profile.Organisation{
			Name: "Acme ApS", Type: profile.SME,
			Identifiers: []profile.Identifier{{Scheme: profile.CVR, Value: "28693222"}},
		},
		Texts: []profile.Text{{Lang: "da", Title: "Faldsensor"}},
		TRL:   &profile.TRL{Min: 4, Max: 7},
	}
	if diff := cmp.Diff(want, s.Profile); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}

	s, faults = event.DecodeSubmission(structured("intake.need.acme.1", event.TypeRenewed, `{"valid_until": "2027-01-01T00:00:00Z"}`))
	if faults != nil || !s.Renewal.ValidUntil.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) || s.Profile != nil {
		t.Errorf("renewal = %+v, faults %v", s.Renewal, faults)
	}
}

func TestOnlyTheServiceCanBeQuiet(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]bool{"control.need.acme.1": true, "intake.need.acme.1": false} {
		m := structured(subject, event.TypeSubmitted, need)
		m.Header = map[string][]string{event.HeaderQuiet: {"1"}}
		s, faults := event.DecodeSubmission(m)
		if faults != nil || s.Quiet != want || s.Control != want {
			t.Errorf("%s: quiet %t, control %t, faults %v; want %t", subject, s.Quiet, s.Control, faults, want)
		}
	}
}

func TestSubmissionsAreRefusedForWhatIsWrongWithThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, subject, eventType, data string
		want                           string // "path code", comma-separated
	}{
		{"not a profile's subject", "intake.wish.acme.1", event.TypeSubmitted, need, " bad_form"},
		{"body of another", "intake.need.acme.2", event.TypeSubmitted, need, "/id mismatch"},
		{"said twice", "intake.need.acme.1", event.TypeSubmitted, strings.Replace(need, `"trl"`, `"id": "need.acme.1", "trl"`, 1), "/id duplicate"},
		{"capital letters", "intake.need.acme.1", event.TypeSubmitted, strings.Replace(need, `"trl"`, `"TRL"`, 1), "/TRL unknown_field"},
		{"canonical type", "intake.need.acme.1", event.TypeRevised, need, " unknown_type"},
		{"null in a list", "intake.need.acme.1", event.TypeSubmitted, strings.Replace(need, `[{"lang"`, `[null, {"lang"`, 1), "/texts/0 wrong_type"},
		{"huge exponent", "intake.need.acme.1", event.TypeSubmitted, strings.Replace(need, `7}`, `1e999999999}`, 1), "/trl/max bad_form"},
		{"nested", "intake.need.acme.1", event.TypeSubmitted, strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40), " not_json"},
		{"long name", "intake.need.acme.1", event.TypeSubmitted, strings.Replace(need, `"trl"`, `"`+strings.Repeat("y", 5000)+`": 1, "trl"`, 1), "/" + strings.Repeat("y", 40) + "… unknown_field"},
		{"slash in a name", "intake.need.acme.1", event.TypeSubmitted, strings.Replace(need, `"trl"`, `"a/b~": 1, "trl"`, 1), "/a~1b~0 unknown_field"},
		{"far future", "intake.need.acme.1", event.TypeRenewed, `{"valid_until": "9999-01-01T00:00:00Z"}`, "/valid_until out_of_range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, faults := event.DecodeSubmission(structured(tt.subject, tt.eventType, tt.data))
			if got := strings.Join(codes(faults), ","); got != tt.want {
				t.Errorf("faults %q, want %q\n%v", got, tt.want, faults)
			}
		})
	}
}

func TestAFloodOfFaultsIsCutShort(t *testing.T) {
	t.Parallel()
	var fields []string
	for i := range 5000 {
		fields = append(fields, fmt.Sprintf(`"x%d": 1`, i))
	}
	_, faults := event.DecodeSubmission(structured("intake.need.acme.1", event.TypeSubmitted, `{`+strings.Join(fields, ",")+`}`))
	if len(faults) != event.MaxFaults || faults[0].Message != "there are 4904 faults more" {
		t.Errorf("%d faults, the first %v", len(faults), faults[0])
	}
}

func FuzzDecodeSubmission(f *testing.F) {
	f.Add("intake.need.acme.1", event.TypeSubmitted, []byte(need))
	f.Add("intake.need.acme.1", event.TypeSubmitted, []byte(`{"texts": [{"title": 1}], "trl": {"min": 1.0, "max": 1e2}, "x": null}`))
	f.Add("control.offer.acme.1", event.TypeRenewed, []byte(`{"valid_until": "2027-01-01T00:00:00Z"}`))
	f.Add("intake.need.acme.1", event.TypeWithdrawn, []byte(``))
	f.Add("intake", "x", []byte(`{"specversion":"1.0","data":[]}`))
	f.Fuzz(func(t *testing.T, subject, eventType string, data []byte) {
		s, faults := event.DecodeSubmission(event.Envelope{ID: "1", Source: "/", Type: eventType, Data: data}.Binary(subject))
		for _, fault := range faults {
			if fault.Code == "" || fault.Message == "" {
				t.Errorf("a fault without code or words: %+v", fault)
			}
		}
		if len(faults) > event.MaxFaults {
			t.Errorf("%d faults", len(faults))
		}
		if faults != nil || s.Profile == nil {
			return
		}
		// What is accepted can be normalised, published and read again.
		s.Profile.Normalise()
		if again := s.Profile.Validate(); again != nil {
			t.Fatalf("accepted, but not when normalised: %v", again)
		}
		m, err := event.EncodeRevision(event.Revision{ID: s.ID, IntakeSeq: 1, Revision: 1, Status: profile.Published, Profile: s.Profile})
		if err != nil {
			t.Fatal(err)
		}
		back, err := event.DecodeRevision(m)
		if err != nil {
			t.Fatal(err)
		}
		s.Profile.Revision, s.Profile.Status = 1, profile.Published
		want, err := json.Marshal(s.Profile)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(back.Profile)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("published and read again (-want +got):\n%s", diff)
		}
	})
}
