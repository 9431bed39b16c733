package index_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"kobling/internal/analysis"
	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

var _ match.Finder = (*index.Index)(nil)

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

// model is what an index must answer, worked out by comparing with everything.
type model map[profile.ID]index.Change

func (m model) apply(changes []index.Change) {
	for _, c := range changes {
		delete(m, c.ID)
		if c.Alive {
			m[c.ID] = c
		}
	}
}

func (m model) find(q score.Query) []score.Candidate {
	weights := map[string]uint32{}
	for _, f := range q.Features {
		weights[f.Term] = f.Weight
	}
	var found []score.Candidate
	for id, doc := range m {
		if id.Side() != q.In {
			continue
		}
		c := score.Candidate{ID: id, Seq: doc.Seq, Facts: doc.Side.Facts}
		for _, f := range doc.Side.Features {
			if w := weights[f.Term]; w > 0 {
				c.Text += w * f.Weight
				c.Top = append(c.Top, score.Contribution{Term: f.Term, Points: w * f.Weight})
			}
		}
		if c.Text < q.Floor {
			continue
		}
		slices.SortFunc(c.Top, func(a, b score.Contribution) int {
			return cmp.Or(cmp.Compare(b.Points, a.Points), cmp.Compare(a.Term, b.Term))
		})
		c.Top = c.Top[:min(len(c.Top), suggestion.MaxReasons)]
		found = append(found, c)
	}
	slices.SortFunc(found, func(a, b score.Candidate) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

func (m model) top(q score.Query, n int) []score.Candidate {
	found := m.find(q)
	slices.SortFunc(found, func(a, b score.Candidate) int {
		return cmp.Or(cmp.Compare(b.Text, a.Text), cmp.Compare(a.ID, b.ID))
	})
	return found[:min(n, len(found))]
}

// Weights at which an encoding could change its mind: one byte, two bytes, the
// greatest.
var (
	supplyWeights = rapid.OneOf(rapid.SampledFrom([]uint32{1, 2, 63, 64, 127, 128, 254, 255}), rapid.Uint32Range(1, 255))
	demandWeights = rapid.OneOf(rapid.SampledFrom([]uint32{1, 2, 127, 128, 255, 256, 2047}), rapid.Uint32Range(1, 2000))
)

// features draws features of one side, from few terms so that they meet.
func features(t *rapid.T, side profile.Side) []analysis.Feature {
	if side == profile.Demand && rapid.IntRange(0, 9).Draw(t, "sole") == 0 {
		return []analysis.Feature{{Term: term(rapid.IntRange(0, 39).Draw(t, "term")), Weight: score.DemandTotal}}
	}
	weights := supplyWeights
	if side == profile.Demand {
		weights = demandWeights
	}
	terms := rapid.SliceOfNDistinct(rapid.IntRange(0, 39), 0, 30, rapid.ID[int]).Draw(t, "terms")
	slices.Sort(terms)
	var out []analysis.Feature
	for _, n := range terms {
		out = append(out, analysis.Feature{Term: term(n), Weight: weights.Draw(t, "weight")})
	}
	return out
}

func term(n int) string { return fmt.Sprintf("s:%02d", n) }

// kinds by which ids are drawn.
func drawID(t *rapid.T) profile.ID {
	kind := rapid.SampledFrom(profile.Kinds).Draw(t, "kind")
	return profile.ID(fmt.Sprintf("%s.org.%d", kind, rapid.IntRange(0, 11).Draw(t, "id")))
}

func facts(seq uint64, id profile.ID) score.Facts {
	return score.Facts{Kind: id.Kind(), Country: "DK", TRL: profile.TRL{Min: int(seq % 9), Max: 9}, Langs: []string{"da"}}
}

// drawChanges draws a batch that begins after seq.
func drawChanges(t *rapid.T, seq uint64) []index.Change {
	var out []index.Change
	for range rapid.IntRange(0, 12).Draw(t, "changes") {
		seq += rapid.Uint64Range(1, 3).Draw(t, "step")
		c := index.Change{ID: drawID(t), Seq: seq, Alive: rapid.IntRange(0, 4).Draw(t, "alive") > 0}
		if c.Alive {
			c.Side = score.Side{Features: features(t, c.ID.Side()), Facts: facts(seq, c.ID)}
		}
		out = append(out, c)
	}
	return out
}

// TestFindEqualsBruteForce lets a random history run against the index and the
// model: batches, merges, restarts, and after each any query.
func TestFindEqualsBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		x := open(t, dir)
		defer func() { _ = x.Close() }()
		m, seq := model{}, uint64(0)
		rt.Repeat(map[string]func(*rapid.T){
			"apply": func(rt *rapid.T) {
				changes := drawChanges(rt, seq)
				if len(changes) > 0 {
					seq = changes[len(changes)-1].Seq
				}
				seq++
				if err := x.Apply(t.Context(), changes, at(seq)); err != nil {
					rt.Fatal(err)
				}
				m.apply(changes)
			},
			"merge": func(*rapid.T) { x.Merge(t) },
			"reopen": func(rt *rapid.T) {
				x.Settle(t)
				if err := x.Close(); err != nil {
					rt.Fatal(err)
				}
				x = open(t, dir)
			},
			"": func(rt *rapid.T) {
				if x.Applied() != seq {
					rt.Fatalf("applied %d, want %d", x.Applied(), seq)
				}
				in := rapid.SampledFrom([]profile.Side{profile.Demand, profile.Supply}).Draw(rt, "in")
				q := score.Query{In: in, Features: features(rt, in.Other())}
				q.Floor = rapid.OneOf(rapid.Just(uint32(1)), rapid.Uint32Range(1, 1<<20), rapid.Just(uint32(score.TextMax))).Draw(rt, "floor")
				got, err := x.Find(t.Context(), q)
				if err != nil {
					rt.Fatal(err)
				}
				if diff := gocmp.Diff(m.find(q), got); diff != "" {
					rt.Fatalf("Find(%+v) (-want +got):\n%s", q, diff)
				}
				n := rapid.IntRange(1, 8).Draw(rt, "n")
				got, err = x.Top(t.Context(), q, n)
				if err != nil {
					rt.Fatal(err)
				}
				if diff := gocmp.Diff(m.top(q, n), got); diff != "" && len(got)+len(m.top(q, n)) > 0 {
					rt.Fatalf("Top(%+v, %d) (-want +got):\n%s", q, n, diff)
				}
			},
		})
	})
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

