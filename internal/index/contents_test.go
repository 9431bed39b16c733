package index_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"kobling/internal/index"
	"kobling/internal/profile"
	"kobling/internal/score"
)

func TestEachReadsWhatIsThere(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	for _, step := range []struct {
		changes []index.Change
		seq     uint64
	}{
		{[]index.Change{one("need.a.1", 1, 3), one("offer.a.2", 2, 3)}, 2},
		{[]index.Change{one("need.a.3", 3, 3), one("need.a.1", 4, 3)}, 4},      // revised
		{[]index.Change{one("offer.a.4", 5, 3), {ID: "offer.a.2", Seq: 6}}, 6}, // taken out
	} {
		if err := x.Apply(t.Context(), step.changes, at(step.seq)); err != nil {
			t.Fatal(err)
		}
	}
	got := map[profile.ID]uint64{}
	err := x.Each(t.Context(), func(id profile.ID, seq uint64, f score.Facts) {
		got[id] = seq
		if diff := gocmp.Diff(facts(seq, id), f); diff != "" {
			t.Errorf("facts of %s (-want +got):\n%s", id, diff)
		}
	})
	if want := map[profile.ID]uint64{"need.a.1": 4, "need.a.3": 3, "offer.a.4": 5}; err != nil || !gocmp.Equal(got, want) {
		t.Errorf("Each = %v, %v, want %v", got, err, want)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Each(ended, func(profile.ID, uint64, score.Facts) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("Each after its context = %v", err)
	}
}

// TestVerifyFindsDamageUnderARunningIndex: bleve itself reads on without a word.
func TestVerifyFindsDamageUnderARunningIndex(t *testing.T) {
	t.Parallel()
	dir, path := filled(t)
	x := open(t, dir)
	if err := x.Verify(t.Context()); err != nil {
		t.Fatalf("Verify of a sound index = %v", err)
	}
	segments, err := filepath.Glob(filepath.Join(path, string(profile.Supply), "*.zap"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("segments: %v, %v", segments, err)
	}
	for _, name := range segments {
		flip(t, name)
	}
	if err := x.Verify(t.Context()); err == nil {
		t.Error("a flipped bit was not found")
	}
}

// flip changes a bit in the middle of a file that may be mapped: it must not become
// shorter even for a moment.
func flip(t *testing.T, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := f.ReadAt(b[:], info.Size()/2); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 4
	if _, err := f.WriteAt(b[:], info.Size()/2); err != nil {
		t.Fatal(err)
	}
}
