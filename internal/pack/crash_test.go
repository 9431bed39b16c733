package pack_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/fault"
	"kobling/internal/pack"
)

// A crash between any two steps of an import leaves one of these folders. Whoever
// reads sees the old pack or the new one, whole, and the next change clears up.
func TestACrashLeavesTheOldPackOrTheNewOne(t *testing.T) {
	t.Parallel()
	old, fresh := []pack.Entry{words("da:seng", "nb:seng", "en:bed")}, []pack.Entry{words("da:stol", "en:chair"), words("fi:pöytä", "en:table")}
	for name, tt := range map[string]struct {
		crash func(dir, fresh string) error
		want  []pack.Entry
	}{
		"while the new one is written": {func(dir, fresh string) error {
			return errors.Join(os.Rename(fresh, filepath.Join(dir, ".tmp-1")), os.Remove(filepath.Join(dir, ".tmp-1", "pack.json")))
		}, old},
		"when the new one is complete": {func(dir, fresh string) error {
			return os.Rename(fresh, filepath.Join(dir, ".new-a"))
		}, fresh},
		"when the old one is out of the way": {func(dir, fresh string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, ".tmp-2"), 0o700), os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, ".tmp-2", "a")),
				os.Rename(fresh, filepath.Join(dir, ".new-a")))
		}, fresh},
		"when the first one is complete": {func(dir, fresh string) error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, "a")), os.Rename(fresh, filepath.Join(dir, ".new-a")))
		}, fresh},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, elsewhere := t.TempDir(), t.TempDir()
			s := pack.Open(dir)
			keep(t, s, "a", beds)
			keep(t, pack.Open(elsewhere), "a", chairs)
			if err := tt.crash(dir, filepath.Join(elsewhere, "a")); err != nil {
				t.Fatal(err)
			}
			if packs, err := s.List(); err != nil || len(packs) != 1 || packs[0].Entries != len(tt.want) {
				t.Errorf("List = %+v, %v", packs, err)
			}
			if diff := cmp.Diff(tt.want, kept(t, s)); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			keep(t, s, "b", beds) // any change
			if diff := cmp.Diff(tt.want, kept(t, s, "a")); diff != "" {
				t.Errorf("after another import (-want +got):\n%s", diff)
			}
			var left []string
			found, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range found {
				left = append(left, d.Name())
			}
			if diff := cmp.Diff([]string{".lock", "a", "b"}, left); diff != "" {
				t.Errorf("left in the folder (-want +got):\n%s", diff)
			}
		})
	}
}

// A pack that was replaced while the next one is put in its place is seen at every
// look: readers run beside an importer that replaces it again and again.
func TestReadersNeverMissAPackThatIsReplaced(t *testing.T) {
	t.Parallel()
	s := pack.Open(t.TempDir())
	keep(t, s, "a", beds)
	done := make(chan struct{})
	path := file(t, "words.tsv", chairs)
	go func() {
		defer close(done)
		for range 30 {
			if _, err := s.Import(t.Context(), path, as("a")); err != nil {
				t.Errorf("Import = %v", err)
			}
		}
	}()
	for looks := 0; ; looks++ {
		select {
		case <-done:
			if looks == 0 {
				t.Error("nobody looked")
			}
			return
		default:
		}
		entries, failed := s.Entries("a")
		if n := len(slices.Collect(entries)); failed() != nil || n != 1 && n != 2 {
			t.Fatalf("%d entries, %v", n, failed())
		}
	}
}

func TestTheCompilerGetsAllEntriesAndLearnsOfDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := pack.Open(dir)
	keep(t, s, "a", beds)
	keep(t, s, "b", chairs)
	var got []pack.Entry
	var told [2]int
	learn := func(ctx context.Context, entries iter.Seq[pack.Entry], progress func(done, total int)) error {
		got = slices.Collect(entries)
		progress(len(got), 3)
		// Nobody may change the packs meanwhile.
		if _, err := s.Import(ctx, file(t, "words.tsv", beds), as("c")); ctx.Err() == nil && !errors.Is(err, fault.ErrConflict) {
			t.Errorf("an import beside it: %v", err)
		}
		return ctx.Err()
	}
	progress := func(done, total int) { told = [2]int{done, total} }
	if err := s.Compile(t.Context(), learn, progress); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept(t, s), got); diff != "" || told != [2]int{3, 3} {
		t.Errorf("entries (-want +got):\n%s\nprogress %v", diff, told)
	}
	if err := s.Remove("a"); err != nil {
		t.Errorf("after it: %v", err)
	}

	broken := errors.New("no memory")
	if err := s.Compile(t.Context(), func(context.Context, iter.Seq[pack.Entry], func(int, int)) error { return broken }, progress); !errors.Is(err, broken) {
		t.Errorf("its own failure: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b", "entries.tsv.gz"), []byte("no gzip"), 0o600); err != nil {
		t.Fatal(err)
	}
	// A compiler that looks at nothing but its context must not keep half of it.
	ended := false
	err := s.Compile(t.Context(), func(ctx context.Context, entries iter.Seq[pack.Entry], _ func(int, int)) error {
		_ = slices.Collect(entries)
		ended = ctx.Err() != nil
		return nil
	}, progress)
	if !ended || err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("with a damaged pack the context ended: %t, error %v", ended, err)
	}
}
