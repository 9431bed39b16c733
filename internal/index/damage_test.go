package index_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"kobling/internal/fault"
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

// segmentOf returns a segment file of one side.
func segmentOf(tb testing.TB, path string, side profile.Side) string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(path, string(side), "*.zap"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no segment of %s: %v", side, err)
	}
	return files[0]
}

// overwrite replaces the file called name with what edit makes of its content.
func overwrite(tb testing.TB, name string, edit func([]byte) []byte) {
	tb.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(name, edit(b), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func TestADamagedIndexIsMovedAsideAndBegunAnew(t *testing.T) {
	t.Parallel()
	cut := func(part float64) func([]byte) []byte {
		return func(b []byte) []byte { return b[:int(float64(len(b))*part)] }
	}
	flip := func(part float64) func([]byte) []byte {
		return func(b []byte) []byte { b[int(float64(len(b)-1)*part)] ^= 4; return b }
	}
	for name, harm := range map[string]func(tb testing.TB, path string){
		"segment: first byte flipped":   func(tb testing.TB, p string) { overwrite(tb, segmentOf(tb, p, profile.Demand), flip(0)) },
		"segment: middle byte flipped":  func(tb testing.TB, p string) { overwrite(tb, segmentOf(tb, p, profile.Supply), flip(.5)) },
		"segment: checksum flipped":     func(tb testing.TB, p string) { overwrite(tb, segmentOf(tb, p, profile.Supply), flip(1)) },
		"segment: cut in half":          func(tb testing.TB, p string) { overwrite(tb, segmentOf(tb, p, profile.Supply), cut(.5)) },
		"segment: emptied":              func(tb testing.TB, p string) { overwrite(tb, segmentOf(tb, p, profile.Supply), cut(0)) },
		"segment: last bytes gone":      func(tb testing.TB, p string) { overwrite(tb, segmentOf(tb, p, profile.Supply), cut(.99)) },
		"segment: removed":              func(tb testing.TB, p string) { remove(tb, segmentOf(tb, p, profile.Supply)) },
		"root file: cut in half":        func(tb testing.TB, p string) { overwrite(tb, root(p, profile.Demand), cut(.5)) },
		"root file: cut to two pages":   func(tb testing.TB, p string) { overwrite(tb, root(p, profile.Demand), cut(2*4096./65536)) },
		"root file: a few bytes left":   func(tb testing.TB, p string) { overwrite(tb, root(p, profile.Supply), func(b []byte) []byte { return b[:10] }) },
		"root file: emptied":            func(tb testing.TB, p string) { overwrite(tb, root(p, profile.Supply), cut(0)) },
		"root file: zeroed":             func(tb testing.TB, p string) { overwrite(tb, root(p, profile.Supply), func(b []byte) []byte { return make([]byte, len(b)) }) },
		"root file: removed":            func(tb testing.TB, p string) { remove(tb, root(p, profile.Supply)) },
		"root file: the marks changed":  func(tb testing.TB, p string) { overwrite(tb, root(p, profile.Supply), spoilMarks) },
		"a half of an index elsewhere":  swapHalf,
		"a directory instead of a file": func(tb testing.TB, p string) { f := root(p, profile.Supply); remove(tb, f); mkdir(tb, f) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, path := filled(t)
			harm(t, path)
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

func root(path string, side profile.Side) string {
	return filepath.Join(path, string(side), "root.bolt")
}

func remove(tb testing.TB, name string) {
	tb.Helper()
	if err := os.Remove(name); err != nil {
		tb.Fatal(err)
	}
}

func mkdir(tb testing.TB, name string) {
	tb.Helper()
	if err := os.Mkdir(name, 0o700); err != nil {
		tb.Fatal(err)
	}
}

// spoilMarks raises the sequence in every mark, as a flipped bit would.
func spoilMarks(b []byte) []byte {
	stamp := at(6)
	for i := 0; i+16 < len(b); i++ {
		if nanosAt(b[i:]) == uint64(stamp.Created.UnixNano()) {
			b[i+15] ^= 16
		}
	}
	return b
}

func nanosAt(b []byte) (n uint64) {
	for _, c := range b[:8] {
		n = n<<8 | uint64(c)
	}
	return n
}

// swapHalf puts in one half of an index that was made from another stream.
func swapHalf(tb testing.TB, path string) {
	tb.Helper()
	x := open(tb, tb.TempDir())
	mark := at(6)
	mark.Created = created.Add(time.Minute)
	if err := x.Apply(tb.Context(), []index.Change{one("offer.a.1", 1, 1)}, mark); err != nil {
		tb.Fatal(err)
	}
	x.Settle(tb)
	if err := x.Close(); err != nil {
		tb.Fatal(err)
	}
	half := filepath.Join(path, string(profile.Supply))
	if err := errors.Join(os.RemoveAll(half), os.Rename(filepath.Join(x.Path(), string(profile.Supply)), half)); err != nil {
		tb.Fatal(err)
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
		overwrite(t, segmentOf(t, path, profile.Supply), func(b []byte) []byte { b[5] ^= 1; return b })
	}
	aside, err := filepath.Glob(path + ".damaged-*")
	if err != nil || len(aside) != 3 {
		t.Errorf("kept %v, want three", aside)
	}
}

func TestASecondOpenIsRefusedWithASentence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := open(t, dir)
	_, err := index.Open(dir, index.Options{Epoch: "epoch-1", Log: zap.NewNop()})
	if !errors.Is(err, fault.ErrConflict) {
		t.Fatalf("second Open = %v, want %v", err, fault.ErrConflict)
	}
	t.Log(err)
	beside, err := index.Open(dir, index.Options{Epoch: "epoch-2", Log: zap.NewNop()})
	if err != nil {
		t.Fatal("another epoch beside:", err)
	}
	if err := errors.Join(beside.Close(), x.Close()); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if _, err := index.Open(dir, index.Options{Epoch: "../elsewhere", Log: zap.NewNop()}); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("Open with a path for an epoch = %v, want %v", err, fault.ErrInvalid)
	}
}

// TestADiskThatFailsMakesTheIndexUnready takes the directory away, which fails
// every new file as a full disk does, and gives it back.
func TestADiskThatFailsMakesTheIndexUnready(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	if err := x.Apply(t.Context(), []index.Change{one("offer.a.1", 1, 1)}, at(1)); err != nil {
		t.Fatal(err)
	}
	x.Settle(t)
	half := filepath.Join(x.Path(), string(profile.Supply))
	if err := os.Rename(half, half+"-away"); err != nil {
		t.Fatal(err)
	}
	// Bleve says that this went well: only its callback tells otherwise.
	if err := x.Apply(t.Context(), []index.Change{one("offer.a.2", 2, 1)}, at(2)); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return x.Err() != nil })
	if err := x.Err(); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Err = %v, want %v", err, fault.ErrUnavailable)
	}
	if err := x.Apply(t.Context(), []index.Change{one("offer.a.3", 3, 1)}, at(3)); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Apply = %v, want %v", err, fault.ErrUnavailable)
	}
	if err := os.Rename(half+"-away", half); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return x.Err() == nil })
	if err := x.Apply(t.Context(), []index.Change{one("offer.a.3", 3, 1)}, at(3)); err != nil {
		t.Error("Apply after the disk came back:", err)
	}
	if got := seqs(t, x, profile.Supply); len(got) != 3 {
		t.Errorf("found %v, want three", got)
	}
}

// until waits for cond, which something in the background makes true.
func until(tb testing.TB, cond func() bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for !cond() {
		select {
		case <-tick.C:
		case <-late:
			tb.Fatal("not within a minute")
		}
	}
}
