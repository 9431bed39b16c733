package index_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/analysis"
	"kobling/internal/index"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

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
