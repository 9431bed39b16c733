package audit_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"kobling/internal/audit"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// now is when these tests look.
var now = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

// installation is what an auditor looks at, in memory.
type installation struct {
	epoch     *score.Epoch
	last      map[string]uint64 // of each stream
	settled   uint64            // by the consumer "match"
	messages  map[profile.ID]event.Message
	heads     map[profile.ID]audit.Head
	live      []suggestion.Pair
	entities  map[string]string
	networks  map[string][]string
	declined  map[[2]profile.ID]bool
	anomalies []audit.Anomaly
	applied   uint64
	indexed   map[profile.ID]uint64
	facts     map[profile.ID]score.Facts
	damage    string
}

// published returns a profile of these tests.
func published(id profile.ID, text string) *profile.Profile {
	return &profile.Profile{
		ID: id, Cluster: "default",
		Organisation: profile.Organisation{Name: id.Org(), Type: profile.SME, Country: "DK"},
		Texts:        []profile.Text{{Lang: "da", Title: text, Description: text}},
		ValidFrom:    now.Add(-time.Hour), ValidUntil: now.Add(time.Hour),
	}
}

// sound returns an installation in which everything is as it should be: five
// profiles, one of them withdrawn, and the suggestions of the others.
func sound(tb testing.TB) *installation {
	tb.Helper()
	epoch, err := score.DefaultEpoch(1)
	if err != nil {
		tb.Fatal(err)
	}
	i := &installation{
		epoch: epoch, last: map[string]uint64{"INTAKE": 100},
		messages: map[profile.ID]event.Message{}, heads: map[profile.ID]audit.Head{},
		declined: map[[2]profile.ID]bool{}, indexed: map[profile.ID]uint64{}, facts: map[profile.ID]score.Facts{},
	}
	const fall, antenna = "Faldsensor og faldalarm til ældre i eget hjem", "Antenner til satellitter"
	i.put(tb, published("need.acme.fald", fall), 3)
	i.put(tb, published("need.radio.antenne", antenna), 5)
	i.put(tb, published("offer.dtu.fald", fall), 7)
	i.put(tb, published("offer.kth.antenne", antenna), 8)
	i.put(tb, nil, 9)
	i.live = i.pairs(tb)
	return i
}

// put says something of a profile everywhere; nil withdraws need.acme.gone.
func (i *installation) put(tb testing.TB, p *profile.Profile, seq uint64) {
	tb.Helper()
	r := event.Revision{ID: "need.acme.gone", IntakeSeq: seq * 2, Revision: 1, Status: profile.Withdrawn, Profile: p, Time: now}
	if p != nil {
		r.ID, r.Status = p.ID, profile.Published
	}
	m, err := event.EncodeRevision(r)
	if err != nil {
		tb.Fatal(err)
	}
	m.Sequence = seq
	if r, err = event.DecodeRevision(m); err != nil {
		tb.Fatal(err)
	}
	i.messages[r.ID] = m
	i.last["PROFILES"], i.settled, i.applied = seq, seq, seq
	h := audit.Head{Revision: 1, Status: r.Status}
	h.Head = suggestion.Head{ID: r.ID, Seq: seq, Epoch: i.epoch.Number(), IntakeSeq: r.IntakeSeq, Alive: p != nil, Raw: r.Raw}
	i.heads[r.ID] = h
	if p != nil {
		i.indexed[r.ID], i.facts[r.ID] = seq, score.FactsOf(r.Profile)
	}
}

