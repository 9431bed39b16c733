package pack_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kobling/internal/fault"
	"kobling/internal/pack"
)

// check reads a file and checks what must hold whatever is in it.
func check(t *testing.T, path string, o pack.Options) {
	t.Helper()
	n, terms := 0, map[string]int{}
	info, report, err := pack.Scan(t.Context(), path, o, func(e pack.Entry) error {
		checkEntry(t, e)
		n++
		for _, term := range e.Terms {
			terms[term.Lang]++
		}
		return nil
	})
	if err != nil && !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("%v is not said to be about the file", err)
	}
	if err == nil && (n == 0 || report.Bad*2 > report.Lines || len(info.SHA256) != 64) {
		t.Errorf("accepted %+v with %+v", info, report)
	}
	if info.Entries != n || len(report.Faults) > report.Bad || len(report.Faults) > 10 {
		t.Errorf("%d entries: %+v, %+v", n, info, report)
	}
	for lang, n := range terms {
		if info.Terms[lang] != n {
			t.Errorf("%d terms in %s, counted %d", n, lang, info.Terms[lang])
		}
	}
	for _, f := range report.Faults {
		if f.Line < 1 || f.Text == "" {
			t.Errorf("fault %+v", f)
		}
	}
}

func fuzzTable(f *testing.F, format string, seeds ...string) {
	f.Helper()
	f.Add("", "")
	f.Add("\x1f\x8b\x08\x00", "")
	for _, s := range seeds {
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, content, langs string) {
		o := pack.Options{Format: format}
		if langs != "" {
			o.Langs = strings.Split(langs, ",")
		}
		path := filepath.Join(t.TempDir(), "fuzz.tsv")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		check(t, path, o)
	})
}

func FuzzConcepts(f *testing.F) {
	fuzzTable(f, pack.Concepts, beds, chairs, "\ufeff#\n"+header+"1\tda\ttext\ta\u030a\r\n1\tno\ttext\t\u00ad\n1\tet\talt\tx\xff\n", "1\tda\tpref\ta\n1\ten\tpref\tb\n")
}

func FuzzDictionary(f *testing.F) {
	fuzzTable(f, pack.Dictionary, "src_lang\tsrc\ttgt_lang\ttgt\tpos\nda\tseng\ten\tbed\tn\nda\tseng\tda\tseng\t\n", "da\tseng\tnl\tbed\n")
}

func FuzzParallel(f *testing.F) {
	f.Add("Sengen.\tx\tThe bed.\n", "da,-,en")
	fuzzTable(f, pack.Parallel, "id\tlang\ttext\n1\tda\tSengen.\n1\ten\tThe bed.\n", "id\ten\tno\n1\tThe bed.\tSengen.\n2\t\t\n")
}

func FuzzComparable(f *testing.F) {
	fuzzTable(f, pack.Comparable, "concept_id\tlang\tlabel\ttitles\n1\tfi\tsänky\tx | y\n1\ten\tbed\t\n")
}

func FuzzAnyTable(f *testing.F) {
	fuzzTable(f, "", beds, "en\tda\nbed\tseng\n", "id\tlang\ttext\n1\tda\tx\n")
}

func FuzzDictd(f *testing.F) {
	f.Add("seng\tA\tJ\nbord\tJ\tK\nbord\tJ\tK\n00databaseinfo\tA\tB\n", "seng\nbed\nbord /x/ <n>\n1. table, board 2.\nnoget\n")
	f.Add("a\tA\tB\tA\nb\t////\tB\nc\n", "x\xff\n 3.\n(\n)]>;,\n")
	f.Add("a\tA\tg\n", "\x1f\x8b\x08\x00")
	f.Add("-ly\tA\tBA\n", "u <prefix>\n1.\n2) x\n   un;\nin\n <\n</\n")
	f.Fuzz(func(t *testing.T, index, text string) {
		base := filepath.Join(t.TempDir(), "freedict-dan-eng")
		if err := errors.Join(os.WriteFile(base+".index", []byte(index), 0o600), os.WriteFile(base+".dict", []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		check(t, base+".index", pack.Options{})
	})
}

// FuzzStored reads what stands for a stored pack: it is damaged, or entries that
// are whole.
func FuzzStored(f *testing.F) {
	f.Add([]byte("label\tda\tseng\ten\tbed\n"))
	f.Add([]byte("text\tda\tseng\ten"))
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		s := pack.Open(dir)
		at := filepath.Join(dir, "a")
		if err := errors.Join(os.Mkdir(at, 0o700), os.WriteFile(filepath.Join(at, "pack.json"), []byte(`{"name":"a"}`), 0o600),
			os.WriteFile(filepath.Join(at, "entries.tsv.gz"), content, 0o600)); err != nil {
			t.Fatal(err)
		}
		entries, failed := s.Entries()
		for e := range entries {
			if len(e.Terms) < 2 {
				t.Errorf("entry %+v", e)
			}
		}
		if err := failed(); err != nil && !strings.Contains(err.Error(), "import it again") {
			t.Errorf("%v does not say what to do", err)
		}
	})
}
