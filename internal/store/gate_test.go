package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/suggestion"
)

// TestGate checks each condition of suggestion_live_at, and that Gate says in
// words the same.
func TestGate(t *testing.T) {
	t.Parallel()
	l := open(t)
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	visible := func(c string, v profile.Visibility) func(*suggestion.Head) {
		return edit(func(p *profile.Profile) { p.Cluster, p.Visibility = c, v })
	}
	entity := func(e string) func(*suggestion.Head) {
		return edit(func(p *profile.Profile) { p.Organisation.LegalEntityID = e })
	}
	valid := func(from, until time.Time) func(*suggestion.Head) {
		return edit(func(p *profile.Profile) { p.ValidFrom, p.ValidUntil = from, until })
	}
	type change = []func(*suggestion.Head)
	for _, tt := range []struct {
		name        string
		need, offer change
		before      func(l *ledger)
		at          time.Time // zero: now
		live        bool
		why         []string // asked only about now
	}{
		{name: "open", live: true},
		{name: "private", offer: change{visible("default", profile.VisiblePrivate)}, why: []string{"visibility"}},
		{name: "an unknown visibility", need: change{visible("default", "secret")}, why: []string{"visibility"}},
		{name: "cluster, another cluster", need: change{visible("a", "cluster")}, offer: change{visible("b", "cluster")}, why: []string{"visibility"}},
		{name: "public and cluster, another cluster", need: change{visible("a", "public")}, offer: change{visible("b", "cluster")}, why: []string{"visibility"}},
		{name: "public both", need: change{visible("a", "public")}, offer: change{visible("b", "public")}, live: true},
		{name: "no network", need: change{visible("a", "network")}, offer: change{visible("b", "network")}, why: []string{"visibility"}},
		{
			name: "a common network", need: change{visible("a", "network")}, offer: change{visible("b", "network")}, live: true,
			before: func(l *ledger) {
				l.must(l.SaveNetwork(l.t.Context(), store.Network{ID: "norcare", Name: "NorCare", Clusters: []string{"a", "b"}}))
			},
		},
		{
			name: "a common network, one side in it public", need: change{visible("a", "public")}, offer: change{visible("b", "network")}, live: true,
			before: func(l *ledger) {
				l.must(l.SaveNetwork(l.t.Context(), store.Network{ID: "norcare", Clusters: []string{"a", "b"}}))
			},
		},
		{
			name: "a common network, one side keeps to its cluster", need: change{visible("a", "network")}, offer: change{visible("b", "cluster")},
			before: func(l *ledger) {
				l.must(l.SaveNetwork(l.t.Context(), store.Network{ID: "norcare", Clusters: []string{"a", "b"}}))
			},
			why: []string{"visibility"},
		},
		{
			name: "two networks", need: change{visible("a", "network")}, offer: change{visible("b", "network")},
			before: func(l *ledger) {
				l.must(l.SaveNetwork(l.t.Context(), store.Network{ID: "one", Clusters: []string{"a", "c"}}))
				l.must(l.SaveNetwork(l.t.Context(), store.Network{ID: "two", Clusters: []string{"b", "c"}}))
			},
			why: []string{"visibility"},
		},
		{
			name: "network, the same cluster, which nobody created", need: change{visible("gone", "network")}, offer: change{visible("gone", "cluster")}, live: true,
		},
		{name: "before valid_from", need: change{valid(noon, time.Time{})}, at: noon.Add(-time.Microsecond)},
		{name: "at valid_from", need: change{valid(noon, time.Time{})}, at: noon, live: true},
		{name: "before valid_until", offer: change{valid(time.Time{}, noon)}, at: noon.Add(-time.Microsecond), live: true},
		{name: "at valid_until", offer: change{valid(time.Time{}, noon)}, at: noon},
		{name: "expired now", offer: change{valid(time.Time{}, time.Now().Add(-time.Hour))}, why: []string{"supply_expired"}},
		{name: "not yet valid now", need: change{valid(time.Now().Add(time.Hour), time.Time{})}, why: []string{"demand_not_yet_valid"}},
		{name: "one legal entity", need: change{entity("e1")}, offer: change{entity("e1")}, why: []string{"same_legal_entity"}},
		{name: "two legal entities", need: change{entity("e1")}, offer: change{entity("e2")}, live: true},
		{name: "the other organisation is the legal entity", need: change{entity("uni")}, why: []string{"same_legal_entity"}},
		{
			name: "merged organisations", need: change{entity("e1")}, why: []string{"same_legal_entity"},
			before: func(l *ledger) { l.must(l.SetLegalEntity(l.t.Context(), "acme", "uni")) },
		},
		{name: "paused", need: change{func(h *suggestion.Head) { h.Alive = false }}, why: []string{"demand_not_published"}},
		{name: "quarantined", offer: change{func(h *suggestion.Head) { h.Quarantined = true }}, why: []string{"supply_quarantined"}},
	} {
		l.exec(`DELETE FROM suggestion; DELETE FROM pair; DELETE FROM profile; DELETE FROM organisation; DELETE FROM network`)
		if tt.before != nil {
			tt.before(l)
		}
		l.commit(head(need, 1, tt.need...), head(offer, 2, tt.offer...), pair(1, 2))
		var want []string
		if tt.live {
			want = []string{both}
		}
		if !tt.at.IsZero() {
			if diff := cmp.Diff(want, l.live(tt.at)); diff != "" {
				t.Errorf("%s: live at %s (-want +got):\n%s", tt.name, tt.at, diff)
			}
			continue
		}
		if diff := cmp.Diff(want, l.live()); diff != "" {
			t.Errorf("%s: live (-want +got):\n%s", tt.name, diff)
		}
		why, err := l.Gate(t.Context(), need, offer)
		l.must(err)
		if diff := cmp.Diff(append([]string{}, tt.why...), why); diff != "" {
			t.Errorf("%s: Gate (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestGateOfWhatWasNeverSeen(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.commit(head(need, 1))
	why, err := l.Gate(t.Context(), need, offer)
	l.must(err)
	if diff := cmp.Diff([]string{"supply_unknown", "no_suggestion"}, why); diff != "" {
		t.Errorf("Gate (-want +got):\n%s", diff)
	}
}

func TestADeclinedPairIsHiddenUntilItsContentChanges(t *testing.T) {
	t.Parallel()
	l := open(t)
	decline := store.Decision{Demand: need, Supply: offer, Verdict: store.DeclinePair, Reason: "wrong_field", By: "advisor"}
	check := func(when string, want bool) {
		t.Helper()
		if got := len(l.live()) == 1; got != want {
			why, err := l.Gate(t.Context(), need, offer)
			t.Errorf("%s: live = %t, want %t (Gate = %v, %v)", when, got, want, why, err)
		}
	}
	l.commit(head(need, 1), head(offer, 2), pair(1, 2))
	l.must(l.Decide(t.Context(), decline))
	check("declined", false)

	l.commit(head(need, 3, edit(func(p *profile.Profile) { p.ValidUntil, p.Visibility = time.Now().Add(time.Hour), "public" })), pair(3, 2))
	check("renewed", false)

	l.commit(head(need, 4, edit(func(p *profile.Profile) { p.Texts[0].Title = "Faldsensor til plejehjem" })), pair(4, 2))
	check("rewritten", true)

	l.must(l.Decide(t.Context(), decline))
	check("declined again", false)

	accept := decline
	accept.Verdict, accept.Reason = store.AcceptPair, ""
	l.must(l.Decide(t.Context(), accept))
	check("accepted after all", true)
	if n := get[int](l, `SELECT count(*) FROM river_job WHERE kind = 'retell'`); n != 1 {
		t.Errorf("%d jobs to tell again, want 1", n)
	}
	if got := l.strings(`SELECT kind FROM event_log WHERE kind LIKE 'decision.%' ORDER BY id`); len(got) != 3 {
		t.Errorf("logged %v, want three decisions", got)
	}
}

func TestTheGateReachesTheIndexes(t *testing.T) {
	t.Parallel()
	l := open(t)
	// Enough rows that a plan over all of them would be the dearer one.
	l.exec(`INSERT INTO profile (id, kind, org, seq, epoch, alive, status)
		SELECT 'need.o' || i || '.n', 'need', 'o' || i, i, 1, true, 'published' FROM generate_series(1, 2000) i`)
	l.exec(`INSERT INTO profile (id, kind, org, seq, epoch, alive, status)
		SELECT 'offer.p' || i || '.n', 'offer', 'p' || i, i, 1, true, 'published' FROM generate_series(1, 2000) i`)
	l.exec(`INSERT INTO suggestion (demand_id, supply_id, demand_seq, supply_seq, epoch, score, band, reasons, rematch)
		SELECT 'need.o' || i || '.n', 'offer.p' || (i * k) % 2000 + 1 || '.n', i, (i * k) % 2000 + 1, 1, 0.5, 'possible', '[]', false
		FROM generate_series(1, 2000) i, generate_series(1, 10) k ON CONFLICT DO NOTHING`)
	l.exec(`ANALYZE`)
	plan := l.strings(`EXPLAIN SELECT demand_id FROM suggestion_live WHERE demand_id = ANY(ARRAY['need.o7.n']) OR supply_id = ANY(ARRAY['need.o7.n'])`)
	for _, line := range plan {
		if strings.Contains(line, "Seq Scan on suggestion") || strings.Contains(line, "Function Scan") {
			t.Fatalf("the gate is evaluated over every pair:\n%s", strings.Join(plan, "\n"))
		}
	}
}
