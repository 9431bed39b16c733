package index_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"kobling/internal/index"
	"kobling/internal/profile"
)

// filled makes an index with a few segments on disk, closes it and returns its
// directory and its path.
func filled(tb testing.TB) (dir, path string) {
	tb.Helper()
	dir = tb.TempDir()
	x := open(tb, dir)
	for seq := uint64(1); seq <= 6; seq += 2 {
		changes := []index.Change{
			one(profile.ID(fmt.Sprintf("offer.a.%d", seq)), seq, 3),
			one(profile.ID(fmt.Sprintf("need.a.%d", seq)), seq+1, 3),
		}
		if err := x.Apply(tb.Context(), changes, at(seq+1)); err != nil {
			tb.Fatal(err)
		}
		x.Settle(tb)
	}
	if err := x.Close(); err != nil {
		tb.Fatal(err)
	}
	return dir, x.Path()
}

func TestADamagedIndexIsMovedAsideAndBegunAnew(t *testing.T) {
	t.Parallel()
	cut := func(part float64) func([]byte) []byte {
		return func(b []byte) []byte { return b[:int(float64(len(b))*part)] }
	}
	flip := func(part float64) func([]byte) []byte {
		return func(b []byte) []byte { b[int(float64(len(b)-1)*part)] ^= 4; return b }
	}
	left := func(bytes int) func([]byte) []byte { return func(b []byte) []byte { return b[:bytes] } }
	zero := func(b []byte) []byte { clear(b); return b }
	const demand, supply = profile.Demand, profile.Supply
	for name, do := range map[string]harm{
		"segment: first byte flipped":  edited(segmentOf, demand, flip(0)),
		"segment: middle byte flipped": edited(segmentOf, supply, flip(.5)),
		"segment: checksum flipped":    edited(segmentOf, supply, flip(1)),
		"segment: cut in half":         edited(segmentOf, supply, cut(.5)),
		"segment: emptied":             edited(segmentOf, supply, cut(0)),
		"segment: last bytes gone":     edited(segmentOf, supply, cut(.99)),
		"segment: removed":             removed(segmentOf, false),
		// Bolt writes its two meta pages first. Of the rest it needs two pages at
		// least: where free pages are listed, and the data.
		"root file: two pages left":     edited(rootOf, demand, left(2*os.Getpagesize())),
		"root file: three pages left":   edited(rootOf, demand, left(3*os.Getpagesize())),
		"root file: a few bytes left":   edited(rootOf, supply, left(10)),
		"root file: emptied":            edited(rootOf, supply, left(0)),
		"root file: zeroed":             edited(rootOf, supply, zero),
		"root file: removed":            removed(rootOf, false),
		"root file: the marks changed":  edited(rootOf, supply, spoilMarks),
		"a directory instead of a file": removed(rootOf, true),
		"a half of another stream":      otherHalf(t),
		"the newest snapshot is broken": newestBroken,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, path := filled(t)
			if err := do(path); err != nil {
				t.Fatal(err)
			}
			x := open(t, dir)
			if !x.Rebuilt() {
				t.Error("the damage was not found")
			}
			if _, ok := x.Fence(); ok || x.Applied() != 0 {
				t.Errorf("the index still claims sequence %d", x.Applied())
			}
			if _, err := os.Stat(path + ".damaged-1"); err != nil {
				t.Error("nothing was moved aside:", err)
			}
			if err := x.Apply(t.Context(), []index.Change{one("offer.a.1", 1, 1)}, at(6)); err != nil {
				t.Fatal(err)
			}
			if got := seqs(t, x, profile.Supply); len(got) != 1 {
				t.Errorf("found %v in the new index, want one", got)
			}
		})
	}
}

func TestAnIntactIndexIsKept(t *testing.T) {
	t.Parallel()
	dir, path := filled(t)
	// What a killed process may leave beside: a segment that nothing refers to.
	if err := os.WriteFile(filepath.Join(path, string(profile.Supply), "0000000000ff.zap"), []byte("half a segm"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := open(t, dir)
	if x.Rebuilt() || x.Applied() != 6 || len(seqs(t, x, profile.Supply)) != 3 {
		t.Errorf("rebuilt %v, applied %d, found %v", x.Rebuilt(), x.Applied(), seqs(t, x, profile.Supply))
	}
	if mark, ok := x.Fence(); !ok || mark != at(6) {
		t.Errorf("Fence = %+v, %v, want %+v", mark, ok, at(6))
	}
}

func TestDamagedIndexesDoNotFillTheDisk(t *testing.T) {
	t.Parallel()
	dir, path := filled(t)
	for range 5 {
		x := open(t, dir)
		if err := x.Apply(t.Context(), []index.Change{one("offer.a.1", 1, 1)}, at(7)); err != nil {
			t.Fatal(err)
		}
		x.Settle(t)
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		if err := edited(segmentOf, profile.Supply, func(b []byte) []byte { b[5] ^= 1; return b })(path); err != nil {
			t.Fatal(err)
		}
	}
	aside, err := filepath.Glob(path + ".damaged-*")
	if err != nil || len(aside) != 3 {
		t.Errorf("kept %v, want three", aside)
	}
}
