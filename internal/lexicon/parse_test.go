package lexicon_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/fault"
	"kobling/internal/lexicon"
)

func parse(tb testing.TB, packs ...fs.FS) *lexicon.Lexicon {
	tb.Helper()
	l, err := lexicon.Parse(packs...)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// faults returns the lines that Parse says are wrong.
func faults(tb testing.TB, packs ...fs.FS) []string {
	tb.Helper()
	_, err := lexicon.Parse(packs...)
	if !errors.Is(err, fault.ErrInvalid) {
		tb.Fatalf("Parse = %v, want an invalid lexicon", err)
	}
	_, list, _ := strings.Cut(err.Error(), ":\n")
	return strings.Split(list, "\n")
}

// Each content has exactly the faults that are named: nothing is reported twice,
// and what is right is not reported.
func TestEachFaultStandsOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		packs []fs.FS
		want  []string
	}{
		"a weight must be known": {
			[]fs.FS{pack("[a] heavy\nxx: is passed over\n")},
			[]string{`test.txt:1: weight "heavy" is not one of specific, common, formal, empty`},
		},
		"only the concepts of a circle are named, not one that leads into it": {
			[]fs.FS{pack("[a < b]\nen: a\n[b < c]\nen: b\n[c < b]\nen: c\n")},
			[]string{`test.txt:3: concept "b" is broader than itself`, `test.txt:5: concept "c" is broader than itself`},
		},
		"each concept of a long circle is named": {
			[]fs.FS{pack("[a < b]\n[b < c]\n[c < d]\n[d < a]\n[e < f]\n[f < g]\n[g]\n")},
			[]string{
				`test.txt:1: concept "a" is broader than itself`, `test.txt:2: concept "b" is broader than itself`,
				`test.txt:3: concept "c" is broader than itself`, `test.txt:4: concept "d" is broader than itself`,
			},
		},
		"a concept is not its own broader one": {
			[]fs.FS{pack("[a < a]\nen: a\n")},
			[]string{`test.txt:1: concept "a" is broader than itself`},
		},
		"of a chain only the link that leads nowhere is named": {
			[]fs.FS{pack("[a < b]\nen: a\n[b < lost]\nen: b\n")},
			[]string{`test.txt:3: broader concept "lost" is not defined`},
		},
		"a label of two concepts is named where it stands": {
			[]fs.FS{pack("[a]\nen: one\nda: ord; fald\n[b]\nen: two\nda: ting; FALD\n")},
			[]string{`test.txt:6: da label "FALD" also means "a"; mark both with ~ if that is right`},
		},
		"one mark of two is not enough": {
			[]fs.FS{pack("[a]\nda: ~fald\n[b]\nda: fald\n")},
			[]string{`test.txt:4: da label "fald" also means "a"; mark both with ~ if that is right`},
		},
		"a label of a later pack is named in its own file": {
			[]fs.FS{fstest.MapFS{"base.txt": {Data: []byte("[a]\nda: fald\n[b]\nda: ting\n")}}, fstest.MapFS{"more.txt": {Data: []byte("\n[b]\nda: fald\n")}}},
			[]string{`more.txt:3: da label "fald" also means "a"; mark both with ~ if that is right`},
		},
		"a later pack changes neither the weight nor the broader concept": {
			[]fs.FS{fstest.MapFS{"base.txt": {Data: []byte("[a] common\nda: a\n[b]\nda: b\n")}}, fstest.MapFS{"more.txt": {Data: []byte("[a] formal\nda: å\n[b < a]\nda: bb; b\n")}}},
			[]string{
				`more.txt:1: concept "a" is "[a] common" at base.txt:1; a later pack only adds labels`,
				`more.txt:3: concept "b" is "[b]" at base.txt:3; a later pack only adds labels`,
				`more.txt:4: label "b" stands twice`,
			},
		},
		"a later pack defines a new concept once": {
			[]fs.FS{pack("[a]\nda: a\n"), pack("[b]\nda: b\n[b]\nda: bb\n")},
			[]string{`test.txt:3: concept "b" is already defined at test.txt:1`},
		},
		"a line that is too long ends its file, not the others": {
			[]fs.FS{fstest.MapFS{
				"a.txt": {Data: []byte("[a]\nda: a\nen: " + strings.Repeat("x; ", 400_000) + "\n")},
				"b.txt": {Data: []byte("[b]\nda: ;b\n")},
			}},
			[]string{`a.txt:3: a line of more than 1048576 bytes; what follows was not read`, `b.txt:2: empty label`},
		},
		"text that is not UTF-8": {
			[]fs.FS{pack("[a]\nda: f\xe5\nda: b\n")},
			[]string{`test.txt:2: not UTF-8`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, faults(t, tt.packs...)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFileThatCannotBeReadIsNoFaultOfItsContent(t *testing.T) {
	t.Parallel()
	_, err := lexicon.Parse(fstest.MapFS{"a.txt": {Mode: fs.ModeDir}})
	if err == nil || errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "a.txt") {
		t.Errorf("Parse = %v, want a failure to read a.txt", err)
	}
}

func TestALabelIsKeptTidy(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("ø", lexicon.MaxLabel)
	l := parse(t, pack("# said\r\n\r\n[a-1]\r\nda:  fald   alarm ;~ måtte\r\nen: one\u037etwo\r\nen: three\r\nnb: "+longest+"\r\n"))
	got, _ := l.Concept("a-1")
	want := lexicon.Concept{ID: "a-1", Group: "test", Labels: map[string][]lexicon.Label{
		"da": {{Text: "fald alarm"}, {Text: "måtte", Shared: true}},
		"en": {{Text: "one"}, {Text: "two"}, {Text: "three"}},
		"nb": {{Text: longest}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("concept (-want +got):\n%s", diff)
	}
}

// Packs are read in the order given, files in the order of their names, and only
// *.txt at the top.
func TestFilesArePacked(t *testing.T) {
	t.Parallel()
	l := parse(t, fstest.MapFS{
		"b.txt":     {Data: []byte("[beta < alpha] formal\nen: ~two\n")},
		"a.txt":     {Data: []byte("[alpha] empty\nen: ~two; one\n")},
		"readme.md": {Data: []byte("not read")},
		"sub/c.txt": {Data: []byte("not read")},
	}, pack("[alpha] empty\nsv: ett\n[beta < alpha]\nsv: två\n"))
	want := []lexicon.Concept{
		{ID: "alpha", Group: "a", Weight: lexicon.Empty, Labels: map[string][]lexicon.Label{"en": {{Text: "two", Shared: true}, {Text: "one"}}, "sv": {{Text: "ett"}}}},
		{ID: "beta", Broader: "alpha", Group: "b", Weight: lexicon.Formal, Labels: map[string][]lexicon.Label{"en": {{Text: "two", Shared: true}}, "sv": {{Text: "två"}}}},
	}
	if diff := cmp.Diff(want, l.Concepts); diff != "" {
		t.Errorf("concepts (-want +got):\n%s", diff)
	}
	if _, ok := l.Concept("readme"); ok {
		t.Error("a concept that nobody defined is found")
	}
}
