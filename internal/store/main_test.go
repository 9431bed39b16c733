package store_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kobling/internal/alert"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// patience is how long a test waits for something that should take
// milliseconds.
const patience = 20 * time.Second

// ledger is a store on a database of its own, and a second way in.
type ledger struct {
	*store.Store

	t    testing.TB
	url  string
	pool *pgxpool.Pool
}

// open returns a ledger in which epoch 1 is active.
func open(tb testing.TB) *ledger {
	tb.Helper()
	url := testkit.DatabaseURL(tb, store.Migrate)
	s, err := store.Open(tb.Context(), url, store.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	l := &ledger{Store: s, t: tb, url: url, pool: store.Pool(s)}
	l.must(s.SetEpoch(tb.Context(), 1, "one", nil, nil))
	return l
}

func (l *ledger) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// exec changes the database behind the store's back.
func (l *ledger) exec(query string, args ...any) {
	l.t.Helper()
	_, err := l.pool.Exec(l.t.Context(), query, args...)
	l.must(err)
}

// get returns the one value that a query selects.
func get[T any](l *ledger, query string, args ...any) T {
	l.t.Helper()
	var v T
	l.must(l.pool.QueryRow(l.t.Context(), query, args...).Scan(&v))
	return v
}

// commit writes a batch of epoch 1.
func (l *ledger) commit(parts ...any) suggestion.Outcome {
	l.t.Helper()
	out, err := l.Commit(l.t.Context(), batch(parts...))
	l.must(err)
	return out
}

// subscribe makes an advisor of the cluster default.
func (l *ledger) subscribe(change ...func(*alert.Subscription)) alert.Subscription {
	l.t.Helper()
	sub := alert.Subscription{Cluster: "default", Channel: alert.Email, Address: "advisor@cluster.example"}
	for _, c := range change {
		c(&sub)
	}
	stored, err := l.Subscribe(l.t.Context(), sub)
	l.must(err)
	return stored
}

// live returns "demand supply" for each live pair at a moment; the zero time is
// now.
func (l *ledger) live(at ...time.Time) []string {
	l.t.Helper()
	query := `SELECT demand_id || ' ' || supply_id FROM suggestion_live ORDER BY 1`
	var args []any
	if len(at) > 0 {
		query, args = `SELECT demand_id || ' ' || supply_id FROM suggestion_live_at($1) ORDER BY 1`, []any{at[0]}
	}
	return l.strings(query, args...)
}

// notifications returns "band state" of each notification, oldest first.
func (l *ledger) notifications() []string {
	l.t.Helper()
	return l.strings(`SELECT band || ' ' || state FROM notification ORDER BY created_at, id`)
}

func (l *ledger) strings(query string, args ...any) []string {
	l.t.Helper()
	rows, err := l.pool.Query(l.t.Context(), query, args...)
	l.must(err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		l.must(rows.Scan(&s))
		all = append(all, s)
	}
	l.must(rows.Err())
	return all
}

// The two sides of most tests.
const (
	need  profile.ID = "need.acme.n1"
	offer profile.ID = "offer.uni.o1"
	both             = string(need) + " " + string(offer)
)

// head returns a published head; change alters it.
func head(id profile.ID, seq uint64, change ...func(*suggestion.Head)) suggestion.Head {
	p := &profile.Profile{
		ID: id, Revision: seq, Cluster: "default", Status: profile.Published,
		Organisation: profile.Organisation{Name: id.Org(), Type: profile.SME, Country: "DK"},
		Texts:        []profile.Text{{Lang: "da", Title: "Titel på " + id.Local()}},
	}
	h := suggestion.Head{ID: id, Seq: seq, IntakeSeq: 100 + seq, Alive: true, Profile: p}
	for _, c := range change {
		c(&h)
	}
	if h.Profile != nil {
		raw, err := json.Marshal(h.Profile)
		if err != nil {
			panic(fmt.Sprintf("encode a test's profile: %v", err))
		}
		h.Raw = raw
	}
	return h
}

// tombstone returns the head of a withdrawn profile.
func tombstone(id profile.ID, seq uint64) suggestion.Head {
	return suggestion.Head{ID: id, Seq: seq, IntakeSeq: 100 + seq}
}

// pair returns the row of need and offer at these sequences.
func pair(needSeq, offerSeq uint64, change ...func(*suggestion.Pair)) suggestion.Pair {
	p := suggestion.Pair{
		Demand: need, Supply: offer, DemandSeq: needSeq, SupplySeq: offerSeq, Epoch: 1,
		Score: 0.5, Band: suggestion.Possible, Reasons: []suggestion.Reason{{Feature: "c:fald", Points: 0.5}},
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

func strong(p *suggestion.Pair) { p.Band, p.Score = suggestion.Strong, 0.9 }

func quiet(h *suggestion.Head) { h.Quiet = true }

// edit changes the profile of a head.
func edit(change func(*profile.Profile)) func(*suggestion.Head) {
	return func(h *suggestion.Head) { change(h.Profile) }
}

// batch puts heads and pairs, and functions that change the batch, together.
func batch(parts ...any) suggestion.Batch {
	b := suggestion.Batch{Epoch: 1}
	for _, part := range parts {
		switch p := part.(type) {
		case suggestion.Head:
			b.Heads = append(b.Heads, p)
		case suggestion.Pair:
			b.Pairs = append(b.Pairs, p)
		case suggestion.Duplicate:
			b.Duplicates = append(b.Duplicates, p)
		case func(*suggestion.Batch):
			p(&b)
		default:
			panic(fmt.Sprintf("batch of a %T", part))
		}
	}
	return b
}

func rematch(epoch int) func(*suggestion.Batch) {
	return func(b *suggestion.Batch) { b.Epoch, b.Rematch = epoch, true }
}

func inEpoch(epoch int) func(*suggestion.Batch) {
	return func(b *suggestion.Batch) { b.Epoch = epoch }
}
