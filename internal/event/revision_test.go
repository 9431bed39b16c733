package event_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

func revision(status profile.Status) event.Revision {
	r := event.Revision{
		ID: "need.acme.1", IntakeSeq: 17, Revision: 3, Status: status, Quiet: true,
		Time: time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC),
	}
	if status != profile.Withdrawn {
		r.Profile = &profile.Profile{
			Organisation: profile.Organisation{Name: "Acme ApS", Type: profile.SME},
			Texts:        []profile.Text{{Lang: "da", Title: "Faldsensor <50 g"}},
		}
	}
	return r
}

func encode(t *testing.T, r event.Revision) event.Message {
	t.Helper()
	m, err := event.EncodeRevision(r)
	if err != nil {
		t.Fatal(err)
	}
	m.Sequence = 99
	return m
}

func TestARevisionIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, status := range []profile.Status{profile.Published, profile.Paused, profile.Withdrawn} {
		m := encode(t, revision(status))
		got, err := event.DecodeRevision(m)
		if err != nil {
			t.Fatal(err)
		}
		want := revision(status)
		want.Seq = 99
		if want.Profile != nil {
			want.Profile.ID, want.Profile.Revision, want.Profile.Status = want.ID, want.Revision, want.Status
			want.Raw = m.Data
		} else if len(m.Data) != 0 {
			t.Errorf("%s: the tombstone has a body: %s", status, m.Data)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", status, diff)
		}
		if got.Tombstone() != (status == profile.Withdrawn) {
			t.Errorf("%s: tombstone is %t", status, got.Tombstone())
		}
		if m.Subject != "profiles.need.acme.1" || got.MessageID() != "need.acme.1-17" {
			t.Errorf("subject %s, message id %s", m.Subject, got.MessageID())
		}
	}
}

func TestADamagedRevisionIsPoison(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*event.Message){
		"subject":             func(m *event.Message) { m.Subject = "profiles.wish.acme.1" },
		"another's subject":   func(m *event.Message) { m.Subject = "profiles.need.acme.2" },
		"no intake sequence":  func(m *event.Message) { delete(m.Header, event.HeaderIntakeSeq) },
		"zero revision":       func(m *event.Message) { m.Header[event.HeaderRevision] = []string{"0"} },
		"other revision":      func(m *event.Message) { m.Header[event.HeaderRevision] = []string{"4"} },
		"other status":        func(m *event.Message) { m.Header[event.HeaderStatus] = []string{"paused"} },
		"false tombstone":     func(m *event.Message) { m.Header[event.HeaderStatus] = []string{"withdrawn"} },
		"no status":           func(m *event.Message) { delete(m.Header, event.HeaderStatus) },
		"another type":        func(m *event.Message) { m.Header["ce-type"] = []string{event.TypeSubmitted} },
		"not an event":        func(m *event.Message) { delete(m.Header, "ce-specversion"); delete(m.Header, "ce-type") },
		"not JSON":            func(m *event.Message) { m.Data = m.Data[:20] },
		"no body":             func(m *event.Message) { m.Data = nil },
		"a field's type":      func(m *event.Message) { m.Data = []byte(`{"id":"need.acme.1","texts":1}`) },
		"random bytes":        func(m *event.Message) { m.Data = []byte{0xff, 0, 1} },
		"headers are missing": func(m *event.Message) { m.Header = nil },
	} {
		m := encode(t, revision(profile.Published))
		damage(&m)
		if _, err := event.DecodeRevision(m); !errors.Is(err, fault.ErrPoison) {
			t.Errorf("%s: error %v, want poison", name, err)
		}
	}
}

func TestFieldsOfALaterVersionAreIgnored(t *testing.T) {
	t.Parallel()
	m := encode(t, revision(profile.Published))
	m.Data = append([]byte(`{"later":{"x":1},`), m.Data[1:]...)
	if _, err := event.DecodeRevision(m); err != nil {
		t.Error(err)
	}
}

func TestARevisionNeedsAProfileThatJSONCanHold(t *testing.T) {
	t.Parallel()
	r := revision(profile.Published)
	r.Profile.Deadline = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := event.EncodeRevision(r); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("error %v, want invalid", err)
	}
	r.Profile = nil
	if _, err := event.EncodeRevision(r); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("error %v, want invalid", err)
	}
}

func TestOutcomesAreEvents(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC)
	rejection := event.Rejection{
		ProfileID: "need.acme.1", IntakeSeq: 17, EventID: "e1", At: at,
		Faults: []event.Fault{{Path: "/trl/max", Code: profile.CodeOutOfRange, Message: "too high"}},
	}
	rejected, err := event.NewRejected(rejection)
	if err != nil {
		t.Fatal(err)
	}
	pair := event.SuggestionCreated{DemandID: "need.acme.1", SupplyID: "offer.sdu.2", Score: 0.75, Band: suggestion.Strong}
	created, err := event.NewSuggestionCreated("id-1", at, pair)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		m                      event.Message
		subject, id, eventType string
		want, got              any
	}{
		{rejected, "rejections.need.acme.1", "need.acme.1-17-rejected", event.TypeRejected, &rejection, new(event.Rejection)},
		{created, "events.suggestion.created", "id-1", event.TypeSuggestion, &pair, new(event.SuggestionCreated)},
	} {
		e, err := event.Decode(tt.m)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(e.Data, tt.got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.eventType, diff)
		}
		if tt.m.Subject != tt.subject || e.ID != tt.id || e.Type != tt.eventType || e.Subject != "need.acme.1" || !e.Time.Equal(at) {
			t.Errorf("%s on %s: %+v", tt.eventType, tt.m.Subject, e)
		}
	}
}

// FuzzDecodeRevision: whatever lies on PROFILES is read or refused as poison, and
// what is read can be written and read again.
func FuzzDecodeRevision(f *testing.F) {
	for _, r := range []event.Revision{
		{ID: "need.acme.1", IntakeSeq: 3, Revision: 2, Status: profile.Published, Profile: &profile.Profile{ID: "need.acme.1"}},
		{ID: "offer.acme.1", IntakeSeq: 3, Revision: 2, Status: profile.Withdrawn, Quiet: true},
	} {
		m, err := event.EncodeRevision(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.Subject, "3", "2", string(r.Status), m.Header["ce-type"][0], m.Data)
		f.Add("profiles.need.acme.2", "0", "18446744073709551616", "x", event.TypeRevised, m.Data)
	}
	f.Fuzz(func(t *testing.T, subject, intakeSeq, revision, status, eventType string, data []byte) {
		m := event.Envelope{ID: "1", Source: "/", Type: eventType, Data: data}.Binary(subject)
		m.Header[event.HeaderIntakeSeq], m.Header[event.HeaderRevision] = []string{intakeSeq}, []string{revision}
		m.Header[event.HeaderStatus] = []string{status}
		r, err := event.DecodeRevision(m)
		if err != nil {
			if !errors.Is(err, fault.ErrPoison) {
				t.Errorf("DecodeRevision = %v, want poison", err)
			}
			return
		}
		again, err := event.EncodeRevision(r)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := event.DecodeRevision(again)
		if err != nil || back.ID != r.ID || back.IntakeSeq != r.IntakeSeq || back.Revision != r.Revision || back.Status != r.Status || (back.Profile == nil) != (r.Profile == nil) {
			t.Errorf("read %+v and then %+v, %v", r, back, err)
		}
	})
}
