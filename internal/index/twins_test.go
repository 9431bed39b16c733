package index_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// twins is what an index must answer, worked out by comparing with everything.
func (m model) twins(q score.TwinQuery) []score.Twin {
	var found []score.Twin
	names := func(id profile.ID, entity string) map[string]bool {
		return map[string]bool{id.Org(): true, entity: entity != ""}
	}
	ours := names(q.ID, q.Entity)
	for id, doc := range m {
		common := false
		for name, counts := range names(id, doc.Side.Entity) {
			common = common || counts && ours[name]
		}
		if common && id != q.ID && id.Side() == q.ID.Side() && score.Likeness(q.Signature, doc.Side.Signature) >= q.Floor {
			found = append(found, score.Twin{ID: id, Seq: doc.Seq})
		}
	}
	slices.SortFunc(found, func(a, b score.Twin) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

// drawSignature draws one of few marks, so that signatures are alike: keys that
// fall into one group of a sketch, the first and the last group among them.
func drawSignature(t *rapid.T) score.Signature {
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]uint32{0, 1, 59, 60, 61, 62, 120, 121, 4_000_000_000}), 0, 9, rapid.ID[uint32]).Draw(t, "keys")
	slices.Sort(keys)
	var s score.Signature
	for i, k := range keys {
		share := uint32(score.SignatureTotal / len(keys))
		if i == 0 {
			share = score.SignatureTotal - share*uint32(len(keys)-1)
		}
		s = append(s, score.Mark{Key: k, Share: share})
	}
	return s
}

// names are organisations and legal entities; one is both.
var names = rapid.SampledFrom([]string{"a", "b", "dk-1", "a b"})

func drawTwinID(t *rapid.T) profile.ID {
	org := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "org")
	return profile.ID(fmt.Sprintf("%s.%s.%d", rapid.SampledFrom(profile.Kinds).Draw(t, "kind"), org, rapid.IntRange(0, 4).Draw(t, "id")))
}

func TestTwinsEqualsBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		x := open(t, dir)
		defer func() { _ = x.Close() }()
		m, seq := model{}, uint64(0)
		rt.Repeat(map[string]func(*rapid.T){
			"apply": func(rt *rapid.T) {
				var changes []index.Change
				for range rapid.IntRange(1, 12).Draw(rt, "changes") {
					seq++
					c := one(drawTwinID(rt), seq, 1)
					c.Side.Signature = drawSignature(rt)
					if rapid.Bool().Draw(rt, "named") {
						c.Side.Entity = names.Draw(rt, "entity")
					}
					if rapid.IntRange(0, 4).Draw(rt, "alive") == 0 {
						c.Alive, c.Side = false, score.Side{}
					}
					changes = append(changes, c)
				}
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
				q := score.TwinQuery{ID: drawTwinID(rt), Signature: drawSignature(rt), Floor: rapid.SampledFrom([]int{1, 2500, 4000, 6666, 10_000}).Draw(rt, "floor")}
				if rapid.Bool().Draw(rt, "named") {
					q.Entity = names.Draw(rt, "entity")
				}
				got, err := x.Twins(t.Context(), q)
				if err != nil {
					rt.Fatal(err)
				}
				if diff := gocmp.Diff(m.twins(q), got); diff != "" {
					rt.Fatalf("Twins(%+v) (-want +got):\n%s", q, diff)
				}
			},
		})
	})
}

func TestTwinsRefusesWhatItCannotBeAsked(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	for _, q := range []score.TwinQuery{{}, {ID: "need.acme", Floor: 1}, {ID: "need.acme.one"}, {ID: "need.acme.one", Floor: -1}} {
		if _, err := x.Twins(t.Context(), q); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("Twins(%+v) = %v", q, err)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Twins(t.Context(), score.TwinQuery{ID: "need.acme.one", Floor: 1}); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("of a closed index: %v", err)
	}
}
