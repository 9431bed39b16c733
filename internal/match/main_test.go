package match_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"kobling/internal/event"
	"kobling/internal/index"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/store"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// epoch is the predicate of all these tests.
var epoch = sync.OnceValues(func() (*score.Epoch, error) { return score.DefaultEpoch(1) })

// house is a match worker between a real index and a real ledger. What is said
// goes into the index at once, unless the index lags.
type house struct {
	*match.Worker

	t     testing.TB
	store *store.Store
	url   string // of the store's database
	index *index.Index
	epoch *score.Epoch
	said  []event.Message

	lags    bool // the index waits for catchUp
	applied int  // how much of said the index has
}

func open(tb testing.TB) *house {
	tb.Helper()
	e, err := epoch()
	if err != nil {
		tb.Fatal(err)
	}
	url := testkit.DatabaseURL(tb, store.Migrate)
	s, err := store.Open(tb.Context(), url, store.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	if err := s.SetEpoch(tb.Context(), 1, "one", nil, nil); err != nil {
		tb.Fatal(err)
	}
	x, err := index.Open(tb.TempDir(), index.Options{Epoch: "one", Log: zap.NewNop()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = x.Close() })
	return &house{
		Worker: &match.Worker{Finder: x, Ledger: s, Scorer: e, Sides: new(match.Sides), Log: testkit.Logger(tb)},
		t:      tb, store: s, url: url, index: x, epoch: e,
	}
}

// say publishes the next revision of a profile.
func (h *house) say(id profile.ID, status profile.Status, text string) event.Message {
	h.t.Helper()
	return h.bring(h.revision(id, status, text))
}

// revision is the next revision of a profile, not yet published.
func (h *house) revision(id profile.ID, status profile.Status, text string) event.Message {
	h.t.Helper()
	seq := uint64(len(h.said) + 1)
	r := event.Revision{ID: id, IntakeSeq: seq, Revision: seq, Status: status}
	if status != profile.Withdrawn {
		r.Profile = &profile.Profile{
			Cluster: "default", Visibility: profile.VisibleCluster,
			Organisation: profile.Organisation{Name: id.Org(), Type: profile.SME},
			Texts:        []profile.Text{{Lang: "en", Title: text}},
		}
	}
	m, err := event.EncodeRevision(r)
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// bring takes a message into the stream.
func (h *house) bring(m event.Message) event.Message {
	h.t.Helper()
	m.Sequence, m.Attempt, m.Time = uint64(len(h.said)+1), 1, time.Unix(int64(len(h.said)), 0)
	h.said = append(h.said, m)
	if !h.lags {
		h.catchUp()
	}
	return m
}

// catchUp brings the index to the end of the stream.
func (h *house) catchUp() {
	h.t.Helper()
	ms := h.said[h.applied:]
	if len(ms) == 0 {
		return
	}
	var changes []index.Change
	for _, c := range match.Changes(h.epoch, ms, h.Sides) {
		changes = append(changes, index.Change{ID: c.ID, Seq: c.Seq, Side: c.Side, Alive: c.Alive})
	}
	last := ms[len(ms)-1]
	mark := index.Mark{Created: time.Unix(0, 0), Seq: last.Sequence, Time: last.Time, Hash: sha256.Sum256(last.Data)}
	if err := h.index.Apply(h.t.Context(), changes, mark); err != nil {
		h.t.Fatal(err)
	}
	h.applied = len(h.said)
}

// live returns the pairs shown now with their scores.
func (h *house) live() map[string]float64 {
	h.t.Helper()
	rows, err := h.store.Suggestions(h.t.Context(), suggestion.Filter{})
	if err != nil {
		h.t.Fatal(err)
	}
	pairs := make(map[string]float64, len(rows))
	for _, r := range rows {
		pairs[name(r.Demand, r.DemandSeq, r.Supply, r.SupplySeq)] = r.Score
	}
	return pairs
}

// recomputed scores all pairs of what was said last of each profile, without
// index and ledger.
func (h *house) recomputed() map[string]float64 {
	h.t.Helper()
	newest := make(map[profile.ID]event.Revision)
	for _, m := range h.said {
		id, err := event.SubjectID(m.Subject)
		if err != nil {
			h.t.Fatal(err)
		}
		newest[id], _ = event.DecodeRevision(m) // what cannot be read is not published
	}
	pairs := make(map[string]float64)
	for _, d := range newest {
		for _, s := range newest {
			if d.ID.Side() != profile.Demand || s.ID.Side() != profile.Supply || d.ID.Org() == s.ID.Org() ||
				d.Status != profile.Published || s.Status != profile.Published {
				continue
			}
			demand, supply := h.epoch.Side(d.Profile), h.epoch.Side(s.Profile)
			text, shared := score.Text(demand.Features, supply.Features)
			if r := h.epoch.Pair(demand.Facts, supply.Facts, text, shared); r.Band != "" {
				pairs[name(d.ID, d.Seq, s.ID, s.Seq)] = r.Score
			}
		}
	}
	return pairs
}

func name(d profile.ID, dseq uint64, s profile.ID, sseq uint64) string {
	return fmt.Sprintf("%s@%d %s@%d", d, dseq, s, sseq)
}

// alive reports what the ledger's head of a profile says.
func (h *house) alive(id profile.ID) bool {
	h.t.Helper()
	head, err := h.store.Head(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return head.Alive
}

func (h *house) deadLetters() int64 {
	h.t.Helper()
	stats, err := h.store.Stats(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return stats.DeadLetters
}

// faulty is a ledger that fails a batch for a reason.
type faulty struct {
	match.Ledger

	fail func(suggestion.Batch) error
}

func (f faulty) Commit(ctx context.Context, b suggestion.Batch) (suggestion.Outcome, error) {
	if err := f.fail(b); err != nil {
		return suggestion.Outcome{}, err
	}
	return f.Ledger.Commit(ctx, b)
}

// holds reports whether a batch has a head of the profile.
func holds(b suggestion.Batch, id profile.ID) bool {
	return slices.ContainsFunc(b.Heads, func(h suggestion.Head) bool { return h.ID == id })
}

// keys returns the names of pairs, sorted.
func keys(pairs map[string]float64) []string { return slices.Sorted(maps.Keys(pairs)) }
