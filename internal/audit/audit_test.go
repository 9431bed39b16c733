package audit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/audit"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

const (
	need  profile.ID = "need.acme.fald"
	offer profile.ID = "offer.dtu.fald"
)

func TestNothingIsFoundWhereNothingDiffers(t *testing.T) {
	t.Parallel()
	r := sound(t).run(t)
	if len(r.Findings) > 0 {
		t.Errorf("findings: %+v", r.Findings)
	}
	want := audit.Checked{Messages: 5, Heads: 5, Documents: 4, Pairs: 4, Expected: 2, Live: 2}
	if diff := cmp.Diff(want, r.Checked); diff != "" {
		t.Errorf("checked (-want +got):\n%s", diff)
	}
}

// edit changes a head.
func edit(change func(*audit.Head)) func(testing.TB, *installation) {
	return func(_ testing.TB, i *installation) {
		h := i.heads[need]
		change(&h)
		i.heads[need] = h
	}
}

// revised changes the need on the stream and everywhere else, and takes the
// suggestions that follow, if any do.
func revised(live bool, change func(*profile.Profile)) func(testing.TB, *installation) {
	return func(tb testing.TB, i *installation) {
		tb.Helper()
		p := published(need, "Faldsensor og faldalarm til ældre i eget hjem")
		change(p)
		i.put(tb, p, 20)
		i.live = i.pairs(tb)
		if !live {
			i.live = slices.DeleteFunc(i.live, func(p suggestion.Pair) bool { return p.Demand == need })
		}
	}
}

