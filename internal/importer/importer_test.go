package importer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/importer"
	"kobling/internal/profile"
)

func read(t *testing.T, text string, f importer.Format, m importer.Mapping) []importer.Record {
	t.Helper()
	var all []importer.Record
	err := importer.Read(strings.NewReader(text), f, m, func(r importer.Record) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const good = `{"id":"need.acme.fall","organisation":{"name":"Acme","type":"sme","country":"NO"},"texts":[{"lang":"nb","title":"Fallsensor"}]}`

func TestJSONLinesAreCheckedAsIntakeWill(t *testing.T) {
	t.Parallel()
	got := read(t, good+"\n\n"+`{"id":"need.acme.two","organisation":{"name":"Acme","type":"sme"},"texts":[{"lang":"nb","title":"x"}],"colour":1,"trl":{"min":12,"max":12}}`+"\nnot json\n", importer.JSONLines, importer.Mapping{})
	if len(got) != 3 || got[0].ID != "need.acme.fall" || len(got[0].Faults) != 0 {
		t.Fatalf("records = %+v", got)
	}
	if got[1].Line != 3 || len(got[1].Faults) < 2 {
		t.Errorf("line 3 has faults %+v, want the unknown field and both levels", got[1].Faults)
	}
	if got[2].Line != 4 || len(got[2].Faults) != 1 {
		t.Errorf("line 4 has faults %+v, want one", got[2].Faults)
	}
}

func TestAMappingMakesProfilesOfForeignRecords(t *testing.T) {
	t.Parallel()
	m := importer.Mapping{
		Set:  map[string]string{"kind": "offer", "organisation.type": "university", "cooperation": "research_cooperation; data_access", "trl.min": "1", "trl.max": "4"},
		From: map[string]string{"local": "_id", "organisation.name": "org", "texts.sv.title": "title_sv", "texts.sv.description": "text_sv+more", "texts.en.title": "title_en"},
		Clip: true,
	}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	source, err := json.Marshal(map[string]any{"_id": "2025/7 å", "org": "Kungliga Tekniska högskolan", "title_sv": "Antenner", "text_sv": strings.Repeat("ö ", 2100), "more": []string{"a", "b"}, "title_en": ""})
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, string(source), importer.JSONLines, m)
	if len(got) != 1 || len(got[0].Faults) != 0 {
		t.Fatalf("records = %+v", got)
	}
	if want := profile.ID("offer.kungliga-tekniska-hogskolan.2025-7-a"); got[0].ID != want || got[0].Clipped != 1 {
		t.Errorf("id = %s, clipped %d, want %s, clipped 1", got[0].ID, got[0].Clipped, want)
	}
	var p profile.Profile
	if err := json.Unmarshal(got[0].Data, &p); err != nil {
		t.Fatal(err)
	}
	want := profile.Profile{
		ID: got[0].ID, Organisation: profile.Organisation{Name: "Kungliga Tekniska högskolan", Type: profile.University},
		Texts:       []profile.Text{{Lang: "sv", Title: "Antenner", Description: p.Texts[0].Description}},
		Cooperation: []profile.Cooperation{profile.ResearchCooperation, profile.DataAccess}, TRL: &profile.TRL{Min: 1, Max: 4},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"commas":            "kind,org,local,organisation.name,organisation.type,texts.da.title,anonymous\nneed,acme,fall,Acme,sme,\"Faldsensor, bærbar\",true\nneed,acme\n",
		"semicolons, a BOM": "\ufeffkind;org;local;organisation.name;organisation.type;texts.da.title;anonymous\r\nneed;acme;fall;Acme;sme;Faldsensor, bærbar;true\r\nneed;acme\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := read(t, text, importer.CSV, importer.Mapping{})
			if len(got) != 2 || got[0].ID != "need.acme.fall" || len(got[0].Faults) != 0 {
				t.Fatalf("records = %+v", got)
			}
			if got[1].Line != 3 || len(got[1].Faults) != 1 {
				t.Errorf("line 3 = %+v, want one fault: too few columns", got[1])
			}
		})
	}
	err := importer.Read(strings.NewReader("kind,colour\nneed,red\n"), importer.CSV, importer.Mapping{}, func(importer.Record) error { return nil })
	if err == nil || !strings.Contains(err.Error(), `"colour"`) {
		t.Errorf("Read = %v, want the unknown column named", err)
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"already-Fine_1": "already-Fine_1", "Åbo Akademi": "abo-akademi", "  Universität (Köln) ": "universitat-koln", "": "",
	} {
		if got := importer.Token(in); got != want {
			t.Errorf("Token(%q) = %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{strings.Repeat("long ", 40), "日本", "!!!"} {
		if got := importer.Token(in); !profile.ValidToken(got) {
			t.Errorf("Token(%q) = %q is no token", in, got)
		}
	}
}
