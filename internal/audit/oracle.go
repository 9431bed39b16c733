package audit

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// feature is a term, by number, and its weight.
type feature struct{ term, weight uint32 }

// sideOf returns what the oracle needs of a published profile.
func (r *run) sideOf(p *profile.Profile, terms map[string]uint32) (*side, error) {
	analysed := r.Epoch.Side(p)
	s := &side{
		features: make([]feature, len(analysed.Features)),
		cluster:  p.Cluster, org: p.ID.Org(), entity: p.Organisation.LegalEntityID,
		visibility: p.Visibility, validFrom: p.ValidFrom, validUntil: p.ValidUntil,
	}
	for i, f := range analysed.Features {
		n, ok := terms[f.Term]
		if !ok {
			n = uint32(len(terms)) //nolint:gosec // terms fit into memory
			terms[f.Term] = n
		}
		s.features[i] = feature{n, f.Weight}
	}
	digest, err := r.Digest(p)
	s.digest = string(digest)
	return s, err
}

// gate is the second, plain form of what suggestion_live says in SQL.
type gate struct {
	at       time.Time
	entities map[string]string   // by organisation, said by the operator
	networks map[string][]string // by cluster
	declined map[[2]profile.ID][2]string
}

// open reports whether a pair may be shown at that moment. Both sides are
// published.
func (g *gate) open(demand, supply *revision) bool {
	for _, n := range []*revision{demand, supply} {
		if n.validFrom.After(g.at) || !n.validUntil.IsZero() && !n.validUntil.After(g.at) {
			return false
		}
	}
	if g.entity(demand.side) == g.entity(supply.side) || !g.visible(demand.side, supply.side) {
		return false
	}
	digests, ok := g.declined[[2]profile.ID{demand.id, supply.id}]
	return !ok || digests != [2]string{demand.digest, supply.digest}
}

// entity is who stands behind a profile: the operator's word, then its own.
func (g *gate) entity(s *side) string {
	if e, ok := g.entities[s.org]; ok {
		return e
	}
	return cmp.Or(s.entity, s.org)
}

// visible reports whether the sides may see each other.
func (g *gate) visible(a, b *side) bool {
	reach := func(s *side) int {
		switch s.visibility {
		case "", profile.VisibleCluster:
			return 1
		case profile.VisibleNetwork:
			return 2
		case profile.VisiblePublic:
			return 3
		default:
			return 0
		}
	}
	both := min(reach(a), reach(b))
	switch {
	case both == 0:
		return false
	case a.cluster == b.cluster, both == 3:
		return true
	}
	return both == 2 && slices.ContainsFunc(g.networks[a.cluster], func(n string) bool { return slices.Contains(g.networks[b.cluster], n) })
}

// recompute compares the live suggestions with all that must be.
func (r *run) recompute(ctx context.Context, db *database) error {
	var demands, supplies []*revision
	for _, n := range r.newest {
		if n.side == nil || !r.judged(n.id, db) {
			continue
		}
		if n.id.Side() == profile.Demand {
			demands = append(demands, n)
		} else {
			supplies = append(supplies, n)
		}
	}
	byID := func(a, b *revision) int { return cmp.Compare(a.id, b.id) }
	slices.SortFunc(demands, byID)
	slices.SortFunc(supplies, byID)
	want, err := r.expect(ctx, demands, supplies, db)
	if err != nil {
		return fmt.Errorf("recompute suggestions: %w", err)
	}
	r.compareLive(db, want)
	return nil
}

// judged reports whether a profile's pairs can be judged: its newest message was
// handled before the view.
func (r *run) judged(id profile.ID, db *database) bool {
	n, ok := r.newest[id]
	h, known := db.heads[id]
	return ok && known && !r.waiting[id] && h.seq == n.seq && !h.quarantined
}

// judgedPair reports whether a pair of two judged profiles has been matched in
// the epoch of now: by either side's handler.
func (r *run) judgedPair(demand, supply profile.ID, db *database) bool {
	return max(db.heads[demand].epoch, db.heads[supply].epoch) == r.Epoch.Number()
}

