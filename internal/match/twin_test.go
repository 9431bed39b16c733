package match_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// alsoFalls says what falls says, in other words; the index and the ledger only
// know that it is like it.
const alsoFalls = "Radar sensor that detects falls, for home care"

// related returns the relations that the ledger takes for current.
func (h *house) related() []string {
	h.t.Helper()
	conn, err := pgx.Connect(h.t.Context(), h.url)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(h.t.Context())) }()
	rows, err := conn.Query(h.t.Context(), `SELECT a_id || '@' || a_seq || ' ' || b_id || '@' || b_seq FROM duplicate_live ORDER BY 1`)
	if err != nil {
		h.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// recomputedTwins compares every two profiles in plain order.
func (h *house) recomputedTwins() []string {
	h.t.Helper()
	newest := make(map[profile.ID]event.Revision)
	signatures := make(map[profile.ID]score.Signature)
	for _, m := range h.said {
		r, err := event.DecodeRevision(m)
		if err != nil {
			h.t.Fatal(err)
		}
		if newest[r.ID] = r; r.Status == profile.Published {
			signatures[r.ID] = h.epoch.Side(r.Profile).Signature
		}
	}
	var all []string
	for _, a := range newest {
		for _, b := range newest {
			if a.ID < b.ID && a.ID.Side() == b.ID.Side() && a.ID.Org() == b.ID.Org() &&
				a.Status == profile.Published && b.Status == profile.Published && h.epoch.Duplicate(signatures[a.ID], signatures[b.ID]) {
				all = append(all, fmt.Sprintf("%s@%d %s@%d", a.ID, a.Seq, b.ID, b.Seq))
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestRelationsEqualARecomputation has batches that overlap, come twice and come
// out of order, as after a crash.
func TestRelationsEqualARecomputation(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			h, rng := open(t), rand.New(rand.NewPCG(seed, 7))
			for n := range 40 {
				kind := profile.Kinds[rng.IntN(len(profile.Kinds))]
				id := profile.ID(fmt.Sprintf("%s.org%d.p%d", kind, rng.IntN(2), rng.IntN(3)))
				status := profile.Published
				if rng.IntN(6) == 0 {
					status = profile.Paused
				}
				h.lags = rng.IntN(3) > 0
				h.say(id, status, []string{falls, alsoFalls, wounds}[rng.IntN(3)])
				if rng.IntN(3) > 0 && n < 39 {
					continue
				}
				h.catchUp()
				first := rng.IntN(len(h.said))
				if n == 39 {
					first = 0 // nothing is left out for ever
				}
				batch := slices.Clone(h.said[first:])
				rng.Shuffle(len(batch), func(i, k int) { batch[i], batch[k] = batch[k], batch[i] })
				for part := range slices.Chunk(batch, 8) {
					done(t, h.Handle(t.Context(), part))
				}
			}
			want := h.recomputedTwins()
			if diff := cmp.Diff(want, h.related()); diff != "" || len(want) == 0 {
				t.Errorf("current relations (-recomputed +stored):\n%s", diff)
			}
		})
	}
}

// TestOnlyPostingsOfOneOrganisationAndSideAreTwins has the same text four times.
func TestOnlyPostingsOfOneOrganisationAndSideAreTwins(t *testing.T) {
	t.Parallel()
	h := open(t)
	var ms []event.Message
	for _, id := range []profile.ID{"need.acme.one", "public_need.acme.two", "need.other.one", "offer.acme.one"} {
		ms = append(ms, h.say(id, profile.Published, falls))
	}
	batches := h.recorded()
	done(t, h.Handle(t.Context(), ms))
	want := []suggestion.Duplicate{{A: "need.acme.one", ASeq: 1, B: "public_need.acme.two", BSeq: 2, Epoch: 1}}
	if diff := cmp.Diff(want, (*batches)[0].Duplicates); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"need.acme.one@1 public_need.acme.two@2"}, h.related()); diff != "" {
		t.Errorf("current (-want +got):\n%s", diff)
	}
}

// withoutTwins is a scorer of an epoch that has no near-duplicates.
type withoutTwins struct{ *score.Epoch }

func (withoutTwins) Twin() int { return 0 }

func TestAnEpochWithoutTwinsHasNone(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.Scorer = withoutTwins{h.epoch}
	done(t, h.Handle(t.Context(), []event.Message{h.say("need.acme.one", profile.Published, falls), h.say("need.acme.two", profile.Published, falls)}))
	if got := h.related(); len(got) != 0 {
		t.Errorf("related: %v", got)
	}
}

// TestAnOutdatedRevisionTakesNoRelationAway has an old revision come late, beside
// a twin that finds the new one. Nobody handles those two again.
func TestAnOutdatedRevisionTakesNoRelationAway(t *testing.T) {
	t.Parallel()
	h := open(t)
	late := h.say(need, profile.Published, falls)
	done(t, h.Handle(t.Context(), []event.Message{h.say(need, profile.Published, falls)}))
	done(t, h.Handle(t.Context(), []event.Message{late, h.say("need.acme.twin", profile.Published, falls)}))
	if diff := cmp.Diff([]string{"need.acme.falls@2 need.acme.twin@3"}, h.related()); diff != "" {
		t.Errorf("current relations (-want +got):\n%s", diff)
	}
}