func TestWaitForReturnsAsSoonAsTheSequenceIsApplied(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	const waiters = 8
	errs := make(chan error, waiters)
	for range waiters {
		go func() {
			err := x.WaitFor(t.Context(), 3)
			if err == nil {
				found, findErr := x.Find(t.Context(), asked(profile.Supply))
				if err = findErr; err == nil && len(found) != 3 {
					err = fmt.Errorf("%d found after WaitFor, want 3", len(found))
				}
			}
			errs <- err
		}()
	}
	for seq := uint64(1); seq <= 3; seq++ {
		c := one(profile.ID(fmt.Sprintf("offer.a.%d", seq)), seq, 1)
		if err := x.Apply(t.Context(), []index.Change{c}, at(seq)); err != nil {
			t.Fatal(err)
		}
	}
	for range waiters {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := x.WaitFor(ctx, 4); !errors.Is(err, fault.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("WaitFor what never comes = %v, want %v and the deadline", err, fault.ErrUnavailable)
	}
}

// TestReadersSeeOneVersion reads while profiles are replaced all the time: each
// is found once, at a revision whose weight and facts belong together, and never
// at an older one than before.
func TestReadersSeeOneVersion(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	const profiles, rounds = 20, 60
	batch := func(round uint64) ([]index.Change, index.Mark) {
		var changes []index.Change
		for n := range uint64(profiles) {
			seq := round*profiles + n + 1
			changes = append(changes, one(profile.ID(fmt.Sprintf("offer.a.%d", n)), seq, uint32(seq%255)+1))
		}
		return changes, at((round + 1) * profiles)
	}
	changes, mark := batch(0)
	if err := x.Apply(t.Context(), changes, mark); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	errs := make(chan error, 3)
	for range cap(errs) {
		go func() { errs <- readUntil(t.Context(), x, done, profiles) }()
	}
	for round := uint64(1); round < rounds; round++ {
		changes, mark := batch(round)
		if err := x.Apply(t.Context(), changes, mark); err != nil {
			t.Error(err)
		}
	}
	close(done)
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func readUntil(ctx context.Context, x *index.Index, done <-chan struct{}, profiles int) error {
	newest := map[profile.ID]uint64{}
	for {
		found, err := x.Find(ctx, asked(profile.Supply))
		if err != nil {
			return err
		}
		if len(found) != profiles {
			return fmt.Errorf("found %d profiles, want %d", len(found), profiles)
		}
		for _, c := range found {
			if c.Text != uint32(c.Seq%255)+1 || c.Facts.TRL.Min != int(c.Seq%9) {
				return fmt.Errorf("%s: sequence %d with text %d and facts %+v of another", c.ID, c.Seq, c.Text, c.Facts)
			}
			if c.Seq < newest[c.ID] {
				return fmt.Errorf("%s: sequence %d after %d", c.ID, c.Seq, newest[c.ID])
			}
			newest[c.ID] = c.Seq
		}
		select {
		case <-done:
			return nil
		default:
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