// expect returns the suggestions that must be live, in order of key.
func (r *run) expect(ctx context.Context, demands, supplies []*revision, db *database) ([]suggestion.Pair, error) {
	terms := uint32(0)
	for _, n := range append(slices.Clone(demands), supplies...) {
		for _, f := range n.features {
			terms = max(terms, f.term+1)
		}
	}
	found := make([][]suggestion.Pair, len(demands)) // by demand
	left := make([]int, len(demands))
	var next, done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			weights := make([]uint32, terms) // of the demand in hand
			for {
				i := int(next.Add(1)) - 1
				if i >= len(demands) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				found[i], left[i] = r.suggestionsOf(demands[i], supplies, weights, db)
				r.progress("Recomputing suggestions", int(done.Add(1)), len(demands))
			}
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, n := range left {
		r.report.Checked.PairsLeft += n
	}
	r.report.Checked.Pairs = len(demands)*len(supplies) - r.report.Checked.PairsLeft
	return slices.Concat(found...), nil
}

// suggestionsOf returns the suggestions of one demand, and how many pairs were not
// judged. weights is all 0, before and after.
func (r *run) suggestionsOf(demand *revision, supplies []*revision, weights []uint32, db *database) (pairs []suggestion.Pair, left int) {
	for _, f := range demand.features {
		weights[f.term] = f.weight
	}
	for _, supply := range supplies {
		if !r.judgedPair(demand.id, supply.id, db) {
			left++
			continue
		}
		var text uint32
		for _, f := range supply.features {
			text += weights[f.term] * f.weight
		}
		if text < r.Epoch.Floor() {
			continue
		}
		result := r.Epoch.Pair(demand.facts, supply.facts, text, nil)
		if result.Band == "" || !db.gate.open(demand, supply) {
			continue
		}
		pairs = append(pairs, suggestion.Pair{
			Demand: demand.id, Supply: supply.id, DemandSeq: demand.seq, SupplySeq: supply.seq,
			Epoch: r.Epoch.Number(), Score: result.Score, Band: result.Band,
		})
	}
	for _, f := range demand.features {
		weights[f.term] = 0
	}
	return pairs, left
}

// compareLive compares the live suggestions with those that must be; both are in
// order of key.
func (r *run) compareLive(db *database, want []suggestion.Pair) {
	live := slices.DeleteFunc(slices.Clone(db.live), func(p suggestion.Pair) bool {
		// A side that PROFILES does not have is judged elsewhere.
		return !r.judged(p.Demand, db) || !r.judged(p.Supply, db) || !r.judgedPair(p.Demand, p.Supply, db)
	})
	r.report.Checked.Live, r.report.Checked.Expected = len(live), len(want)
	var missing, extra, differs tally
	for len(live) > 0 || len(want) > 0 {
		switch order(live, want) {
		case -1:
			extra.add("%s and %s", live[0].Demand, live[0].Supply)
			live = live[1:]
		case 1:
			missing.add("%s and %s, score %.4f", want[0].Demand, want[0].Supply, want[0].Score)
			want = want[1:]
		default:
			if got, is := live[0], want[0]; got.Score != is.Score || got.Band != is.Band || got.DemandSeq != is.DemandSeq || got.SupplySeq != is.SupplySeq || got.Epoch != is.Epoch {
				differs.add("%s and %s: %s %.4f at %d and %d, want %s %.4f at %d and %d", got.Demand, got.Supply,
					got.Band, got.Score, got.DemandSeq, got.SupplySeq, is.Band, is.Score, is.DemandSeq, is.SupplySeq)
			}
			live, want = live[1:], want[1:]
		}
	}
	r.found(missing, "suggestion_missing", "pairs that must be suggested are not", mendHeads)
	r.found(extra, "suggestion_extra", "pairs are suggested that must not be", mendHeads)
	r.found(differs, "suggestion_differs", "suggestions have another score, band or revision than they must have", mendHeads)
}

// order compares the first pairs of two lists; an empty list comes last.
func order(a, b []suggestion.Pair) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return cmp.Or(cmp.Compare(a[0].Demand, b[0].Demand), cmp.Compare(a[0].Supply, b[0].Supply))
}