// pairs are the suggestions of what is on the stream, by the definition of the
// text part.
func (i *installation) pairs(tb testing.TB) []suggestion.Pair {
	tb.Helper()
	var pairs []suggestion.Pair
	for _, d := range slices.Sorted(maps.Keys(i.messages)) {
		for _, s := range slices.Sorted(maps.Keys(i.messages)) {
			if d.Side() != profile.Demand || s.Side() != profile.Supply {
				continue
			}
			demand, err := event.DecodeRevision(i.messages[d])
			if err != nil || demand.Profile == nil {
				continue
			}
			supply, err := event.DecodeRevision(i.messages[s])
			if err != nil {
				continue
			}
			a, b := i.epoch.Side(demand.Profile), i.epoch.Side(supply.Profile)
			text, top := score.Text(a.Features, b.Features)
			if r := i.epoch.Pair(a.Facts, b.Facts, text, top); r.Band != "" {
				pairs = append(pairs, suggestion.Pair{
					Demand: d, Supply: s, DemandSeq: demand.Seq, SupplySeq: supply.Seq, Epoch: 1, Score: r.Score, Band: r.Band,
				})
			}
		}
	}
	if len(pairs) < 2 {
		tb.Fatalf("%d suggestions, want at least 2", len(pairs))
	}
	return pairs
}

func (i *installation) run(tb testing.TB) audit.Report {
	tb.Helper()
	a := &audit.Auditor{Log: i, Ledger: i, Index: i, Epoch: i.epoch, Digest: digest}
	r, err := a.Run(tb.Context(), true)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func digest(p *profile.Profile) ([]byte, error) { return []byte(p.Texts[0].Title), nil }

func (i *installation) Extent(_ context.Context, stream string) (audit.Extent, error) {
	return audit.Extent{LastSeq: i.last[stream], Settled: map[string]uint64{"match": i.settled}}, nil
}

func (i *installation) Walk(_ context.Context, stream string, first, last uint64, f func(event.Message) error) error {
	if stream != "PROFILES" {
		return fmt.Errorf("walk through %s", stream)
	}
	inOrder := slices.SortedFunc(maps.Values(i.messages), func(a, b event.Message) int { return int(a.Sequence) - int(b.Sequence) })
	for _, m := range inOrder {
		if m.Sequence < first || m.Sequence > last {
			continue
		}
		if err := f(m); err != nil {
			return err
		}
	}
	return nil
}

func (i *installation) View(_ context.Context, f func(audit.View) error) error { return f(i) }

func (i *installation) At() time.Time { return now }

func (i *installation) Heads(_ context.Context, f func(audit.Head) error) error {
	for _, h := range i.heads {
		if err := f(h); err != nil {
			return err
		}
	}
	return nil
}

func (i *installation) Live(_ context.Context, f func(suggestion.Pair) error) error {
	for _, p := range i.live {
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

func (i *installation) LegalEntities(context.Context) (map[string]string, error) {
	return i.entities, nil
}

func (i *installation) Networks(context.Context) (map[string][]string, error) { return i.networks, nil }

func (i *installation) Declined(_ context.Context, f func(d, s profile.ID, dd, sd []byte) error) error {
	for key, unchanged := range i.declined {
		digests := [2]string{"old", "old"}
		for side, id := range key {
			if r, err := event.DecodeRevision(i.messages[id]); err == nil && unchanged {
				digests[side] = r.Profile.Texts[0].Title
			}
		}
		if err := f(key[0], key[1], []byte(digests[0]), []byte(digests[1])); err != nil {
			return err
		}
	}
	return nil
}

func (i *installation) Anomalies(context.Context) ([]audit.Anomaly, error) { return i.anomalies, nil }

func (i *installation) Contents(context.Context) (audit.Contents, error) {
	c := audit.NewContents()
	c.Applied, c.Damage = i.applied, i.damage
	for id, seq := range i.indexed {
		c.Add(id, seq, i.facts[id])
	}
	return c, nil
}

func (i *installation) Bucket(_ context.Context, n int) ([]audit.Entry, error) {
	var entries []audit.Entry
	for id, seq := range i.indexed {
		if audit.BucketOf(id) == n {
			entries = append(entries, audit.Entry{ID: id, Seq: seq})
		}
	}
	return entries, nil
}
