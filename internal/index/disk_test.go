package index_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/profile"
)

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
