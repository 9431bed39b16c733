package importer_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"kobling/internal/event"
	"kobling/internal/importer"
	"kobling/internal/profile"
)

// FuzzRead reads any file under any mapping. What has no faults is a profile that
// intake takes, under the id that was told; lines only go up.
func FuzzRead(f *testing.F) {
	f.Add(good, true, "", "", "", false)
	f.Add(good+"\n\n{\n[1]\nnull\n{\"id\":7}", true, "", "", "", true)
	f.Add(`{"id":1,"t":"a","more":["b",{"c":null}],"u":"2027-01-01"}`, true, "texts.en.title", "t+more", "need", true)
	f.Add(`{"id":1e99,"t":"a"}`, true, "valid_until", "u", "need", false)
	f.Add("kind,org,local,organisation.name,texts.da.title\nneed,a,b,c,d\n", false, "", "", "", false)
	f.Add("\ufeffid;t;t\n\"1\n;2\";a\n\n3\n", false, "texts.da.title", "t", "offer", true)
	f.Add("kind,org\n\"dtu\n", false, "", "", "", false)
	f.Add("kind\r\"", false, "trl.min", "kind", "", false)
	f.Fuzz(func(t *testing.T, text string, lines bool, field, source, kind string, clip bool) {
		format, m := importer.CSV, importer.Mapping{Clip: clip}
		if lines {
			format = importer.JSONLines
		}
		if field != "" {
			m.Set = map[string]string{"kind": kind, "organisation.type": "sme"}
			m.From = map[string]string{"local": "id", "org": "id", field: source}
		}
		if m.Check() != nil {
			return // the command refuses it before it reads
		}
		last := 0
		err := importer.Read(strings.NewReader(text), format, m, func(r importer.Record) error {
			if r.Line <= last {
				t.Errorf("line %d comes after line %d", r.Line, last)
			}
			last = r.Line
			if len(r.Faults) > 0 {
				return nil
			}
			if !json.Valid(r.Data) {
				t.Fatalf("a record without faults is not JSON: %q", r.Data)
			}
			e := event.Envelope{ID: "1", Source: "/test", Type: event.TypeSubmitted, Data: r.Data}
			if _, faults := event.DecodeSubmission(e.Binary(event.Subject(event.Intake, r.ID))); len(faults) > 0 {
				t.Errorf("intake refuses %q: %+v", r.Data, faults)
			}
			return nil
		})
		if err == nil && format == importer.JSONLines && last > bytes.Count([]byte(text), []byte("\n"))+1 {
			t.Errorf("line %d of a file of fewer", last)
		}
	})
}

// FuzzToken: a token is always fit for an id, stays what it is, and is not lost.
func FuzzToken(f *testing.F) {
	for _, s := range []string{"", "Åbo Akademi", "日本", "a_b-C", "ﬁ", strings.Repeat("long ", 40), "\xff", "-", "İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := importer.Token(s)
		if (got == "") != (s == "") || got != "" && !profile.ValidToken(got) {
			t.Errorf("Token(%q) = %q", s, got)
		}
		if again := importer.Token(got); again != got {
			t.Errorf("Token(%q) = %q, and then %q", s, got, again)
		}
	})
}
