package lexicon_test

import (
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
	l := parse(t, pack("[fall] common\nda: fald\n"), pack("[fall]\nda: faldulykke\nfi: kaatuminen\n"))
	c, ok := l.Concept("fall")
	if !ok || c.Weight != lexicon.Common || len(c.Labels["da"]) != 2 || c.Group != "test" {
		t.Errorf("concept = %+v", c)
	}
}

// A reader gets a word of the own language, else one of the nearest language,
// else an English one, else any.
func TestLabelFallsBackToTheNearestLanguage(t *testing.T) {
	t.Parallel()
	l := parse(t, pack("[all]\nda: fald\nnb: fall; falle\nfi: kaatuminen\nen: falls\nnn: fallet\n"+
		"[two]\nda: fald2\nen: falls2\n[one]\nfi: kaatuminen1\nde: Sturz\n[none]\n"))
	for _, tt := range []struct{ concept, lang, want string }{
		{"all", "da", "fald"},
		{"all", "nb", "fall"},
		{"all", "nn", "fallet"},
		{"all", "fi", "kaatuminen"},
		{"all", "sv", "falls"},
		{"all", "de", "falls"},
		{"all", "", "falls"},
		{"two", "nb", "fald2"},
		{"two", "nn", "fald2"},
		{"two", "en", "falls2"},
		{"two", "fi", "falls2"},
		{"one", "en", "kaatuminen1"}, // the first of lexicon.Languages that has one
		{"one", "de", "Sturz"},
		{"none", "en", "none"},
		{"unknown", "en", ""},
	} {
		if got := l.Label(tt.concept, tt.lang); got != tt.want {
			t.Errorf("label of %s in %q = %q, want %q", tt.concept, tt.lang, got, tt.want)
		}
	}
}

func TestNeighboursAreNearestFirst(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"da": {"nb", "en"}, "nb": {"da", "en"}, "nn": {"nb", "da", "en"}, "sv": {"en"}, "fi": {"en"},
		"nl": {"en"}, "de": {"en"}, "fr": {"en"}, "en": nil,
	}
	if len(want) != len(lexicon.Languages) {
		t.Fatalf("this test knows %d languages of %d", len(want), len(lexicon.Languages))
	}
	for lang, near := range want {
		if diff := cmp.Diff(near, lexicon.Neighbours(lang)); diff != "" {
			t.Errorf("neighbours of %s (-want +got):\n%s", lang, diff)
		}
	}
}

func TestTheVersionNamesTheContent(t *testing.T) {
	t.Parallel()
	version := func(content string) string { return parse(t, pack(content)).Version() }
	one := version("[a]\nda: et\n\n[b]\nda: to\n")
	if other := version("# said\n[b]\nda: to\n[a]\nda: et"); other != one {
		t.Error("comments and order change the version")
	}
	for change, content := range map[string]string{
		"a label":            "[a]\nda: et\n\n[b]\nda: to; tvende\n",
		"a mark":             "[a]\nda: et\n\n[b]\nda: ~to\n",
		"a language":         "[a]\nda: et\n\n[b]\nnb: to\n",
		"a weight":           "[a] common\nda: et\n\n[b]\nda: to\n",
		"a broader concept":  "[a < b]\nda: et\n\n[b]\nda: to\n",
		"a concept":          "[a]\nda: et\n\n[b]\nda: to\n[c]\n",
		"the order of words": "[a]\nda: et\n\n[b]\nda: tvende; to\n",
	} {
		if version(content) == one {
			t.Errorf("%s does not change the version", change)
		}
	}
}
