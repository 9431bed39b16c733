package pack_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"kobling/internal/lexicon"
	"kobling/internal/pack"
)

// drawEntries draws the entries of a file: terms of any languages and letters, in
// any order, a few of them alike.
func drawEntries(t *rapid.T, label string) []pack.Entry {
	text := rapid.OneOf(
		rapid.SampledFrom([]string{"fall", "Fall", "fallalarm", "a\u030alder", "x y", "#1", "\"seng\"", "pref", "da"}),
		rapid.String(),
		rapid.StringMatching(`[a-zæøåäöüß \t\n\x{ad}\x{2010}\x{a0}\x{200b}\x{301}]{1,8}`),
	)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) pack.Entry {
		e := pack.Entry{Parallel: rapid.Bool().Draw(t, "parallel")}
		for range rapid.IntRange(1, 6).Draw(t, "terms") {
			e.Terms = append(e.Terms, pack.Term{Lang: rapid.SampledFrom(lexicon.Languages).Draw(t, "lang"), Text: text.Draw(t, "text")})
		}
		return e
	}), 0, 8).Draw(t, label)
}

// table writes entries as a file of format concepts.
func table(tb rapid.TB, entries []pack.Entry, id string, notes ...string) []byte {
	var b bytes.Buffer
	x := pack.NewExporter(&b, notes...)
	for i, e := range entries {
		if err := x.Write(fmt.Sprintf("%s%d", id, i), e); err != nil {
			tb.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// What is read is clean; what is clean comes back as it was from the store, and
// from an export of the store.
func TestWhatIsExportedIsReadBackAsItWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		raw := file2(t, dir, "raw.tsv", table(t, drawEntries(t, "entries"), ""))
		var clean []pack.Entry
		if _, err := pack.Read(raw, pack.Concepts, func(e pack.Entry) error {
			checkEntry(t, e)
			clean = append(clean, e)
			return nil
		}); err != nil || len(clean) == 0 {
			return // a made-up file of which too much is wrong
		}
		s := pack.Open(filepath.Join(dir, "packs"))
		whole := file2(t, dir, "clean.tsv", table(t, clean, "x", "a note\nof two lines"))
		if _, err := s.Import(t.Context(), whole, as("a")); err != nil {
			t.Fatal(err)
		}
		entries, failed := s.Entries("a")
		var stored []pack.Entry
		for e := range entries {
			stored = append(stored, e)
		}
		if diff := cmp.Diff(clean, stored); diff != "" || failed() != nil {
			t.Fatalf("stored (-read +stored):\n%s%v", diff, failed())
		}
		var b bytes.Buffer
		x := pack.NewExporter(&b)
		if err := s.Export(x, "a"); err != nil {
			t.Fatal(err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		var back []pack.Entry
		info, err := pack.Read(file2(t, dir, "back.tsv", b.Bytes()), "", func(e pack.Entry) error { back = append(back, e); return nil })
		if diff := cmp.Diff(clean, back); diff != "" || err != nil {
			t.Errorf("read back (-before +after):\n%s%v", diff, err)
		}
		if p, err := s.Verify("a"); err != nil || info.Entries != p.Entries || !cmp.Equal(info.Terms, p.Terms) {
			t.Errorf("counts %+v, %+v, %v", info, p, err)
		}
	})
}

func file2(tb rapid.TB, dir, name string, content []byte) string {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// checkEntry checks what holds for every entry that is handed out.
func checkEntry(tb rapid.TB, e pack.Entry) {
	seen := map[pack.Term]bool{}
	for _, term := range e.Terms {
		known := false
		for _, lang := range lexicon.Languages {
			known = known || lang == term.Lang
		}
		switch {
		case !known:
			tb.Errorf("language %q", term.Lang)
		case seen[term]:
			tb.Errorf("%v twice", term)
		case term.Text == "" || strings.ContainsAny(term.Text, "\t\r\n\u00ad\u200b\x00") || strings.Join(strings.Fields(term.Text), " ") != term.Text:
			tb.Errorf("text %q is not clean", term.Text)
		case !utf8.ValidString(term.Text) || !norm.NFC.IsNormalString(term.Text):
			tb.Errorf("text %q is not in NFC", term.Text)
		case !e.Parallel && utf8.RuneCountInString(term.Text) > 1000:
			tb.Errorf("a label of %d characters", utf8.RuneCountInString(term.Text))
		}
		seen[term] = true
	}
	if len(e.Terms) < 2 {
		tb.Errorf("entry %+v says nothing", e)
	}
}

func TestTheBuiltInConceptsAreReadBackAsTheyAre(t *testing.T) {
	t.Parallel()
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	x := pack.NewExporter(&b)
	if err := x.ExportLexicon(lex); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	var want []pack.Entry
	for _, e := range pack.LexiconEntries(lex) {
		want = append(want, e)
	}
	got, _, report, err := scan(t, file(t, "concepts.tsv", b.String()), pack.Options{})
	if diff := cmp.Diff(want, got); diff != "" || err != nil || report.Bad > 0 || len(want) < 1000 {
		t.Errorf("%d concepts (-before +after):\n%s%+v %v", len(want), diff, report, err)
	}
	// The first label of a language is its preferred one, as in the lexicon.
	pref := map[string]string{}
	for line := range strings.Lines(b.String()) {
		if cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); cells[2] == "pref" {
			pref[cells[0]+" "+cells[1]] = cells[3]
		}
	}
	for _, c := range lex.Concepts {
		for _, lang := range lexicon.Languages[:lexicon.Required] {
			if got := pref["kobling:"+c.ID+" "+lang]; got != c.Labels[lang][0].Text {
				t.Errorf("%s in %s is %q, want %q", c.ID, lang, got, c.Labels[lang][0].Text)
			}
		}
	}
}
