package eval

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/fault"
)

func write(tb testing.TB, name, content string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func TestDocumentsBelongToTheGroupThatTheirFieldNames(t *testing.T) {
	t.Parallel()
	file := write(t, "docs.jsonl", `{"_id":"a","org":"o1","kind":"offer","country":"FI","org_type":"rto"}`+"\n"+`{"_id":"b","org":"o2","lang":"fi"}`)
	docs, err := ReadGrouped(file, "en", "org")
	want := []Document{{ID: "a", Lang: "en", Kind: "offer", Country: "FI", OrgType: "rto", Group: "o1"}, {ID: "b", Lang: "fi", Group: "o2"}}
	if diff := cmp.Diff(want, docs); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for name, content := range map[string]string{
		"none.jsonl": `{"_id":"a"}`, "empty.jsonl": `{"_id":"a","org":""}`, "number.jsonl": `{"_id":"a","org":3}`, "columns.tsv": "a\tb",
	} {
		_, err := ReadGrouped(write(t, name, content), "en", "org")
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), name+":1: ") || !strings.Contains(err.Error(), `"org"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRatingsAreReadOrTheLineIsNamed(t *testing.T) {
	t.Parallel()
	got, err := ReadRatings(write(t, "ratings.tsv", "expert\tpaper\trating\ne1\tp1\t2.5\n\ne1\tp2\t4\tremark\r\n"))
	if diff := cmp.Diff([]Rating{{"e1", "p1", 2.5}, {"e1", "p2", 4}}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, line := range []string{"e1\tp1", "e1\tp1\tmuch", "e1\tp1\tNaN", "e1\tp1\t-Inf", "e1\tp1\t"} {
		_, err := ReadRatings(write(t, "bad.tsv", "header\n"+line+"\n"))
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "bad.tsv:2: ") {
			t.Errorf("%q: %v", line, err)
		}
	}
	if _, err := ReadRatings(filepath.Join(t.TempDir(), "gone.tsv")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// FuzzReaders: whatever a file holds, a reader says what is wrong with it or
// returns what can be measured.
func FuzzReaders(f *testing.F) {
	for _, seed := range []string{
		`{"_id":"a","title":"T","text":"x","lang":"da","org":"o"}`, "{", "null", `{"_id":1}`, `{"_id":"a","org":null}`, `[]`,
		"query\tdoc\tgrade\nq\td\t1\nq\td\t0\nq\td\t-1", "e\tp\tr\ne\tp\t2.5", "e\tp\tr\ne\tp\t1e999", "\t\t\n\t\t\t\r\n", "a\tb\x00\xff", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		json, tsv := write(t, "f.jsonl", content), write(t, "f.tsv", content)
		for _, group := range []string{"", "org"} {
			for _, file := range []string{json, tsv} {
				docs, err := ReadGrouped(file, "en", group)
				for _, d := range docs {
					if d.ID == "" || err == nil && group != "" && d.Group == "" {
						t.Errorf("%+v has no id or no group", d)
					}
				}
			}
		}
		qrels, err := ReadQrels(tsv)
		for q, grades := range qrels {
			for d, grade := range grades {
				if grade <= 0 {
					t.Errorf("%q %q has grade %d, %v", q, d, grade, err)
				}
			}
		}
		ratings, err := ReadRatings(tsv)
		for _, r := range ratings {
			if r.Value-r.Value != 0 {
				t.Errorf("%+v has no value, %v", r, err)
			}
		}
	})
}
