package bench

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/bench/corpus"
	"kobling/internal/bench/peer"
	"kobling/internal/bench/report"
	"kobling/internal/event"
	"kobling/internal/match"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/testkit"
)

// concepts are enough of a lexicon for these tests.
const concepts = `
[home-care]
en: home care
[falls]
en: fall detection
[dementia]
en: dementia
`

func epoch(t *testing.T) *score.Epoch {
	t.Helper()
	return score.NewEpoch(1, testkit.Analyzer(t, concepts), score.DefaultThresholds())
}

// compared is a brute force of some questions over the profiles before them, and all of
// these pairs by the definition alone.
func compared(t *testing.T) (b *brute, definition map[[2]profile.ID]score.Candidate) {
	t.Helper()
	e := epoch(t)
	const asked, others = 10, 60
	c := corpus.New(1, "home care", "fall detection", "dementia")
	var changes []match.Change
	for n := range others {
		p := c.Profile(n)
		changes = append(changes, match.Change{ID: p.ID, Side: e.Side(p), Alive: true})
	}
	var list []*question
	for n := range asked {
		p := c.Profile(others + n)
		list = append(list, &question{id: p.ID, side: e.Side(p)})
	}
	b = newBrute(e, list)
	b.compare(changes[:25])
	b.compare(changes[25:])

	definition = map[[2]profile.ID]score.Candidate{}
	for _, q := range list {
		for _, c := range changes {
			demand, supply := q.side, c.Side
			if q.id.Side() == profile.Supply {
				demand, supply = supply, demand
			}
			if q.id.Side() == c.ID.Side() {
				continue
			}
			if text, top := score.Text(demand.Features, supply.Features); text >= e.Floor() {
				definition[[2]profile.ID{q.id, c.ID}] = score.Candidate{ID: c.ID, Text: text, Facts: c.Side.Facts, Top: top}
			}
		}
	}
	return b, definition
}

func TestBruteForceIsTheDefinition(t *testing.T) {
	t.Parallel()
	b, definition := compared(t)
	pairs := 0
	for _, q := range b.questions {
		want := map[profile.ID]float64{}
		for key, c := range definition {
			if key[0] != q.id {
				continue
			}
			if r := q.score(b.epoch, &c); r.Band != "" {
				want[c.ID] = r.Score
			}
			q.found = append(q.found, c)
		}
		if diff := cmp.Diff(want, q.pairs); diff != "" {
			t.Errorf("pairs of %s (-definition +brute force):\n%s", q.id, diff)
		}
		pairs += len(want)
	}
	if pairs < 20 {
		t.Fatalf("only %d pairs", pairs)
	}
	if diff := cmp.Diff(report.Exact{Queries: 10, Pairs: pairs}, b.verdict()); diff != "" {
		t.Errorf("of an index that is exact (-want +got):\n%s", diff)
	}
}

func TestTheVerdictNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	b, definition := compared(t)
	pairs := 0
	for _, q := range b.questions {
		pairs += len(q.pairs)
	}
	var q *question // has pairs
	var good score.Candidate
	for key, c := range definition {
		for _, x := range b.questions {
			if r := x.score(b.epoch, &c); x.id == key[0] && r.Band != "" {
				q, good = x, c
			}
		}
	}
	strange, weak := good, good
	strange.ID = "offer.nobody.one"
	weak.Text = score.TextMax // and so another score
	for name, c := range map[string]struct {
		found []score.Candidate
		want  report.Exact
	}{
		"nothing is found": {nil, report.Exact{Missing: pairs}},
		"one is found":     {[]score.Candidate{good}, report.Exact{Missing: pairs - 1}},
		"too much":         {[]score.Candidate{good, strange}, report.Exact{Missing: pairs - 1, Extra: 1}},
		"another score":    {[]score.Candidate{weak}, report.Exact{Missing: pairs - 1, Differ: 1}},
	} {
		q.found = c.found
		c.want.Queries, c.want.Pairs = 10, pairs
		if diff := cmp.Diff(c.want, b.verdict()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Two events of one batch find each other, and PostgreSQL takes no row twice.
func TestAPeerStoresEachPairOnce(t *testing.T) {
	t.Parallel()
	w := &way{epoch: epoch(t), seqs: map[profile.ID]uint64{"need.a.1": 7, "offer.b.2": 8, "offer.c.3": 2}}
	b := w.batch(
		[]event.Revision{{ID: "need.a.1", Seq: 7}, {ID: "offer.b.2", Seq: 8}},
		[][]peer.Hit{{{ID: "offer.b.2"}, {ID: "offer.c.3"}}, {{ID: "need.a.1"}}},
	)
	var got []string
	for _, p := range b.Pairs {
		if p.DemandSeq != w.seqs[p.Demand] || p.SupplySeq != w.seqs[p.Supply] {
			t.Errorf("%s and %s have sequences %d and %d", p.Demand, p.Supply, p.DemandSeq, p.SupplySeq)
		}
		got = append(got, string(p.Demand)+" "+string(p.Supply))
	}
	if diff := cmp.Diff([]string{"need.a.1 offer.b.2", "need.a.1 offer.c.3"}, got); diff != "" || len(b.Heads) != 2 {
		t.Errorf("%d heads, pairs (-want +got):\n%s", len(b.Heads), diff)
	}
}
