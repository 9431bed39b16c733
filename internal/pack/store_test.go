package pack_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/fault"
	"kobling/internal/pack"
)

const (
	header = "concept_id\tlang\ttype\tlabel\n"
	beds   = header + "1\tda\tpref\tseng\n1\tno\tpref\tseng\nbad\n1\ten\tpref\tbed\n"
	chairs = header + "1\tda\tpref\tstol\n1\ten\tpref\tchair\n2\tfi\tpref\tpöytä\n2\ten\tpref\ttable\n"
)

// as is how to import a pack called name.
func as(name string) pack.Import {
	return pack.Import{Name: name, Licence: "CC0", Source: "made up"}
}

// keep imports a file of that content under that name.
func keep(tb testing.TB, s *pack.Store, name, content string) pack.Pack {
	tb.Helper()
	p, err := s.Import(tb.Context(), file(tb, "words.tsv", content), as(name))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// kept returns the entries of packs.
func kept(tb testing.TB, s *pack.Store, names ...string) []pack.Entry {
	tb.Helper()
	entries, failed := s.Entries(names...)
	all := slices.Collect(entries)
	if err := failed(); err != nil {
		tb.Fatal(err)
	}
	return all
}

func TestAPackIsKeptWithWhereItComesFrom(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "yet")
	s := pack.Open(dir)
	if packs, err := s.List(); err != nil || len(packs) > 0 {
		t.Fatalf("an empty store lists %v, %v", packs, err)
	}
	before := time.Now().Add(-time.Second)
	var done, total int64
	i := as("beds")
	i.Licence, i.Source = " CC BY\n4.0", "https://example.org/beds"
	i.Progress = func(d, n int64) { done, total = d, n }
	p, err := s.Import(t.Context(), file(t, "words.tsv", beds), i)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(beds))
	want := pack.Pack{
		Info: pack.Info{
			Name: "beds", Format: pack.Concepts, Source: "https://example.org/beds", Licence: "CC BY 4.0", Date: p.Date,
			SHA256: hex.EncodeToString(sum[:]), Entries: 1, Terms: map[string]int{"da": 1, "nb": 1, "en": 1},
		},
		Report: pack.Report{Lines: 4, Bad: 1, Faults: []pack.Fault{{Line: 4, Text: "1 columns, want 4"}}, Norwegian: 1},
	}
	stored, err := pack.Open(dir).List()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]pack.Pack{want}, stored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if p.Date.Before(before) || p.Date.After(time.Now()) {
		t.Errorf("imported %s, not now", p.Date)
	}
	if done != int64(len(beds)) || total != done {
		t.Errorf("progress ended at %d of %d, the file has %d bytes", done, total, len(beds))
	}
	if diff := cmp.Diff([]pack.Entry{words("da:seng", "nb:seng", "en:bed")}, kept(t, s)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestPacksAreReplacedListedAndRemoved(t *testing.T) {
	t.Parallel()
	s := pack.Open(t.TempDir())
	keep(t, s, "b", beds)
	keep(t, s, "c", beds)
	keep(t, s, "a", chairs)
	keep(t, s, "b", chairs)
	packs, err := s.List()
	if err != nil || len(packs) != 3 || packs[0].Name != "a" || packs[1].Name != "b" || packs[1].Entries != 2 || packs[2].Name != "c" {
		t.Fatalf("List = %+v, %v", packs, err)
	}
	bed, chair, table := words("da:seng", "nb:seng", "en:bed"), words("da:stol", "en:chair"), words("fi:pöytä", "en:table")
	for _, tt := range []struct {
		names []string
		want  []pack.Entry
	}{
		{nil, []pack.Entry{chair, table, chair, table, bed}},
		{[]string{"c", "a"}, []pack.Entry{bed, chair, table}},
	} {
		if diff := cmp.Diff(tt.want, kept(t, s, tt.names...)); diff != "" {
			t.Errorf("entries of %v (-want +got):\n%s", tt.names, diff)
		}
	}
	if err := s.Remove("b"); err != nil {
		t.Fatal(err)
	}
	if packs, err = s.List(); err != nil || len(packs) != 2 {
		t.Errorf("after one was removed: %+v, %v", packs, err)
	}
	for what, err := range map[string]error{"remove": s.Remove("b"), "list": second(s.List("b")), "verify": second(s.Verify("b"))} {
		if !errors.Is(err, fault.ErrNotFound) || !strings.Contains(err.Error(), "kobling lexicon list") {
			t.Errorf("%s what is gone: %v", what, err)
		}
	}
	entries, failed := s.Entries("a", "b")
	if n := len(slices.Collect(entries)); n != 0 || !errors.Is(failed(), fault.ErrNotFound) {
		t.Errorf("entries of what is gone: %d, %v", n, failed())
	}
}

func second[T any](_ T, err error) error { return err }

func TestEntriesMayBeLeftEarlyAndReadAgain(t *testing.T) {
	t.Parallel()
	s := pack.Open(t.TempDir())
	keep(t, s, "a", chairs)
	entries, failed := s.Entries()
	for range 2 {
		n := 0
		for range entries {
			n++
			break
		}
		if n != 1 || failed() != nil {
			t.Fatalf("%d entries, %v", n, failed())
		}
	}
}

func TestLongTextsAreKeptWhole(t *testing.T) {
	t.Parallel()
	s := pack.Open(t.TempDir())
	long := strings.TrimSpace(strings.Repeat("å seng ", 14_000))
	keep(t, s, "a", "en\tda\nbed\t"+long+"\n"+long+"\tseng\nx\ty\n")
	want := []pack.Entry{texts("en:bed", "da:"+long), texts("en:"+long, "da:seng"), texts("en:x", "da:y")}
	if diff := cmp.Diff(want, kept(t, s)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestAFailedImportChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := pack.Open(dir)
	keep(t, s, "beds", beds)
	good := file(t, "words.tsv", chairs)
	edit := func(f func(*pack.Import)) pack.Import { i := as("beds"); f(&i); return i }
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx  context.Context
		path string
		how  pack.Import
		want string
	}{
		"no licence":        {t.Context(), good, edit(func(i *pack.Import) { i.Licence = " \t" }), "no licence: invalid"},
		"no source":         {t.Context(), good, edit(func(i *pack.Import) { i.Source = "" }), "no source: invalid"},
		"a long source":     {t.Context(), good, edit(func(i *pack.Import) { i.Source = strings.Repeat("å", 501) }), "source of more than 500 characters"},
		"a path for a name": {t.Context(), good, as("../beds"), "want 1 to 40 of a-z, 0-9 and -"},
		"no name":           {t.Context(), good, as(""), "want 1 to 40 of a-z, 0-9 and -"},
		"a long name":       {t.Context(), good, as(strings.Repeat("a", 41)), "want 1 to 40 of a-z, 0-9 and -"},
		"a bad file":        {t.Context(), file(t, "bad.tsv", header+"x\ny\n"), as("beds"), "2 of 2 lines"},
		"no file":           {t.Context(), filepath.Join(dir, "none.tsv"), as("beds"), "none.tsv: no such file"},
		"a folder":          {t.Context(), dir, as("beds"), "is a folder; name a file in it"},
		"an interruption":   {cancelled, good, as("beds"), context.Canceled.Error()},
	} {
		if _, err := s.Import(tt.ctx, tt.path, tt.how); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if diff := cmp.Diff([]pack.Entry{words("da:seng", "nb:seng", "en:bed")}, kept(t, s)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".[nt]*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestADamagedPackIsFoundOutAndCanBeRemoved(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file string
		harm func([]byte) []byte
		want string
	}{
		"cut off":         {"entries.tsv.gz", func(b []byte) []byte { return b[:len(b)-4] }, "its entries are damaged"},
		"a flipped bit":   {"entries.tsv.gz", func(b []byte) []byte { b[len(b)-6] ^= 1; return b }, "its entries are damaged"},
		"no gzip":         {"entries.tsv.gz", func([]byte) []byte { return []byte("label\tda\tseng\ten\tbed\n") }, "its entries are damaged"},
		"another's":       {"pack.json", func(b []byte) []byte { return bytes.Replace(b, []byte("chairs"), []byte("tables"), 1) }, "it is of another pack"},
		"not JSON":        {"pack.json", func([]byte) []byte { return nil }, "pack.json is damaged"},
		"too few entries": {"pack.json", func(b []byte) []byte { return bytes.Replace(b, []byte(`"entries": 2`), []byte(`"entries": 3`), 1) }, "has 2 entries, pack.json says 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := pack.Open(dir)
			keep(t, s, "chairs", chairs)
			if _, err := s.Verify("chairs"); err != nil {
				t.Fatal("while it is whole:", err)
			}
			path := filepath.Join(dir, "chairs", tt.file)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tt.harm(b), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Verify("chairs"); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "import it again") {
				t.Errorf("Verify = %v, want %q", err, tt.want)
			}
			if err := s.Remove("chairs"); err != nil {
				t.Errorf("Remove = %v", err)
			}
			if packs, err := s.List(); err != nil || len(packs) > 0 {
				t.Errorf("List = %v, %v", packs, err)
			}
		})
	}
}
