package bench

import (
	"context"
	"time"

	"kobling/internal/bench/corpus"
	"kobling/internal/bench/report"
	"kobling/internal/event"
	"kobling/internal/profile"
)

// stageCalls is how often a stage is called, at most.
const stageCalls = 500

// stages measures the parts of the way, each alone, by one goroutine. Commits are
// measured on the way of a peer.
func (m *measurement) stages(ctx context.Context, questions []*question) error {
	x, list := m.index, &stageList{}
	var messages []event.Message
	var profiles []*profile.Profile
	for n := range min(stageCalls, m.Profiles) {
		l, err := m.rig.Letter(m.Profiles + n)
		if err != nil {
			return err
		}
		messages, profiles = append(messages, l.Message), append(profiles, l.Profile)
	}
	list.add("decode", "messages", len(messages), func(i int) (int, error) {
		_, err := event.DecodeRevision(messages[i])
		return 1, err
	})
	list.add("analysis", "profiles", len(profiles), func(i int) (int, error) {
		m.rig.Epoch.Side(profiles[i])
		return 1, nil
	})
	list.stages = append(list.stages, report.NewStage("index, 64 a batch", "profiles", x.small, len(x.small)*matchBatch))
	if x.rebuild > 0 {
		list.stages = append(list.stages, report.Stage{
			Name: "rebuild: analysis and index, all cores", Of: "profiles", Calls: x.rebuilt,
			PerSecond: report.Round(float64(x.rebuilt)/x.rebuild.Seconds(), 1),
		})
	}
	list.add("find", "queries", len(questions), func(i int) (int, error) {
		_, err := x.index.Find(ctx, questions[i].query(m.rig.Epoch.Floor()))
		return 1, err
	})
	list.add("score, all that a query finds", "pairs", len(questions), func(i int) (int, error) {
		q := questions[i]
		for k := range q.found {
			q.score(m.rig.Epoch, &q.found[k])
		}
		return len(q.found), nil
	})
	list.add("explain", "pairs", len(questions), func(i int) (int, error) { return m.explain(questions[i]) })
	m.report.Stages = append(m.report.Stages, list.stages...)
	return list.err
}

// explain explains the first suggestion of a question, if it has one.
func (m *measurement) explain(q *question) (int, error) {
	for i := range q.found {
		r := q.score(m.rig.Epoch, &q.found[i])
		if r.Band == "" {
			continue
		}
		demand, supply := m.profile(q.id), m.profile(q.found[i].ID)
		if q.id.Side() == profile.Supply {
			demand, supply = supply, demand
		}
		m.rig.Epoch.Explain(demand, supply, r.Reasons, "en")
		return 1, nil
	}
	return 0, nil
}

// profile returns the profile of the corpus that has an id.
func (m *measurement) profile(id profile.ID) *profile.Profile {
	return m.rig.Corpus.Profile(corpus.Number(id))
}

// stageList collects stages and the first error.
type stageList struct {
	stages []report.Stage
	err    error
}

// add times n calls of f, which returns how many things it handled. Calls that handled
// none do not count.
func (l *stageList) add(name, of string, n int, f func(i int) (int, error)) {
	var calls []time.Duration
	items := 0
	for i := range n {
		begun := time.Now()
		handled, err := f(i)
		took := time.Since(begun)
		if err != nil && l.err == nil {
			l.err = err
		}
		if handled > 0 {
			calls = append(calls, took)
			items += handled
		}
	}
	l.stages = append(l.stages, report.NewStage(name, of, calls, items))
}
