package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// duplicates returns "a b" of each relation that is current.
func (l *ledger) duplicates() []string {
	l.t.Helper()
	return l.strings(`SELECT a_id || ' ' || b_id FROM duplicate_live ORDER BY 1`)
}

func TestARelationIsCurrentAtTheNewestRevisionsOfBoth(t *testing.T) {
	t.Parallel()
	const ab = string(needA) + " " + string(needB)
	entity := func(e string) func(*suggestion.Head) {
		return edit(func(p *profile.Profile) { p.Organisation.LegalEntityID = e })
	}
	other := profile.ID("need.beta.b")
	for _, tt := range []struct {
		name string
		do   func(l *ledger)
		want []string
	}{
		{name: "both heads are there", do: func(l *ledger) { l.commit(head(needA, 1), head(needB, 2), twins(needA, 1, needB, 2)) }, want: []string{ab}},
		{name: "one head is missing yet", do: func(l *ledger) { l.commit(head(needA, 1), twins(needA, 1, needB, 2)) }},
		{name: "a revision of one", do: func(l *ledger) {
			l.commit(head(needA, 1), head(needB, 2), twins(needA, 1, needB, 2))
			l.commit(head(needB, 3))
		}},
		{name: "an older row does not replace it", do: func(l *ledger) {
			l.commit(head(needA, 5), head(needB, 2), twins(needA, 5, needB, 2))
			l.commit(head(needB, 2), twins(needA, 4, needB, 2))
		}, want: []string{ab}},
		{name: "nor a row of a revision that was superseded", do: func(l *ledger) {
			l.commit(head(needA, 5), head(needB, 2), twins(needA, 5, needB, 2))
			l.commit(head(needA, 4), head(needC, 6), twins(needA, 4, needB, 2))
		}, want: []string{ab}},
		{name: "what the other found of the newer revision stays", do: func(l *ledger) {
			l.commit(head(needA, 5))
			l.commit(head(needA, 4), head(needB, 6), twins(needA, 5, needB, 6))
		}, want: []string{ab}},
		{name: "a new epoch has not judged them yet", do: func(l *ledger) {
			l.commit(head(needA, 1), head(needB, 2), twins(needA, 1, needB, 2))
			l.must(l.SetEpoch(l.t.Context(), 2, "two", nil, nil))
			l.commit(head(needA, 1), rematch(2))
		}},
		{name: "a new epoch judges them alike", do: func(l *ledger) {
			l.commit(head(needA, 1), head(needB, 2), twins(needA, 1, needB, 2))
			l.must(l.SetEpoch(l.t.Context(), 2, "two", nil, nil))
			l.commit(head(needA, 1), twins(needA, 1, needB, 2), rematch(2))
		}, want: []string{ab}},
		{name: "one is withdrawn", do: func(l *ledger) {
			l.commit(head(needA, 1), head(needB, 2), twins(needA, 1, needB, 2))
			l.commit(tombstone(needB, 3), twins(needA, 1, needB, 3))
		}},
		{name: "of another organisation", do: func(l *ledger) {
			l.commit(head(needA, 1), head(other, 2), twins(needA, 1, other, 2))
		}},
		{name: "of one legal entity", do: func(l *ledger) {
			l.commit(head(needA, 1, entity("dk-1")), head(other, 2, entity("dk-1")), twins(needA, 1, other, 2))
		}, want: []string{string(needA) + " " + string(other)}},
		{name: "of one organisation, but different legal entities", do: func(l *ledger) {
			l.commit(head(needA, 1, entity("dk-1")), head(needB, 2, entity("dk-2")), twins(needA, 1, needB, 2))
		}},
		{name: "the operator says that they are one", do: func(l *ledger) {
			l.commit(head(needA, 1, entity("dk-1")), head(needB, 2, entity("dk-2")), twins(needA, 1, needB, 2))
			l.must(l.SetLegalEntity(l.t.Context(), needA.Org(), "dk-1"))
		}, want: []string{ab}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			tt.do(l)
			if diff := cmp.Diff(tt.want, l.duplicates()); diff != "" {
				t.Errorf("current relations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSweepRemovesSupersededRelations(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.commit(head(needA, 1), head(needB, 2), head(needC, 3), twins(needA, 1, needB, 2), twins(needA, 1, needC, 3), twins(needB, 2, needC, 3))
	l.commit(head(needB, 4))
	n, err := l.Sweep(t.Context())
	l.must(err)
	left := l.strings(`SELECT a_id || ' ' || b_id FROM duplicate`)
	if diff := cmp.Diff([]string{string(needA) + " " + string(needC)}, left); diff != "" || n != 2 {
		t.Errorf("%d removed, left (-want +got):\n%s", n, diff)
	}
}

// TestTheLaterPairIsMarked looks at lists and at the events for other systems,
// which know no subscriptions: what came first is unmarked.
func TestTheLaterPairIsMarked(t *testing.T) {
	t.Parallel()
	l := open(t)
	marks := func() map[profile.ID]profile.ID {
		rows, err := l.Suggestions(t.Context(), suggestion.Filter{})
		l.must(err)
		got := map[profile.ID]profile.ID{}
		for _, r := range rows {
			got[r.Demand] = ""
			if r.Twin != nil {
				got[r.Demand] = r.Twin.ID
			}
		}
		return got
	}
	want := func(what string, want map[profile.ID]profile.ID) {
		t.Helper()
		if diff := cmp.Diff(want, marks()); diff != "" {
			t.Errorf("%s: marked (-want +got):\n%s", what, diff)
		}
	}
	l.commit(head(needB, 1), head(offer, 2), with(needB, 1, 2))
	l.commit(head(needA, 3), with(needA, 3, 2), twins(needA, 3, needB, 1), head(needC, 4), with(needC, 4, 2), twins(needB, 1, needC, 4))
	want("b came first", map[profile.ID]profile.ID{needA: needB, needB: "", needC: needB})
	events := l.strings(`
		SELECT (m.data->>'demand_id') || coalesce(' also ' || (m.data->'also_posted_as'->>'id'), '')
		FROM river_job j, jsonb_array_elements(j.args->'messages') e,
			LATERAL (SELECT convert_from(decode(e->>'data', 'base64'), 'utf8')::jsonb->'data') m (data)
		WHERE j.kind = 'event' ORDER BY j.id`)
	b := string(needB)
	if diff := cmp.Diff([]string{b, string(needA) + " also " + b, string(needC) + " also " + b}, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	l.must(l.Retire(t.Context(), needB, 5))
	want("b is gone", map[profile.ID]profile.ID{needA: "", needC: ""})
	l.commit(head(needB, 6), with(needB, 6, 2), twins(needA, 3, needB, 6))
	want("b is back, like a", map[profile.ID]profile.ID{needA: needB, needB: "", needC: ""})
	l.commit(head(needB, 7), twins(needA, 3, needB, 7))
	want("b does not fit the offer any more", map[profile.ID]profile.ID{needA: "", needC: ""})
}