// TestEachDifferenceIsFound spoils one thing at a time and expects exactly the
// findings named.
func TestEachDifferenceIsFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(testing.TB, *installation)
		want  []string
	}{
		{"a head is missing", func(_ testing.TB, i *installation) { delete(i.heads, need) }, []string{"head_missing"}},
		{"a head is behind", edit(func(h *audit.Head) { h.Seq = 2 }), []string{"head_behind"}},
		{"a head is not alive", edit(func(h *audit.Head) { h.Alive = false }), []string{"head_differs"}},
		{"a body differs", edit(func(h *audit.Head) { h.Raw = []byte(`{"id":"need.acme.fald"}`) }), []string{"head_differs"}},
		{"a body is no JSON", edit(func(h *audit.Head) { h.Raw = []byte(`{`) }), []string{"head_differs"}},
		{"a revision differs", edit(func(h *audit.Head) { h.Revision = 2 }), []string{"head_differs"}},
		{"a head is ahead of the stream", edit(func(h *audit.Head) { h.Seq = 4 }), []string{"revision_lost"}},
		{"the stream lost a profile", func(_ testing.TB, i *installation) {
			delete(i.messages, need)
			delete(i.indexed, need)
		}, []string{"profile_lost"}},
		{"INTAKE was made anew", func(_ testing.TB, i *installation) { i.last["INTAKE"] = 17 }, []string{"intake_lost"}},
		{"a message cannot be read", func(_ testing.TB, i *installation) {
			m := i.messages[need]
			m.Data = []byte("{")
			i.messages[need] = m
			delete(i.indexed, need)
		}, []string{"poison_unkept", "suggestion_extra"}},
		{"a message that cannot be read was kept", func(tb testing.TB, i *installation) {
			tb.Helper()
			m := i.messages[need]
			m.Data = []byte("{")
			i.messages[need] = m
			delete(i.indexed, need)
			i.live = slices.DeleteFunc(i.live, func(p suggestion.Pair) bool { return p.Demand == need })
			edit(func(h *audit.Head) { h.Alive, h.Quarantined = false, true })(tb, i)
		}, nil},
		{"the index lacks a profile", func(_ testing.TB, i *installation) { delete(i.indexed, need) }, []string{"index_differs"}},
		{"the index has an old revision", func(_ testing.TB, i *installation) { i.indexed[need] = 2 }, []string{"index_differs"}},
		{"the index has what was withdrawn", func(_ testing.TB, i *installation) { i.indexed["need.acme.gone"] = 2 }, []string{"index_differs"}},
		{"the index has what nobody said", func(_ testing.TB, i *installation) { i.indexed["need.acme.x"] = 2 }, []string{"index_differs"}},
		{"the index has other facts", func(_ testing.TB, i *installation) { i.facts[need] = score.Facts{Country: "NO"} }, []string{"index_differs"}},
		{"the index is damaged", func(_ testing.TB, i *installation) { i.damage = "segment 1" }, []string{"index_damaged"}},
		{"the index is ahead", func(_ testing.TB, i *installation) { i.applied = 11 }, []string{"index_ahead"}},
		{"the index is behind", func(_ testing.TB, i *installation) {
			i.applied = 8
			i.indexed["need.acme.gone"] = 2 // withdrawn at 9
		}, nil},
		{"a suggestion is missing", func(_ testing.TB, i *installation) { i.live = i.live[1:] }, []string{"suggestion_missing"}},
		{"the last suggestion is missing", func(_ testing.TB, i *installation) { i.live = i.live[:1] }, []string{"suggestion_missing"}},
		{"a suggestion too many", func(_ testing.TB, i *installation) {
			i.live = slices.Insert(i.live, 1, suggestion.Pair{Demand: need, Supply: "offer.kth.antenne", DemandSeq: 3, SupplySeq: 8, Epoch: 1, Score: .5, Band: suggestion.Possible})
		}, []string{"suggestion_extra"}},
		{"a score differs in the last bit", func(_ testing.TB, i *installation) { i.live[0].Score += 1e-16 }, []string{"suggestion_differs"}},
		{"a band differs", func(_ testing.TB, i *installation) { i.live[0].Band = "weak" }, []string{"suggestion_differs"}},
		{"a revision differs", func(_ testing.TB, i *installation) { i.live[0].SupplySeq-- }, []string{"suggestion_differs"}},
		{"an anomaly", func(_ testing.TB, i *installation) {
			i.anomalies = []audit.Anomaly{{Name: "missing_alert", Count: 3, Example: "x"}}
		}, []string{"missing_alert"}},

		// The gate.
		{"private", revised(false, func(p *profile.Profile) { p.Visibility = profile.VisiblePrivate }), nil},
		{"expired", revised(false, func(p *profile.Profile) { p.ValidUntil = now }), nil},
		{"not yet valid", revised(false, func(p *profile.Profile) { p.ValidFrom = now.Add(1) }), nil},
		{"valid from now", revised(true, func(p *profile.Profile) { p.ValidFrom = now }), nil},
		{"one legal entity, by its own word", revised(false, func(p *profile.Profile) { p.Organisation.LegalEntityID = "dtu" }), nil},
		{"one legal entity, by the operator's", func(tb testing.TB, i *installation) {
			tb.Helper()
			i.entities = map[string]string{"acme": "e", "dtu": "e"}
			revised(false, func(*profile.Profile) {})(tb, i)
		}, nil},
		{"another cluster", revised(false, func(p *profile.Profile) { p.Cluster = "other" }), nil},
		{"a network of which only one side wants to be seen", func(tb testing.TB, i *installation) {
			tb.Helper()
			i.networks = map[string][]string{"default": {"nordic"}, "other": {"nordic"}}
			revised(false, func(p *profile.Profile) { p.Cluster, p.Visibility = "other", profile.VisibleNetwork })(tb, i)
		}, nil},
		{"declined", func(tb testing.TB, i *installation) {
			tb.Helper()
			i.declined[[2]profile.ID{need, offer}] = true
			revised(false, func(*profile.Profile) {})(tb, i)
		}, nil},
		{"declined, and changed since", func(tb testing.TB, i *installation) {
			tb.Helper()
			i.declined[[2]profile.ID{need, offer}] = false
			revised(true, func(*profile.Profile) {})(tb, i)
		}, nil},
		{"what the gate must stop is shown", revised(true, func(p *profile.Profile) { p.Visibility = profile.VisiblePrivate }), []string{"suggestion_extra"}},
		{"what the gate lets through is not shown", revised(false, func(*profile.Profile) {}), []string{"suggestion_missing"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i := sound(t)
			tt.spoil(t, i)
			var got []string
			for _, f := range i.run(t).Findings {
				got = append(got, f.What)
				if f.Detail == "" || f.Mend == "" || f.Count == 0 {
					t.Errorf("a finding says too little: %+v", f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNetworksAndThePublicMeet: what both sides show to a network or to everybody.
func TestNetworksAndThePublicMeet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		visibility profile.Visibility
		networks   map[string][]string
		live       bool
	}{
		{profile.VisibleNetwork, map[string][]string{"a": {"n1", "n2"}, "b": {"n2"}}, true},
		{profile.VisibleNetwork, map[string][]string{"a": {"n1"}, "b": {"n2"}}, false},
		{profile.VisibleNetwork, nil, false},
		{profile.VisiblePublic, nil, true},
		{profile.VisibleCluster, map[string][]string{"a": {"n1"}, "b": {"n1"}}, false},
	} {
		i := sound(t)
		i.networks = tt.networks
		for seq, id := range map[uint64]profile.ID{21: need, 22: offer} {
			p := published(id, "Faldsensor og faldalarm til ældre i eget hjem")
			p.Visibility, p.Cluster = tt.visibility, map[profile.Side]string{profile.Demand: "a", profile.Supply: "b"}[id.Side()]
			i.put(t, p, seq)
		}
		i.last["PROFILES"], i.settled, i.applied = 22, 22, 22
		i.live = i.pairs(t)
		if !tt.live {
			i.live = slices.DeleteFunc(i.live, func(p suggestion.Pair) bool { return p.Demand == need })
		}
		if r := i.run(t); len(r.Findings) > 0 {
			t.Errorf("%s, networks %v: %+v", tt.visibility, tt.networks, r.Findings)
		}
	}
}

// TestWhatIsBeingWorkedOnIsNotJudged: a revision that came a moment ago, of which
// nobody has written anything yet, and a re-match that has not come by.
func TestWhatIsBeingWorkedOnIsNotJudged(t *testing.T) {
	t.Parallel()
	i := sound(t)
	m, err := event.EncodeRevision(event.Revision{
		ID: need, IntakeSeq: 90, Revision: 2, Status: profile.Published, Profile: published(need, "Antenner til satellitter"), Time: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Sequence, i.last["PROFILES"] = 30, 30
	i.messages[need] = m
	r := i.run(t)
	if len(r.Findings) > 0 || r.Checked.Waiting != 1 || r.Checked.Expected != 1 {
		t.Errorf("found %+v, checked %+v", r.Findings, r.Checked)
	}

	i = sound(t)
	i.live = i.live[:0] // rows of the older epoch count no more
	for id, h := range i.heads {
		h.Epoch = 0
		i.heads[id] = h
	}
	r = i.run(t)
	if len(r.Findings) > 0 || r.Checked.PairsLeft != 4 || r.Checked.Pairs != 0 {
		t.Errorf("found %+v, checked %+v", r.Findings, r.Checked)
	}
}

func TestAReportNamesTheMoment(t *testing.T) {
	t.Parallel()
	if r := sound(t).run(t); !r.At.Equal(now) || r.At.Location() != time.UTC || r.Epoch != 1 {
		t.Errorf("report of %v in epoch %d", r.At, r.Epoch)
	}
}
