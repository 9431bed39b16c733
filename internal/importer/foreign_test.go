package importer_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"kobling/internal/event"
	"kobling/internal/importer"
	"kobling/internal/profile"
)

// research maps records of a project register.
var research = importer.Mapping{
	Set:  map[string]string{"kind": "offer", "organisation.type": "university", "organisation.name": "KTH"},
	From: map[string]string{"local": "_id", "texts.sv.title": "title", "texts.sv.description": "abstract+aim", "valid_until": "end"},
}

func one(t *testing.T, text string, f importer.Format, m importer.Mapping) (importer.Record, profile.Profile) {
	t.Helper()
	all := read(t, text, f, m)
	if len(all) != 1 {
		t.Fatalf("%d records, want 1", len(all))
	}
	var p profile.Profile
	if len(all[0].Faults) == 0 {
		if err := json.Unmarshal(all[0].Data, &p); err != nil {
			t.Fatal(err)
		}
	}
	return all[0], p
}

func TestANumberAsIDStaysAsItIsWritten(t *testing.T) {
	t.Parallel()
	r, _ := one(t, `{"_id": 12345678901234567890, "title": "Antenner"}`, importer.JSONLines, research)
	if r.ID != "offer.KTH.12345678901234567890" {
		t.Errorf("id = %s, %v", r.ID, r.Faults)
	}
}

func TestADayOfValidUntilIsTheLastOne(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"2027-12-31": "2028-01-01T00:00:00Z", "2027-12-31T12:00:00Z": "2027-12-31T12:00:00Z"} {
		r, p := one(t, `{"_id": "1", "title": "Antenner", "end": "`+in+`"}`, importer.JSONLines, research)
		if p.ValidUntil.Format("2006-01-02T15:04:05Z07:00") != want {
			t.Errorf("valid until %v for %s, want %s (%v)", p.ValidUntil, in, want, r.Faults)
		}
	}
	if r, _ := one(t, `{"_id": "1", "title": "Antenner", "end": "2027-13-31"}`, importer.JSONLines, research); len(r.Faults) != 1 || r.Faults[0].Path != "/valid_until" {
		t.Errorf("a month 13 has faults %+v", r.Faults)
	}
}

func TestWhatIsNoTextIsAFaultOfItsField(t *testing.T) {
	t.Parallel()
	for body, says := range map[string]string{
		`{"_id": "1", "title": {"sv": "Antenner"}}`:                `"title" is an object`,
		`{"_id": "1", "title": "A", "aim": ["x", {"y": 1}]}`:       `"aim" is a list in which something is an object`,
		`{"_id": "1", "title": "A", "abstract": [["x"], null, 7]}`: "",
		`null`:          "it is null",
		`["a"]`:         "not a JSON object",
		`{"_id":"1"} 2`: "more follows",
	} {
		r, _ := one(t, body, importer.JSONLines, research)
		if got := fmt.Sprint(r.Faults); (says == "") != (len(r.Faults) == 0) || !strings.Contains(got, says) {
			t.Errorf("%s: faults %s, want %q", body, got, says)
		}
	}
}

func TestTextsOfWholeProfilesAreClippedToo(t *testing.T) {
	t.Parallel()
	long := strings.Replace(good, "Fallsensor", strings.Repeat("ø", profile.MaxTitle+1), 1)
	if r, _ := one(t, long, importer.JSONLines, importer.Mapping{}); len(r.Faults) != 1 || r.Clipped != 0 {
		t.Errorf("without clip: faults %+v", r.Faults)
	}
	r, p := one(t, long, importer.JSONLines, importer.Mapping{Clip: true})
	if len(r.Faults) != 0 || r.Clipped != 1 || len([]rune(p.Texts[0].Title)) != profile.MaxTitle {
		t.Errorf("with clip: %d clipped, faults %+v, title %q", r.Clipped, r.Faults, p.Texts)
	}
	if r, _ := one(t, good, importer.JSONLines, importer.Mapping{Clip: true}); string(r.Data) != good || r.Clipped != 0 {
		t.Errorf("nothing to clip, and yet %s", r.Data)
	}
	if r, _ := one(t, "not json", importer.JSONLines, importer.Mapping{Clip: true}); len(r.Faults) != 1 {
		t.Errorf("no JSON has faults %+v", r.Faults)
	}
}

// TestARecordThatNoMessageHoldsIsRefusedAtOnce: it must not be found when half
// of the file is published.
func TestARecordThatNoMessageHoldsIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for size, fits := range map[int]bool{event.MaxData - 5<<10: true, event.MaxData - 1: false, event.MaxData + 1: false} {
		r, _ := one(t, strings.Replace(good, "{", "{"+strings.Repeat(" ", size-len(good)), 1), importer.JSONLines, importer.Mapping{})
		if got := len(r.Faults) == 0; got != fits || (!fits && r.Faults[0].Code != event.CodeTooLarge) {
			t.Errorf("%d bytes: faults %+v", size, r.Faults)
		}
	}
}

func TestAFileThatIsNoneIsNamed(t *testing.T) {
	t.Parallel()
	named := importer.Mapping{From: map[string]string{"local": "id", "org": "org", "texts.da.title": "titel+titel2"}}
	for _, tt := range []struct {
		text, says string
		f          importer.Format
		m          importer.Mapping
	}{
		{"", "the file is empty", importer.CSV, importer.Mapping{}},
		{"kind,org\n\"dtu\n", "line 2", importer.CSV, importer.Mapping{}}, // a quote that is never closed
		{"\"kind\n", "line 1", importer.CSV, importer.Mapping{}},
		{"kind,local,kind\n", `2 columns "kind"`, importer.CSV, importer.Mapping{}},
		{"id;org;titel\n", `no column "titel2"; the columns are id, org, titel`, importer.CSV, named},
		{strings.Repeat("x", importer.MaxRecord+1), "line 1 is longer", importer.JSONLines, importer.Mapping{}},
		{"", "jsonl, csv", "xml", importer.Mapping{}},
	} {
		err := importer.Read(strings.NewReader(tt.text), tt.f, tt.m, func(importer.Record) error { return nil })
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%.30q: %v, want %q", tt.text, err, tt.says)
		}
	}
	if got := read(t, " id ; org ; titel;titel2\n1;dtu;Fald;Sensor\n", importer.CSV, named); len(got) != 1 || !strings.Contains(string(got[0].Data), `Fald\n\nSensor`) {
		t.Errorf("blanks around the names of columns: %+v", got)
	}
}
