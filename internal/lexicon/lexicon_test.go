package lexicon_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/fault"
	"kobling/internal/lexicon"
)

// pack is a pack of one file.
func pack(content string) fstest.MapFS {
	return fstest.MapFS{"test.txt": {Data: []byte(content)}}
}

func TestEveryFaultIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	_, err := lexicon.Parse(pack(`da: outside
[good]
da: ord
xx: wort
da: ; ord
[Bad ID]
da: is passed over
[good]
[heavy] immense
[lost < nowhere]
en: lost
[a < b]
en: first
[b < a]
en: second
[one]
en: same
[two]
en: ~same
en: ` + strings.Repeat("x", lexicon.MaxLabel+1) + "\n"))
	if !errors.Is(err, fault.ErrInvalid) {
		t.Fatalf("Parse = %v, want an invalid lexicon", err)
	}
	for _, want := range []string{
		"test.txt:1: a label before", "test.txt:4: want a line like", "test.txt:5: empty label", `test.txt:5: label "ord" stands twice`,
		"test.txt:6: want [id]", `test.txt:8: concept "good" is already defined at test.txt:2`, `test.txt:9: weight "immense"`,
		`test.txt:10: broader concept "nowhere"`, `concept "a" is broader than itself`, `en label "same" also means "one"`, "test.txt:20: label",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in:\n%v", want, err)
		}
	}
}

func TestALaterPackAddsLabels(t *testing.T) {
	t.Parallel()
	l, err := lexicon.Parse(pack("[fall] common\nda: fald\n"), pack("[fall]\nda: faldulykke\nfi: kaatuminen\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, ok := l.Concept("fall")
	if !ok || c.Weight != lexicon.Common || len(c.Labels["da"]) != 2 || c.Group != "test" {
		t.Errorf("concept = %+v", c)
	}
	for lang, want := range map[string]string{"da": "fald", "nb": "fald", "fi": "kaatuminen", "sv": "fald", "en": "fald"} {
		if got := l.Label("fall", lang); got != want {
			t.Errorf("label in %s = %q, want %q", lang, got, want)
		}
	}
	if got := l.Label("unknown", "da"); got != "" {
		t.Errorf("label of no concept = %q", got)
	}
}

func TestTheVersionNamesTheContent(t *testing.T) {
	t.Parallel()
	version := func(content string) string {
		l, err := lexicon.Parse(pack(content))
		if err != nil {
			t.Fatal(err)
		}
		return l.Version()
	}
	one := version("[a]\nda: et\n\n[b]\nda: to\n")
	if other := version("# said\n[b]\nda: to\n[a]\nda: et"); other != one {
		t.Error("comments and order change the version")
	}
	if other := version("[a]\nda: et\n\n[b]\nda: to; tvende\n"); other == one {
		t.Error("a label does not change the version")
	}
}

// TestTheDefaultLexicon guards what ships.
func TestTheDefaultLexicon(t *testing.T) {
	t.Parallel()
	const minConcepts, minLabels = 1_150, 32_000
	l, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	labels, sectors := 0, map[string]int{}
	for _, c := range l.Concepts {
		sectors[c.Group]++
		for i, lang := range lexicon.Languages {
			labels += len(c.Labels[lang])
			if i < lexicon.Required && len(c.Labels[lang]) == 0 {
				t.Errorf("concept %s has no label in %s", c.ID, lang)
			}
		}
	}
	if len(l.Concepts) < minConcepts || labels < minLabels {
		t.Errorf("%d concepts with %d labels, want %d and %d", len(l.Concepts), labels, minConcepts, minLabels)
	}
	for _, sector := range []string{"biotech", "pharma", "devices", "healthit", "assistive", "welfare"} {
		if sectors[sector] < 30 {
			t.Errorf("sector %s has %d concepts", sector, sectors[sector])
		}
	}
	if back := rewritten(t, l); back.Version() != l.Version() {
		t.Error("what is written is not what was read")
	}
}

func rewritten(tb testing.TB, l *lexicon.Lexicon) *lexicon.Lexicon {
	tb.Helper()
	var b bytes.Buffer
	if _, err := l.WriteTo(&b); err != nil {
		tb.Fatal(err)
	}
	back, err := lexicon.Parse(fstest.MapFS{"all.txt": {Data: b.Bytes()}})
	if err != nil {
		tb.Fatal(err)
	}
	return back
}

func FuzzParse(f *testing.F) {
	f.Add("[fall-detection < safety] common\nda: falddetektion; ~fald\n[safety]\nen: safety\n")
	f.Add("[a]\nda: \xff\n")
	f.Add("# only a comment")
	f.Fuzz(func(t *testing.T, content string) {
		l, err := lexicon.Parse(pack(content))
		if err != nil {
			if !errors.Is(err, fault.ErrInvalid) && !strings.Contains(err.Error(), "token too long") {
				t.Errorf("error of no kind: %v", err)
			}
			return
		}
		ids := func(l *lexicon.Lexicon) (all []string) {
			for _, c := range l.Concepts {
				all = append(all, c.ID)
			}
			return all
		}
		if diff := cmp.Diff(ids(l), ids(rewritten(t, l))); diff != "" {
			t.Errorf("written and read again:\n%s", diff)
		}
	})
}
