package index_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kobling/internal/analysis"
	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/score"
)

var _ match.Finder = (*index.Index)(nil)

// TestMain has each property tried on fewer histories than rapid would, for each
// writes to the disk; -rapid.checks asks for more. Bleve's own log lines, which
// speak of the damage that tests do, go nowhere.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "15"); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	defer zap.RedirectStdLog(zap.NewNop())()
	m.Run()
}

// created is when the stream of these tests was created.
var created = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// at is a mark at seq.
func at(seq uint64) index.Mark {
	return index.Mark{Created: created, Seq: seq, Time: created.Add(time.Duration(seq)), Hash: [32]byte{byte(seq)}}
}

// open opens an index under dir and closes it when the test ends.
func open(tb testing.TB, dir string) *index.Index {
	tb.Helper()
	x, err := index.Open(dir, index.Options{Epoch: "epoch-1", Log: zap.NewNop()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = x.Close() })
	return x
}

func facts(seq uint64, id profile.ID) score.Facts {
	return score.Facts{Kind: id.Kind(), Country: "DK", TRL: profile.TRL{Min: int(seq % 9), Max: 9}, Langs: []string{"da"}}
}

// one is a change that posts a profile with a single feature.
func one(id profile.ID, seq uint64, weight uint32) index.Change {
	return index.Change{ID: id, Seq: seq, Alive: true, Side: score.Side{
		Features: []analysis.Feature{{Term: "s:word", Weight: weight}}, Facts: facts(seq, id),
	}}
}

// asked is the query that finds what one posts.
func asked(in profile.Side) score.Query {
	return score.Query{In: in, Features: []analysis.Feature{{Term: "s:word", Weight: 1}}, Floor: 1}
}

// seqs returns the ids and sequences that x finds on a side.
func seqs(tb testing.TB, x *index.Index, in profile.Side) map[profile.ID]uint64 {
	tb.Helper()
	found, err := x.Find(tb.Context(), asked(in))
	if err != nil {
		tb.Fatal(err)
	}
	got := map[profile.ID]uint64{}
	for _, c := range found {
		got[c.ID] = c.Seq
	}
	return got
}

func TestApplyingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	changes := []index.Change{one("offer.a.1", 5, 7), one("need.b.1", 6, 7)}
	for range 2 {
		if err := x.Apply(t.Context(), changes, at(6)); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Apply(t.Context(), []index.Change{{ID: "offer.a.1", Seq: 3}}, at(4)); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(map[profile.ID]uint64{"offer.a.1": 5}, seqs(t, x, profile.Supply)); diff != "" {
		t.Errorf("supply (-want +got):\n%s", diff)
	}
	if mark, ok := x.Fence(); !ok || mark != at(6) {
		t.Errorf("Fence = %+v, %v, want %+v", mark, ok, at(6))
	}
	stats, err := x.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if stats.Demands != 1 || stats.Supplies != 1 || stats.Applied != 6 || stats.Segments < 2 || stats.Bytes == 0 {
		t.Errorf("Stats = %+v", stats)
	}
}

func TestApplyRefusesWhatItCannotKeep(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	if err := x.Apply(t.Context(), nil, at(10)); err != nil {
		t.Fatal(err)
	}
	with := func(id profile.ID, f ...analysis.Feature) []index.Change {
		return []index.Change{{ID: id, Seq: 11, Alive: true, Side: score.Side{Features: f}}}
	}
	later := at(20)
	later.Created = created.Add(time.Hour)
	for name, tt := range map[string]struct {
		changes []index.Change
		mark    index.Mark
		want    error
	}{
		"id":                   {with("nonsense"), at(20), fault.ErrInvalid},
		"after the mark":       {[]index.Change{one("offer.a.1", 21, 1)}, at(20), fault.ErrInvalid},
		"out of order":         {[]index.Change{one("offer.a.1", 12, 1), one("offer.a.2", 12, 1)}, at(20), fault.ErrInvalid},
		"weight of nought":     {with("offer.a.1", analysis.Feature{Term: "a"}), at(20), fault.ErrInvalid},
		"weight of supply":     {with("offer.a.1", analysis.Feature{Term: "a", Weight: 256}), at(20), fault.ErrInvalid},
		"weights of demand":    {with("need.a.1", analysis.Feature{Term: "a", Weight: 1 << 16}, analysis.Feature{Term: "b", Weight: 1}), at(20), fault.ErrInvalid},
		"the same term twice":  {with("offer.a.1", analysis.Feature{Term: "a", Weight: 1}, analysis.Feature{Term: "a", Weight: 1}), at(20), fault.ErrInvalid},
		"an empty term":        {with("offer.a.1", analysis.Feature{Weight: 1}), at(20), fault.ErrInvalid},
		"a mark of elsewhere":  {nil, later, fault.ErrConflict},
		"one of many is wrong": {append([]index.Change{one("offer.a.9", 10, 1)}, with("nonsense")...), at(20), fault.ErrInvalid},
	} {
		if err := x.Apply(t.Context(), tt.changes, tt.mark); !errors.Is(err, tt.want) {
			t.Errorf("%s: Apply = %v, want %v", name, err, tt.want)
		}
	}
	if x.Applied() != 10 || len(seqs(t, x, profile.Supply)) != 0 {
		t.Errorf("something was applied: at %d", x.Applied())
	}
	for name, q := range map[string]score.Query{
		"side":   {In: "both", Floor: 1},
		"floor":  {In: profile.Supply},
		"weight": {In: profile.Demand, Floor: 1, Features: []analysis.Feature{{Term: "a", Weight: 256}}},
	} {
		if _, err := x.Find(t.Context(), q); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%s: Find = %v, want %v", name, err, fault.ErrInvalid)
		}
	}
}

func TestResetForgetsEverything(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	if err := x.Apply(t.Context(), []index.Change{one("offer.a.1", 9, 1)}, at(9)); err != nil {
		t.Fatal(err)
	}
	if err := x.Reset(); err != nil {
		t.Fatal(err)
	}
	if _, ok := x.Fence(); ok || x.Applied() != 0 || len(seqs(t, x, profile.Supply)) != 0 {
		t.Error("something is left after Reset")
	}
	other := at(2)
	other.Created = created.Add(time.Hour)
	if err := x.Apply(t.Context(), []index.Change{one("offer.a.1", 2, 1)}, other); err != nil {
		t.Errorf("Apply from another stream after Reset: %v", err)
	}
}

func TestAClosedIndexSaysSo(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	if err := errors.Join(x.Close(), x.Close()); err != nil {
		t.Fatal(err)
	}
	_, findErr := x.Find(t.Context(), asked(profile.Supply))
	_, statsErr := x.Stats()
	for name, err := range map[string]error{
		"Find": findErr, "Stats": statsErr, "Err": x.Err(), "Reset": x.Reset(), "Apply": x.Apply(t.Context(), nil, at(1)),
	} {
		if !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("%s = %v, want %v", name, err, fault.ErrUnavailable)
		}
	}
}
