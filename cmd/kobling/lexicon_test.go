package main

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kobling/internal/pack"
)

// learned stands for what compiles packs: it counts entries.
type learned struct {
	runs    []int // entries at each run
	failure error
}

func (l *learned) Compile(_ context.Context, entries iter.Seq[pack.Entry], progress func(done, total int)) error {
	n := len(slices.Collect(entries))
	progress(n, n)
	l.runs = append(l.runs, n)
	return l.failure
}

func (l *learned) Table() (pack.Table, bool, error) {
	return pack.Table{Words: map[string]int{"da": 7}, Bytes: 3_500_000, Compiled: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}, len(l.runs) > 0, nil
}

// lexiconProcess returns a process whose packs lie in dir and are compiled by l.
func lexiconProcess(t *testing.T, dir string, l *learned) (p *process, out, errs *strings.Builder) {
	t.Helper()
	out, errs = new(strings.Builder), new(strings.Builder)
	return &process{
		Context: t.Context(), streams: streams{out: out, err: errs},
		flags: map[string]string{"data-dir": dir},
		tables: func(dataDir string) pack.Tables {
			if dataDir != dir {
				t.Errorf("the tables of %s were asked for, want %s", dataDir, dir)
			}
			return l
		},
	}, out, errs
}

func TestTablesAreCompiledAfterEachChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := &learned{}
	p, out, errs := lexiconProcess(t, dir, l)
	path := filepath.Join(dir, "beds.tsv")
	if err := os.WriteFile(path, []byte("src_lang\tsrc\ttgt_lang\ttgt\nda\tseng\ten\tbed\nda\tstol\ten\tchair\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add := func(name string) error {
		return (&lexiconImportCmd{File: path, Name: name, Licence: "CC0", Source: "made up", Format: "auto"}).Run(p)
	}
	stats := func() (s lexiconStats) {
		out.Reset()
		if err := (&lexiconStatsCmd{output: output{JSON: true}}).Run(p); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(out.String()), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := stats(); s.Table != nil {
		t.Errorf("before anything is compiled there is a table: %+v", s.Table)
	}
	if err := errors.Join(add("a"), add("b"), (&lexiconRemoveCmd{Name: "a"}).Run(p), (&lexiconRemoveCmd{Name: "b"}).Run(p)); err != nil {
		t.Fatal(err)
	}
	// The last run has nothing to learn from: what was learnt must go.
	if want := []int{2, 4, 2, 0}; !slices.Equal(l.runs, want) {
		t.Errorf("compiled %v entries, want %v", l.runs, want)
	}
	if !strings.Contains(errs.String(), "Compiling 4 …") {
		t.Errorf("no progress: %s", errs.String())
	}
	if s := stats(); s.Table == nil || s.Table.Words["da"] != 7 {
		t.Errorf("stats show the table %+v", s.Table)
	}
	out.Reset()
	if err := (&lexiconStatsCmd{}).Run(p); err != nil || !strings.Contains(out.String(), "Compiled 2026-11-24 12:00 UTC: words: da 7; 3.5 MB of memory") {
		t.Errorf("stats: %v\n%s", err, out.String())
	}

	// A pack stays when compiling fails, and both are said.
	l.failure = errors.New("no memory")
	if err := add("c"); !errors.Is(err, l.failure) || !strings.Contains(err.Error(), "pack c is imported, but the tables are not compiled") {
		t.Errorf("a failed compilation: %v", err)
	}
	if s := stats(); len(s.Packs) != 1 || s.Packs[0].Name != "c" {
		t.Errorf("packs after it: %+v", s.Packs)
	}
	if err := (&lexiconRemoveCmd{Name: "c"}).Run(p); !errors.Is(err, l.failure) || !strings.Contains(err.Error(), "pack c is removed, but") {
		t.Errorf("a failed compilation: %v", err)
	}
	n := len(l.runs)
	if err := (&lexiconRemoveCmd{Name: "c"}).Run(p); err == nil || len(l.runs) != n {
		t.Errorf("nothing was removed: %v, compiled %d times", err, len(l.runs)-n)
	}
}

func TestOnlyTheFirstFaultsOfConceptsAreListed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, _, _ := lexiconProcess(t, dir, &learned{})
	for faults, lines := range map[int]int{maxShownFaults: maxShownFaults + 1, maxShownFaults + 7: maxShownFaults + 2} {
		own := filepath.Join(dir, strconv.Itoa(faults)+".txt")
		if err := os.WriteFile(own, []byte("[cucumber-jar]\n"+strings.Repeat("nonsense\n", faults)), 0o600); err != nil {
			t.Fatal(err)
		}
		err := (&lexiconCheckCmd{What: own, Format: "auto"}).Run(p)
		if err == nil || strings.Count(err.Error(), "\n")+1 != lines || !strings.Contains(err.Error(), ".txt:2: ") {
			t.Fatalf("%d faults: %v", faults, err)
		}
		if more := strings.Contains(err.Error(), "… and 7 faults more"); more != (faults > maxShownFaults) {
			t.Errorf("%d faults: %v", faults, err)
		}
	}
}

// TestAFailedExportLeavesTheFileThatWasThere: nobody loses the last export to a
// damaged pack.
func TestAFailedExportLeavesTheFileThatWasThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, _, _ := lexiconProcess(t, dir, &learned{})
	in, to := filepath.Join(dir, "beds.tsv"), filepath.Join(dir, "out", "all.tsv")
	if err := errors.Join(os.WriteFile(in, []byte("src_lang\tsrc\ttgt_lang\ttgt\nda\tseng\ten\tbed\n"), 0o600), os.Mkdir(filepath.Dir(to), 0o700)); err != nil {
		t.Fatal(err)
	}
	export := &lexiconExportCmd{Out: to}
	if err := errors.Join((&lexiconImportCmd{File: in, Name: "a", Licence: "CC0", Source: "made up", Format: "auto"}).Run(p), export.Run(p)); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(to)
	if err != nil || !strings.Contains(string(before), "\na:1\tda\tpref\tseng\n") {
		t.Fatalf("exported %d bytes, %v", len(before), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "packs", "a", "entries.tsv.gz"), []byte("no gzip"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := export.Run(p); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("export of a damaged pack: %v", err)
	}
	after, err := os.ReadFile(to)
	if err != nil || string(after) != string(before) {
		t.Errorf("the file has %d bytes now, %v", len(after), err)
	}
	if left, err := os.ReadDir(filepath.Dir(to)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
